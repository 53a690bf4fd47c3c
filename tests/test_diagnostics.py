"""Findings on a teacher, against statsmodels, scipy and brute force."""

import json

import numpy as np
import pandas as pd
import polars as pl
import pytest
import statsmodels.api as sm
from scipy import sparse, special, stats
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import brier_score_loss
from sklearn.tree import DecisionTreeClassifier
from statsmodels.stats.multitest import multipletests

from semikd import cross_fit, external_labels
from semikd.diagnostics import Finding, TeacherDiagnosis, diagnose
from semikd.diagnostics.advice import advise
from semikd.diagnostics.calibration import calibration, spiegelhalter
from semikd.diagnostics.findings import adjusted
from semikd.diagnostics.left_over import left_over
from semikd.diagnostics.optimism import optimism
from semikd.diagnostics.residuals import predict_residuals
from semikd.diagnostics.rows import JudgedRows
from semikd.diagnostics.spread import spread
from semikd.evaluation import pointwise_log_loss
from semikd.evaluation.recalibration import fit_recalibration, recalibrated

NAMES = ("no", "yes")


def two_classes(n=400, seed=0, slope=0.7, shift=0.3):
    """Return X, codes and labels that are too sure and shifted."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    score = X @ [1.0, 0.5, 0.0]
    y = (rng.random(n) < special.expit(slope * score + shift)).astype(int)
    p = special.expit(score)
    return X, y, np.column_stack([1 - p, p])


def three_classes(n=500, seed=1):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    p = special.softmax(X, axis=1)
    right = special.softmax(0.8 * X + [0.0, 0.2, -0.1], axis=1)
    y = (rng.random((n, 1)) > right.cumsum(axis=1)[:, :2]).sum(axis=1)
    return X, y, p


def test_a_recalibration_of_two_classes_is_the_logistic_regression_on_log_odds():
    _, y, p = two_classes()
    weights = np.random.default_rng(2).integers(1, 4, len(y)).astype(float)
    z = sm.add_constant(special.logit(p[:, 1]))
    model = sm.GLM(y, z, family=sm.families.Binomial(), freq_weights=weights)
    right = model.fit(tol=1e-13).params
    found = calibration(p, np.eye(2)[y], weights, None, NAMES)
    assert found.estimate == pytest.approx(right[1], rel=1e-5)
    assert found.details["intercept"] == pytest.approx(right[0], rel=1e-5)
    plain = calibration(p, np.eye(2)[y], np.ones(len(y)), None, NAMES)
    robust = sm.Logit(y, z).fit(disp=0, cov_type="HC0")
    factor = np.sqrt(len(y) / (len(y) - 1))
    assert plain.std_error == pytest.approx(factor * robust.bse[1], rel=1e-4)


def test_the_tests_of_calibration_are_the_score_tests_of_the_logistic_model():
    _, y, p = two_classes()
    score = special.logit(p[:, 1])
    found = calibration(p, np.eye(2)[y], np.ones(len(y)), None, NAMES)
    z = np.column_stack([score, np.ones(len(y))])
    # Both at once: u' I^-1 u at slope 1 and intercept 0.
    u, v = z.T @ (y - p[:, 1]), p[:, 0] * p[:, 1]
    chi2 = u @ np.linalg.solve((z * v[:, None]).T @ z, u)
    assert found.p_value == pytest.approx(stats.chi2.sf(chi2, 2), rel=1e-8)
    # The slope alone: a column added to a model whose offset has slope 1.
    offset = sm.GLM(y, np.ones(len(y)), family=sm.families.Binomial(), offset=score)
    expected = np.squeeze(offset.fit().score_test(exog_extra=score[:, None])[1])
    assert found.details["slope_p_value"] == pytest.approx(expected, rel=1e-5)


def test_the_joint_score_test_is_close_to_the_likelihood_ratio_in_large_tables():
    _, y, p = three_classes(20_000)
    small = p**0.99 / (p**0.99).sum(axis=1, keepdims=True)
    rng = np.random.default_rng(3)
    y = (rng.random((len(p), 1)) > p.cumsum(axis=1)[:, :2]).sum(axis=1)
    outcome, ones = np.eye(3)[y], np.ones(len(y))
    q = recalibrated(np.log(small), fit_recalibration(np.log(small), outcome, ones))
    ratio = 2 * (outcome * (np.log(q) - np.log(small))).sum()
    found = calibration(small, outcome, ones, None, ("a", "b", "c"))
    assert found.p_value == pytest.approx(stats.chi2.sf(ratio, 3), rel=0.05)
    assert set(found.details) >= {"intercept b", "intercept c"}
    assert found.details["gain_nats"] == pytest.approx(ratio / 2 / len(y))


def test_a_recalibration_of_three_classes_has_no_gradient_left():
    _, y, p = three_classes()
    weights = np.random.default_rng(4).random(len(y))
    logs, outcome = np.log(p), np.eye(3)[y]
    theta = fit_recalibration(logs, outcome, weights)

    def loss(parameters):
        scores = parameters[0] * logs + np.r_[0.0, parameters[1:]]
        return -weights @ (outcome * special.log_softmax(scores, axis=1)).sum(axis=1)

    for direction in np.eye(3):
        slope = (loss(theta + 1e-5 * direction) - loss(theta - 1e-5 * direction)) / 2e-5
        assert abs(slope) < 1e-4


def test_spiegelhalters_statistic_of_two_classes_is_the_one_of_the_paper():
    _, y, p = two_classes()
    one = p[:, 1]
    z = ((y - one) * (1 - 2 * one)).sum()
    z /= np.sqrt(((1 - 2 * one) ** 2 * one * (1 - one)).sum())
    found, p_value = spiegelhalter(p, np.eye(2)[y], np.ones(len(y)), None)
    assert found == pytest.approx(z)
    assert p_value == pytest.approx(2 * stats.norm.sf(abs(z)))


def test_spiegelhalters_statistic_of_three_classes_has_mean_zero_and_variance_one():
    _, _, p = three_classes(200)
    rng = np.random.default_rng(5)
    draws = [
        spiegelhalter(
            p,
            np.eye(3)[(rng.random((200, 1)) > p.cumsum(axis=1)[:, :2]).sum(axis=1)],
            np.ones(200),
            None,
        )[0]
        for _ in range(3000)
    ]
    assert abs(np.mean(draws)) < 0.07
    assert abs(np.std(draws) - 1) < 0.05


def test_labels_without_any_variance_are_right_or_impossible():
    p, ones = np.eye(2)[[0, 1, 0, 1]], np.ones(4)
    assert spiegelhalter(p, p, ones, None) == (0.0, 1.0)
    assert spiegelhalter(p, p[::-1], ones, None) == (np.inf, 0.0)


def test_labels_that_are_alike_for_all_rows_have_no_slope_to_be_tested():
    y = np.array([0] * 60 + [1] * 40)
    p = np.tile([0.5, 0.5], (100, 1))
    found = calibration(p, np.eye(2)[y], np.ones(100), None, NAMES)
    assert found.details["slope_p_value"] == 1.0
    # What remains is the test of a share: z = 2, with one degree of freedom.
    assert found.p_value == pytest.approx(2 * stats.norm.sf(2.0))


def test_labels_that_separate_the_classes_end_the_search():
    p = np.array([[0.6, 0.4]] * 20 + [[0.4, 0.6]] * 20)
    y = np.repeat([0, 1], 20)
    found = calibration(p, np.eye(2)[y], np.ones(40), None, NAMES)
    assert found.estimate > 10
    assert found.p_value < 1e-4


def test_optimism_is_the_paired_t_test_of_two_losses():
    _, y, p = two_classes()
    seen = 0.8 * p + 0.2 * np.eye(2)[y]
    found = optimism(p[None], seen[None], y, np.ones(len(y)), None)
    losses = [pointwise_log_loss(side, y) for side in (p, seen)]
    test = stats.ttest_rel(*losses, alternative="greater")
    assert found.estimate == pytest.approx(losses[0].mean() - losses[1].mean())
    assert found.p_value == pytest.approx(test.pvalue, rel=1e-6)


def test_optimism_has_the_clustered_error_of_statsmodels():
    _, y, p = two_classes()
    seen = special.softmax(np.log(p) + 0.1, axis=1) * 0.9 + 0.05
    clusters = np.arange(len(y)) // 4
    weights = np.random.default_rng(6).random(len(y)) + 0.5
    found = optimism(p[None], seen[None], y, weights, clusters)
    difference = pointwise_log_loss(p, y) - pointwise_log_loss(seen, y)
    model = sm.WLS(difference, np.ones(len(y)), weights=weights).fit(
        cov_type="cluster",
        cov_kwds={"groups": clusters, "use_correction": False},
    )
    n_clusters = clusters.max() + 1
    factor = np.sqrt(n_clusters / (n_clusters - 1))
    assert found.estimate == pytest.approx(model.params[0])
    assert found.std_error == pytest.approx(factor * model.bse[0])


def test_optimism_averages_losses_over_repeats_and_not_labels():
    _, y, p = two_classes()
    labels = np.stack([p, p[:, ::-1]])
    found = optimism(labels, p[None], y, np.ones(len(y)), None)
    each = [pointwise_log_loss(side, y).mean() for side in labels]
    assert found.details["out_of_fold"] == pytest.approx(np.mean(each))


def test_variance_is_what_averaging_saves_of_the_brier_score():
    rng = np.random.default_rng(7)
    _, y, p = two_classes(3000)
    noise = 0.2 * (rng.random((4, 3000)) - 0.5)
    labels = np.stack([np.clip(p[:, 1] + e, 0, 1) for e in noise])
    labels = np.stack([1 - labels, labels], axis=-1)
    found = spread(labels, np.eye(2)[y], np.ones(3000), None)
    assert found.estimate == pytest.approx(labels.var(0, ddof=1).sum(1).mean())
    assert found.details["spread"] ** 2 == pytest.approx(found.estimate / 2)
    alone = np.mean([2 * brier_score_loss(y, side[:, 1]) for side in labels])
    together = 2 * brier_score_loss(y, labels.mean(0)[:, 1])
    assert alone - together == pytest.approx(found.estimate * 3 / 4)
    assert found.details["left_brier"] == pytest.approx(found.estimate / 4)
    assert found.details["gained_nats"] > 0
    assert np.isnan(found.p_value)


def judged(X, y, p, **changes):
    record = external_labels(X, p, classes=np.arange(p.shape[1]))
    names = tuple(str(j) for j in range(p.shape[1]))
    settings = {"sample_weight": None, "clusters": None, "groups": None, **changes}
    return JudgedRows(
        X=X,
        codes=y,
        names=names,
        labels=p[None],
        in_sample=None,
        hashes=record.row_hash,
        **settings,
    )


def test_left_over_signal_is_the_one_of_matrices_written_out():
    X, y, p = three_classes()
    rows = judged(X, y, p)
    outcome, logs = np.eye(3)[y], np.log(p)
    said = predict_residuals(rows, Ridge(1.0), 0)
    found = left_over(p, outcome, said, np.ones(len(y)), None)
    q = recalibrated(logs, fit_recalibration(logs, outcome, np.ones(len(y))))
    terms = []
    for t in range(1, 5):
        at = said.block == t
        # Every row's derivative in slope and intercepts, and its variance matrix.
        Z = np.stack([np.column_stack([row, np.eye(3)[:, 1:]]) for row in logs[at]])
        V = np.stack([np.diag(row) - np.outer(row, row) for row in q[at]])
        g = said.ahead[at]
        bend = np.einsum("nja,njk,nkb->ab", Z, V, Z)
        gamma = np.linalg.solve(bend, np.einsum("nja,njk,nk->a", Z, V, g))
        own = g - Z @ gamma
        size = np.einsum("nj,njk,nk->", own, V, own) / at.sum()
        terms.append(((outcome - q)[at] * own).sum(axis=1) / np.sqrt(size))
    flat = np.concatenate(terms)
    assert found.details["z"] == pytest.approx(flat.sum() / np.sqrt((flat**2).sum()))
    r = outcome - q
    r2 = 1 - ((r - said.crossed) ** 2).sum() / (r**2).sum()
    assert found.estimate == pytest.approx(r2)


class Spy(RegressorMixin, BaseEstimator):
    """A regressor that notes the rows that it learned from, by their first column."""

    seen: list = []  # noqa: RUF012 - shared by all clones on purpose

    def fit(self, X, y):
        self.rows_ = set(X[:, 0])
        self.coef_ = 0.1
        return self

    def predict(self, X):
        self.seen.append((self.rows_, set(X[:, 0])))
        return self.coef_ * X[:, 1]


def test_each_block_is_predicted_by_learners_of_earlier_and_of_other_blocks():
    X, y, p = two_classes(100)
    X[:, 0] = np.arange(100)
    clusters = np.arange(100) // 2
    Spy.seen.clear()
    said = predict_residuals(judged(X, y, p, clusters=clusters), Spy(), 0)
    blocks = [set(np.flatnonzero(said.block == t)) for t in range(5)]
    assert len(Spy.seen) == 9
    for learned, predicted in Spy.seen:
        at = blocks.index(predicted)
        earlier = set().union(*blocks[:at])
        others = set(range(100)) - predicted
        assert learned in (earlier, others)
    pairs = said.block.reshape(50, 2)
    assert (pairs[:, 0] == pairs[:, 1]).all()
    assert not said.ahead[said.block == 0].any()


def test_a_learner_that_says_nothing_finds_nothing():
    X, y, p = two_classes()
    rows = judged(np.zeros_like(X) + np.arange(400)[:, None], y, p)
    said = predict_residuals(rows, Ridge(1e12), 0)
    quiet = type(said)(said.block, 0 * said.ahead, 0 * said.crossed)
    found = left_over(p, np.eye(2)[y], quiet, np.ones(len(y)), None)
    assert (found.estimate, found.p_value) == (0.0, 0.5)


def test_what_recalibration_explains_is_no_signal():
    _, y, p = two_classes(2000, slope=0.5)
    rows = judged(special.logit(p[:, 1:]), y, p)
    said = predict_residuals(rows, Ridge(1.0), 0)
    # A learner of the log-odds alone: nothing but the slope, which is taken out.
    found = left_over(p, np.eye(2)[y], said, np.ones(len(y)), None)
    assert abs(found.estimate) < 0.01
    assert found.p_value > 0.001


def test_families_are_adjusted_by_holm():
    names = ["optimism", "calibration", "left-over signal"]
    raw = [0.03, 0.001, 0.02]
    found = [Finding(name, "", 0, 0, p) for name, p in zip(names, raw, strict=True)]
    parts = [Finding("optimism", "", 0, 0, p, part=f"group {p}") for p in (0.04, 0.01)]
    untested = Finding("variance", "", 0, 0, float("nan"))
    changed = adjusted([*found, *parts, untested])
    expected = multipletests(raw, method="holm")[1]
    np.testing.assert_allclose([f.p_adjusted for f in changed[:3]], expected)
    np.testing.assert_allclose([f.p_adjusted for f in changed[3:5]], [0.04, 0.02])
    assert np.isnan(changed[5].p_adjusted)
    assert not changed[5].shown(0.95)
    assert changed[0].shown(0.95)


@pytest.fixture(scope="module")
def diagnosis():
    """Return a diagnosis of a forest that remembers, with groups, on 600 rows."""
    X, y, _ = two_classes(600)
    frame = pd.DataFrame(X, columns=["a", "b", "c"])
    frame["side"] = np.where(X[:, 2] > 0, 1.0, 0.0)
    teacher = RandomForestClassifier(20)
    labels = cross_fit(teacher, frame, y, n_repeats=2, random_state=0)
    seen = cross_fit(teacher, frame, y, cv="in-sample", random_state=0)
    return diagnose(
        labels,
        frame,
        y,
        in_sample=seen,
        groups="side",
        unseen=frame + 0.1,
        learner=Ridge(1.0),
        random_state=0,
    )


def test_a_diagnosis_has_a_finding_for_each_question_and_part(diagnosis):
    table = diagnosis.table()
    assert table.loc["all rows"].index.tolist() == [
        "optimism",
        "calibration",
        "left-over signal",
        "variance",
    ]
    assert table.loc["class 1"].index.tolist() == ["optimism", "variance"]
    assert len(table.loc["group 0.0"]) == len(table.loc["group 1.0"]) == 4
    sides = table.loc[["group 0.0", "group 1.0"]]["n_rows"].unique()
    assert sides.sum() == 600
    assert diagnosis.optimism.shown(0.95)
    assert diagnosis.calibration.estimate < 1
    assert diagnosis.variance.details["spread"] > 0.01
    assert diagnosis.folds_apart["fold_spread"] > 0.01


def test_a_forest_that_remembers_is_called_so(diagnosis):
    assert diagnosis.advice["optimism"].startswith("Over-fitted")
    assert diagnosis.advice["calibration"].startswith("Too sure")
    assert "left-over signal" in diagnosis.advice
    assert diagnosis.advice["variance"].startswith("Unsteady")


def test_a_diagnosis_reads_in_a_terminal(diagnosis):
    lines = str(diagnosis).splitlines()
    assert lines[0].startswith("Teacher diagnosis: 600 rows, 5-fold cross-fitting")
    assert "Holm over 3 tests" in lines[1]
    assert sum(line.startswith("- ") for line in lines) == len(diagnosis.advice)
    assert any("On unseen rows fold teachers are" in line for line in lines)


def test_a_dictionary_survives_json(diagnosis):
    plain = json.loads(json.dumps(diagnosis.to_dict(), allow_nan=False))
    assert plain["n_rows"] == 600
    assert plain["findings"][0]["name"] == "optimism"
    assert plain["findings"][3]["p_value"] is None
    assert plain["advice"] == diagnosis.advice


def test_a_picture_has_a_panel_for_each_finding_and_for_the_curves(diagnosis):
    figure = diagnosis.plot()
    assert len(figure.axes) == 5
    titles = {axes.get_title() for axes in figure.axes}
    assert "optimism (over-fit)" in titles
    figure.canvas.draw()
    curves = figure.axes[0].get_legend_handles_labels()[1]
    assert curves == ["out of fold", "in sample"]


def test_names_that_look_like_formulas_are_drawn():
    X, y, p = two_classes(200)
    labels = external_labels(X, p, classes=["$_^", "a\nb"])
    named = np.array(["$_^", "a\nb"])[y]
    found = diagnose(labels, X, named, learner=Ridge(), groups=named)
    found.plot().canvas.draw()


def quick(X, y, p, **settings):
    labels = external_labels(X, p, classes=np.arange(p.shape[1]))
    chosen = {"learner": Ridge(1.0), "random_state": 0, **settings}
    return diagnose(labels, X, y, **chosen)


def test_what_is_not_given_is_not_found():
    found = quick(*two_classes())
    assert found.optimism is None
    assert found.variance is None
    assert found.calibration is not None
    assert found.folds_apart == {}


def test_the_order_of_rows_does_not_matter():
    X, y, p = two_classes()
    order = np.random.default_rng(8).permutation(len(y))
    one, other = quick(X, y, p), quick(X[order], y[order], p[order])
    for first, second in zip(one.findings, other.findings, strict=True):
        assert first.estimate == pytest.approx(second.estimate, rel=1e-8)
        assert first.p_value == pytest.approx(second.p_value, rel=1e-6)


def test_rows_without_weight_or_label_are_as_if_they_were_not_there():
    X, y, p = two_classes()
    weights, holes = np.ones(400), p.copy()
    weights[300:350], holes[350:] = 0.0, np.nan
    found = quick(X, y, holes, sample_weight=weights, in_sample=p, groups=y)
    rest = quick(X[:300], y[:300], p[:300], in_sample=p[:300], groups=y[:300])
    assert found.n_rows == 300
    for first, second in zip(found.findings, rest.findings, strict=True):
        assert first.estimate == pytest.approx(second.estimate)


def test_a_scale_of_the_weights_changes_nothing():
    X, y, p = two_classes()
    weights = np.random.default_rng(9).random(400)
    one = quick(X, y, p, sample_weight=weights, in_sample=p * 0.9 + 0.05)
    other = quick(X, y, p, sample_weight=7 * weights, in_sample=p * 0.9 + 0.05)
    for first, second in zip(one.findings, other.findings, strict=True):
        assert first.p_value == pytest.approx(second.p_value, rel=1e-6)


def test_groups_are_a_column_or_an_array_alike():
    X, y, p = two_classes()
    side = np.where(X[:, 0] > 0, 1.0, 0.0)
    frame = pl.DataFrame({"a": X[:, 0], "side": side})
    labels = external_labels(frame, p, classes=[0, 1])
    by_name, by_array = (
        diagnose(labels, frame, y, groups=groups, learner=Ridge(), random_state=0)
        for groups in ("side", side)
    )
    assert by_name.to_dict() == by_array.to_dict()
    assert "group 1.0" in by_name.table().index


def test_a_fault_in_one_group_is_shown_there():
    X, y, p = two_classes(4000, slope=1.0, shift=0.0)
    side = X[:, 2] > 1.5
    y = np.where(side, 1 - y, y)
    found = quick(X, y, p, groups=np.where(side, "far", "near"))
    table = found.table()
    assert table.loc[("group far", "calibration"), "p_adjusted"] < 1e-6
    assert table.loc[("group near", "calibration"), "p_adjusted"] > 0.001


def test_one_class_of_several_is_judged_against_the_rest():
    X, y, p = three_classes(900)
    found = quick(X, y, p)
    part = next(f for f in found.findings if f.part == "class 1" and f.name[0] == "c")
    own = np.column_stack([1 - p[:, 1], p[:, 1]])
    expected = calibration(
        own, np.eye(2)[(y == 1).astype(int)], np.ones(900), None, ("rest", "1")
    )
    assert part.estimate == pytest.approx(expected.estimate)
    assert part.n_rows == 900


def test_small_parts_have_no_recalibration_and_single_rows_nothing():
    X, y, p = two_classes()
    groups = np.full(400, "most")
    groups[:15], groups[15] = "few", "one"
    parts = quick(X, y, p, in_sample=p, groups=groups).table()
    assert parts.loc["group few"].index.tolist() == ["optimism"]
    assert "group one" not in parts.index.get_level_values(0)


def test_the_default_learner_sees_a_step_that_a_linear_teacher_cannot():
    rng = np.random.default_rng(10)
    X = rng.normal(size=(1500, 3))
    y = (rng.random(1500) < np.where(np.abs(X[:, 0]) > 0.7, 0.8, 0.2)).astype(int)
    labels = cross_fit(LogisticRegression(), X, y, random_state=0)
    found = diagnose(labels, X, y, random_state=0)
    assert found.left_over.estimate > 0.2
    assert found.advice["left-over signal"].startswith("Under-fitted: ")


def finding(name, **changes):
    details = {"slope_p_value": 1e-6, "left_share": 0.0, "gain_nats": 0.01}
    details |= changes.pop("details", {})
    settings = {"estimate": 0.1, "p_adjusted": 0.001, "details": details, **changes}
    return Finding(name, "", std_error=0.1, p_value=0.01, **settings)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (finding("optimism"), "Over-fitted"),
        (finding("optimism", p_adjusted=0.2), "No over-fitting shown"),
        (finding("optimism", estimate=2e-4), "Over-fitted by next to nothing (0.0002"),
        (finding("calibration", estimate=0.8), "Too sure (slope 0.80)"),
        (finding("calibration", estimate=1.3), "Too timid (slope 1.30)"),
        (finding("calibration", details={"slope_p_value": 0.5}), "Shifted"),
        (finding("calibration", p_adjusted=0.2), "Calibrated as far as"),
        (finding("calibration", details={"gain_nats": 1e-4}), "Off by next to nothing"),
        (finding("left-over signal"), "Under-fitted: 10 %"),
        (finding("left-over signal", estimate=-0.01), "Under-fitted: a little"),
        (finding("left-over signal", p_adjusted=0.2), "No signal shown"),
        (finding("variance"), "Steady"),
        (finding("variance", details={"left_share": 0.03}), "Unsteady"),
    ],
)
def test_each_finding_has_one_sentence(found, words):
    said = advise([found], 0.95)[found.name]
    assert said.startswith(words)
    assert said.endswith(".")
    assert said.count(". ") == 0


def test_parts_are_named_where_the_whole_shows_nothing():
    whole = finding("calibration", p_adjusted=0.5)
    part = finding("calibration", part="group a", p_adjusted=0.01)
    assert "calibration in group a" in advise([whole, part], 0.95)["parts"]
    assert "parts" not in advise([finding("calibration"), part], 0.95)


def test_a_diagnosis_without_findings_is_still_a_record():
    empty = TeacherDiagnosis((), "labels from elsewhere", 0, NAMES)
    assert empty.left_over is None
    assert empty.advice == {}


def other_labels(kind):
    """Return labels that cannot be judged, with their rows."""
    X, y, p = two_classes(60)
    if kind == "out-of-bag":
        forest = RandomForestClassifier(60, random_state=0)
        return cross_fit(forest, X, y, cv="oob", random_state=0), X, y
    if kind == "in-sample":
        tree = DecisionTreeClassifier(max_depth=2)
        return cross_fit(tree, X, y, cv="in-sample"), X, y
    if kind == "regression":
        return external_labels(X, p[:, 1]), X, y
    if kind == "unlabelled":
        holes = p.copy()
        holes[3:] = np.nan
        return external_labels(X, holes, classes=[0, 1]), X, y
    return external_labels(X[::-1], p, classes=[0, 1]), X, y


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("out-of-bag", "labels must come from folds for diagnostics"),
        ("in-sample", "teachers that did not see the rows, for diagnostics; got"),
        ("regression", "labels must be class probabilities for diagnostics"),
        ("unlabelled", "labels must label at least two rows for each class"),
        ("others", "labels must be those of the rows of X"),
    ],
)
def test_labels_that_cannot_be_judged_are_refused(kind, words):
    labels, X, y = other_labels(kind)
    with pytest.raises(ValueError, match=words):
        diagnose(labels, X, y, learner=Ridge())


def honest():
    X, _, p = two_classes(60)
    return external_labels(X, p, classes=[0, 1]), p


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"in_sample": honest()[0]}, "in_sample must be labels of teachers that saw"),
        ({"in_sample": np.full((60, 2), np.nan)}, "in_sample must label every row"),
        ({"in_sample": np.ones((3, 2)) / 2}, "prediction must have shape|60"),
        ({"groups": np.arange(60)}, "groups must name at most 50 groups; got 60"),
        ({"groups": [1, 2]}, r"groups must have shape \(60,\)"),
        ({"groups": [None] * 60}, "groups must"),
        ({"clusters": np.zeros(60)}, "clusters must hold at least 2 clusters"),
        ({"sample_weight": -np.ones(60)}, "sample_weight must be non-negative"),
        ({"level": 0}, "level must lie strictly between 0 and 1"),
        ({"unseen": np.zeros((2, 3))}, "kept at least two fold teachers"),
        ({"random_state": -1}, "random_state must be a non-negative integer"),
    ],
)
def test_what_does_not_fit_is_refused(settings, words):
    X, y, p = two_classes(60)
    with pytest.raises(ValueError, match=words):
        quick(X, y, p, **settings)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"learner": LogisticRegression()}, "learner must be a regressor, for resid"),
        ({"learner": Ridge}, "learner must be an estimator with a fit method"),
        ({"groups": "side"}, "groups must be an array where X has no column names"),
    ],
)
def test_what_is_of_the_wrong_kind_is_refused(settings, words):
    with pytest.raises(TypeError, match=words):
        quick(*two_classes(60), **settings)


def test_labels_that_are_no_record_are_refused():
    X, y, p = two_classes(60)
    with pytest.raises(TypeError, match="labels must be an OutOfFold record"):
        diagnose(p, X, y)


def test_an_unknown_column_is_answered_with_the_nearest():
    X, y, p = two_classes(60)
    frame = pd.DataFrame(X, columns=["age", "sex", "pay"])
    labels = external_labels(frame, p, classes=[0, 1])
    with pytest.raises(ValueError, match="Did you mean 'sex'"):
        diagnose(labels, frame, y, groups="sexe", learner=Ridge())


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_text_asks_for_a_learner_that_reads_it(make):
    X, y, p = two_classes(60)
    frame = make({"a": X[:, 0], "word": ["x", "y"] * 30})
    labels = external_labels(frame, p, classes=[0, 1])
    with pytest.raises(ValueError, match="learner must be given; got None for an X"):
        diagnose(labels, frame, y)


def test_two_repeats_of_a_tree_vary_and_averaging_them_is_advised():
    X, y, _ = two_classes(500)
    labels = cross_fit(DecisionTreeClassifier(), X, y, n_repeats=2, random_state=0)
    found = diagnose(labels, X, y, learner=Ridge(), random_state=0)
    assert found.variance.details["left_share"] > 0.1
    assert found.advice["variance"].startswith("Unsteady")


@pytest.mark.parametrize("kind", ["date", "sparse"])
def test_what_the_default_learner_cannot_read_asks_for_another(kind):
    X, y, _ = two_classes()
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(len(y)), "D")
    table = sparse.csr_array(X) if kind == "sparse" else pd.DataFrame({"day": days})
    labels = external_labels(table, np.full(len(y), 0.4), classes=[0, 1])
    with pytest.raises(ValueError, match="learner must be given; got None for an X"):
        diagnose(labels, table, y)


def test_a_teacher_that_ranks_backwards_is_not_sent_to_calibration():
    details = {"gain_nats": 0.3, "slope_p_value": 0.0}
    finding = Finding(
        "calibration", "slope", -2.0, 0.1, 0.0, p_adjusted=0.0, details=details
    )
    said = advise([finding], 0.95)["calibration"]
    assert "wrong way round" in said
    assert "calibrate the teacher" not in said
