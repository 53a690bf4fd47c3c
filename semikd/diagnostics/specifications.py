"""One analysis, made once for every teacher, number of folds, seed and setting."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike
from sklearn.base import clone

from semikd._progress import Reporter, Step, silent
from semikd._validation import Shown, count, invalid, wrong_type
from semikd.crossfit import OutOfFold, cross_fit
from semikd.diagnostics.specification_result import SpecificationCurve
from semikd.inference import InferenceResult

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["specification_curve"]

# Columns that hold what was found.
RESULTS = ("name", "estimate", "std_error", "lower", "upper")


def specification_curve(
    infer: Callable[..., InferenceResult],
    teachers: Mapping[str, Any],
    X: Any,
    y: ArrayLike,
    *,
    folds: Sequence[int] = (5,),
    seeds: Sequence[int] = (0, 1, 2),
    settings: Mapping[str, Sequence[Any]] | None = None,
    groups: ArrayLike | None = None,
    progress: Reporter | None = None,
) -> SpecificationCurve:
    """Make an analysis once for every teacher, number of folds, seed and setting.

    Parameters
    ----------
    infer : callable
        Called with the cross-fitted labels, and with one value of every setting by its
        name; returns an ``InferenceResult``, with the same names each time.
    teachers : mapping of str to estimator
        The teachers, by what they are called.
    X, y : array-like
        The rows that they are cross-fitted on.
    folds : sequence of int, default=(5,)
        Numbers of folds.
    seeds : sequence of int, default=(0, 1, 2)
        Seeds of folds and teachers.
    settings : mapping of str to sequence, optional
        Values of arguments of ``infer``, such as ``{"min_proba": [1e-3, 1e-2]}``.
    groups : array-like of shape (n,), optional
        No group is divided between folds.
    progress : callable, optional
        Called with a step (stage, label, done, total) as each cross-fit starts.

    Returns
    -------
    SpecificationCurve

    Raises
    ------
    ValueError, TypeError
        If a list of choices is empty, a setting has the name of another choice, or
        results do not have the same names.

    Notes
    -----
    The standard error of the median is honest where choices differ by chance, as seeds
    do. Where teachers disagree beyond that, one is biased, and no average helps.

    References
    ----------
    .. [1] U. Simonsohn, J. P. Simmons and L. D. Nelson, "Specification curve analysis",
       Nature Human Behaviour 4, 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from semikd.diagnostics import specification_curve
    >>> from semikd.inference import log_odds_coefficients
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 1))
    >>> y = (rng.random(500) < 1 / (1 + np.exp(-X[:, 0]))).astype(int)
    >>> def infer(labels):
    ...     return log_odds_coefficients(labels, X, y, random_state=0)
    >>> teachers = {"weak": LogisticRegression(C=0.01), "plain": LogisticRegression()}
    >>> curve = specification_curve(infer, teachers, X, y, folds=(2, 5), seeds=(0, 1))
    >>> len(curve.of("x0"))
    8
    """
    import pandas as pd

    plan = _checked_plan(teachers, folds, seeds, settings or {})
    own = plan.pop("settings")
    tables: list[pd.DataFrame] = []
    level, estimand = 0.95, ""
    for choice, labels in _labelled(teachers, X, y, plan, groups, progress or silent):
        for values in product(*own.values()):
            setting = dict(zip(own, values, strict=True))
            result = infer(labels, **setting)
            if tables and result.level != level:
                shown = Shown(f"{level:g} and {result.level:g}")
                raise invalid("infer", "have one level throughout", shown)
            level, estimand = result.level, estimand or result.estimand
            named = {name: _named(value) for name, value in setting.items()}
            tables.append(_rows_of(result, {**choice, **named}))
    table = pd.concat(tables, ignore_index=True)
    _check_names(table, len(tables))
    return SpecificationCurve(table, (*plan, *own), level, estimand)


def _checked_plan(
    teachers: Mapping[str, Any],
    folds: Sequence[int],
    seeds: Sequence[int],
    settings: Mapping[str, Sequence[Any]],
) -> dict[str, Any]:
    """Return what is chosen, each with its values, refusing what is empty."""
    if not isinstance(teachers, Mapping):
        remedy = "Write {'name': estimator}"
        raise wrong_type("teachers", "be a mapping of names", teachers, remedy)
    chosen: dict[str, Sequence[Any]] = {
        "teacher": list(teachers),
        "folds": _listed(folds),
        "seed": _listed(seeds),
    }
    every: dict[str, Sequence[Any]] = {**chosen, **settings}
    for name, values in every.items():
        if isinstance(values, str) or not isinstance(values, Sequence) or not values:
            raise invalid(name, "be a list of one value or more", Shown(repr(values)))
        if len({repr(value) for value in values}) < len(values):
            raise invalid(name, "hold every value once", Shown(repr(values)))
    twice = {*chosen, *RESULTS} & set(settings)
    if twice:
        raise invalid("settings", "have names of their own", sorted(twice)[0])
    for each in folds:
        count("folds", each, low=2)
    return {**chosen, "settings": dict(settings)}


def _labelled(
    teachers: Mapping[str, Any],
    X: Any,
    y: ArrayLike,
    plan: Mapping[str, Sequence[Any]],
    groups: ArrayLike | None,
    progress: Reporter,
) -> Iterator[tuple[dict[str, Any], OutOfFold]]:
    """Yield every choice of teacher, folds and seed with its labels."""
    choices = list(product(*plan.values()))
    for at, values in enumerate(choices):
        choice = dict(zip(plan, values, strict=True))
        label = ", ".join(f"{name} {value}" for name, value in choice.items())
        progress(Step("specifications", label, at, len(choices)))
        labels = cross_fit(
            clone(teachers[choice["teacher"]]),
            X,
            y,
            cv=choice["folds"],
            groups=groups,
            new_rows="none",
            random_state=choice["seed"],
        )
        yield choice, labels
    progress(Step("specifications", "done", len(choices), len(choices)))


def _listed(values: Any) -> Any:
    """Return the values of an array or a range as a list."""
    return list(values) if hasattr(values, "__iter__") else values


def _named(value: Any) -> Any:
    """Return a value that tables can group by: itself, or what it reads as."""
    return value if isinstance(value, str | int | float) else repr(value)


def _rows_of(result: InferenceResult, choice: Mapping[str, Any]) -> "pd.DataFrame":
    """Return the estimates of one choice as rows."""
    import pandas as pd

    ends = result.conf_int(kind="interval").T
    parts = result.names, result.estimate, result.std_error, *ends
    columns = {
        **{name: [value] * len(result.names) for name, value in choice.items()},
        **dict(zip(RESULTS, parts, strict=True)),
    }
    return pd.DataFrame(columns)


def _check_names(table: "pd.DataFrame", n_choices: int) -> None:
    """Refuse analyses that do not estimate the same."""
    times = table["name"].value_counts()
    if (times != n_choices).any():
        name, own = next(each for each in times.items() if each[1] != n_choices)
        shown = Shown(f"{name!r} in {own} of {n_choices} analyses")
        raise invalid("infer", "estimate the same under every choice", shown)
