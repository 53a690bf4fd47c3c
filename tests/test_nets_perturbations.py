"""Inputs moved against networks: the worst of a line, its limits, and who draws."""

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from semikd.nets import (
    Ball,
    Batch,
    Member,
    TrainingOptions,
    mlp,
    perturbations,
    seeded,
    train,
)

pytestmark = pytest.mark.usefixtures("one_torch_thread")

FAR = torch.tensor(torch.inf, dtype=torch.float64)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("starts", [False, True])
def test_the_worst_of_a_line_is_epsilon_times_the_sign_of_its_slope(
    starts: bool,
) -> None:
    w, x, side = drawn(6), drawn(1, 30, 6, seed=1), drawn(1, 30, seed=2).sign()
    ball = Ball(torch.tensor(0.3, dtype=torch.float64), -FAR, FAR)
    start = drawn(1, 30, 6, seed=3).clamp(-1.0, 1.0) if starts else None

    def losses(moved: Tensor) -> Tensor:
        return functional.softplus(-side * (moved @ w))

    # Two radii lie between a start and the far side.
    settings: dict[str, Any] = {"stride": 0.25, "n_steps": 8, "start": start}
    *_, worst = perturbations(losses, x, ball, **settings)
    torch.testing.assert_close(worst, x - 0.3 * side[..., None] * w.sign())
    # And no corner of the cube is worse.
    corners = torch.tensor(list(itertools.product([-0.3, 0.3], repeat=6)))
    tried = torch.stack([losses(x + corner.double()) for corner in corners])
    torch.testing.assert_close(losses(worst), tried.amax(dim=0))


def test_rows_stay_in_the_ball_and_in_the_range() -> None:
    module = seeded(lambda: mlp(4, (8,), 3, dtype=torch.float64), 0)
    x = drawn(1, 50, 4, seed=1)
    radius = torch.tensor([0.0, 0.1, 0.5, 2.0], dtype=torch.float64)
    low, high = torch.full((4,), -1.0).double(), torch.full((4,), 0.8).double()
    start = drawn(1, 50, 4, seed=2).clamp(-1.0, 1.0)
    found = list(
        perturbations(
            lambda moved: module(moved).square().sum(dim=2),
            x,
            Ball(radius, low, high),
            stride=0.4,
            n_steps=6,
            start=start,
        )
    )
    assert len(found) == 7
    inside = (x >= low) & (x <= high)
    for moved in found:
        assert ((moved - x).abs() <= radius + 1e-12).all()
        assert ((moved >= low - 1e-12) & (moved <= high + 1e-12))[inside].all()
        # A coordinate beyond the range is carried no further from it.
        assert (moved <= torch.maximum(x, high) + 1e-12).all()
        torch.testing.assert_close(moved[..., 0], x[..., 0], rtol=0, atol=0)
    assert not torch.allclose(found[0], found[-1])
    # The network's own numbers have no gradient left over.
    assert all(p.grad is None for p in module.parameters())


def test_a_score_that_no_input_moves_leaves_inputs_where_they_start() -> None:
    x = drawn(1, 5, 2)
    ball = Ball(torch.tensor(0.3, dtype=torch.float64), -FAR, FAR)
    *_, worst = perturbations(
        lambda moved: 0.0 * moved.sum(dim=2), x, ball, stride=0.5, n_steps=3
    )
    torch.testing.assert_close(worst, x, rtol=0, atol=0)


X, TARGET = drawn(40, 3, seed=4), drawn(40, 1, seed=5)
BALL = Ball(torch.tensor(0.2, dtype=torch.float64), -FAR, FAR)


def moved_loss(scores: Tensor, batch: Batch) -> Tensor:
    """Return squares at inputs that start at random and are moved for three steps."""
    if batch.live is None:
        return (scores - TARGET[batch.rows])[..., 0].square()
    live = batch.live
    inputs = batch.inputs.expand(len(scores), -1, -1)
    *_, worst = perturbations(
        lambda x: (live.settled_scores(x) - TARGET[batch.rows])[..., 0].square(),
        inputs,
        BALL,
        stride=0.5,
        n_steps=3,
        start=live.uniform(inputs),
    )
    return (live.scores(worst) - TARGET[batch.rows])[..., 0].square()


def member(seed: int, n_rows: int = 40) -> Member:
    module = seeded(lambda: mlp(3, (8,), 1, dropout=0.3, dtype=torch.float64), seed)
    rows = torch.arange(n_rows)
    return Member(module, rows, seed=seed, learning_rate=0.02, max_epochs=4)


def fitted(*members: Member) -> list[Tensor]:
    options = TrainingOptions(batch_size=16)
    return [one.module(X) for one in train(members, X, moved_loss, options=options)]


def test_members_are_moved_side_by_side_as_they_are_alone() -> None:
    # Batches of other lengths beside it, so that some rows only fill them up.
    together = fitted(member(0), member(3, 37))
    torch.testing.assert_close(together[0], fitted(member(0))[0])
    torch.testing.assert_close(together[1], fitted(member(3, 37))[0])
    torch.testing.assert_close(fitted(member(0)), fitted(member(0)), rtol=0, atol=0)


def test_a_member_says_how_many_epochs_are_behind_it() -> None:
    seen = []

    def objective(scores: Tensor, batch: Batch) -> Tensor:
        assert batch.live is not None
        seen.append(batch.live.epochs)
        # Dropout is that of the batch, and off where nobody trains.
        again = batch.live.scores(batch.inputs)
        torch.testing.assert_close(again, scores, rtol=0, atol=0)
        settled = batch.live.settled_scores(batch.inputs)
        assert not torch.allclose(settled, scores)
        return (scores - TARGET[batch.rows])[..., 0].square()

    train([member(0)], X, objective, options=TrainingOptions(batch_size=20))
    np.testing.assert_array_equal(seen, [[0], [0], [1], [1], [2], [2], [3], [3]])
