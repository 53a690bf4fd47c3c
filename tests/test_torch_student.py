"""The network student against convex solutions, scikit-learn's checks and toys."""

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

from semikd import DistilledClassifier, TorchClassifier, nets
from semikd.losses import (
    CrossEntropyLoss,
    HardLabelMix,
    IdentityLoss,
    LogProbabilityLoss,
    ProbabilityLoss,
)
from semikd.networks import MLP, NetworkOptions, Training, prepare
from semikd.networks.fitting import Task
from semikd.networks.objectives import objective_of
from semikd.networks.rows import WeightedRows, canonical_order, merged, moments
from semikd.simplex import center, softmax
from semikd.students import TorchStudent

pytestmark = pytest.mark.usefixtures("one_torch_thread")


def exact(sizes=(), **settings):
    """Return a student whose fit is a solution and not a stopped search."""
    given = {"solver": "lbfgs", "dtype": "float64", "max_epochs": 3000, **settings}
    return TorchStudent(sizes, **given)


def quick(**settings):
    """Return a small student that trains in mini-batches."""
    given = {"batch_size": 20, "max_epochs": 5, "random_state": 0, **settings}
    return TorchStudent(given.pop("module", (8,)), **given)


def thinned(dropout, sizes=(8,)):
    """Return a small network with dropout."""
    return MLP(sizes, dropout=dropout)


def soft(n=80, k=2, seed=0):
    """Return covariates, probabilities and weights."""
    draws = np.random.default_rng(seed)
    X = draws.normal(size=(n, 3)) * [1.0, 5.0, 0.2] + [0.0, 3.0, -1.0]
    p = softmax(X @ draws.normal(size=(3, k)) * 0.5 + draws.normal(size=(n, k)))
    return X, p, draws.integers(1, 5, size=n).astype(float)


def expected_failures(student):
    if student.solver == "lbfgs":
        return {}
    reason = "mini-batches and the validation split see a weight as no repeated row"
    return {"check_sample_weight_equivalence_on_dense_data": reason}


@pytest.mark.usefixtures("generator_of_the_checks")
@parametrize_with_checks(
    [
        exact(),
        exact((4,), weight_decay=0.1),
        TorchStudent(),
    ],
    expected_failed_checks=expected_failures,
    xfail_strict=True,
)
def test_scikit_learns_estimator_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("k", [2, 3])
def test_without_hidden_layers_it_is_a_logistic_regression(k):
    X, p, weight = soft(k=k)
    student = exact(weight_decay=0.05)
    target = CrossEntropyLoss().phi(p)
    student.fit_target(X, target, loss=CrossEntropyLoss(), sample_weight=weight)
    # A soft label is one row for each class, weighted by its probability.
    rows, labels = np.repeat(np.arange(len(X)), k), np.tile(np.arange(k), len(X))
    mean = np.average(X, axis=0, weights=weight)
    scale = np.sqrt(np.average((X - mean) ** 2, axis=0, weights=weight))
    oracle = LogisticRegression(
        C=1 / (0.05 * weight.sum()), solver="newton-cholesky", tol=1e-12
    )
    oracle.fit(
        ((X - mean) / scale)[rows], labels, sample_weight=(weight[:, None] * p).ravel()
    )
    expected = oracle.decision_function((X - mean) / scale).reshape(len(X), -1)
    found = student.scores(X)
    if k > 2:
        expected, found = center(expected), center(found)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_without_hidden_layers_squares_are_solved_by_ridge():
    X, p, weight = soft()
    target = ProbabilityLoss().phi(p)
    student = exact(weight_decay=0.05)
    student.fit_target(X, target, loss=ProbabilityLoss(), sample_weight=weight)
    share = weight / weight.sum()
    mean = share @ X
    Z = (X - mean) / np.sqrt(share @ (X - mean) ** 2)
    gram = 2 * Z.T @ (share[:, None] * Z) + 0.05 * np.eye(3)
    slope = np.linalg.solve(gram, 2 * Z.T @ (share * target[:, 0]))
    expected = share @ target[:, 0] + Z @ slope
    np.testing.assert_allclose(student.scores(X)[:, 0], expected, rtol=0, atol=1e-7)


LOSSES = [
    CrossEntropyLoss(),
    CrossEntropyLoss(temperature=3.0),
    ProbabilityLoss(),
    LogProbabilityLoss(),
    LogProbabilityLoss(centered=False),
    IdentityLoss(),
    HardLabelMix(CrossEntropyLoss(temperature=2.0), 0.5),
    HardLabelMix(LogProbabilityLoss(), 0.5),
]


@pytest.mark.parametrize("loss", LOSSES, ids=str)
@pytest.mark.parametrize("k", [2, 3])
def test_a_large_network_meets_the_target_of_every_loss(loss, k):
    X, p, _ = soft(n=8, k=k)
    student = TorchStudent(
        (64,),
        learning_rate=0.03,
        weight_decay=0.0,
        max_epochs=300,
        training=Training(schedule="cosine"),
        validation_fraction=0.0,
        random_state=0,
    )
    student.fit_target(X, loss.with_labels(loss.phi(p), p), loss=loss)
    reached = loss.probabilities(student.scores(X))
    np.testing.assert_allclose(reached, p, rtol=0, atol=0.02)
    assert student.history_[-1].train_loss < student.history_[0].train_loss
    assert student.scores(X).shape[1] == loss.n_outputs(k)


def test_squared_losses_start_at_the_weighted_mean():
    X, p, weight = soft()
    student = quick(max_epochs=1, learning_rate=1e-12, batch_size=None)
    student.fit_target(X, 50.0 + p, loss=IdentityLoss(), sample_weight=weight)
    mean = np.average(50.0 + p, axis=0, weights=weight)
    np.testing.assert_allclose(
        student.module_[-1].bias.detach().numpy(), mean, rtol=1e-6
    )


def fitted(student, **settings):
    X, p, weight = soft()
    target = CrossEntropyLoss().phi(p)
    given = {"loss": CrossEntropyLoss(), "sample_weight": weight, **settings}
    return clone(student).fit_target(X, target, **given)


def test_a_seed_names_a_model():
    X = soft()[0]
    first, same, other = (
        fitted(quick(module=thinned(0.2), random_state=seed)).scores(X)
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, same)
    assert np.abs(first - other).max() > 1e-3


def test_global_generators_do_not_move():
    torch.manual_seed(3)
    torch_state, numpy_state = torch.get_rng_state(), np.random.get_state()[1]  # noqa: NPY002
    fitted(quick(module=thinned(0.2), random_state=None))
    assert torch.equal(torch.get_rng_state(), torch_state)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_state)  # noqa: NPY002


@pytest.mark.parametrize(
    "student", [quick(module=thinned(0.2)), exact((4,), weight_decay=0.1)]
)
def test_a_permuted_table_gives_the_same_model(student):
    X, p, weight = soft()
    target, loss = CrossEntropyLoss().phi(p), CrossEntropyLoss()
    order = np.random.default_rng(0).permutation(len(X))
    student = student.set_params(random_state=0)
    plain = clone(student).fit_target(X, target, loss=loss, sample_weight=weight)
    moved = clone(student).fit_target(
        X[order], target[order], loss=loss, sample_weight=weight[order]
    )
    np.testing.assert_array_equal(plain.scores(X), moved.scores(X))


def test_rows_of_zero_weight_take_no_part():
    X, p, weight = soft()
    loss = CrossEntropyLoss()
    plain = quick().fit_target(X, loss.phi(p), loss=loss, sample_weight=weight)
    wild = quick().fit_target(
        np.vstack([X, 1e6 * X]),
        np.vstack([loss.phi(p), loss.phi(p[::-1])]),
        loss=loss,
        sample_weight=np.concatenate([weight, 0 * weight]),
    )
    np.testing.assert_array_equal(plain.scores(X), wild.scores(X))


def test_a_weight_is_a_repeated_row_for_l_bfgs_to_the_last_bit():
    X, p, weight = soft()
    loss = CrossEntropyLoss()
    student = exact((4,), weight_decay=0.1, random_state=0)
    weighted = clone(student).fit_target(
        X, loss.phi(p), loss=loss, sample_weight=weight
    )
    rows = np.repeat(np.arange(len(X)), weight.astype(int))
    repeated = clone(student).fit_target(X[rows], loss.phi(p)[rows], loss=loss)
    np.testing.assert_array_equal(weighted.scores(X), repeated.scores(X))


def test_batches_of_uneven_weights_have_the_mean_loss_of_all_rows_as_their_mean():
    X, p, weight = soft()
    loss = CrossEntropyLoss()
    target, options = loss.phi(p), NetworkOptions.of(exact())
    every, nobody = np.arange(len(X)), np.zeros(len(X), dtype=bool)
    task = Task(every, nobody, target, weight, options, seed=0)
    objective = objective_of([task], loss, torch.device("cpu"), torch.float64)
    scores = np.random.default_rng(0).normal(size=target.shape)
    risks = []
    for rows in torch.randperm(len(X)).tensor_split(8):
        f = torch.from_numpy(scores)[rows]
        batch = nets.Batch(rows[None], torch.zeros(1, dtype=torch.long), f[None])
        risks.append(objective(f[None], batch).mean().item())
    expected = np.average(loss.value(scores, target), weights=weight)
    assert np.mean(risks) == pytest.approx(expected, rel=1e-12)
    assert np.ptp(risks) > 0.1


def test_copies_of_a_row_watch_or_train_together():
    X = np.repeat(np.random.default_rng(0).normal(size=(50, 2)), 3, axis=0)
    target, weight = np.zeros((150, 1)), np.ones(150)
    prepared = prepare(X, target, weight)
    for fraction, n_held_out in [(0.2, 10), (0.0, 0)]:
        student = quick(validation_fraction=fraction)
        options = NetworkOptions.of(student)
        task = student._task(prepared, prepared.order, target, weight, options)
        held_out = np.zeros(150, dtype=bool)
        held_out[task.rows[task.held_out]] = True
        triples = held_out.reshape(50, 3)
        assert (triples.all(axis=1) | ~triples.any(axis=1)).all()
        assert triples[:, 0].sum() == n_held_out


def test_early_stopping_keeps_the_best_epoch():
    X, p, _ = soft(n=60)
    labels = (p[:, 1] > 0.5).astype(float)[:, None]
    student = TorchStudent(
        learning_rate=0.02, validation_fraction=0.3, random_state=0, max_epochs=300
    ).fit_target(X, labels, loss=CrossEntropyLoss())
    watched = [epoch.validation_loss for epoch in student.history_]
    assert student.n_iter_ == len(watched) == int(np.argmin(watched)) + 11
    assert student.n_iter_ < 300
    whole = quick(validation_fraction=0.0).fit_target(
        X, labels, loss=CrossEntropyLoss()
    )
    assert whole.n_iter_ == 5
    assert whole.history_[-1].validation_loss is None


def test_too_few_distinct_rows_to_split_train_on_all():
    X = np.array([[0.0], [1.0], [2.0]])
    student = quick().fit_target(X, X / 2, loss=CrossEntropyLoss())
    assert student.history_[-1].validation_loss is None


def test_columns_are_standardised_by_weight_and_constant_ones_are_safe():
    X, p, weight = soft()
    X[:, 1] = 0.1 + 0.2
    student = quick().fit_target(
        X, p[:, 1:], loss=CrossEntropyLoss(), sample_weight=weight
    )
    mean = np.average(X, axis=0, weights=weight)
    scale = np.sqrt(np.average((X - mean) ** 2, axis=0, weights=weight))
    np.testing.assert_allclose(student.mean_, mean, rtol=1e-12)
    np.testing.assert_allclose(student.scale_[[0, 2]], scale[[0, 2]], rtol=1e-12)
    assert student.scale_[1] == 1.0
    assert np.isfinite(student.scores(X)).all()


def test_rows_are_merged_only_where_content_agrees():
    X = np.array([[1.0], [0.0], [1.0], [-0.0], [1.0]])
    target = np.array([[0.5], [0.5], [0.5], [0.5], [0.2]])
    weight = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    order = canonical_order(X, target, weight)
    rows = merged(WeightedRows(X[order], target[order], weight[order]))
    found = {
        (x, t): w
        for x, t, w in zip(rows.X[:, 0], rows.target[:, 0], rows.weight, strict=True)
    }
    assert found == {(1.0, 0.5): 4.0, (0.0, 0.5): 6.0, (1.0, 0.2): 5.0}
    mean, scale = moments(rows.X, rows.weight)
    assert mean[0] == pytest.approx(9 / 15)
    assert scale[0] == pytest.approx(np.sqrt(9 * 6) / 15)


def test_settings_of_many_are_one_for_each_target():
    X, target = np.zeros((4, 1)), np.array([[0.0], [1.0], [0.0], [1.0]])
    loss = CrossEntropyLoss()
    with pytest.raises(ValueError, match="one for each of the targets; got 1 for 2"):
        quick().fit_many(X, [target] * 2, loss=loss, settings=[{}])
    assert quick().fit_many(X, [], loss=loss) == []


def test_a_pickle_holds_the_network_and_no_data():
    draws = np.random.default_rng(0)
    X, target = draws.normal(size=(5000, 20)), draws.uniform(size=(5000, 1))
    student = quick(batch_size=None).fit_target(X, target, loss=CrossEntropyLoss())
    data = pickle.dumps(student)
    assert len(data) < 10_000 < X.nbytes
    assert student.size().bytes == len(data)
    np.testing.assert_array_equal(pickle.loads(data).scores(X), student.scores(X))  # noqa: S301


def test_l_bfgs_pickles_each_parameter_once():
    student = fitted(exact((64, 64), max_epochs=20, weight_decay=0.1, dtype="float32"))
    n_bytes = 4 * student.n_coefficients()
    assert student.size().bytes < n_bytes + 8000


def test_a_student_of_a_gpu_answers_without_one(monkeypatch):
    student = fitted(quick(device="cpu"))
    X = soft()[0]
    expected = student.scores(X)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    np.testing.assert_array_equal(student.set_params(device="cuda").scores(X), expected)


def test_parameters_are_counted_before_and_after_the_fit():
    student = fitted(quick())
    assert student.n_coefficients() == 4 * 8 + 9
    assert student.complexity(1000, 3, 1) is None
    linear = TorchStudent(())
    assert linear.complexity(1000, 3, 1) == 4 / 1000
    assert linear.complexity(2, 3, 1) == 1.0
    assert student.size().coefficients == 41


def test_targets_without_a_minimum_are_named():
    outside, loss = (-0.3, 1.4), CrossEntropyLoss()
    endless = TorchStudent(validation_fraction=0.0)
    reason = endless.supports(loss, outside)
    assert reason is not None
    assert "outside [0, 1] (-0.3 to 1.4)" in reason
    assert exact((4,)).supports(loss, outside) is not None
    assert exact(weight_decay=0.0).supports(loss, outside) is not None
    assert exact(weight_decay=0.1).supports(loss, outside) is None
    assert TorchStudent().supports(loss, outside) is None
    assert endless.supports(loss) is None
    assert endless.supports(loss, (-1e-12, 1 + 1e-12)) is None
    assert endless.supports(LogProbabilityLoss(), (-40.0, 40.0)) is None
    assert endless.supports(HardLabelMix(loss, 0.5), outside) is not None


def test_such_a_loss_falls_without_end_where_it_is_refused():
    X, target = np.array([[0.0], [1.0]]), np.array([[-0.5], [1.5]])
    with pytest.warns(ConvergenceWarning):
        free = exact(weight_decay=0.0, max_epochs=3, random_state=0).fit_target(
            X, target, loss=CrossEntropyLoss()
        )
    value = CrossEntropyLoss().value
    slope = free.scores(X)
    falls = [value(step * slope, target).sum() for step in (1e2, 1e3, 1e4)]
    assert falls[0] > falls[1] > falls[2]
    assert falls[2] < -1000


def test_importing_the_student_leaves_torch_alone():
    program = (
        "import sys; from semikd.students import TorchStudent; "
        "TorchStudent(); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0  # noqa: S603


def test_an_unfinished_search_is_reported():
    X, p, _ = soft()
    with pytest.warns(ConvergenceWarning, match="ended after 2 iterations.*max_epochs"):
        exact(max_epochs=2).fit_target(X, p[:, 1:], loss=CrossEntropyLoss())


def test_a_fit_that_diverges_says_so_in_one_line():
    X, p, _ = soft()
    student = quick(learning_rate=1e30)
    with pytest.raises(ValueError, match=r"loss must stay finite; got \S+ in epoch"):
        student.fit_target(X, p, loss=IdentityLoss())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"module": 64}, "module must be.*got 64"),
        ({"module": "64"}, "module must be.*got '64'"),
        ({"module": (0,)}, "hidden_layer_sizes must be an integer of at"),
        ({"solver": "adams"}, "solver must be one of.*Did you mean 'adam'"),
        (
            {"module": thinned(1.0)},
            "dropout must be a number at least 0 and at most 0.99",
        ),
        (
            {"solver": "lbfgs", "module": thinned(0.1)},
            "dropout must be 0 for solver='lbfgs'",
        ),
        ({"learning_rate": 0.0}, "learning_rate must be a number above 0"),
        ({"weight_decay": -1.0}, "weight_decay must be a number at least 0"),
        ({"batch_size": 0}, "batch_size must be an integer.*None takes all rows"),
        ({"max_epochs": 0}, "max_epochs must be an integer of at least 1"),
        ({"validation_fraction": 1.0}, "validation_fraction must be a number"),
        ({"device": "tpu"}, "device must be one of 'auto', 'cpu'"),
        ({"dtype": "float16"}, "dtype must be one of 'float32', 'float64'"),
        ({"random_state": -1}, "random_state must be a non-negative integer"),
        ({"loss": "cross_entrop"}, "Did you mean 'cross_entropy'"),
    ],
)
def test_a_parameter_out_of_range_is_refused(settings, message):
    X, p, _ = soft()
    student = TorchStudent().set_params(**settings)
    with pytest.raises((ValueError, TypeError), match=message):
        student.fit(X, p[:, 1] > 0.5)


@pytest.mark.parametrize(
    ("target", "weight", "message"),
    [
        (np.ones((79, 1)), None, r"target must have shape \(80, any\); got \(79, 1\)"),
        (np.ones(80), None, r"target must have shape \(80, any\); got \(80,\)"),
        (np.full((80, 1), np.nan), None, "target must be finite; got nan in row 0"),
        (np.ones((80, 1)), -np.ones(80), "sample_weight must be non-negative"),
        (np.ones((80, 1)), np.zeros(80), "sample_weight must have a positive sum"),
    ],
)
def test_bad_targets_and_weights_are_refused(target, weight, message):
    with pytest.raises(ValueError, match=message):
        quick().fit_target(
            soft()[0], target, loss=CrossEntropyLoss(), sample_weight=weight
        )


def test_an_unfitted_student_says_so():
    with pytest.raises(NotFittedError, match="not fitted yet"):
        TorchStudent().scores([[0.0]])
    with pytest.raises(NotFittedError, match="not fitted yet"):
        TorchStudent().n_coefficients()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize(
    "student",
    [exact((8,), weight_decay=0.1), quick(dtype="float64"), quick(dtype="float32")],
)
def test_a_gpu_gives_the_same_model_as_the_processor(student):
    X, p, weight = soft(n=500)
    loss = CrossEntropyLoss()
    student = student.set_params(random_state=0)
    scores, states = [], []
    for device in ("cpu", "cuda"):
        states.append(torch.cuda.get_rng_state())
        fit = clone(student).set_params(device=device)
        fit.fit_target(X, loss.phi(p), loss=loss, sample_weight=weight)
        scores.append(fit.scores(X))
        assert not next(fit.module_.parameters()).is_cuda
    tolerance = 1e-3 if student.dtype == "float32" else 1e-6
    np.testing.assert_allclose(scores[1], scores[0], rtol=0, atol=tolerance)
    assert torch.equal(states[0], states[1])


def test_text_and_gaps_of_a_frame_reach_network_teachers_and_students():
    draws = np.random.default_rng(0)
    colour = draws.choice(["red", "green"], size=200)
    frame = pd.DataFrame({"a": draws.normal(size=200), "colour": colour})
    frame.loc[::7, "a"] = np.nan
    y = colour == "red"
    model = DistilledClassifier(
        TorchClassifier((8,), max_epochs=40, learning_rate=0.03, device="cpu"),
        TorchStudent((4,), max_epochs=60, learning_rate=0.03, device="cpu"),
        random_state=0,
    ).fit(frame, y)
    assert (model.predict(frame) == y).mean() > 0.95
    with pytest.raises(ValueError, match="hold numbers for the student"):
        DistilledClassifier(TorchClassifier((8,))).fit(frame, y)
