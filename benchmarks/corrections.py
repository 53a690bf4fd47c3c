"""What an estimated correction loses against one that knows the truth."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from _harness import FloatArray, Row, environment, parse, report, start

SIZES, DATA_SETS = (1000, 4000, 16000), {1000: 10, 4000: 6, 16000: 3}
LOG_SIZE = 4000
N_TEST, N_FOLDS = 4000, 5
LEAVES = (8, 32, 128)
TEACHERS = ("under-fitted", "perfect", "over-confident", "grown forest")
JUDGED = ("under-fitted", "over-confident")
MOST, BAND = 1.10, (0.95, 1.05)
# In hindsight: constants, and degrees of freedom in leaves or coefficients.
HINDSIGHT = "best in hindsight"
SHARES, TIMES = (0.0, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0), (1.0, 2.0, 4.0, 8.0, 16.0)


def draw(n: int, seed: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return covariates, true probabilities (n, 2) and one-hot labels (n, 2)."""
    from semikd.datasets import make_smooth_process
    from semikd.simplex import one_hot

    data = make_smooth_process(n, random_state=seed)
    return data.X.to_numpy(), data.true_proba, one_hot(data.y.to_numpy(), 2)


def answers(name: str, X: FloatArray, truth: FloatArray, y: Any, fold: Any) -> Any:
    """Return what a teacher that did not see the row says of it, (n, 2)."""
    from sklearn.ensemble import RandomForestClassifier

    if name == "perfect":
        return truth.copy()
    if name == "over-confident":
        # Twice the log-odds.
        square = truth**2
        return square / square.sum(axis=1, keepdims=True)
    depth = 2 if name == "under-fitted" else None
    said = np.empty_like(truth)
    for own in range(N_FOLDS):
        held_out = fold == own
        forest = RandomForestClassifier(50, max_depth=depth, random_state=own)
        forest.fit(X[~held_out], y[~held_out, 1])
        said[held_out] = forest.predict_proba(X[held_out])
    return said


def students(n: int, d: int) -> Iterator[tuple[str, Any, float]]:
    """Yield names, unfitted students and what their leaves or coefficients count."""
    from sklearn.linear_model import LinearRegression
    from sklearn.tree import DecisionTreeRegressor

    yield "linear", LinearRegression(), (d + 1) / n
    for leaves in LEAVES:
        tree = DecisionTreeRegressor(max_leaf_nodes=leaves, random_state=0)
        yield f"{leaves} leaves", tree, min(1.0, leaves / n)
    yield "fully grown", DecisionTreeRegressor(random_state=0), 1.0


def complexity(learner: Any, X: FloatArray, p: Any, y: Any, loss: Any) -> float:
    """Return the noise that a student keeps, as the library finds it."""
    from semikd.distillation import kept_noise, noise_pair
    from semikd.students import as_student

    student = as_student(learner)
    counted = student.complexity(len(X), X.shape[1], 1)
    if counted is not None:
        return counted
    return kept_noise(student, X, *noise_pair(p, y, loss=loss), loss=loss)


def naive(X: FloatArray, p: FloatArray, y: Any, fold: Any, loss: Any) -> Any:
    """Return the rule that takes the square of one residual fit as the error."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    from semikd.corrections import RowwiseCorrection, label_noise

    columns, left = np.column_stack([X, p[:, 1]]), (y - p)[:, 1]
    fit = np.empty(len(p))
    for own in range(N_FOLDS):
        rows = fold == own
        learner = HistGradientBoostingRegressor(
            max_iter=60, max_leaf_nodes=8, early_stopping=False, random_state=0
        )
        fit[rows] = learner.fit(columns[~rows], left[~rows]).predict(columns[rows])
    step = loss.jvp(p, np.column_stack([-fit, fit]))[:, 0]
    return RowwiseCorrection(step**2, label_noise(loss, p))


def rules(X: FloatArray, p: Any, truth: Any, y: Any, fold: Any, loss: Any) -> Row:
    """Return every arm as a rule for these rows."""
    from semikd.corrections import (
        ConstantCorrection,
        EstimatedCorrection,
        MinimaxCorrection,
        NoCorrection,
        OrthogonalCorrection,
        ShrinkageCorrection,
    )
    from semikd.label_aware import ReferenceCorrection

    error = ((loss.phi(truth) - loss.phi(p)) ** 2).sum(axis=1)
    arms = {
        "plain": NoCorrection(),
        "orthogonal": OrthogonalCorrection(),
        "half": ConstantCorrection(0.5),
        "shrinkage, told the mean": ShrinkageCorrection(float(error.mean())),
        "minimax, relative 1": MinimaxCorrection("relative", size=1.0),
        "minimax, absolute 0.1": MinimaxCorrection("absolute", size=0.1),
        "label-aware, 0.1": ReferenceCorrection(0.1),
        "estimated": EstimatedCorrection(),
        "estimated, mean only": EstimatedCorrection(local=False),
    }
    fitted = {
        name: rule.fit(p, y, X=X, loss=loss, fold=fold) for name, rule in arms.items()
    }
    return fitted | {"naive square": naive(X, p, y, fold, loss)}


def oracles(
    p: Any, truth: Any, loss: Any, kept: float, counted: float
) -> dict[str, FloatArray]:
    """Return weights of one who knows the truth of every row, by name.

    The balance of error and noise, and what may be better in hindsight: constants, and
    the balance with other degrees of freedom.
    """
    from semikd.corrections import label_noise

    error = ((loss.phi(truth) - loss.phi(p)) ** 2).sum(axis=1)
    noise = label_noise(loss, p, truth)

    def balance(kappa: float) -> FloatArray:
        total = error + min(1.0, kappa) * noise
        return np.asarray(error / np.where(total > 0, total, 1.0))

    found = {"oracle": balance(kept)}
    for share in SHARES:
        found[f"{HINDSIGHT}: {share:g}"] = np.full(len(p), share)
    for times in TIMES:
        found[f"{HINDSIGHT}: balance, {times:g}"] = balance(times * counted)
    return found


def one(n: int, teacher: str, seed: int, loss: Any) -> list[Row]:
    """Return student errors and mean weights on one data set."""
    X, truth, y = draw(n, seed)
    X_test, truth_test, _ = draw(N_TEST, 1_000_000 + seed)
    fold = np.random.default_rng(seed).permutation(n) % N_FOLDS
    p = answers(teacher, X, truth, y, fold)
    arms, goal, rows = rules(X, p, truth, y, fold, loss), loss.phi(truth_test), []
    place = {"scale": loss.name, "n": n, "teacher": teacher, "seed": seed}
    for name, student, counted in students(n, X.shape[1]):
        kept = complexity(student, X, p, y, loss)
        weighed = {
            arm: (rule, rule.weight(p, X, loss, kept)) for arm, rule in arms.items()
        }
        plainly = arms["estimated"].weight(p, X, loss, counted)
        weighed["estimated, leaves counted"] = (None, plainly)
        for arm, weight in oracles(p, truth, loss, kept, counted).items():
            weighed[arm] = (None, weight)
        for arm, (rule, weight) in weighed.items():
            target = taught(rule, weight, p, y, X, loss, kept)
            said = student.fit(X, target[:, 0]).predict(X_test)
            error = float(((said - goal[:, 0]) ** 2).mean())
            own = {"student": name, "arm": arm, "error": error}
            rows.append(place | own | {"weight": float(weight.mean()), "kept": kept})
    return rows


def taught(
    rule: Any, weight: Any, p: Any, y: Any, X: Any, loss: Any, kept: float
) -> Any:
    """Return the targets of a rule, or of a weight where there is no rule."""
    from semikd.corrections import corrected_target

    if rule is None:
        return corrected_target(loss, p, y, weight)
    return rule.target(p, y, loss=loss, complexity=kept, X=X)


def with_hindsight(rows: list[Row]) -> list[Row]:
    """Return the rows, one of hindsight: the least mean error of all that know."""
    errors: dict[str, list[float]] = {}
    for row in rows:
        if row["arm"] == "oracle" or row["arm"].startswith(HINDSIGHT):
            errors.setdefault(row["arm"], []).append(row["error"])
    best = min(errors, key=lambda arm: float(np.mean(errors[arm])))
    return [
        *(row for row in rows if not row["arm"].startswith(HINDSIGHT)),
        *(row | {"arm": HINDSIGHT} for row in rows if row["arm"] == best),
    ]


def ratio(rows: list[Row], arm: str, base: str) -> tuple[float, str]:
    """Return the ratio of mean errors of two arms, and with its standard error."""
    ours, theirs = (
        np.array([row["error"] for row in rows if row["arm"] == name])
        for name in (arm, base)
    )
    found = float(ours.mean() / theirs.mean())
    apart = ours - found * theirs
    if len(apart) < 2:
        return found, f"{found:.3f}"
    spread = float(apart.std(ddof=1)) / theirs.mean() / len(apart) ** 0.5
    return found, f"{found:.3f} ± {spread:.3f}"


def cells(rows: list[Row]) -> Iterator[tuple[tuple[Any, ...], list[Row]]]:
    """Yield scale, n, teacher and student with the rows of each."""
    keys = dict.fromkeys(
        (row["scale"], row["n"], row["teacher"], row["student"]) for row in rows
    )
    for key in keys:
        names = ("scale", "n", "teacher", "student")
        same = [r for r in rows if tuple(r[name] for name in names) == key]
        yield key, with_hindsight(same)


def measured(rows: list[Row]) -> list[Row]:
    """Return every measurement, data set by data set, to six digits."""
    found = []
    for (scale, n, teacher, student), same in cells(rows):
        place = {"scale": scale, "n": n, "teacher": teacher, "student": student}
        for arm in dict.fromkeys(row["arm"] for row in same):
            own = [row for row in same if row["arm"] == arm]
            numbers = {
                name: " ".join(f"{row[name]:.6g}" for row in own)
                for name in ("error", "weight", "kept")
            }
            found.append(place | {"arm": arm} | numbers)
    return found


def summary(rows: list[Row]) -> dict[str, list[Row]]:
    """Return the table of every scale, and the one that is judged."""
    tables: dict[str, list[Row]] = {"asked": []}
    for (scale, n, teacher, student), same in cells(rows):
        arms = list(dict.fromkeys(row["arm"] for row in same))
        error = np.mean([row["error"] for row in same if row["arm"] == "oracle"])
        line: Row = {"n": n, "teacher": teacher, "student": student}
        line["oracle's error"] = f"{error:.5f}"
        line["noise kept"] = f"{np.mean([row['kept'] for row in same]):.4f}"
        for arm in arms:
            if arm != "oracle":
                line[arm] = ratio(same, arm, "oracle")[1]
        weight = np.mean([row["weight"] for row in same if row["arm"] == "estimated"])
        line["mean weight, estimated"] = f"{weight:.4f}"
        tables.setdefault(f"{scale}: error as a multiple of the oracle's", [])
        tables[f"{scale}: error as a multiple of the oracle's"].append(line)
        if scale == "probability":
            tables["asked"] += judged(n, teacher, student, same)
    return tables


def judged(n: int, teacher: str, student: str, same: list[Row]) -> list[Row]:
    """Return what is asked of one student, and whether it is reached."""
    place = {"n": n, "teacher": teacher, "student": student}
    if teacher in JUDGED:
        found, shown = ratio(same, "estimated", "oracle")
        hindsight = ratio(same, "estimated", HINDSIGHT)[1]
        return [
            place
            | {"figure": "estimated / oracle", "found": shown}
            | {"asked": f"<= {MOST}", "reached": "yes" if found <= MOST else "no"},
            place
            | {"figure": f"estimated / {HINDSIGHT}", "found": hindsight}
            | {"asked": "shown", "reached": ""},
        ]
    if teacher != "perfect":
        return []
    lines = []
    for arm, must in (("estimated", True), ("naive square", False)):
        found, shown = ratio(same, arm, "plain")
        inside = BAND[0] <= found <= BAND[1]
        line = {"figure": f"{arm} / plain", "found": shown}
        asked = f"within {BAND[0]} and {BAND[1]}" if must else "shown"
        lines.append(
            place | line | {"asked": asked, "reached": "yes" if inside else "no"}
        )
    return lines


def main() -> None:
    """Run every size, teacher and scale."""
    options = start(parse(__doc__))
    from semikd.losses import LogProbabilityLoss, ProbabilityLoss

    sizes = (500,) if options.small else SIZES
    rows: list[Row] = []
    for n in sizes:
        for seed in range(1 if options.small else DATA_SETS[n]):
            for teacher in TEACHERS:
                rows += one(n, teacher, seed, ProbabilityLoss())
                if n in (LOG_SIZE, 500):
                    rows += one(n, teacher, seed, LogProbabilityLoss())
            print(f"n = {n}, data set {seed} done", flush=True)
    record = {"environment": environment(), "measured": measured(rows)}
    report("corrections", options, record, summary(rows))


if __name__ == "__main__":
    main()
