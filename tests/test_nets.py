"""The torch engine against loops written out by hand and closed forms."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from semikd import nets
from semikd._random import spawn_seeds


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def table():
    draws = np.random.default_rng(0)
    x = torch.from_numpy(draws.normal(size=(60, 3)))
    y = torch.from_numpy(draws.normal(size=(60, 2)))
    return x, y


def squares(y):
    return lambda f, rows: ((f - y[rows]) ** 2).mean()


def by_hand(module, x, y, *, options, dropout, steps):
    """Train by Adam and autograd, with the network and dropout as plain tensors."""
    order_seed, dropout_seed = spawn_seeds(options.seed, 2)
    order = torch.Generator().manual_seed(order_seed)
    masks = torch.Generator().manual_seed(dropout_seed)
    w0, b0, w1, b1 = [p.detach().clone().requires_grad_() for p in module.parameters()]
    optimizer = torch.optim.Adam([w0, b0, w1, b1], lr=options.learning_rate)
    done = 0
    while done < steps:
        for rows in torch.randperm(len(x), generator=order).tensor_split(4):
            hidden = functional.silu(x[rows] @ w0.T + b0)
            if dropout:
                kept = torch.rand(hidden.shape, dtype=x.dtype, generator=masks)
                hidden = hidden * (kept >= dropout) / (1 - dropout)
            loss = ((hidden @ w1.T + b1 - y[rows]) ** 2).mean()
            penalty = options.weight_decay / 2 * ((w0**2).sum() + (w1**2).sum())
            optimizer.zero_grad()
            (loss + penalty).backward()
            optimizer.step()
            done += 1
    return [w0, b0, w1, b1]


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_twenty_steps_are_those_of_a_loop_written_out_by_hand(table, dropout):
    x, y = table
    options = nets.TrainingOptions(
        batch_size=15, max_epochs=5, seed=3, learning_rate=0.01, weight_decay=0.1
    )
    module = nets.seeded(
        lambda: nets.mlp(3, (8,), 2, dropout=dropout, dtype=torch.float64), seed=1
    )
    expected = by_hand(module, x, y, options=options, dropout=dropout, steps=20)
    start = [p.detach().clone() for p in module.parameters()]
    nets.train(module, x, squares(y), training=torch.arange(60), options=options)
    for parameter, wanted, first in zip(
        module.parameters(), expected, start, strict=True
    ):
        torch.testing.assert_close(parameter, wanted, rtol=0, atol=1e-9)
        assert (parameter - first).abs().max() > 0.01


def test_without_batches_an_epoch_is_one_step_on_all_rows_in_order(table):
    x, y = table
    seen = []

    def objective(f, rows):
        seen.append(rows.tolist())
        return squares(y)(f, rows)

    options = nets.TrainingOptions(batch_size=None, max_epochs=2)
    module = nets.mlp(3, (), 2, dtype=torch.float64)
    nets.train(module, x, objective, training=torch.arange(10, 20), options=options)
    assert seen == [list(range(10, 20))] * 2


def test_an_epoch_sees_every_row_once_in_batches_of_nearly_equal_length(table):
    x, y = table
    seen = []

    def objective(f, rows):
        seen.append(rows.tolist())
        return squares(y)(f, rows)

    options = nets.TrainingOptions(batch_size=25, max_epochs=2)
    module = nets.mlp(3, (), 2, dtype=torch.float64)
    nets.train(module, x, objective, training=torch.arange(57), options=options)
    assert [len(rows) for rows in seen] == [19] * 6
    first, second = (
        [row for rows in batches for row in rows] for batches in (seen[:3], seen[3:])
    )
    assert sorted(first) == sorted(second) == list(range(57))
    assert first != second


def test_training_ends_at_the_best_epoch_and_not_at_the_last(table):
    x, y = table
    validation = torch.arange(20)
    options = nets.TrainingOptions(
        learning_rate=0.05, batch_size=None, max_epochs=200, patience=7
    )
    module = nets.seeded(lambda: nets.mlp(3, (32,), 2, dtype=torch.float64), seed=0)
    history = nets.train(
        module,
        x,
        squares(y),
        training=torch.arange(20, 60),
        validation=validation,
        options=options,
    )
    losses = [epoch.validation_loss for epoch in history]
    final = ((module(x[:20]) - y[:20]) ** 2).mean().item()
    assert final == min(losses) < losses[-1]
    assert len(history) == int(np.argmin(losses)) + 1 + 7
    assert [epoch.epoch for epoch in history] == list(range(1, len(history) + 1))


def test_validation_is_without_dropout_and_training_with_it(table):
    x, y = table
    still = nets.TrainingOptions(learning_rate=1e-12, batch_size=None, max_epochs=4)
    module = nets.seeded(
        lambda: nets.mlp(3, (8,), 2, dropout=0.5, dtype=torch.float64), seed=0
    )
    rows = torch.arange(60)
    history = nets.train(
        module, x, squares(y), training=rows, validation=rows, options=still
    )
    trained = [epoch.train_loss for epoch in history]
    watched = [epoch.validation_loss for epoch in history]
    assert np.ptp(watched) < 1e-9
    assert np.ptp(trained) > 1e-3
    assert not module.training


def test_dropout_keeps_the_mean_and_zeroes_its_share():
    layer = nets.Dropout(0.25)
    layer.generator = torch.Generator().manual_seed(0)
    out = layer(torch.ones(40_000))
    # Four standard deviations of a share of 40,000 draws are 0.0087.
    assert abs((out == 0).double().mean().item() - 0.25) < 0.0087
    torch.testing.assert_close(out[out != 0], torch.full_like(out[out != 0], 4 / 3))


def test_a_lent_generator_is_taken_back_even_after_an_error(table):
    x, _ = table
    module = nets.mlp(3, (4,), 2, dropout=0.5, dtype=torch.float64)

    def broken(*_):
        raise RuntimeError("broken objective")

    with pytest.raises(RuntimeError, match="broken objective"):
        nets.train(
            module,
            x,
            broken,
            training=torch.arange(60),
            options=nets.TrainingOptions(),
        )
    assert [m.generator for m in module if isinstance(m, nets.Dropout)] == [None]


def test_building_and_training_leave_the_global_generator_alone(table):
    x, y = table
    torch.manual_seed(7)
    before = torch.get_rng_state()
    module = nets.seeded(
        lambda: nets.mlp(3, (4,), 2, dropout=0.5, dtype=torch.float64), seed=5
    )
    options = nets.TrainingOptions(batch_size=10, max_epochs=2)
    nets.train(module, x, squares(y), training=torch.arange(60), options=options)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_seed_names_a_module():
    first, same, other = (
        torch.nn.utils.parameters_to_vector(
            nets.seeded(lambda: nets.mlp(3, (4,), 2), seed).parameters()
        )
        for seed in (1, 1, 2)
    )
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_l_bfgs_finds_the_penalised_least_squares_solution(table):
    x, y = table
    module = nets.mlp(3, (), 2, dtype=torch.float64)
    history, gradient = nets.minimize(module, x, squares(y), weight_decay=0.3)
    # Stationary: (x'x / n) W + 0.3 W = x'y / n for centred x; the mean is over 2 n.
    centered = x - x.mean(0)
    gram = centered.T @ centered / 60 + 0.3 * torch.eye(3, dtype=torch.float64)
    weight = torch.linalg.solve(gram, centered.T @ y / 60).T
    torch.testing.assert_close(module[0].weight, weight, rtol=0, atol=1e-7)
    intercept = y.mean(0) - weight @ x.mean(0)
    torch.testing.assert_close(module[0].bias, intercept, rtol=0, atol=1e-7)
    assert gradient < 1e-8
    loss = ((x @ weight.T + intercept - y) ** 2).mean().item()
    assert history[-1].train_loss == pytest.approx(loss, rel=1e-9)
    assert history[-1].validation_loss is None


def test_scores_do_not_depend_on_the_chunk_and_leave_the_module_alone():
    module = nets.seeded(lambda: nets.mlp(3, (8,), 2), seed=0)
    inputs = np.random.default_rng(1).normal(size=(10, 3))
    cpu = nets.find_device("cpu")
    whole = nets.predict(module, inputs, device=cpu)
    np.testing.assert_allclose(
        nets.predict(module, inputs, device=cpu, chunk=3), whole, rtol=0, atol=1e-14
    )
    assert whole.dtype == np.float64
    assert module[0].weight.dtype == torch.float32
    assert nets.predict(module, inputs[:0], device=cpu).shape == (0, 2)


def test_a_loss_that_is_not_finite_stops_naming_the_epoch(table):
    x, _ = table
    losses = iter([1.0, 1.0, float("nan")])

    def objective(f, _):
        return f.mean() * 0 + next(losses)

    with pytest.raises(ValueError, match=r"stay finite; got nan in epoch 3\. Lower"):
        nets.train(
            nets.mlp(3, (), 2, dtype=torch.float64),
            x,
            objective,
            training=torch.arange(60),
            options=nets.TrainingOptions(batch_size=None),
        )


def test_a_last_step_that_diverges_is_not_kept(table):
    x, _ = table

    def objective(f, _):
        return torch.sqrt((f * 0).sum())

    with pytest.raises(ValueError, match="parameters that are not finite after epoch"):
        nets.train(
            nets.mlp(3, (), 2, dtype=torch.float64),
            x,
            objective,
            training=torch.arange(60),
            options=nets.TrainingOptions(batch_size=None, max_epochs=1),
        )


def test_l_bfgs_stops_at_a_loss_that_is_not_finite(table):
    x, _ = table
    with pytest.raises(ValueError, match="stay finite; got nan at a step of L-BFGS"):
        nets.minimize(
            nets.mlp(3, (), 2, dtype=torch.float64),
            x,
            lambda f, _: f.mean() * float("nan"),
        )


def test_unknown_devices_and_formats_name_the_nearest():
    with pytest.raises(ValueError, match=r"device must be one of 'auto', 'cpu'.*'cp'"):
        nets.find_device("cp")
    with pytest.raises(ValueError, match="Did you mean 'float32'"):
        nets.find_dtype("float33")
