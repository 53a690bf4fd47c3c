"""Facts for pages, made from random predictions: no model is trained here."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.tree import DecisionTreeRegressor

from semikd.artifact import ShippedModel
from semikd.artifact.shipping import student_arrays
from semikd.encoding import Encoder, NumberColumn
from semikd.evaluation import ArmComparison, Table
from semikd.evaluation.tasks import Classification, Regression
from semikd.inference import likelihood_coefficients
from semikd.report import ReportFacts
from semikd.report.choosing import ChoiceFacts
from semikd.report.coefficients import SlopeFacts
from semikd.report.parts import PartFacts
from semikd.report.sizing import SizeFacts
from semikd.selection import Candidate, Choice, SizeCurve
from semikd.students import StudentSize

ARMS = ("teacher", "scratch", "scratch, tuned", "in-sample", "cross-fitted")
# How far each arm's scores are from the truth, as a standard deviation.
NOISE = {"teacher": 0.1, "scratch": 0.9, "scratch, tuned": 0.6, "in-sample": 0.4}

Maker = Callable[..., ReportFacts]


def make_comparison(
    classes: Sequence[Any] | None,
    *,
    names: Sequence[str] = ARMS,
    noise: dict[str, float] | None = None,
    n: int = 400,
    n_refits: int = 2,
    weighted: bool = False,
) -> ArmComparison:
    """Return a comparison of arms that know the truth up to some noise."""
    rng = np.random.default_rng(0)
    k = 1 if classes is None else len(classes)
    truth = 2.0 * rng.normal(size=(n, k))
    noisy = {**NOISE, **(noise or {})}
    shift = rng.normal(size=(n_refits, len(names), n, k))
    shift[:] = shift[:, :1]
    sizes = np.array([noisy.get(name, 0.2) for name in names])
    scores = truth + sizes[:, None, None] * shift
    if classes is None:
        y, predictions = truth[:, 0] + rng.normal(size=n), scores
    else:
        gumbel = rng.gumbel(size=(n, k))
        codes = (truth + gumbel).argmax(axis=1)
        codes[:k] = np.arange(k)
        y = np.sort(np.asarray(classes))[codes]
        weight = np.exp(scores - scores.max(axis=-1, keepdims=True))
        predictions = weight / weight.sum(axis=-1, keepdims=True)
    leaves = [8] * len(names)
    details = {
        "fit_seconds": [1.0] * len(names),
        "latency_us": [90.0, *[1.0] * (len(names) - 1)],
        "leaves": leaves,
        "coefficients": [None] * len(names),
        "kilobytes": [1420.0, *[2.0] * (len(names) - 1)],
        "setting": ["value=0.010000000000000002"] * len(names),
    }
    return ArmComparison(
        names=tuple(names),
        reference="scratch, tuned" if "scratch, tuned" in names else "scratch",
        predictions=predictions,
        test=Table(
            np.zeros((n, 1)),
            y,
            rng.uniform(0.5, 2.0, n) if weighted else None,
            None,
            classes is not None,
        ),
        details=details,
        resampled=False,
        task=Regression() if classes is None else Classification(0.001),
        level=0.95,
    )


def make_model(
    columns: Sequence[str], classes: Sequence[Any] | None, *, target: str, leaves: int
) -> ShippedModel:
    """Return a tree for columns of these names."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(2000, len(columns))).astype(np.float32)
    if classes is None:
        goal = X[:, 0] + rng.normal(size=2000)
    else:
        goal = np.eye(len(classes))[rng.integers(0, len(classes), 2000)]
        goal = goal[:, 1:] if len(classes) == 2 else goal
    tree = DecisionTreeRegressor(max_leaf_nodes=leaves, random_state=0).fit(X, goal)
    return ShippedModel(
        Encoder(tuple(NumberColumn(name) for name in columns)),
        student_arrays(tree),
        "identity" if classes is None else "probability",
        None if classes is None else tuple(sorted(classes)),
        target=target,
        about={"numpy": "2.0", "created": None},
    )


def make_choice(teachers: Sequence[str], student: str = "tree") -> ChoiceFacts:
    """Return a search in which each teacher did a little worse than the one before."""
    draws, n = np.random.default_rng(2), 300
    candidates = [
        Candidate(student, labels, teacher)
        for teacher in teachers
        for labels in ("in-sample", "cross-fitted")
    ]
    candidates.append(Candidate(student, "scratch", settings=(("alpha", 1.5),)))
    losses = (
        0.5
        + 0.02 * np.arange(len(candidates))
        + draws.normal(scale=0.1, size=(n, len(candidates)))
    )
    choice = Choice(tuple(candidates), losses, (0,) * len(candidates), None, None)
    return ChoiceFacts(
        choice,
        "log_loss",
        n,
        5,
        [0.1] * len(candidates),
        2.5,
        done=[f"labels of {teacher}: 1.0 s" for teacher in teachers],
        left_out=["other scales: about 9 s"],
    )


def make_sizes(
    test: Table, task: Any, teacher: str, *, margin: float = 0.05
) -> SizeFacts:
    """Return students of four sizes, the more leaves the nearer to the teacher."""
    draws, n, leaves = np.random.default_rng(3), len(test.y), np.array([4, 8, 16, 32])
    behind = 0.4 / leaves + draws.normal(scale=0.02, size=(n, 4))
    base = draws.uniform(0.2, 0.6, n)
    curve = SizeCurve(
        sizes=tuple(StudentSize(int(size), None, 90 * int(size)) for size in leaves),
        losses=base[:, None] + behind,
        teacher_losses=base,
        test=test,
        task=task,
    )
    return SizeFacts(curve, curve.within(margin), margin, teacher)


def make_parts(comparison: ArmComparison, names: Sequence[str]) -> PartFacts:
    """Return an arm beside the teacher, on held-out rows parted by turns."""
    shipped = "cross-fitted"
    code = np.arange(len(comparison.test.y)) % len(names)
    found = comparison.one_fit(reference="teacher", arm=shipped, groups=code)
    n_rows = [len(code), *np.bincount(code)]
    return PartFacts(
        column=names[0],
        arm=shipped,
        metric=comparison.task.metric,
        comparison=replace(found, names=("all rows", *names)),
        n_rows=n_rows,
        losses=[0.5] * len(n_rows),
    )


def make_slopes(names: Sequence[str]) -> SlopeFacts:
    """Return slopes of features with these names, the first two of them sure."""
    draws = np.random.default_rng(4)
    X = draws.normal(size=(800, len(names)))
    y = draws.random(800) < 1 / (1 + np.exp(2 * X[:, 1] - X[:, 0]))
    found = likelihood_coefficients(X, y, random_state=0)
    return SlopeFacts(
        names=names,
        bases=[names[-1] if at % 2 else "" for at in range(len(names))],
        shipped=-found.estimate[:-1],
        left_out=names[:2],
        n_certain=3,
        found=found,
        outcome=names[0],
    )


@pytest.fixture(scope="session")
def make_facts() -> Maker:
    """Return a function that makes facts, most of them the same every time."""

    def make(
        *,
        classes: Sequence[Any] | None = ("no", "yes"),
        columns: Sequence[str] = ("age", "income"),
        leaves: int = 8,
        model: Any = None,
        shipped: str = "cross-fitted",
        given: dict[str, Any] | None = None,
        **comparison: Any,
    ) -> ReportFacts:
        compared = make_comparison(classes, **comparison)
        facts: dict[str, Any] = {
            "choice": make_choice(["boosting", "stacked"]),
            "sizes": make_sizes(compared.test, compared.task, "boosting"),
            "parts": make_parts(compared, ["north", "south", "west"]),
            "slopes": make_slopes(columns) if len(columns) > 1 else None,
            "title": "A tree from a table",
            "command": "semikd distill table.csv",
            "data": [("rows", "400")],
            "latency": [("the model", 120.0), ("the teacher", 2400.0)],
            "choices": [("student", "a tree")],
            "notes": ["A note."],
            "artifact_bytes": 1000,
            **(given or {}),
        }
        return ReportFacts(
            comparison=compared,
            shipped=shipped,
            model=model
            or make_model(columns, classes, target="outcome", leaves=leaves),
            **facts,
        )

    return make


@pytest.fixture(scope="session")
def nasty_facts(make_facts: Maker, nasty_names: dict[str, str]) -> ReportFacts:
    """Return facts in which every name is a nasty one."""
    names = list(nasty_names.values())
    model = make_model(names, names[:4], target=names[0], leaves=40)
    plain = make_comparison(names[:4])
    return make_facts(
        classes=names[:4],
        names=(*ARMS, *names),
        model=model,
        given={
            "title": " ".join(names),
            "command": "semikd distill 'a\nb' \\\n  " + names[0],
            "data": [(name, name) for name in names],
            "latency": [(name, 1.0) for name in names],
            "choices": [(name, name) for name in names],
            "notes": names,
            "choice": make_choice(names, student=" ".join(names[:3])),
            "sizes": make_sizes(plain.test, plain.task, " ".join(names)),
            "parts": make_parts(plain, names),
            "slopes": make_slopes(names),
        },
    )
