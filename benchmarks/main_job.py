"""What one command costs, from a file to a page: seconds, memory, and what it says."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from _harness import Row, available, environment, parse, report, start

ROWS = 1_000_000
# Seconds and MiB that are asked; None is not judged.
ASKED: dict[str, tuple[float, float | None]] = {
    "fair": (25.0, None),
    "adult": (90.0, 2048.0),
    "million": (480.0, 5120.0),
}
ARMS = ("teacher", "scratch, tuned", "cross-fitted", "automatic")


def million(path: Path) -> str:
    """Write the large table and return its target."""
    import pandas as pd

    draws = np.random.default_rng(0)
    numbers = draws.normal(size=(ROWS, 18)).round(4)
    city, day = draws.integers(0, 30, ROWS), draws.integers(0, 3000, ROWS)
    frame = pd.DataFrame(numbers, columns=[f"x{at}" for at in range(18)])
    frame["city"] = np.array([f"city {at:02d}" for at in range(30)])[city]
    frame["day"] = (np.datetime64("2015-01-01") + day).astype(str)
    score = numbers[:, 0] * numbers[:, 1] + np.sin(2 * numbers[:, 2])
    score += 0.1 * (city % 7) + (day % 365) / 365 - 1
    yes = draws.random(ROWS) < 1 / (1 + np.exp(-score))
    frame["y"] = np.where(yes, "yes", "no")
    frame.to_csv(path, index=False)
    return "y"


def adult(path: Path) -> str:
    """Write Adult with its texts and gaps and return its target."""
    from semikd.datasets import load_dataset

    data = load_dataset("adult")
    data.X.assign(income=data.y).to_csv(path, index=False)
    return "income"


def run(arguments: list[str], folder: Path) -> Row:
    """Return seconds and peak memory of one command in a process of its own."""
    out = folder / "out"
    command = [sys.executable, "-m", "semikd", "distill", *arguments]
    began = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - our own command
        [*command, "--out", str(out), "--force"], stderr=subprocess.PIPE, text=True
    )
    said = process.stderr.read() if process.stderr else ""
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if status:
        raise RuntimeError(f"{' '.join(command)} ended with {status}: {said[-500:]}")
    metrics = json.loads((out / "metrics.json").read_text())
    peak = usage.ru_maxrss / 1024.0
    return {"seconds": seconds, "peak": peak, "metrics": metrics, "said": said}


def measure(name: str, rounds: int, options: list[str], folder: Path) -> Row:
    """Return the runs of one table, and what the last one found."""
    arguments = list(options)
    if name != "fair":
        path = folder / f"{name}.csv"
        target = (adult if name == "adult" else million)(path)
        arguments = [str(path), "--target", target, *options]
    runs = [run(arguments, folder) for _ in range(rounds)]
    found = runs[-1]["metrics"]
    return {
        "table": name,
        "seconds": [one["seconds"] for one in runs],
        "peak": [one["peak"] for one in runs],
        "stages": runs[-1]["said"].splitlines(),
        "verdict": found["headline"],
        "log_loss": {arm: found["arms"][arm]["log_loss"] for arm in ARMS},
        "bytes": found["model"]["bytes"],
        "fits": found["n_refits"],
        "rows": found["training_rows"] + found["test_rows"],
    }


def shown(result: Row) -> Row:
    """Return one line of the table."""
    seconds = statistics.median(result["seconds"])
    peak = statistics.median(result["peak"])
    limit, most = ASKED[result["table"]]
    within = seconds <= limit and (most is None or peak <= most)
    losses = " / ".join(f"{result['log_loss'][arm]:.4f}" for arm in ARMS)
    return {
        "table": f"{result['table']} ({result['rows']:,})",
        "fits of each arm": result["fits"],
        "seconds": f"{seconds:.1f}",
        "asked": f"{limit:g} s" + ("" if most is None else f", {most / 1024:g} GiB"),
        "peak GiB": f"{peak / 1024:.2f}",
        "reached": "yes" if within else "no",
        f"log-loss of {', '.join(ARMS)}": losses,
        "model bytes": f"{result['bytes']:,}",
        "verdict": result["verdict"],
    }


def main(options: argparse.Namespace) -> None:
    """Run the command on every table."""
    tables = ["fair"] if options.small else ["fair", *available(["adult"]), "million"]
    results = []
    with tempfile.TemporaryDirectory() as home:
        for name in tables:
            rounds = 1 if options.small or name == "million" else 3
            more = ["--refits", "1"] if options.small else []
            results.append(measure(name, rounds, more, Path(home)))
            print(shown(results[-1]), flush=True)
    record = {
        "environment": environment("skrub", "pyarrow"),
        "results": results,
    }
    lines = [shown(result) for result in results]
    report("main_job", options, record, {"One command": lines})


if __name__ == "__main__":
    main(start(parse(__doc__ or "")))
