"""How time and memory of the engine grow with rows and with members."""

import numpy as np
import torch
from _engine_fits import Setting, Shape, epoch_seconds, finish, made
from _harness import Row, fresh, memory_of

TITLES = {
    "rows, one member": "n",
    "rows, ten members": "n",
    "members": "members",
}


def cases(setting: Setting) -> dict[str, list[tuple[int, int]]]:
    """Return rows and members of each series."""
    rows = [round(10 ** (4 + k / 2)) for k in range(5)]
    members = [1, 4, 16, 64, 256]
    if setting.small:
        rows, members = [1_000, 4_000], [1, 4]
    few = rows[0]
    return {
        "rows, one member": [(n, 1) for n in rows],
        "rows, ten members": [(n, 10) for n in rows],
        "members": [(few, m) for m in members],
    }


def measure(name: str, n: int, members: int, batch: int, epochs: int) -> Row:
    """Return seconds of an epoch and peak memory; for a process of its own."""
    device = torch.device(name)
    shape = Shape((64, 64), batch)
    epoch_seconds(made(200, device), shape, 1, 2)
    table, found = made(n, device), {}

    def work() -> None:
        found["epoch"], found["whole"] = epoch_seconds(table, shape, members, epochs)

    memory = memory_of(work)
    if device.type == "cuda":
        finish(device)
        mib = torch.cuda.max_memory_allocated(device) / 2**20
        memory = {"peak": mib, "growth": mib - table.x.nbytes / 2**20}
    return {"n": n, "members": members, **found, **memory}


def exponent(points: list[Row], by: str, of: str) -> float:
    """Return the slope of a quantity in logarithms."""
    x, y = (np.log([point[key] for point in points]) for key in (by, of))
    return float(np.polyfit(x, y, 1)[0])


def line(point: Row) -> Row:
    """Return the line of a point."""
    return {
        "rows": f"{point['n']:,}",
        "members": point["members"],
        "seconds of an epoch": f"{point['epoch']:.3f}",
        "peak, MiB": f"{point['peak']:,.0f}",
        "growth, MiB": f"{point['growth']:,.0f}",
    }


def run(setting: Setting) -> tuple[list[Row], dict[str, list[Row]]]:
    """Return all measurements, and a table for each series."""
    results: list[Row] = []
    tables, slopes = {}, []
    batch = 1024 if setting.on_gpu else 256
    for title, series in cases(setting).items():
        points = [
            fresh(measure, str(setting.device), n, m, batch, 3 if n * m < 10**6 else 2)
            for n, m in series
        ]
        by = TITLES[title]
        powers = {of: exponent(points, by, of) for of in ("epoch", "growth")}
        slopes.append(
            {
                "with": title,
                "exponent of seconds": f"{powers['epoch']:.2f}",
                "exponent of memory": f"{powers['growth']:.2f}",
            }
        )
        results.append({"with": title, "points": points, "exponents": powers})
        tables[f"Growth with {title}"] = [line(point) for point in points]
        print(f"{title} done", flush=True)
    return results, {"Exponents": slopes, **tables}
