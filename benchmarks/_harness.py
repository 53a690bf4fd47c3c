"""What every benchmark needs: fair timing, memory of fresh processes, full records."""

import argparse
import json
import multiprocessing
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Row = dict[str, Any]

CLIP = 1e-6
RESULTS = Path(__file__).parent / "results"
LIBRARIES = ("semikd", "numpy", "scipy", "scikit-learn", "pandas")


def parse(description: str) -> argparse.ArgumentParser:
    """Return a parser with the options that all benchmarks share."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--small", action="store_true", help="bundled data, < 60 s")
    parser.add_argument("--out", type=Path, help="folder for JSON and Markdown")
    parser.add_argument("--threads", type=int, help="OpenMP threads; 1 with --small")
    return parser


def start(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """Return the options, having fixed the threads before any library starts them."""
    options = parser.parse_args()
    threads = 1 if options.small else options.threads
    if threads is not None:
        # Child processes inherit it.
        os.environ["OMP_NUM_THREADS"] = str(threads)
    return options


def table(name: str, limit: int | None = None) -> tuple[FloatArray, NDArray[np.intp]]:
    """Return covariates as numbers and classes as 0, 1, of a random part if limited."""
    from semikd.datasets import load_dataset

    data = load_dataset(name)
    X, y = data.numeric(), np.unique(data.y, return_inverse=True)[1]
    if limit is None or limit >= len(y):
        return X, y
    rows = np.random.default_rng(0).permutation(len(y))[:limit]
    return X[rows], y[rows]


def available(names: Sequence[str]) -> list[str]:
    """Return the data sets that are here, saying why the others are not."""
    found = []
    for name in names:
        try:
            table(name)
        except FileNotFoundError as reason:
            print(f"skipped {name}: {reason}")
        else:
            found.append(name)
    return found


def split(y: NDArray[np.intp], seed: int) -> list[Any]:
    """Return training and test rows, 70/30 and stratified, as positions."""
    from sklearn.model_selection import train_test_split

    rows = np.arange(len(y))
    return list(train_test_split(rows, test_size=0.3, random_state=seed, stratify=y))


def scores(y: NDArray[np.intp], p: FloatArray) -> dict[str, float]:
    """Return AUC, log-loss and Brier score of the probability of class 1."""
    from sklearn.metrics import log_loss, roc_auc_score

    clipped = np.clip(p, CLIP, 1.0 - CLIP)
    return {
        "AUC": float(roc_auc_score(y, p)),
        "log-loss": float(log_loss(y, clipped)),
        "Brier": float(np.mean((y - p) ** 2)),
    }


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Return wall-clock and processor seconds of this work."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def alternate(
    sides: Mapping[str, Callable[[], object]], rounds: int
) -> dict[str, list[tuple[float, float]]]:
    """Return wall-clock and processor seconds of every side in every round."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for number in range(rounds):
        order = list(sides) if number % 2 == 0 else list(reversed(list(sides)))
        for name in order:
            times[name].append(seconds(sides[name]))
    return times


def compared(ours: Sequence[float], theirs: Sequence[float]) -> Row:
    """Return medians, the median ratio within rounds, and its quartiles."""
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    low, high = np.quantile(ratios, [0.25, 0.75]).tolist()
    return {
        "ours": statistics.median(ours),
        "theirs": statistics.median(theirs),
        "ratio": statistics.median(ratios),
        "quartiles": [low, high],
        "ratios": ratios,
    }


def fresh(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a function returns in a process that has done nothing before."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(function, *arguments).result()


def memory_of(work: Callable[[], object]) -> dict[str, float]:
    """Return peak resident memory of this process and its growth in the work, MiB."""
    before = _status("VmRSS")
    work()
    peak = _status("VmHWM")
    return {"peak": peak, "growth": peak - before}


def environment(*more: str) -> Row:
    """Return date, versions, cores and load, so that a record can be judged later."""
    versions: dict[str, str | None] = {}
    for name in (*LIBRARIES, *more):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = None
    cores = len(os.sched_getaffinity(0))
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{cores} CPU cores",
        "threads": os.environ.get("OMP_NUM_THREADS", "as many as cores"),
        "load": [round(load, 2) for load in os.getloadavg()],
        "platform": platform.platform(),
        "python": platform.python_version(),
        "versions": versions,
    }


def markdown(rows: Sequence[Row]) -> str:
    """Return rows as a Markdown table, with the columns of the first."""
    names = list(rows[0])
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(str(r[n]) for n in names) + " |" for r in rows]
    return "\n".join(lines)


def report(
    name: str,
    options: argparse.Namespace,
    record: Row,
    tables: Mapping[str, Sequence[Row]],
) -> None:
    """Print the tables, and write them and the record to the folder of results."""
    env = record["environment"]
    known = ", ".join(f"{k} {v}" for k, v in env["versions"].items() if v)
    parts = [
        f"# {name}",
        f"{env['date'][:10]}, {env['machine']}, "
        f"OpenMP threads: {env['threads']}, load {env['load']}.",
    ]
    parts += [f"Python {env['python']}, {known}."]
    parts += [
        f"## {title}\n\n{markdown(rows)}" for title, rows in tables.items() if rows
    ]
    text = "\n\n".join(parts) + "\n"
    print(text)
    folder = options.out or (_temporary() if options.small else RESULTS)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n")
    (folder / f"{name}.md").write_text(text)
    print(f"written to {folder}")


def _temporary() -> Path:
    """Return a folder that keeps trial runs out of the repository."""
    return Path(tempfile.gettempdir()) / "semikd-benchmarks"


def _status(key: str) -> float:
    """Return a memory line of this process, in MiB (Linux)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key + ":"):
            return float(line.split()[1]) / 1024.0
    raise RuntimeError(f"/proc/self/status has no {key}")
