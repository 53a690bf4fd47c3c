"""Stacks of networks: how they are run, and what they are made of."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from semikd import nets
from semikd.nets.alike import architecture

EXAMPLE = torch.zeros(4, 3)


def test_scores_are_those_of_the_members():
    modules = [nets.seeded(lambda: nets.mlp(3, (8, 5), 2), s) for s in range(4)]
    stack = nets.Stack(modules, EXAMPLE)
    own, shared = torch.randn(4, 6, 3, generator=torch.Generator().manual_seed(0)), None
    shared = own[:1]
    for x in (own, shared):
        expected = [m(rows) for m, rows in zip(modules, x.expand(4, 6, 3), strict=True)]
        torch.testing.assert_close(stack(x), torch.stack(expected))
    for index, module in enumerate(modules):
        torch.testing.assert_close(
            dict(stack.member(index).state_dict()), dict(module.state_dict())
        )


def test_members_may_be_chosen_and_put_back():
    modules = [nets.seeded(lambda: nets.mlp(3, (8,), 2), s) for s in range(4)]
    stack = nets.Stack(modules, EXAMPLE)
    some = stack.select(torch.tensor([3, 1]))
    x = torch.ones(1, 5, 3)
    torch.testing.assert_close(some(x), stack(x)[[3, 1]])
    stack.put([0], some, [0])
    torch.testing.assert_close(stack(x)[0], stack(x)[3])
    # Copies: what happens to one does not happen to the other.
    with torch.no_grad():
        next(iter(some.leaves.values())).zero_()
    torch.testing.assert_close(stack(x)[1], modules[1](x[0]))


def test_a_factory_that_shares_parameters_is_refused():
    head = nn.Linear(8, 2)
    wanted = (
        r"module must share no parameter; got '1\.weight' in members 0 and 2\. Build "
        "new layers in each call of the factory"
    )
    modules = [nn.Sequential(nn.Linear(3, 8), h) for h in (head, nn.Linear(8, 2), head)]
    with pytest.raises(ValueError, match=wanted):
        nets.Stack(modules, EXAMPLE)
    same = nets.mlp(3, (), 2)
    members = [nets.Member(same, torch.arange(4)) for _ in range(2)]
    with pytest.raises(ValueError, match="in members 0 and 1"):
        nets.train(members, EXAMPLE, lambda f, _: f[..., 0])


class Tied(nn.Module):
    """One matrix that is used twice under two names."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(3, 3), nn.Linear(3, 3)
        self.last.weight = self.first.weight

    def forward(self, x):
        return self.last(torch.tanh(self.first(x)))


class Buffered(nn.Module):
    """A constant that no file holds."""

    def __init__(self, shift):
        super().__init__()
        self.layer = nn.Linear(3, 2)
        self.register_buffer("shift", torch.full((2,), shift), persistent=False)

    def forward(self, x):
        return self.layer(x) + self.shift


class Branching(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, x):
        return self.layer(x) * (2.0 if x.sum().item() > 0 else 1.0)


class Drawing(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, x):
        return functional.dropout(self.layer(x), 0.5, self.training)


def hooked():
    layer = nn.Linear(3, 2)
    layer.register_forward_hook(lambda _, __, out: 2.0 * out)
    return nn.Sequential(layer)


@pytest.mark.parametrize(
    ("build", "mode"),
    [
        (lambda: nets.mlp(3, (4,), 2), "native"),
        (Tied, "vmap"),
        (lambda: Buffered(3.0), "vmap"),
        (lambda: nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)), "vmap"),
        (hooked, "vmap"),
        (lambda: nn.utils.parametrizations.weight_norm(nn.Linear(3, 2)), "vmap"),
        (Branching, "one by one"),
        (Drawing, "one by one"),
    ],
    ids=[
        "mlp",
        "tied",
        "buffer",
        "batch-norm",
        "hook",
        "parametrized",
        "branching",
        "drawing",
    ],
)
def test_any_module_gives_its_own_scores_and_gradients(build, mode):
    modules = [nets.seeded(build, s) for s in range(3)]
    stack = nets.Stack(modules, EXAMPLE)
    assert stack.mode == mode
    x = torch.randn(3, 6, 3, generator=torch.Generator().manual_seed(0))
    stack.train(False)
    scores = stack(x)
    expected = [m.eval()(rows) for m, rows in zip(modules, x, strict=True)]
    torch.testing.assert_close(scores, torch.stack(expected))
    gradients = torch.autograd.grad(scores.square().sum(), list(stack.leaves.values()))
    for m, own in enumerate(expected):
        names, parameters = zip(*modules[m].named_parameters(), strict=True)
        wanted = torch.autograd.grad(own.square().sum(), parameters)
        for name, gradient in zip(names, wanted, strict=True):
            found = gradients[list(stack.leaves).index(name)][m]
            turned = mode == "native" and gradient.ndim == 2
            torch.testing.assert_close(found.T if turned else found, gradient)


def test_trying_a_module_out_moves_neither_it_nor_its_statistics():
    modules = [nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)) for _ in range(2)]
    before = [{k: t.clone() for k, t in m.state_dict().items()} for m in modules]
    stack = nets.Stack(modules, torch.randn(4, 3, generator=torch.Generator()))
    for m, state in enumerate(before):
        torch.testing.assert_close(dict(stack.member(m).state_dict()), state)
        torch.testing.assert_close(dict(modules[m].state_dict()), state)


def test_a_member_run_alone_sees_only_the_rows_that_count():
    seen = []

    class Watching(Branching):
        def forward(self, x):
            seen.append(len(x))
            return super().forward(x)

    stack = nets.Stack([Watching() for _ in range(2)], EXAMPLE)
    stack.train()
    seen.clear()
    stack.draw([torch.Generator(), torch.Generator()], [2, 5], 6)
    scores = stack(torch.ones(2, 6, 3))
    assert seen == [2, 5]
    assert scores.shape == (2, 6, 2)
    assert not scores[0, 2:].any()


def test_what_tells_networks_apart():
    kinds = [
        lambda: nets.mlp(3, (8,), 2),
        lambda: nets.mlp(3, (9,), 2),
        lambda: nets.mlp(3, (8,), 2).double(),
        lambda: nets.mlp(3, (8,), 2, dropout=0.1),
        lambda: nets.mlp(3, (8,), 2, dropout=0.2),
        lambda: Buffered(1.0),
        lambda: Buffered(2.0),
        Branching,
        Drawing,
    ]
    keys = [architecture(build()) for build in kinds]
    assert len(set(keys)) == len(kinds)
    assert [architecture(build()) for build in kinds] == keys
