"""Networks that are linear rules: cosines by brute force, probes by scikit-learn."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import PredefinedSplit, cross_val_predict
from torch import nn

from semikd import TorchClassifier, TorchStudent
from semikd.diagnostics import linear_agreement, weight_clusters
from semikd.nets import mlp, seeded

Floats = NDArray[np.float64]
pytestmark = pytest.mark.usefixtures("one_torch_thread")


def cosine(a: Floats, b: Floats) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


@pytest.mark.parametrize(("m", "output"), [(1, 0), (3, 0), (3, 2)])
def test_scores_are_mean_cosines_of_all_pairs(m: int, output: int) -> None:
    net = seeded(lambda: mlp(5, (9,), m), 0)
    weights = [net[i].weight.detach().double().numpy() for i in (0, 2)]
    adds = weights[1][output] - (weights[1].mean(axis=0) if m > 1 else 0.0)
    sides = [weights[0][adds > 0], weights[0][adds < 0]]
    found = weight_clusters(net, output=output)
    assert (found.n_positive, found.n_negative) == tuple(map(len, sides))
    each = [[cosine(a, b) for a, b in combinations(side, 2)] for side in sides]
    assert found.positive == pytest.approx(np.mean(each[0]))
    assert found.negative == pytest.approx(np.mean(each[1]))
    assert found.score == pytest.approx(np.mean(each[0] + each[1]))
    across = np.mean([cosine(a, b) for a in sides[0] for b in sides[1]])
    assert found.between == pytest.approx(across)


def test_two_directions_have_a_score_of_one() -> None:
    net = mlp(4, (6,), 1)
    direction = torch.randn(4, generator=torch.Generator().manual_seed(0))
    sign = torch.tensor([1.0, 1.0, 1.0, -1.0, -1.0, -1.0])
    with torch.no_grad():
        size = torch.arange(1.0, 7.0)
        net[0].weight.copy_((sign * size)[:, None] * direction)
        net[2].weight.copy_(sign[None])
    found = weight_clusters(net)
    assert (found.score, found.between) == pytest.approx((1.0, -1.0))
    with torch.no_grad():
        net[2].weight.copy_(torch.tensor([[1.0, 0.0, 0.0, 0.0, 0.0, 0.0]]))
    lone = weight_clusters(net)
    assert np.isnan(lone.score)
    assert (lone.n_positive, lone.n_negative) == (1, 0)


def rows(n: int, seed: int) -> tuple[Floats, NDArray[np.bool_], NDArray[np.bool_]]:
    """Return rows with labels of a plane, a margin around it, and of a chequerboard."""
    X = np.random.default_rng(seed).normal(size=(3 * n, 4))
    X = X[np.abs(X.sum(axis=1)) > 0.5][:n]
    return X, X.sum(axis=1) > 0, X[:, 0] * X[:, 1] > 0


def network(**settings: Any) -> TorchClassifier:
    given: dict[str, Any] = {
        "max_epochs": 60,
        "learning_rate": 0.01,
        "validation_fraction": 0.0,
        "device": "cpu",
        "random_state": 0,
    }
    return TorchClassifier((20,), **{**given, **settings})


def test_a_linear_teacher_is_found_and_a_chequerboard_is_not() -> None:
    X, plane, board = rows(600, 0)
    new = rows(2_000, 1)[0]
    linear, bent = network().fit(X, plane), network().fit(X, board)
    straight = linear_agreement(linear, new, random_state=0)
    curved = linear_agreement(bent, new, random_state=0)
    assert straight.agreement > 0.97
    assert straight.r_squared > 0.9
    assert curved.agreement < 0.7
    assert curved.r_squared < 0.3
    # Random units have a mean cosine of about 0, with a deviation of 0.05.
    start = weight_clusters(network(max_epochs=1, learning_rate=1e-9).fit(X, plane))
    assert abs(start.score) < 0.2
    assert weight_clusters(linear).score > 0.8
    assert weight_clusters(bent).score < 0.6


def test_the_probe_is_that_of_scikit_learn() -> None:
    X, plane, _ = rows(300, 2)
    model = network().fit(X, plane)
    fold = np.arange(300) % 4
    found = linear_agreement(model, X, cv=fold)
    decisions = model.predict(X)
    probe = LogisticRegression(C=1e4, max_iter=1000)
    inputs = (X - model.mean_) / model.scale_
    said = cross_val_predict(probe, inputs, decisions, cv=PredefinedSplit(fold))
    share = (said == decisions).mean()
    assert found.agreement == pytest.approx(share)
    assert found.std_error == pytest.approx(np.sqrt(share * (1 - share) / 300))
    assert found.majority == pytest.approx(max(decisions.mean(), 1 - decisions.mean()))


def test_several_classes_students_and_constants_pass() -> None:
    X, plane, board = rows(200, 3)
    y = plane.astype(int) + 2 * board
    student = TorchStudent((6,), max_epochs=5, device="cpu", random_state=0).fit(X, y)
    assert 0.0 <= linear_agreement(student, X, random_state=0).agreement <= 1.0
    constant = network(max_epochs=1).fit(X, plane)
    with torch.no_grad():
        for parameter in constant.module_.parameters():
            parameter.zero_()
    found = linear_agreement(constant, X, random_state=0)
    assert (found.agreement, found.majority, found.r_squared) == (1.0, 1.0, 1.0)


def test_what_has_no_clusters_is_refused() -> None:
    with pytest.raises(TypeError, match="model must be a fitted network"):
        weight_clusters(LogisticRegression())
    for net in (mlp(3, (), 1), mlp(3, (4, 4), 1), nn.Flatten()):
        with pytest.raises(ValueError, match="model must have one hidden layer"):
            weight_clusters(net)
    with pytest.raises(ValueError, match="output must be below the number of scores"):
        weight_clusters(mlp(3, (4,), 2), output=2)
    with pytest.raises(TypeError, match="model must be a network of this library"):
        linear_agreement(mlp(3, (4,), 2), np.ones((3, 3)))


def test_categories_have_no_linear_rule() -> None:
    import pandas as pd

    X = pd.DataFrame({"x": np.arange(40.0), "c": list("ab") * 20})
    model = network(max_epochs=1).fit(X, X["x"] > 19)
    with pytest.raises(ValueError, match="X must hold numbers for a linear rule"):
        linear_agreement(model, X)
