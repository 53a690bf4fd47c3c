"""Optimisers and schedules against torch's own, for all members and for each."""

import math

import pytest
import torch
from torch import nn

from semikd import nets
from semikd.nets.optimizers import OPTIMIZERS, SCHEDULES

SHAPES = {"weight": (4, 3), "bias": (3,), "kernel": (2, 3, 5)}


def reference(name, parameters, rate, decay):
    """Return torch's own optimiser, whose penalty spares the biases."""
    groups = [
        {"params": [p], "weight_decay": decay if p.ndim > 1 else 0.0}
        for p in parameters
    ]
    if name == "sgd":
        return torch.optim.SGD(groups, lr=rate, momentum=0.9, nesterov=True)
    kinds = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    return kinds[name](groups, lr=rate)


def gradient_of(shape, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("name", list(OPTIMIZERS))
@pytest.mark.parametrize(
    ("rates", "decays"),
    [
        ([0.01, 0.01, 0.01], [0.0, 0.0, 0.0]),
        ([0.01, 0.01, 0.01], [0.3, 0.3, 0.3]),
        ([0.01, 0.02, 0.005], [0.3, 0.0, 0.1]),
    ],
    ids=["alike", "alike with penalty", "each its own"],
)
def test_thirty_steps_are_those_of_torch(name, rates, decays):
    start = {k: gradient_of((3, *shape), 99) for k, shape in SHAPES.items()}
    leaves = {k: t.clone().requires_grad_() for k, t in start.items()}
    own = OPTIMIZERS[name](
        leaves,
        torch.tensor(rates, dtype=torch.float64),
        torch.tensor(decays, dtype=torch.float64),
    )
    theirs = [[nn.Parameter(start[k][m].clone()) for k in SHAPES] for m in range(3)]
    optimizers = [reference(name, theirs[m], rates[m], decays[m]) for m in range(3)]
    for step in range(30):
        gradients = [gradient_of((3, *shape), step) for shape in SHAPES.values()]
        # In another layout of memory, which must not matter.
        laid_out = [g.transpose(0, 1).contiguous().transpose(0, 1) for g in gradients]
        own.step(laid_out, [1.0] * 3)
        for m in range(3):
            for parameter, gradient in zip(theirs[m], gradients, strict=True):
                parameter.grad = gradient[m].clone()
            optimizers[m].step()
    for m in range(3):
        for leaf, parameter in zip(leaves.values(), theirs[m], strict=True):
            torch.testing.assert_close(leaf[m], parameter.data, rtol=0, atol=1e-12)
    assert (leaves["weight"] - start["weight"]).abs().min() > 1e-4


@pytest.mark.parametrize("name", list(OPTIMIZERS))
def test_the_step_of_all_is_the_step_of_each(name):
    finals = []
    for alike in (True, False):
        leaves = {
            k: gradient_of((2, *s), 1).requires_grad_() for k, s in SHAPES.items()
        }
        optimizer = OPTIMIZERS[name](
            leaves, torch.full((2,), 0.01).double(), torch.full((2,), 0.1).double()
        )
        if not alike:
            optimizer._alike = None
        for step in range(20):
            gradients = [gradient_of((2, *s), step) for s in SHAPES.values()]
            optimizer.step(gradients, [0.5, 0.5])
        finals.append([leaf.detach() for leaf in leaves.values()])
    torch.testing.assert_close(finals[0], finals[1], rtol=0, atol=1e-13)


@pytest.mark.parametrize("name", list(OPTIMIZERS))
def test_members_that_leave_change_nothing_for_those_that_stay(name):
    def run(leaving):
        leaves = {
            k: gradient_of((3, *s), 1).requires_grad_() for k, s in SHAPES.items()
        }
        rates = torch.tensor([0.01, 0.02, 0.03], dtype=torch.float64)
        optimizer, stay = OPTIMIZERS[name](leaves, rates, rates), [0, 1, 2]
        for step in range(20):
            if leaving and step == 8:
                stay = [2]
                leaves = {
                    k: t.detach()[stay].requires_grad_() for k, t in leaves.items()
                }
                optimizer.select(leaves, torch.tensor(stay))
            gradients = [gradient_of((3, *s), step)[stay] for s in SHAPES.values()]
            optimizer.step(gradients, [1.0] * len(stay))
        return [leaf.detach()[-1] for leaf in leaves.values()]

    torch.testing.assert_close(run(True), run(False), rtol=0, atol=1e-13)


@pytest.mark.parametrize(
    ("name", "at", "factor"),
    [
        ("constant", 0.9, 1.0),
        ("cosine", 0.0, 1.0),
        ("cosine", 0.5, 0.5),
        ("cosine", 0.25, (1 + math.sqrt(0.5)) / 2),
        ("warm_cosine", 0.0, 0.0),
        ("warm_cosine", 0.05, 0.5),
        ("warm_cosine", 0.1, 1.0),
        ("warm_cosine", 0.55, 0.5),
        ("steps", 0.49, 1.0),
        ("steps", 0.5, 0.1),
        ("steps", 0.75, 0.01),
    ],
)
def test_schedules_pass_through_known_points(name, at, factor):
    assert SCHEDULES[name](at) == pytest.approx(factor, abs=1e-15)


def test_a_schedule_moves_from_step_to_step_and_not_by_epochs():
    # One weight, the gradient 1, plain steps: its way is the sum of the factors.
    x = torch.ones(12, 1, dtype=torch.float64)
    module = nn.Linear(1, 1, bias=False).double()
    member = nets.Member(
        module, torch.arange(12), learning_rate=1e-3, weight_decay=0.0, max_epochs=5
    )
    found = nets.train(
        [member],
        x,
        lambda f, _: f[..., 0],
        options=nets.TrainingOptions(batch_size=3, optimizer="sgd", schedule="cosine"),
    )[0]
    way = velocity = 0.0
    for step in range(20):
        velocity = 0.9 * velocity + 1.0
        factor = 0.5 * (1 + math.cos(math.pi * step / 20))
        way += 1e-3 * factor * (1.0 + 0.9 * velocity)
    moved = (module.weight - found.module.weight).item()
    assert moved == pytest.approx(way, rel=1e-12)


def test_unknown_names_are_answered_with_the_nearest():
    x = torch.zeros(4, 1)
    member = nets.Member(nn.Linear(1, 1), torch.arange(4))
    for name, wrong, meant in [
        ("optimizer", "adamm", "adam"),
        ("schedule", "cosin", "cosine"),
        ("precision", "bfloat", "bfloat16"),
    ]:
        options = nets.TrainingOptions(**{name: wrong})
        with pytest.raises(
            ValueError, match=f"{name} must be .*Did you mean '{meant}'"
        ):
            nets.train([member], x, lambda f, _: f[..., 0], options=options)


def test_long_gradients_are_shortened_and_short_ones_are_not():
    # A gradient of length 100 on one member and 0.01 on the other, plain first steps.
    x = torch.ones(2, 1, dtype=torch.float64)
    slope = torch.tensor([100.0, 0.01], dtype=torch.float64)
    moved = {}
    for longest in (None, 1.0):
        own = [
            nets.Member(
                nets.seeded(lambda: nn.Linear(1, 1, bias=False).double(), 0),
                torch.arange(2),
                learning_rate=0.1,
                weight_decay=0.0,
                max_epochs=1,
            )
            for _ in range(2)
        ]
        found = nets.train(
            own,
            x,
            lambda f, batch: slope[batch.members, None] * f[..., 0],
            options=nets.TrainingOptions(optimizer="sgd", clip_norm=longest),
        )
        moved[longest] = [
            (before.module.weight - after.module.weight).item()
            for before, after in zip(own, found, strict=True)
        ]
    assert moved[None] == pytest.approx([19.0, 0.0019])
    assert moved[1.0] == pytest.approx([0.19, 0.0019])
