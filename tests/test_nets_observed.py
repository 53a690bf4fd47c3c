"""Networks that show hidden layers: alone, under vmap, and by the engine's rules."""

import numpy as np
import pytest
import torch
from torch import nn

from semikd.nets import Observed, Stack, mlp, seeded
from semikd.nets.hidden import hidden_layers
from semikd.nets.images import resnet, small_cnn
from semikd.nets.observed import found_layer, last_hidden, layer_outputs, run_and_see

pytestmark = pytest.mark.usefixtures("one_torch_thread")


class Plain(nn.Module):
    """A network whose layers no rule of the engine knows."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 6), nn.Tanh())
        self.head = nn.Linear(6, 2)

    def forward(self, x):
        return self.head(self.body(x))


class Drawing(Plain):
    """One that draws from torch's generator, so that it is run alone."""

    def forward(self, x):
        return self.head(self.body(x) + 0.0 * torch.randn_like(x[:, :1]))


def residual():
    return nn.Sequential(*hidden_layers(3, (6, 6), residual=True), nn.Linear(6, 2))


CASES = [
    (lambda: mlp(3, (6, 4), 2), ["1", "2"], "native"),
    (lambda: mlp(3, (6, 4), 2, dropout=0.5), ["2"], "native"),
    (residual, ["1.block.0", "2"], "native"),
    (Plain, ["body.1"], "vmap"),
    (Drawing, ["body.0"], "one by one"),
]


@pytest.mark.parametrize(("build", "layers", "mode"), CASES)
def test_a_stack_shows_what_each_member_would_show_alone(build, layers, mode):
    extra = {"connector": torch.ones(2, 2)}
    members = [seeded(lambda: Observed(build(), layers, extra), s) for s in range(3)]
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(3, 5, 3))).float()
    stack = Stack(members, x[0])
    assert stack.mode == mode
    stack.train(False)
    answers = stack(x)
    for member, rows, answer in zip(members, x, answers, strict=True):
        scores, seen = run_and_see(member.network.eval(), layers, rows)
        by_hand = torch.cat([scores, *seen], dim=1)
        torch.testing.assert_close(answer, by_hand)
    # Also where all members read the same rows; what an objective trains is a leaf.
    assert stack(x[:1]).shape == answers.shape
    assert stack.leaves["connector"].shape == (3, 2, 2)
    assert stack.member(1).network.training is False


def test_what_is_shown_in_training_has_the_dropout_of_the_scores():
    network = seeded(lambda: mlp(3, (50,), 2, dropout=0.5), 0)
    stack = Stack([Observed(network, ["2"])], torch.ones(4, 3))
    stack.train()
    stack.draw([torch.Generator().manual_seed(0)], [4], 4)
    answers = stack(torch.ones(1, 4, 3))[0]
    hidden, head = answers[:, 2:], network[-1]
    assert 0.3 < float((hidden == 0).float().mean()) < 0.7
    torch.testing.assert_close(head(hidden), answers[:, :2])


def test_maps_are_flattened_behind_the_scores():
    network = small_cnn(3, 4)
    answer = Observed(network, ["2"])(torch.zeros(2, 3, 8, 8))
    assert answer.shape == (2, 4 + 32 * 4 * 4)


@pytest.mark.parametrize(
    ("network", "x", "maps", "name"),
    [
        (mlp(3, (6, 4), 2), torch.zeros(2, 3), False, "3"),
        (mlp(3, (6, 4), 2, dropout=0.5), torch.zeros(2, 3), False, "4"),
        (residual(), torch.zeros(2, 3), False, "2"),
        (Plain(), torch.zeros(2, 3), False, "body.1"),
        (resnet(3, 8, 5), torch.zeros(2, 3, 8, 8), False, "7"),
        (resnet(3, 8, 5), torch.zeros(2, 3, 8, 8), True, "5"),
        (small_cnn(1, 5), torch.zeros(2, 1, 8, 8), True, "8"),
    ],
)
def test_the_last_hidden_layer_is_what_the_last_linear_map_reads(
    network, x, maps, name
):
    state = {k: t.clone() for k, t in network.state_dict().items()}
    assert last_hidden(network, x, maps=maps) == name
    assert network.training
    assert all(torch.equal(t, state[k]) for k, t in network.state_dict().items())
    assert not any(layer._forward_hooks for layer in network.modules())


def test_layers_come_in_the_order_in_which_they_end():
    assert list(layer_outputs(Plain(), torch.zeros(2, 3))) == [
        "body.0",
        "body.1",
        "body",
        "head",
    ]


@pytest.mark.parametrize(
    ("network", "name", "message"),
    [
        (
            mlp(3, (6,), 2),
            "hidden",
            r"layer must name a layer.*'hidden'; there are '0'",
        ),
        (mlp(3, (6,), 2), "", "layer must name a layer of the network; got ''"),
        (mlp(3, (), 2), None, "the network must have a last hidden layer; got none"),
        (nn.Sequential(nn.Tanh()), None, "must have a last hidden layer"),
    ],
)
def test_a_name_that_is_none_is_refused_with_the_names_there_are(
    network, name, message
):
    with pytest.raises(ValueError, match=message):
        found_layer(network, name, torch.zeros(2, 3), what="layer")


def test_a_network_without_maps_has_no_last_map():
    with pytest.raises(ValueError, match="a layer must give maps of several pixels"):
        found_layer(mlp(3, (6,), 2), None, torch.zeros(2, 3), what="x", maps=True)


class Recurrent(nn.Module):
    """Reads a row as a sequence: its layers give tuples and tensors of other shapes."""

    def __init__(self):
        super().__init__()
        self.unused = nn.Linear(2, 2)
        self.memory = nn.LSTM(1, 4, batch_first=True)
        self.turned = nn.Identity()
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        states = self.memory(x[..., None])[0]
        return self.head(self.turned(states.transpose(0, 1))[-1])


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("unused", "does not run"),
        ("memory", "gives a tuple"),
        ("turned", r"gives a tensor of shape \(3, 2, 4\) for 2 rows"),
    ],
)
def test_a_layer_without_a_tensor_of_rows_says_what_it_does(name, made):
    message = f"gives a tensor of its rows; got '{name}', which {made}"
    with pytest.raises(ValueError, match=message):
        found_layer(Recurrent(), name, torch.zeros(2, 3), what="layer")
