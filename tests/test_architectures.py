"""Architectures against formulas written out by hand, and many against each alone."""

import copy
import json
import subprocess
import sys
from functools import lru_cache, partial

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch import nn
from torch.nn import functional

from semikd import nets
from semikd.nets.images import BasicBlock
from semikd.nets.tabular import CategoryEmbedding, PeriodicEmbedding
from semikd.networks import (
    MLP,
    CustomFactory,
    InputShape,
    ResNet,
    SmallCNN,
    as_architecture,
)
from semikd.networks.architectures import from_spec, to_spec

TABLE = InputShape.table(3, (4, 6))
NUMBERS = InputShape.table(3)
IMAGES = InputShape.images(3, 9, 8)

TABULAR = {
    "linear": (MLP(()), NUMBERS),
    "plain": (MLP((8, 5), dropout=0.3), NUMBERS),
    "norm": (MLP((8, 5), dropout=0.3, layer_norm=True), NUMBERS),
    "residual": (MLP((8, 8, 8, 5, 5), dropout=0.3, residual=True), NUMBERS),
    "both": (MLP((8, 8), dropout=0.3, residual=True, layer_norm=True), NUMBERS),
    "categories": (MLP((8,), dropout=0.3), TABLE),
    "one size": (MLP((8,), embedding_size=3), TABLE),
    "linear with categories": (MLP(()), TABLE),
    "only categories": (MLP((8,)), InputShape.table(0, (4, 6))),
    "linear in categories": (MLP(()), InputShape.table(0, (4, 6))),
    "waves": (MLP((8,), numeric="periodic"), NUMBERS),
    "waves alone": (MLP((), numeric="periodic"), NUMBERS),
    "waves and categories": (MLP((8,), numeric="periodic"), TABLE),
}


pytestmark = pytest.mark.usefixtures("one_torch_thread")


def built(architecture, inputs, n_outputs=2, *, seed=0, dtype=torch.float64):
    """Return a network of random weights, those that start at zero among them."""
    module = nets.seeded(lambda: architecture.build(inputs, n_outputs, dtype), seed)
    draws = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            noise = torch.randn(parameter.shape, generator=draws, dtype=dtype)
            parameter.add_(0.1 * noise)
    return module


def rows_of(inputs, n, *, seed=0):
    """Return rows of that shape, positions of categories as floats among them."""
    draws = np.random.default_rng(seed)
    if inputs.image:
        return torch.from_numpy(draws.random((n, *inputs.image)))
    codes = [draws.integers(size, size=n) for size in inputs.categories]
    columns = [*draws.normal(size=(inputs.numeric, n)), *codes]
    return torch.from_numpy(np.stack(columns, axis=1).astype(float))


def lend(stack, module, member):
    """Give a network alone the noise that it has in a stack."""
    for path, layer in module.named_modules():
        if isinstance(layer, nets.Dropout):
            layer.noise = stack._tensors[f"{path}.noise"][member]


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("name", TABULAR)
def test_networks_for_tables_run_natively_and_as_each_alone(name, training):
    architecture, inputs = TABULAR[name]
    modules = [built(architecture, inputs, seed=m) for m in range(3)]
    x = torch.stack([rows_of(inputs, 7, seed=m) for m in range(3)])
    stack = nets.Stack(modules, x[0, :2])
    assert stack.mode == "native"
    stack.train(training)
    stack.draw([torch.Generator().manual_seed(m) for m in range(3)], [7] * 3, 7)
    scores = stack(x)
    shared = stack(x[:1])
    slopes = torch.autograd.grad(scores.square().sum(), list(stack.leaves.values()))
    for m, module in enumerate(modules):
        lend(stack, module.train(training), m)
        alone = module(x[m])
        torch.testing.assert_close(scores[m], alone, rtol=0, atol=1e-12)
        torch.testing.assert_close(shared[m], module(x[0]), rtol=0, atol=1e-12)
        module.zero_grad()
        alone.square().sum().backward()
        own = dict(module.named_parameters())
        for leaf, slope in zip(stack.leaves, slopes, strict=True):
            expected = own[leaf].grad
            found = slope[m].T if slope[m].shape != expected.shape else slope[m]
            found = slope[m].T if leaf in stack._turned else found
            torch.testing.assert_close(found, expected, rtol=0, atol=1e-10)
    if training and "Dropout" in str(modules[0]):
        assert not torch.equal(scores[0], modules[0].eval()(x[0]))


def test_a_stack_of_one_member_is_that_network():
    architecture, inputs = TABULAR["waves and categories"]
    module, x = built(architecture, inputs), rows_of(inputs, 5)
    stack = nets.Stack([module], x[:2])
    torch.testing.assert_close(stack(x[None])[0], module(x), rtol=0, atol=1e-12)


def test_the_plain_perceptron_is_the_one_that_is_shipped():
    for sizes, dropout in [((8, 5), 0.2), ((4,), 0.0), ((), 0.0)]:
        spec = MLP(sizes, dropout=dropout)
        module = nets.seeded(lambda spec=spec: spec.build(NUMBERS, 2), 3)
        expected = nets.seeded(
            lambda s=sizes, d=dropout: nets.mlp(3, s, 2, dropout=d), 3
        )
        assert str(module) == str(expected)
        assert type(module) is nn.Sequential
        for own, other in zip(module.parameters(), expected.parameters(), strict=True):
            assert torch.equal(own, other)


def test_a_residual_network_is_its_formula():
    module = built(MLP((4, 4, 4, 2), residual=True, layer_norm=True), NUMBERS, 1)
    x = rows_of(NUMBERS, 6)
    linear = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
    norms = [layer for layer in module.modules() if isinstance(layer, nn.LayerNorm)]
    assert [tuple(layer.weight.shape) for layer in linear] == [
        (4, 3), (4, 4), (4, 4), (2, 4), (1, 2),
    ]  # fmt: skip

    def unit(at, h):
        mean, variance = h.mean(1, keepdim=True), h.var(1, keepdim=True, correction=0)
        standard = (h - mean) / (variance + 1e-5).sqrt()
        z = standard * norms[at].weight + norms[at].bias
        return z / (1 + (-z).exp())

    h = linear[0](x)
    h = h + linear[1](unit(0, h))
    h = h + linear[2](unit(1, h))
    # The width changes: no skip.
    h = linear[3](unit(2, h))
    expected = linear[4](unit(3, h))
    torch.testing.assert_close(module(x), expected, rtol=0, atol=1e-12)


def test_numbers_become_waves_by_the_formula_of_the_paper():
    waves = PeriodicEmbedding(2, n_frequencies=3, width=4).double()
    x = rows_of(InputShape.table(2), 5).numpy()
    c = waves.frequency.detach().numpy()
    weight, bias = (p.detach().numpy() for p in waves.mix.parameters())
    for row, found in zip(x, waves(torch.from_numpy(x)).detach().numpy(), strict=True):
        angles = 2 * np.pi * c * row[:, None]
        v = np.hstack([np.sin(angles), np.cos(angles)])
        expected = np.maximum(v @ weight.T + bias, 0).ravel()
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_waves_follow_what_plain_units_miss():
    x = torch.linspace(-2, 2, 400, dtype=torch.float64)[:, None]
    y = (6 * x).sin()

    def loss(architecture):
        module = built(architecture, InputShape.table(1), 1)
        member = nets.Member(module, torch.arange(400), learning_rate=0.01)
        found = nets.train([member], x, lambda f, b: ((f - y[b.rows]) ** 2).mean(2))
        return found[0].history[-1].train_loss

    assert loss(MLP((16,), numeric="periodic", frequency_scale=1.0)) < 0.05
    assert loss(MLP((16,))) > 0.3


def test_linear_scores_with_categories_are_least_squares_on_indicators():
    draws = np.random.default_rng(0)
    x = rows_of(TABLE, 200)
    y = torch.from_numpy(draws.normal(size=(200, 2)))
    module = built(MLP(()), TABLE)
    nets.minimize(module, x, lambda f, rows: ((f - y[rows]) ** 2).sum(1).mean())
    codes = x[:, 3:].numpy().astype(int)
    indicators = [np.eye(n)[codes[:, j]] for j, n in enumerate(TABLE.categories)]
    design = np.hstack([x[:, :3].numpy(), np.ones((200, 1)), *indicators])
    expected = design @ np.linalg.lstsq(design, y.numpy(), rcond=None)[0]
    np.testing.assert_allclose(module(x).detach().numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("name", TABULAR)
def test_a_network_for_tables_trained_in_a_batch_is_that_trained_alone(name):
    architecture, inputs = TABULAR[name]
    x = rows_of(inputs, 60)
    y = rows_of(InputShape.table(2), 60, seed=1)

    def train(places):
        members = [
            nets.Member(
                built(architecture, inputs, seed=m),
                # Members go through epochs of different lengths.
                torch.arange(40 + 5 * m),
                torch.arange(55, 60),
                seed=m,
                learning_rate=0.01,
                max_epochs=5,
            )
            for m in places
        ]
        return nets.train(
            members,
            x,
            lambda f, batch: ((f - y[batch.rows]) ** 2).mean(dim=2),
            options=nets.TrainingOptions(batch_size=10),
        )

    for m, found in enumerate(train([0, 1, 2])):
        alone = train([m])[0]
        assert found.mode == "native"
        assert found.history[-1].train_loss < found.history[0].train_loss
        for key, tensor in found.module.state_dict().items():
            other = alone.module.state_dict()[key]
            torch.testing.assert_close(tensor, other, rtol=0, atol=1e-9)


@pytest.mark.parametrize("hidden", [(), (8,)])
def test_a_category_that_is_never_trained_on_counts_as_none(hidden):
    x = rows_of(TABLE, 100)
    x[:, 3].clamp_(max=1)
    y = rows_of(InputShape.table(1), 100, seed=1)
    module = nets.seeded(lambda: MLP(hidden).build(TABLE, 1, torch.float64), 0)
    member = nets.Member(module, torch.arange(100), learning_rate=0.05, max_epochs=5)
    fitted = nets.train([member], x, lambda f, b: ((f - y[b.rows]) ** 2).mean(2))
    layers = fitted[0].module.modules()
    table = next(one for one in layers if type(one) is CategoryEmbedding).table_0
    assert (table[2:] == 0).all()
    assert (table[:2] != 0).all()


def test_positions_of_categories_are_exact_in_single_precision():
    table = CategoryEmbedding((2**24 + 1,), (1,))
    with torch.no_grad():
        table.table_0[2**24] = 1.0
    codes = torch.tensor([[float(2**24)], [float(2**24 - 1)]])
    assert table(codes).ravel().tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("depth", "size"),
    [(8, 75290), (14, 172506), (20, 269722), (32, 464154), (44, 658586), (56, 853018)],
)
def test_residual_networks_have_the_sizes_that_were_published(depth, size):
    n = (depth - 2) // 6
    by_hand = 3 * 9 * 16 + 2 * 16 + 64 * 10 + 10
    for fan_in, width in ((16, 16), (16, 32), (32, 64)):
        by_hand += 9 * fan_in * width + (2 * n - 1) * 9 * width**2 + 4 * n * width
    spec = ResNet(depth)
    found = spec.n_parameters(InputShape.images(3, 32, 32), 10)
    assert found == by_hand == size
    layers = spec.outline(IMAGES, 10).modules()
    assert sum(isinstance(layer, nn.Conv2d | nn.Linear) for layer in layers) == depth


def test_the_skip_of_a_block_takes_every_second_pixel_and_adds_channels_of_zeros():
    block = BasicBlock(2, 6, stride=2).eval()
    with torch.no_grad():
        block.second.weight.zero_()
        x = torch.randn(1, 2, 5, 4, generator=torch.Generator().manual_seed(0))
        out = block(x)
    assert out.shape == (1, 6, 3, 2)
    assert torch.equal(out[:, 2:4], x[:, :, ::2, ::2].relu())
    assert not out[:, [0, 1, 4, 5]].any()


@pytest.mark.parametrize("spec", [ResNet(8), SmallCNN(dropout=0.2)], ids=["res", "cnn"])
@pytest.mark.parametrize("size", [(1, 8, 8), (3, 28, 28), (3, 11, 32)])
def test_networks_for_images_take_any_size_from_eight_pixels(spec, size):
    inputs = InputShape.images(*size)
    scores = built(spec, inputs, 7)(rows_of(inputs, 2))
    assert scores.shape == (2, 7)
    with pytest.raises(ValueError, match=r"at least 8 by 8 pixels; got \(1, 7"):
        spec.build(InputShape.images(1, 7, 9), 2)


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("spec", [ResNet(8), SmallCNN(dropout=0.2)], ids=["res", "cnn"])
def test_networks_for_images_run_at_once_and_as_each_alone(spec, training):
    modules = [built(spec, IMAGES, seed=m) for m in range(3)]
    x = torch.stack([rows_of(IMAGES, 4, seed=m) for m in range(3)])
    stack = nets.Stack(modules, x[0, :2])
    assert stack.mode == "vmap"
    stack.train(training)
    stack.draw([torch.Generator().manual_seed(m) for m in range(3)], [4] * 3, 4)
    scores = stack(x)
    for m, module in enumerate(modules):
        lend(stack, module.train(training), m)
        torch.testing.assert_close(scores[m], module(x[m]), rtol=0, atol=1e-12)
        own = module.state_dict()
        moved = stack.member(m).state_dict()
        assert own.keys() == moved.keys()
        for name, tensor in own.items():
            torch.testing.assert_close(moved[name], tensor, rtol=0, atol=1e-12)
    if training and isinstance(spec, ResNet):
        means = stack.state["1.running_mean"]
        assert (means[0] != means[1]).all()
        assert stack.state["1.num_batches_tracked"].tolist() == [1, 1, 1]


@pytest.mark.parametrize("spec", [ResNet(8), SmallCNN(dropout=0.2)], ids=["res", "cnn"])
def test_a_network_for_images_trained_in_a_batch_is_that_trained_alone(spec):
    x = rows_of(IMAGES, 40)
    y = torch.arange(40) % 2

    def objective(f, batch):
        labels = y[batch.rows.expand(f.shape[:2])]
        return functional.cross_entropy(f.mT, labels, reduction="none")

    def train(places):
        members = [
            nets.Member(
                built(spec, IMAGES, seed=m),
                torch.arange(32),
                torch.arange(32, 40),
                seed=m,
                learning_rate=0.01 * (m + 1),
                max_epochs=3,
            )
            for m in places
        ]
        return nets.train(
            members,
            x,
            objective,
            options=nets.TrainingOptions(batch_size=8),
        )

    for m, found in enumerate(train([0, 1, 2])):
        alone = train([m])[0]
        assert found.mode == "vmap"
        start = built(spec, IMAGES, seed=m).state_dict()
        other = alone.module.state_dict()
        for name, tensor in found.module.state_dict().items():
            torch.testing.assert_close(tensor, other[name], rtol=0, atol=1e-9)
        moved = other["0.weight"] - start["0.weight"]
        assert moved.abs().max() > 1e-3


def test_architectures_are_cloned_shown_and_set_like_estimators():
    spec = MLP((8,), dropout=0.1)
    assert repr(clone(spec)) == "MLP(dropout=0.1, hidden_layer_sizes=(8,))"
    assert clone(spec).set_params(residual=True).get_params()["residual"] is True
    assert ResNet().set_params(depth=20).depth == 20
    with pytest.raises(ValueError, match="Invalid parameter 'width'"):
        SmallCNN().set_params(width=3)


@pytest.mark.parametrize(
    "spec",
    [
        MLP(),
        MLP([np.int64(5)], dropout=np.float64(0.25), embedding_size=np.int64(2)),
        MLP((), numeric="periodic", layer_norm=True, frequency_scale=0.5),
        ResNet(14),
        SmallCNN(dropout=0.5),
    ],
)
def test_an_architecture_goes_through_json_and_comes_back(spec):
    again = from_spec(json.loads(json.dumps(to_spec(spec))))
    assert type(again) is type(spec)
    assert to_spec(again) == to_spec(spec)
    inputs = IMAGES if spec.reads_images else TABLE
    assert str(again.outline(inputs, 3)) == str(spec.outline(inputs, 3))


def test_what_names_a_network_becomes_an_architecture():
    assert as_architecture((8, 4)).hidden_layer_sizes == (8, 4)
    assert as_architecture([]).is_linear
    assert not as_architecture([2]).is_linear
    assert not MLP((), numeric="periodic").is_linear
    assert not ResNet().is_linear
    spec = SmallCNN()
    assert as_architecture(spec) is spec
    assert as_architecture("resnet").depth == 8
    assert isinstance(as_architecture(linear), CustomFactory)


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        (3, TypeError, "module must be hidden layer sizes, an architecture or a"),
        (None, TypeError, "module must be hidden layer sizes"),
        ("resnets", ValueError, "module must be one of .*Did you mean 'resnet'"),
        (
            nn.Linear(1, 1),
            TypeError,
            "module must be built anew for each fit; got a Lin",
        ),
        (CustomFactory(nn.Linear(1, 1)), TypeError, "module must be a function that"),
        (CustomFactory(3), TypeError, "module must be a function that builds a netw"),
        (
            (8, 0),
            ValueError,
            "hidden_layer_sizes must be an integer of at least 1; got 0",
        ),
        ((8, 2.5), TypeError, "hidden_layer_sizes must be an integer of at least 1"),
        ((1,) * 257, ValueError, "hidden_layer_sizes must name at most 256 layers"),
        (MLP("ab"), TypeError, "hidden_layer_sizes must be a sequence of integers"),
        (MLP(5), TypeError, "hidden_layer_sizes must be a sequence of integers"),
        (
            MLP(dropout=1.0),
            ValueError,
            "dropout must be a number at least 0 and at mos",
        ),
        (MLP(layer_norm=1), TypeError, "layer_norm must be True or False; got 1"),
        (MLP(residual="no"), TypeError, "residual must be True or False"),
        (MLP(numeric="wave"), ValueError, "numeric must be one of 'plain', 'periodic'"),
        (MLP(embedding_size=0), ValueError, "embedding_size must be an integer of at"),
        (MLP(embedding_size="a"), TypeError, "embedding_size must be .* Or use 'auto'"),
        (
            MLP(frequency_scale=0.0),
            ValueError,
            "frequency_scale must be a number above",
        ),
        (ResNet(18), ValueError, "depth must be one of 8, 14, 20, 32, 44, 56; got 18"),
        (ResNet(8.0), ValueError, "depth must be one of"),
        (ResNet("8"), ValueError, "depth must be one of"),
        (SmallCNN(dropout=-1), ValueError, "dropout must be a number at least 0"),
    ],
)
def test_a_wrong_architecture_is_refused_in_one_line(value, kind, message):
    with pytest.raises(kind, match=message) as raised:
        as_architecture(value)
    assert "\n" not in str(raised.value)


def test_networks_refuse_rows_that_they_cannot_read():
    with pytest.raises(
        ValueError, match=r"module must read images; got MLP\(\). Use an"
    ):
        MLP().build(IMAGES, 2)
    with pytest.raises(
        ValueError, match=r"read rows of a table; got ResNet\(\).*as MLP"
    ):
        ResNet().build(TABLE, 2)
    with pytest.raises(ValueError, match="n_outputs must be an integer of at least 1"):
        MLP().build(TABLE, 0)


def test_a_shape_without_columns_or_pixels_is_refused():
    for make, message in [
        (
            lambda: InputShape.table(0),
            "columns must be an integer of at least 1; got 0",
        ),
        (lambda: InputShape.table(-1), "numeric must be an integer of at least 0"),
        (lambda: InputShape.table(1, (0,)), "categories must be an integer of at"),
        (lambda: InputShape.images(3, 0, 8), "image must be an integer of at least 1"),
    ]:
        with pytest.raises(ValueError, match=message):
            make()
    with pytest.raises(TypeError, match="image must be channels, height and width"):
        InputShape(image=(3, 8))


def linear(row, n_outputs):
    return nn.Linear(row[0], n_outputs)


def wide(row, n_outputs):
    return nn.Linear(row[0], n_outputs + 1)


def lazy(row, n_outputs):  # noqa: ARG001 - the shape is found out on two rows
    return nn.LazyLinear(n_outputs)


def broken(row, n_outputs):
    return nn.Linear(row[0] + 1, n_outputs)


def no_network(row, n_outputs):
    return (row, n_outputs)


def pair(row, n_outputs):
    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(row[0], n_outputs)

        def forward(self, x):
            return self.layer(x), x

    return Pair()


ONE = nn.Linear(3, 2)


def the_same(row, n_outputs):  # noqa: ARG001 - that is the mistake
    return ONE


def shared_inside(row, n_outputs):  # noqa: ARG001 - that is the mistake
    return nn.Sequential(ONE)


class Own(nn.Sequential):
    def __init__(self, row, n_outputs):
        super().__init__(nn.Linear(row[0], 4), nn.Dropout(0.5), nn.Linear(4, n_outputs))


class Maker:
    def __call__(self, row, n_outputs):
        return nn.Linear(row[0], n_outputs)


@pytest.mark.parametrize(
    ("factory", "kind", "message"),
    [
        (
            wide,
            ValueError,
            r"wide must give scores of shape \(2, 2\) for two rows; got \(2",
        ),
        (pair, ValueError, r"pair must give scores of shape .*; got tuple. Its last"),
        (
            broken,
            ValueError,
            r"broken must take rows of shape \(2, 3\); got RuntimeError",
        ),
        (no_network, TypeError, "no_network must return a torch.nn.Module; got tuple"),
        (
            the_same,
            ValueError,
            "the_same must build new layers in each call; got the same",
        ),
        (shared_inside, ValueError, "shared_inside must build new layers in each call"),
        (lru_cache(linear), ValueError, "linear must build new layers in each call"),
    ],
)
def test_a_wrong_factory_is_refused_by_name_in_one_line(factory, kind, message):
    with pytest.raises(kind, match=message) as raised:
        as_architecture(factory).build(NUMBERS, 2)
    assert str(raised.value).startswith("module ")
    assert "\n" not in str(raised.value)


def test_any_function_of_shape_and_scores_is_an_architecture():
    module = as_architecture(linear).build(TABLE, 4, torch.float64)
    assert module.weight.shape == (4, 5)
    assert module.weight.dtype == torch.float64
    images = as_architecture(
        lambda row, m: nn.Sequential(nn.Flatten(), nn.LazyLinear(m))
    )
    assert images.build(IMAGES, 2)[1].weight.shape == (2, 3 * 9 * 8)
    assert as_architecture(lazy).n_parameters(NUMBERS, 2) == 8


def test_dropout_of_a_factory_takes_its_noise_from_the_seed_of_the_fit():
    module = as_architecture(Own).build(NUMBERS, 2)
    assert [type(layer) for layer in module] == [nn.Linear, nets.Dropout, nn.Linear]
    assert module[1].probability == 0.5
    assert module.training
    stack = nets.Stack([module, copy.deepcopy(module)], torch.zeros(2, 3))
    assert stack.mode == "vmap"


def test_a_factory_is_named_by_where_it_is_from():
    here = linear.__module__
    for factory, name in [
        (linear, "linear"),
        (partial(partial(linear)), "linear"),
        (Own, "Own"),
        (Maker(), "Maker"),
    ]:
        assert CustomFactory(factory).source == f"{here}:{name}"
    assert to_spec(CustomFactory(Own)) == {"name": "custom", "factory": f"{here}:Own"}
    assert from_spec(to_spec(CustomFactory(Own)), factory=Own).factory is Own


def test_an_architecture_without_a_name_of_its_own_is_not_described():
    class Wider(MLP):
        pass

    with pytest.raises(TypeError, match=r"be one of MLP, ResNet, SmallCNN; got Wider"):
        to_spec(Wider())


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            {"name": "vgg", "settings": {}},
            "architecture must be one of 'mlp', 'resnet'",
        ),
        ({"name": ["mlp"], "settings": {}}, "architecture must be one of"),
        ({"name": "resnet", "settings": {}}, "'resnet' must have the settings depth"),
        ({"name": "resnet", "settings": {"depth": 9}}, "depth must be one of 8"),
        (
            {"name": "custom", "factory": "a:b"},
            "factory must be passed .*none for 'a:b'",
        ),
    ],
)
def test_a_description_of_no_architecture_is_refused(spec, message):
    with pytest.raises(ValueError, match=message):
        from_spec(spec)


def test_architectures_are_known_without_torch():
    code = (
        "import sys; from semikd.networks import MLP, as_architecture; "
        "as_architecture('mlp'); as_architecture(print); "
        "print('torch' in sys.modules)"
    )
    shown = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "False"
