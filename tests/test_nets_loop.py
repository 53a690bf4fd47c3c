"""The training loop against loops written out by hand, and what may end a fit."""

import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from semikd import nets
from semikd._progress import Step
from semikd._random import spawn_seeds
from semikd.nets.devices import determinism


@pytest.fixture(scope="module")
def table():
    draws = np.random.default_rng(0)
    x = torch.from_numpy(draws.normal(size=(60, 3)))
    return x, torch.from_numpy(draws.normal(size=(60, 2)))


def squares(y):
    return lambda f, batch: ((f - y[batch.rows]) ** 2).mean(dim=2)


def network(dropout=0.0, hidden=(8,), seed=1):
    build = lambda: nets.mlp(3, hidden, 2, dropout=dropout, dtype=torch.float64)  # noqa: E731
    return nets.seeded(build, seed)


def fit(member, x, objective, **options):
    return nets.train([member], x, objective, options=nets.TrainingOptions(**options))[
        0
    ]


def by_hand(member, x, y, *, dropout, steps):
    """Train by Adam and autograd, with the network and dropout as plain tensors."""
    order_seed, dropout_seed = spawn_seeds(member.seed, 2)
    order = torch.Generator().manual_seed(order_seed)
    masks = torch.Generator().manual_seed(dropout_seed)
    w0, b0, w1, b1 = (
        p.detach().clone().requires_grad_() for p in member.module.parameters()
    )
    optimizer = torch.optim.Adam([w0, b0, w1, b1], lr=member.learning_rate)
    done = 0
    while done < steps:
        for rows in torch.randperm(len(x), generator=order).tensor_split(4):
            hidden = functional.silu(x[rows] @ w0.T + b0)
            if dropout:
                kept = torch.rand(hidden.shape, dtype=x.dtype, generator=masks)
                hidden = hidden * (kept >= dropout) / (1 - dropout)
            loss = ((hidden @ w1.T + b1 - y[rows]) ** 2).mean()
            penalty = member.weight_decay / 2 * ((w0**2).sum() + (w1**2).sum())
            optimizer.zero_grad()
            (loss + penalty).backward()
            optimizer.step()
            done += 1
    return [w0, b0, w1, b1]


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_twenty_steps_are_those_of_a_loop_written_out_by_hand(table, dropout):
    x, y = table
    member = nets.Member(
        network(dropout),
        torch.arange(60),
        max_epochs=5,
        seed=3,
        learning_rate=0.01,
        weight_decay=0.1,
    )
    expected = by_hand(member, x, y, dropout=dropout, steps=20)
    found = fit(member, x, squares(y), batch_size=15)
    for parameter, wanted, first in zip(
        found.module.parameters(), expected, member.module.parameters(), strict=True
    ):
        torch.testing.assert_close(parameter, wanted, rtol=0, atol=1e-9)
        assert (parameter - first).abs().max() > 0.01


def rows_seen(x, y, training, **options):
    """Return the rows of each batch of two epochs."""
    seen = []

    def objective(f, batch):
        seen.append(batch.rows[0].tolist())
        torch.testing.assert_close(batch.inputs, x[batch.rows], rtol=0, atol=0)
        return squares(y)(f, batch)

    fit(nets.Member(network(), training, max_epochs=2), x, objective, **options)
    return seen


def test_without_batches_an_epoch_is_one_step_on_all_rows_in_order(table):
    seen = rows_seen(*table, torch.arange(10, 20), batch_size=None)
    assert seen == [list(range(10, 20))] * 2


def test_an_epoch_sees_every_row_once_in_batches_of_nearly_equal_length(table):
    seen = rows_seen(*table, torch.arange(57), batch_size=25)
    assert [len(rows) for rows in seen] == [19] * 6
    first, second = (
        [row for rows in batches for row in rows] for batches in (seen[:3], seen[3:])
    )
    assert sorted(first) == sorted(second) == list(range(57))
    assert first != second


def test_a_long_epoch_is_laid_out_in_parts_and_is_the_same(table):
    x, y = table
    whole = rows_seen(x, y, torch.arange(57), batch_size=5)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("semikd.nets.batches._MOST_INDICES", 11)
        assert rows_seen(x, y, torch.arange(57), batch_size=5) == whole


def test_training_ends_at_the_best_epoch_and_not_at_the_last(table):
    x, y = table
    member = nets.Member(
        network(hidden=(32,)),
        torch.arange(20, 60),
        validation=torch.arange(20),
        learning_rate=0.05,
        max_epochs=200,
    )
    found = fit(member, x, squares(y), batch_size=None, patience=7)
    losses = [epoch.validation_loss for epoch in found.history]
    final = ((found.module(x[:20]) - y[:20]) ** 2).mean().item()
    assert final == pytest.approx(min(losses), rel=1e-12)
    assert final < losses[-1]
    assert len(found.history) == int(np.argmin(losses)) + 1 + 7
    assert [e.epoch for e in found.history] == list(range(1, len(losses) + 1))


def test_validation_in_parts_is_the_same(table):
    x, y = table
    member = nets.Member(network(), torch.arange(40), torch.arange(40, 60))
    losses = []
    for chunk in (100, 7):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("semikd.nets.validation._CHUNK", chunk)
            found = fit(replace(member, max_epochs=3), x, squares(y))
            losses.append([epoch.validation_loss for epoch in found.history])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-13)


def test_validation_is_without_dropout_and_training_with_it(table):
    x, y = table
    rows = torch.arange(60)
    member = nets.Member(network(0.5), rows, rows, learning_rate=1e-12, max_epochs=4)
    found = fit(member, x, squares(y), batch_size=None)
    assert np.ptp([epoch.validation_loss for epoch in found.history]) < 1e-9
    assert np.ptp([epoch.train_loss for epoch in found.history]) > 1e-3
    assert not found.module.training


def test_the_module_that_is_given_stays_as_it_is(table):
    x, y = table
    module = network()
    before = [p.detach().clone() for p in module.parameters()]
    found = fit(nets.Member(module, torch.arange(60), max_epochs=2), x, squares(y))
    assert all(map(torch.equal, module.parameters(), before))
    assert found.module is not module


class FunctionalDropout(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2).double()

    def forward(self, x):
        return functional.dropout(self.layer(x), 0.5, self.training)


@pytest.mark.parametrize(
    "build",
    [
        lambda: nets.mlp(3, (4,), 2, dropout=0.5, dtype=torch.float64),
        lambda: nn.Sequential(nn.Linear(3, 2), nn.Dropout(0.5)).double(),
        FunctionalDropout,
    ],
    ids=["own", "torch's layer", "torch's function"],
)
def test_building_and_training_leave_the_global_generators_alone(table, build):
    x, y = table
    before = torch.get_rng_state()
    numpys = np.random.get_state()[1].copy()  # noqa: NPY002
    own = [
        nets.Member(nets.seeded(build, s), torch.arange(50), torch.arange(50, 60), s)
        for s in range(3)
    ]
    options = nets.TrainingOptions(batch_size=10)
    own = [replace(member, max_epochs=2) for member in own]
    first, again = (nets.train(own, x, squares(y), options=options) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), before)
    assert np.array_equal(np.random.get_state()[1], numpys)  # noqa: NPY002
    # Nor does the fit depend on them.
    torch.manual_seed(5)
    other = nets.train(own, x, squares(y), options=options)
    torch.set_rng_state(before)
    assert [one.history for one in first] == [one.history for one in again]
    assert [one.history for one in first] == [one.history for one in other]


def test_a_loss_that_is_not_finite_stops_naming_the_epoch(table):
    losses = iter([1.0, 1.0, float("nan")])

    def objective(f, _):
        return f.mean(dim=2) * 0 + next(losses)

    member = nets.Member(network(), torch.arange(60))
    with pytest.raises(ValueError, match=r"stay finite; got nan in epoch 3\. Lower"):
        fit(member, table[0], objective, batch_size=None)


def test_a_last_step_that_diverges_is_not_kept(table):
    member = nets.Member(network(), torch.arange(60), max_epochs=1)
    with pytest.raises(ValueError, match="parameters that are not finite after epoch"):
        fit(member, table[0], lambda f, _: torch.sqrt((f * 0).sum(dim=2)))


def test_an_error_of_an_objective_comes_through(table):
    def broken(*_):
        raise RuntimeError("broken objective")

    with pytest.raises(RuntimeError, match="broken objective"):
        fit(nets.Member(network(0.5), torch.arange(60)), table[0], broken)


def three(**settings):
    return [
        nets.Member(network(seed=m), torch.arange(50 - m), seed=m, **settings)
        for m in range(3)
    ]


def test_a_listener_hears_each_epoch_and_may_end_a_member(table):
    x, y = table
    heard = []

    def listen(member, epoch):
        heard.append((member, epoch.epoch))
        return (member, epoch.epoch) == (1, 3)

    found = nets.train(three(max_epochs=6), x, squares(y), listen=listen)
    assert [len(one.history) for one in found] == [6, 3, 6]
    wanted = [(m, e) for m, last in enumerate((6, 3, 6)) for e in range(1, last + 1)]
    assert sorted(heard) == wanted
    # It is kept as it was then.
    short = three(max_epochs=3)[1]
    alone = nets.train([short], x, squares(y))[0]
    for left, right in zip(
        found[1].module.parameters(), alone.module.parameters(), strict=True
    ):
        torch.testing.assert_close(left, right, rtol=0, atol=1e-12)


def test_progress_tells_each_epoch_and_ends_with_all(table):
    x, y = table
    steps = []
    nets.train(three(max_epochs=4), x, squares(y), progress=steps.append)
    assert steps == [
        Step("epoch", f"epoch {min(done + 1, 4)}, 3 networks", done, 4)
        for done in (1, 2, 3, 4)
    ]


def test_a_time_limit_ends_all_members_after_the_epoch(table):
    x, y = table
    slow = lambda m, e: time.sleep(0.02)  # noqa: E731
    options = nets.TrainingOptions(time_limit=0.5)
    start = time.monotonic()
    found = nets.train(
        three(max_epochs=100_000), x, squares(y), options=options, listen=slow
    )
    assert 0.5 <= time.monotonic() - start < 30
    assert 1 <= len(found[0].history) < 100_000
    assert not any(one.module.training for one in found)


def test_half_precision_is_near_and_other_numbers(table):
    x, y = (values.float() for values in table)
    finals = []
    for precision in ("full", "bfloat16"):
        member = nets.Member(network().float(), torch.arange(60), max_epochs=20)
        found = fit(
            replace(member, learning_rate=0.01), x, squares(y), precision=precision
        )
        assert next(found.module.parameters()).dtype == torch.float32
        finals.append(found.history[-1].train_loss)
    assert finals[0] != finals[1]
    assert finals[0] == pytest.approx(finals[1], rel=0.02)


def test_half_precision_is_refused_where_a_gpu_lacks_it(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: False)
    wanted = r"precision must be 'full' on cuda:1, which has no .*; got 'bfloat16'\.$"
    with pytest.raises(ValueError, match=wanted):
        nets.find_precision("bfloat16", torch.device("cuda:1"))
    assert nets.find_precision("full", torch.device("cuda:1")) is None


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize("error", [False, True])
def test_deterministic_algorithms_are_for_the_time_of_the_fit(table, before, error):
    x, y = table
    modes = set()

    def objective(f, batch):
        modes.add(torch.are_deterministic_algorithms_enabled())
        if error:
            raise RuntimeError("broken objective")
        return squares(y)(f, batch)

    torch.use_deterministic_algorithms(before, warn_only=True)
    try:
        member = nets.Member(network(), torch.arange(60), max_epochs=1)
        if error:
            with pytest.raises(RuntimeError, match="broken objective"):
                fit(member, x, objective, deterministic=True)
        else:
            fit(member, x, objective, deterministic=True)
        assert torch.are_deterministic_algorithms_enabled() is before
        assert torch.is_deterministic_algorithms_warn_only_enabled()
    finally:
        torch.use_deterministic_algorithms(False)
    assert modes == {True}


def test_a_gpu_whose_products_may_vary_is_refused(monkeypatch):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    gpu = torch.device("cuda")
    with (
        pytest.raises(
            ValueError, match=r"deterministic must be False.*CUBLAS_WORKSPACE"
        ),
        determinism(True, gpu),
    ):
        pass


@pytest.mark.slow
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_compiled_networks_become_the_same(table, dropout):
    x, y = table
    own = [
        replace(member, module=network(dropout, seed=m), max_epochs=3 + m)
        for m, member in enumerate(three()[:2])
    ]
    plain, compiled = (
        nets.train(own, x, squares(y), options=nets.TrainingOptions(20, compile=how))
        for how in ("off", "default")
    )
    for one, other in zip(plain, compiled, strict=True):
        for left, right in zip(
            one.module.parameters(), other.module.parameters(), strict=True
        ):
            torch.testing.assert_close(left, right, rtol=0, atol=1e-9)


@pytest.mark.parametrize("common", [True, False])
def test_validation_rows_of_many_members_are_read_in_parts(table, common, monkeypatch):
    x, y = table
    orders = [
        np.random.default_rng(0 if common else m).permutation(60) for m in range(3)
    ]
    found = {}
    for chunk in (131_072, 21):
        monkeypatch.setattr("semikd.nets.validation._CHUNK", chunk)
        own = [
            nets.Member(
                network(seed=m),
                training=torch.from_numpy(order[:20]),
                validation=torch.from_numpy(order[20:]),
                max_epochs=2,
            )
            for m, order in enumerate(orders)
        ]
        fitted = nets.train(own, x, squares(y))
        found[chunk] = [e.validation_loss for one in fitted for e in one.history]
    np.testing.assert_allclose(found[21], found[131_072], rtol=1e-12)
