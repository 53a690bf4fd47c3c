"""The same analysis under every choice: against analyses made one by one."""

from typing import Any

import matplotlib.image
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeClassifier

from semikd import OutOfFold, cross_fit
from semikd._progress import Step
from semikd.diagnostics import SpecificationCurve, specification_curve
from semikd.inference import InferenceResult, log_odds_coefficients

RNG = np.random.default_rng(0)
X = RNG.normal(size=(400, 2))
Y = (RNG.random(400) < 1 / (1 + np.exp(-X[:, 0]))).astype(np.intp)
TEACHERS = {"plain": LogisticRegression(), "stump": DecisionTreeClassifier(max_depth=1)}


def infer(labels: OutOfFold, min_proba: float = 1e-3) -> InferenceResult:
    """Return coefficients."""
    return log_odds_coefficients(labels, X, Y, min_proba=min_proba, random_state=0)


@pytest.fixture(scope="module")
def curve() -> SpecificationCurve:
    return specification_curve(
        infer,
        TEACHERS,
        X,
        Y,
        folds=(2, 5),
        seeds=(0, 7),
        settings={"min_proba": [1e-3, 0.05]},
    )


def test_every_row_is_the_analysis_of_its_choices(curve: SpecificationCurve) -> None:
    assert len(curve.table) == 3 * 16
    assert curve.choices == ("teacher", "folds", "seed", "min_proba")
    for _, row in curve.of("x0").iterrows():
        labels = cross_fit(
            TEACHERS[row["teacher"]], X, Y, cv=row["folds"], random_state=row["seed"]
        )
        alone = infer(labels, row["min_proba"])
        assert row["estimate"] == pytest.approx(alone.estimate[0])
        ends = [row["lower"], row["upper"]]
        np.testing.assert_allclose(ends, alone.conf_int()[0])


def test_summaries_hold_what_choices_add(curve: SpecificationCurve) -> None:
    own = curve.of("x1")
    found = curve.summary().loc["x1"]
    middle = np.median(own["estimate"])
    spread = own["std_error"] ** 2 + (own["estimate"] - middle) ** 2
    assert found["median"] == pytest.approx(middle)
    assert found["std_error"] == pytest.approx(np.sqrt(np.median(spread)))
    assert found["lowest"] == own["estimate"].min()
    assert found["share_above_0"] == (own["lower"] > 0).mean()
    assert found["share_below_0"] == (own["upper"] < 0).mean()
    by_teacher = own.groupby("teacher")["estimate"].mean()
    moved = (by_teacher.max() - by_teacher.min()) / own["std_error"].median()
    assert curve.effects().loc["x1", "teacher"] == pytest.approx(moved)
    # The stump moves the slope that it cannot see; a seed does not.
    effects = curve.effects().loc["x0"]
    assert effects["teacher"] > 3 * effects["seed"]


def test_a_picture_without_pyplot(curve: SpecificationCurve, tmp_path: Any) -> None:
    figure = curve.plot("x0")
    figure.savefig(tmp_path / "curve.png")
    assert matplotlib.image.imread(tmp_path / "curve.png").std() > 0.05
    below = figure.axes[1]
    assert [t.get_text() for t in below.get_yticklabels()][:2] == [
        "teacher plain",
        "teacher stump",
    ]
    # Every choice has one mark for each kind.
    assert sum(len(line.get_xdata()) for line in below.lines) == 16 * 4
    with pytest.raises(ValueError, match="name must be one of"):
        curve.plot("x7")


def test_progress_names_the_choice() -> None:
    heard: list[Step] = []
    teachers = {"plain": LogisticRegression()}
    specification_curve(infer, teachers, X, Y, seeds=(0, 1), progress=heard.append)
    assert [step.done for step in heard] == [0, 1, 2]
    assert heard[1].label == "teacher plain, folds 5, seed 1"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"teachers": LogisticRegression()}, "teachers must be a mapping of names"),
        ({"teachers": {}}, "teacher must be a list of one value or more"),
        ({"seeds": ()}, "seed must be a list of one value or more"),
        ({"folds": (1,)}, "folds must"),
        ({"folds": 5}, "folds must be a list"),
        ({"seeds": (0, 0)}, "seed must hold every value once"),
        ({"settings": {"lower": [1]}}, "settings must have names of their own"),
        ({"settings": {"min_proba": []}}, "min_proba must be a list"),
        (
            {"settings": {"seed": [1]}},
            "names of their own; got 'seed'",
        ),
    ],
)
def test_what_is_no_plan_is_refused(changed: dict[str, Any], words: str) -> None:
    teachers = changed.pop("teachers", TEACHERS)
    with pytest.raises((ValueError, TypeError), match=words):
        specification_curve(infer, teachers, X, Y, **changed)


def test_analyses_must_estimate_the_same() -> None:
    def changing(labels: OutOfFold, columns: int) -> InferenceResult:
        return log_odds_coefficients(labels, X[:, :columns], Y, teacher_rows=X)

    teachers, settings = {"a": LogisticRegression()}, {"columns": [1, 2]}
    with pytest.raises(ValueError, match=r"infer must estimate the same .* 'x1' in 3"):
        specification_curve(changing, teachers, X, Y, settings=settings)


def test_settings_may_be_anything() -> None:
    def trimmed(labels: OutOfFold, columns: list[int] | None) -> InferenceResult:
        own = X if columns is None else X[:, columns]
        return log_odds_coefficients(labels, own, Y, teacher_rows=X, random_state=0)

    teachers = {"a": LogisticRegression()}
    settings = {"columns": [None, [0, 1], [1, 0]]}
    found = specification_curve(trimmed, teachers, X, Y, seeds=(0,), settings=settings)
    assert found.effects().loc["x0", "columns"] > 1.0
    found.plot("x0")
    with pytest.raises(ValueError, match="infer must have one level throughout"):
        specification_curve(
            lambda labels, level: log_odds_coefficients(labels, X, Y, level=level),
            teachers,
            X,
            Y,
            settings={"level": [0.9, 0.99]},
        )
