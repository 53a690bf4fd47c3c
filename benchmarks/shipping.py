"""What a shipped model weighs and how long a row takes, against a pickled pipeline."""

import argparse
import json
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from _harness import Row, alternate, available, compared, environment, parse, report
from _harness import start as started

ROWS_TIMED = 300
ROUNDS = 7
LOADS = 20


def frames(name: str, limit: int | None) -> tuple[Any, Any]:
    """Return training and test rows, raw, with the target as column 'y'."""
    from semikd.datasets import load_dataset

    data = load_dataset(name)
    frame = data.X.assign(y=np.asarray(data.y).astype(str))
    order = np.random.default_rng(0).permutation(len(frame))[:limit]
    cut = int(0.7 * len(order))
    train, test = frame.iloc[order[:cut]], frame.iloc[order[cut:]]
    return train.reset_index(drop=True), test.reset_index(drop=True)


def ours(train: Any, test: Any, student: str) -> Any:
    """Return the outcome of the main job on these rows, and what it ships."""
    from semikd.job import Settings, distil

    # The student as it is: sizes are to be compared, not choices.
    settings = Settings("y", student=student, refits=1, test="held out", preset="none")
    return distil(train, settings, held_out=test)


def theirs(train: Any, student: str) -> Any:
    """Return the pipeline that a user would pickle, fitted."""
    from sklearn.pipeline import make_pipeline
    from skrub import TableVectorizer

    from semikd import DistilledClassifier
    from semikd.encoding import Encoder, NumberColumn
    from semikd.job import Settings
    from semikd.job.learners import asked_student

    # Columns matter to a student with a protected one alone.
    columns = Encoder((NumberColumn("any"),))
    settings = Settings("y", student=student, leaves=128)
    small = asked_student(settings, columns, len(train))
    pipeline = make_pipeline(
        TableVectorizer(), DistilledClassifier(student=small, random_state=0)
    )
    return pipeline.fit(train.drop(columns="y"), train["y"])


def single_rows(test: Any) -> dict[str, list[Any]]:
    """Return the timed rows as frames and as dicts of lists."""
    X = test.drop(columns="y")
    one = [X.iloc[[at]] for at in range(min(ROWS_TIMED, len(X)))]
    dicts = [{name: row[name].tolist() for name in row.columns} for row in one]
    return {"frame": one, "dict": dicts}


def median_call(call: Callable[[Any], object], inputs: list[Any]) -> float:
    """Return the median microseconds of a call over its inputs."""
    for first in inputs[:20]:
        call(first)
    times = []
    for value in inputs:
        began = time.perf_counter()
        call(value)
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e6


def first_answer(folder: Path, kind: str) -> float:
    """Return the seconds of a fresh process from start to its first prediction."""
    read = {
        "ours": "from semikd.artifact import load_model; m = load_model(folder); "
        "m.predict_proba(row)",
        "theirs": "import pickle, pandas; m = pickle.load(open(folder + "
        "'/pipeline.pkl', 'rb')); m.predict_proba(pandas.DataFrame(row))",
    }[kind]
    row = "row = json.load(open(folder + '/row.json'))"
    code = f"import json, sys; folder = sys.argv[1]; {row}; {read}"
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True)  # noqa: S603
    return time.perf_counter() - began


def measure(student: str, train: Any, test: Any, folder: Path) -> Row:
    """Return sizes, times and agreement for one student."""
    from semikd.artifact import load_model, save_model

    outcome, pipeline = ours(train, test, student), theirs(train, student)
    n_bytes = save_model(outcome.model, folder)
    model, pickled = load_model(folder), pickle.dumps(pipeline)
    (folder / "pipeline.pkl").write_bytes(pickled)
    rows, X = single_rows(test), test.drop(columns="y")
    (folder / "row.json").write_text(json.dumps(rows["dict"][0], default=str))
    at = outcome.comparison.names.index(outcome.shipped)
    judged = outcome.comparison.predictions[0, at]
    bulk = alternate(
        {
            "ours": lambda: model.predict_proba(X),
            "theirs": lambda: pipeline.predict_proba(X),
        },
        ROUNDS,
    )
    loads = alternate(
        {"ours": lambda: load_model(folder), "theirs": lambda: pickle.loads(pickled)},  # noqa: S301
        LOADS,
    )
    described = model.describe()
    return {
        "student": student,
        "bytes": n_bytes,
        "bound": 2 * described["bare_bytes"] + described["category_bytes"] + 8192,
        "pickled": len(pickled),
        "pickled_student": len(pickle.dumps(pipeline[-1].student_)),
        "row_dict": median_call(model.predict_proba, rows["dict"]),
        "row_frame": median_call(model.predict_proba, rows["frame"]),
        "row_pipeline": median_call(pipeline.predict_proba, rows["frame"][:100]),
        "bulk": compared(*([t[0] for t in bulk[s]] for s in ("ours", "theirs"))),
        "load": compared(*([t[0] for t in loads[s]] for s in ("ours", "theirs"))),
        "start": {kind: first_answer(folder, kind) for kind in ("ours", "theirs")},
        "gap": float(np.abs(model.predict_proba(X) - judged).max()),
    }


def shown(result: Row) -> list[Row]:
    """Return the lines of one student: bytes and times."""
    fits = result["bytes"] <= result["bound"]
    size = {
        "student": result["student"],
        "semikd bytes": f"{result['bytes']:,}",
        "bound": f"{result['bound']:,}",
        "within": "yes" if fits else "no",
        "pipeline bytes": f"{result['pickled']:,}",
        "its student alone": f"{result['pickled_student']:,}",
        "times smaller": f"{result['pickled'] / result['bytes']:,.0f}",
        "largest difference": f"{result['gap']:.1e}",
    }
    quick = {
        "student": result["student"],
        "one row, dict": f"{result['row_dict']:,.0f} µs",
        "one row, frame": f"{result['row_frame']:,.0f} µs",
        "pipeline": f"{result['row_pipeline'] / 1000:,.1f} ms",
        "1 ms": "yes" if result["row_frame"] <= 1000 else "no",
        "all rows": f"{result['bulk']['ours']:.3f} / {result['bulk']['theirs']:.3f} s",
        "load": f"{result['load']['ours'] * 1e3:.1f} / "
        f"{result['load']['theirs'] * 1e3:.1f} ms",
        "fresh process": f"{result['start']['ours']:.2f} / "
        f"{result['start']['theirs']:.2f} s",
    }
    return [size, quick]


def main(options: argparse.Namespace) -> None:
    """Measure every student on one table."""
    name = "fair" if options.small else next(iter(available(["adult"])), "fair")
    train, test = frames(name, 1500 if options.small else None)
    results = []
    for student in ("tree", "forest", "linear"):
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results.append(measure(student, train, test, Path(folder)))
        print(shown(results[-1]), flush=True)
    record = {"environment": environment("skrub"), "data": name, "results": results}
    sizes, times = zip(*(shown(result) for result in results), strict=True)
    tables = {f"Bytes, {name}": sizes, f"Times, {name}": times}
    report("shipping", options, record, tables)


if __name__ == "__main__":
    main(started(parse(__doc__ or "")))
