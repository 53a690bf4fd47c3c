"""Modules, devices and the second-order solver against closed forms."""

import numpy as np
import pytest
import torch

from semikd import nets


@pytest.fixture
def table():
    draws = np.random.default_rng(0)
    x = torch.from_numpy(draws.normal(size=(60, 3)))
    y = torch.from_numpy(draws.normal(size=(60, 2)))
    return x, y


def squares(y):
    return lambda f, rows: ((f - y[rows]) ** 2).mean()


def test_dropout_keeps_the_mean_and_zeroes_its_share():
    layer = nets.Dropout(0.25)
    generator = torch.Generator().manual_seed(0)
    layer.noise = torch.rand(40_000, generator=generator)
    out = layer(torch.ones(40_000))
    # Four standard deviations of a share of 40,000 draws are 0.0087.
    assert abs((out == 0).double().mean().item() - 0.25) < 0.0087
    torch.testing.assert_close(out[out != 0], torch.full_like(out[out != 0], 4 / 3))


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
    module = nets.seeded(lambda: nets.mlp(3, (), 2, dtype=torch.float64), seed=0)
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
    assert history[-1].train_loss == pytest.approx(loss, rel=1e-8)
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
