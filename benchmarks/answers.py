"""Three tables, and what is asked of them: coefficients, a small model, labels.

Run ``SEMIKD_DATA=... python benchmarks/answers.py [--small]``. ``docs/answers.rst``
shows this code beside what it found.
"""

import argparse
import warnings
from typing import Any

import numpy as np
import pandas as pd
from _harness import Row, available, environment, parse, report, start


def visits(*, small: bool) -> dict[str, Any]:
    """Infer which coefficients can be trusted, where rows repeat."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from semikd import BoostingTeacher, cross_fit
    from semikd.crossfit import row_hashes
    from semikd.datasets import load_dataset
    from semikd.inference import likelihood_coefficients, log_odds_coefficients

    data = load_dataset("randhie")
    step = 10 if small else 1
    X, y = data.X.astype(float).iloc[::step], np.asarray(data.y)[::step]

    # A person is asked every year and answers alike: equal rows are one cluster.
    clusters = row_hashes(X)
    alone = likelihood_coefficients(X, y, random_state=0)
    found = likelihood_coefficients(X, y, clusters=clusters, random_state=0)

    # The same of the Bayes log-odds, with a second teacher to see what bias is left.
    logistic = make_pipeline(StandardScaler(), LogisticRegression())
    labels, second = (
        cross_fit(teacher, X, y, groups=clusters, random_state=0)
        for teacher in (BoostingTeacher(random_state=0), logistic)
    )
    nearest = log_odds_coefficients(
        labels, X, y, second=second, clusters=clusters, random_state=0
    )
    return {"rows alone": alone, "clusters": found, "log-odds": nearest}


def incomes(*, small: bool) -> dict[str, Any]:
    """Judge whether a small model is as good, and on whom it is worse."""
    from sklearn.tree import DecisionTreeRegressor

    from semikd import BoostingTeacher, DistilledClassifier, compare
    from semikd.datasets import load_dataset

    data = load_dataset("adult")
    step = 40 if small else 1
    X, y = data.numeric()[::step], np.asarray(data.y)[::step]
    tree = DecisionTreeRegressor(max_leaf_nodes=64, min_samples_leaf=20, random_state=0)
    distilled = DistilledClassifier(BoostingTeacher(random_state=0), tree)
    result = compare(X, y, distilled, n_refits=1, random_state=0)

    # Not worse than the teacher by more than 0.02 in log-loss?
    gate = result.one_fit(reference="teacher").non_inferior(0.02)

    # And on groups of the held-out rows, which may overlap?
    age, sex, gain = map(list(data.X).index, ["age", "sex", "capital-gain"])
    held = np.asarray(result.test.X)
    women = held[:, sex] == X[(data.X["sex"] == "Female").to_numpy()[::step], sex][0]
    groups = {
        "women": women,
        "men": ~women,
        "up to 30 years": held[:, age] <= 30,
        "women above 30": women & (held[:, age] > 30),
        "capital gain": held[:, gain] > 0,
    }
    by_group = result.one_fit(arm="cross-fitted", reference="teacher", groups=groups)
    return {"result": result, "gate": gate, "groups": groups, "by group": by_group}


def calls(*, small: bool) -> dict[str, Any]:
    """Infer what rows without an outcome are worth, and how many labels are needed."""
    from semikd import BoostingTeacher, cross_fit
    from semikd.datasets import load_dataset
    from semikd.inference import (
        likelihood_coefficients,
        partly_labelled,
        powered_coefficients,
        powered_means,
    )

    data = load_dataset("bank_marketing")
    X = pd.DataFrame(data.numeric(), columns=data.X.columns)
    order = np.random.default_rng(0).permutation(len(X))[: 4000 if small else None]
    X, y = X.fillna(X.mean()).iloc[order], np.asarray(data.y)[order]
    n = 400 if small else 2000

    # Of the first calls the answer is known; the others are only numbers.
    asked, other, known = X.iloc[:n], X.iloc[n:], y[:n]
    labels = cross_fit(BoostingTeacher(random_state=0), asked, known, random_state=0)
    rows = partly_labelled(labels, asked, known, other)
    share = powered_means(rows, random_state=0)
    columns = ["euribor3m", "campaign"]
    slopes = powered_coefficients(rows, asked[columns], other[columns], random_state=0)
    plan = share.gain.labels_needed(0.005, n_unlabelled=len(other))

    # What all outcomes say, which nobody would have.
    truth = likelihood_coefficients(X[columns], y, random_state=0)
    said = [float(np.mean(y == share.names[0])), *truth.estimate[:-1]]
    return {"share": share, "slopes": slopes, "plan": plan, "truth": said}


def calls_again(*, small: bool) -> list[Row]:
    """Return how often intervals hold what all outcomes say, over draws of rows."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from semikd import cross_fit
    from semikd.datasets import load_dataset
    from semikd.inference import (
        likelihood_coefficients,
        partly_labelled,
        powered_coefficients,
        powered_means,
    )

    data = load_dataset("bank_marketing")
    X = pd.DataFrame(data.numeric(), columns=data.X.columns)
    X, y = X.fillna(X.mean()), np.asarray(data.y)
    columns, n_draws = ["euribor3m", "campaign"], 4 if small else 200
    every = likelihood_coefficients(X[columns], y, random_state=0).estimate[:-1]
    truth = np.append(np.mean(y == np.unique(y)[1]), every)
    held = np.zeros(3)
    for seed in range(n_draws):
        order = np.random.default_rng(seed).permutation(len(X))
        asked, other = X.iloc[order[:2000]], X.iloc[order[2000:12_000]]
        known = y[order[:2000]]
        teacher = make_pipeline(StandardScaler(), LogisticRegression())
        labels = cross_fit(teacher, asked, known, random_state=0)
        rows = partly_labelled(labels, asked, known, other)
        share = powered_means(rows, random_state=0)
        slopes = powered_coefficients(rows, asked[columns], other[columns])
        low, high = np.vstack([share.conf_int(), slopes.conf_int()[:-1]]).T
        held += (low < truth) & (truth < high)
    return [
        {"number": name, "draws": n_draws, "held": f"{100 * share:.1f} %"}
        for name, share in zip(["yes", *columns], held / n_draws, strict=True)
    ]


def visits_shown(found: dict[str, Any]) -> dict[str, list[Row]]:
    """Return coefficients side by side."""
    alone, clustered, nearest = found.values()
    ends, log_odds = (r.conf_int(kind="simultaneous") for r in (clustered, nearest))
    rows = [
        {
            "coefficient": name,
            "likelihood": _interval(clustered.estimate[at], ends[at]),
            "error, by rows": f"{alone.std_error[at]:.4f}",
            "error, by clusters": f"{clustered.std_error[at]:.4f}",
            "log-odds, boosting": _interval(nearest.estimate[at], log_odds[at]),
            "by the logistic teacher": f"{nearest.by_second.estimate[at]:+.3f}",
        }
        for at, name in enumerate(clustered.names[:-1])
    ]
    return {"Visits: coefficients": rows}


def incomes_shown(found: dict[str, Any]) -> dict[str, list[Row]]:
    """Return the arms, and the groups."""
    result, gate, groups, by_group = found.values()
    arms = [
        {
            "arm": arm,
            "log-loss": f"{result.table.loc[arm, 'log_loss']:.4f}",
            "AUC": f"{result.table.loc[arm, 'auc']:.4f}",
            "behind the teacher": _of_gate(gate, arm, "difference"),
            "at most": _of_gate(gate, arm, "bound"),
            "within 0.02": _of_gate(gate, arm, "non_inferior"),
        }
        for arm in result.names
    ]
    ends = by_group.conf_int(kind="simultaneous")
    parts = {"all": np.ones(len(result.test.y), dtype=bool), **groups}
    on_whom = [
        {
            "group": name,
            "rows": f"{int(rows.sum()):,}",
            "behind the teacher": _interval(by_group.estimate[at], ends[at]),
            "said": by_group.verdicts()[at].verdict,
        }
        for at, (name, rows) in enumerate(parts.items())
    ]
    return {"Incomes: arms": arms, "Incomes: on whom": on_whom}


def calls_shown(found: dict[str, Any]) -> dict[str, list[Row]]:
    """Return what the other rows bought, and the plan."""
    share, slopes, plan, truth = found.values()
    gains = pd.concat([share.gain.to_frame(), slopes.gain.to_frame().iloc[:-1]])
    ends = np.vstack([share.conf_int(), slopes.conf_int()[:-1]])
    estimates = np.append(share.estimate, slopes.estimate[:-1])
    bought = [
        {
            "number": name,
            "with labels": _interval(estimates[at], ends[at]),
            "all outcomes": f"{truth[at]:+.3f}",
            "worth, labels": f"{gains['effective_n'].iloc[at]:,.0f}",
            "at most": f"{gains['most'].iloc[at]:,.0f}",
            "multiple": f"{gains['multiple'].iloc[at]:.2f}",
        }
        for at, name in enumerate(gains.index)
    ]
    needed = {str(name): f"{value:,.0f}" for name, value in plan.iloc[0].items()}
    return {
        "Calls: what rows without outcomes bought": bought,
        "Calls: labels for 0.005 either way": [needed],
    }


def _interval(value: float, ends: Any) -> str:
    """Return an estimate with its interval."""
    return f"{value:+.3f} ({ends[0]:+.3f} to {ends[1]:+.3f})"


def _of_gate(gate: pd.DataFrame, arm: str, column: str) -> str:
    """Return what the test of non-inferiority says of an arm, if anything."""
    if arm not in gate.index:
        return ""
    value = gate.loc[arm, column]
    if column == "non_inferior":
        return "yes" if value else "not shown"
    return f"{value:+.4f}"


def main(options: argparse.Namespace) -> None:
    """Ask the tables that are there."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        tables = visits_shown(visits(small=options.small))
        there = available(["adult", "bank_marketing"])
        if "adult" in there:
            tables |= incomes_shown(incomes(small=options.small))
        if "bank_marketing" in there:
            tables |= calls_shown(calls(small=options.small))
            again = calls_again(small=options.small)
            tables["Calls: intervals that held, logistic teacher"] = again
    said = [str(each.message) for each in heard]
    tables["What was warned of"] = [{"warning": text} for text in dict.fromkeys(said)]
    report("answers", options, {"environment": environment(), **tables}, tables)


if __name__ == "__main__":
    main(start(parse(__doc__ or "")))
