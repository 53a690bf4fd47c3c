"""Samples per second of one member, beside other ways to train the same network."""

import importlib.util
import statistics
from collections.abc import Callable

from _engine_fits import (
    Setting,
    Shape,
    fitted,
    made,
    mean_loss,
    n_steps,
    reached,
    timed,
)
from _engine_loops import Work, by_graph, by_hand, loaders, skorch_fits
from _harness import Row, compared
from torch import nn

JUDGED = Shape((64, 64), 256)


def shapes(setting: Setting) -> list[Shape]:
    """Return networks and batches."""
    if setting.small:
        return [JUDGED]
    widest = 1024 if setting.on_gpu else 512
    wide = [Shape((256, 256), 256), Shape((256, 256), 1024)]
    return [JUDGED, Shape((64, 64), 1024), *wide, Shape((widest, widest), 1024)]


def arms(setting: Setting, work: Work) -> dict[str, Callable[[int], nn.Module]]:
    """Return all ways to train, ours first."""

    def ours(seed: int) -> nn.Module:
        return fitted(work.table, work.shape, work.epochs, [seed])[0].module

    found: dict[str, Callable[[int], nn.Module]] = {"engine": ours}
    found["hand-written"] = lambda seed: by_hand(work, seed)
    if setting.on_gpu:
        found["hand-written, CUDA graph"] = lambda seed: by_graph(work, seed)
    found |= loaders(work)
    if importlib.util.find_spec("skorch"):
        found |= skorch_fits(work)
    return found


def asked(setting: Setting, shape: Shape, arm: str) -> float | None:
    """Return how many times as fast as an arm the engine is to be."""
    if arm == "engine" or setting.small:
        return None
    if arm.startswith("hand-written"):
        return 0.95
    if shape != JUDGED:
        return None
    return 20.0 if setting.on_gpu else 2.5


def study(setting: Setting, shape: Shape) -> list[Row]:
    """Return speed and final loss of every arm on one shape."""
    work = Work(made(setting.n_rows, setting.device), shape, setting.epochs)
    rounds = setting.rounds(judged=shape == JUDGED)
    wall, cpu, nets = timed(arms(setting, work), rounds, setting.device)
    table, samples = work.table, len(work.table.x) * setting.epochs
    return [
        {
            **shape.named,
            "arm": arm,
            "asked": asked(setting, shape, arm),
            "seconds": seconds,
            "wall": compared(seconds, wall["engine"]),
            "processor": compared(cpu[arm], cpu["engine"]),
            "samples": samples,
            "steps": n_steps(len(table.x), shape) * setting.epochs,
            "losses": [mean_loss(net, table.x, table.y) for net in nets[arm]],
        }
        for arm, seconds in wall.items()
    ]


def line(result: Row) -> Row:
    """Return the line of an arm."""
    seconds, want = statistics.median(result["seconds"]), result["asked"]
    wall, losses = result["wall"], result["losses"]
    low, high = wall["quartiles"]
    return {
        "arm": result["arm"],
        "samples / s": f"{result['samples'] / seconds:,.0f}",
        "µs for a step": f"{1e6 * seconds / result['steps']:,.0f}",
        "engine's speed ÷ its": f"{wall['ratio']:.2f} ({low:.2f} to {high:.2f})",
        "by processor seconds": f"{result['processor']['ratio']:.2f}",
        "asked": "" if want is None else f">= {want:g}",
        "reached": reached(wall["ratio"], want, at_most=False),
        "final loss": f"{statistics.mean(losses):.4f} ± {statistics.stdev(losses):.4f}",
    }


def run(setting: Setting) -> tuple[list[Row], dict[str, list[Row]]]:
    """Return all measurements, and a table for each shape."""
    if not importlib.util.find_spec("skorch"):
        print("skipped skorch: not installed (README.md says how to install it)")
    results: list[Row] = []
    tables = {}
    for shape in shapes(setting):
        found = study(setting, shape)
        title = f"Hidden layers {shape.hidden}, batches of {shape.batch:,}"
        tables[title] = [line(result) for result in found]
        results += found
        print(f"{title} done", flush=True)
    return results, tables
