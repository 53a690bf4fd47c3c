"""How much of what the device could do is achieved, and where the rest goes."""

import re
import time
from collections.abc import Callable
from itertools import pairwise

import torch
from _engine_fits import (
    D,
    Setting,
    Shape,
    Table,
    epoch_seconds,
    finish,
    fitted,
    made,
    n_steps,
)
from _harness import Row
from torch.profiler import ProfilerActivity, profile

# Names of operators on a processor and of kernels on a GPU.
KINDS = {
    "matrix products": r"aten::\w*mm$|gemm|cutlass|cublas|nvjet|splitK",
    "optimiser": r"adam|multi_tensor",
    "gather": r"index_select|indexSelect|index_elementwise|gather|aten::index$",
}


def cases(setting: Setting) -> list[tuple[Shape, int]]:
    """Return networks and numbers of members."""
    batch = 1024 if setting.on_gpu else 256
    widths = (64, 256, 1024) if setting.on_gpu else (64, 256)
    members = (1, 10, 100) if setting.on_gpu else (1, 10)
    return [(Shape((w, w), batch), m) for w in widths for m in members]


def fastest(work: Callable[[], object], device: torch.device) -> float:
    """Return the least seconds of some work in five times."""
    times = []
    for _ in range(6):
        finish(device)
        begin = time.perf_counter()
        work()
        finish(device)
        times.append(time.perf_counter() - begin)
    return min(times[1:])


def peaks(setting: Setting) -> dict[str, float]:
    """Return operations and bytes a second, of a large product and a large copy."""
    width = 8192 if setting.on_gpu else 1024 if setting.small else 2048
    a = torch.randn(width, width, device=setting.device)
    out, big = torch.empty_like(a), a.repeat(8, 1)
    there = torch.empty_like(big)
    product = fastest(lambda: torch.mm(a, a, out=out), setting.device)
    copy = fastest(lambda: there.copy_(big), setting.device)
    return {
        "operations / s": 2.0 * width**3 / product,
        "bytes / s": 2.0 * big.numel() * big.element_size() / copy,
    }


def step_work(shape: Shape, rows: float, members: int) -> tuple[float, float]:
    """Return operations and bytes of a step of all members."""
    widths = (D, *shape.hidden, 1)
    products = [a * b for a, b in pairwise(widths)]
    operations = 6.0 * rows * sum(products) - 2.0 * rows * products[0]
    units = 12.0 * rows * sum(shape.hidden) + 3.0 * rows * D
    numbers = units + 10.0 * (sum(products) + sum(widths[1:]))
    return members * operations, members * 4.0 * numbers


def breakdown(
    table: Table, shape: Shape, members: int, setting: Setting
) -> tuple[dict[str, float], float]:
    """Return seconds of each kind of work in a fit, and those of the fit."""
    kinds = [ProfilerActivity.CPU]
    kinds += [ProfilerActivity.CUDA] if setting.on_gpu else []
    finish(setting.device)
    with profile(activities=kinds) as seen:
        begin = time.perf_counter()
        fitted(table, shape, 1, range(members))
        finish(setting.device)
        whole = time.perf_counter() - begin
    spent = dict.fromkeys([*KINDS, "other kernels"], 0.0)
    for event in seen.key_averages():
        on_gpu = event.device_type == torch.autograd.DeviceType.CUDA
        if on_gpu != setting.on_gpu:
            continue
        took = event.self_device_time_total if on_gpu else event.self_cpu_time_total
        found = (kind for kind, name in KINDS.items() if re.search(name, event.key))
        # What is no operator is the autograd engine, which waits for them.
        if on_gpu or event.key.startswith("aten::"):
            spent[next(found, "other kernels")] += took / 1e6
    return spent, whole


def study(setting: Setting, shape: Shape, members: int, peak: dict[str, float]) -> Row:
    """Return the seconds of a step, the limits, and where the time goes."""
    table = made(setting.n_rows, setting.device)
    n = len(table.x)
    steps = n_steps(n, shape)
    seconds, _ = epoch_seconds(table, shape, members, max(3, setting.epochs))
    operations, moved = step_work(shape, n / steps, members)
    limits = {"arithmetic": operations / peak["operations / s"]}
    if setting.on_gpu:
        limits["memory"] = moved / peak["bytes / s"]
    spent, whole = breakdown(table, shape, members, setting)
    # Kernels take as long when they are watched, dispatch on a processor does not.
    base = seconds if setting.on_gpu else whole
    return {
        **shape.named,
        "members": members,
        "seconds of a step": seconds / steps,
        "operations": operations,
        "bytes": moved,
        "limits": limits,
        "share of time": {kind: took / base for kind, took in spent.items()},
    }


def line(result: Row) -> Row:
    """Return the line of a case."""
    took, limits = result["seconds of a step"], result["limits"]
    binding = max(limits, key=limits.__getitem__)
    parts = result["share of time"]
    shown = {
        "hidden layers": result["hidden layers"],
        "members": result["members"],
        "µs for a step": f"{1e6 * took:,.0f}",
        "GFLOP / s": f"{result['operations'] / took / 1e9:,.0f}",
        "limit that binds": binding,
        "achieved": f"{limits[binding] / took:.0%}",
    }
    shown |= {kind: f"{share:.0%}" for kind, share in parts.items()}
    shown["waiting"] = f"{max(0.0, 1.0 - sum(parts.values())):.0%}"
    return shown


def run(setting: Setting) -> tuple[list[Row], dict[str, list[Row]]]:
    """Return all measurements, and the table."""
    peak = peaks(setting)
    results = [study(setting, shape, m, peak) for shape, m in cases(setting)]
    title = (
        f"Share of the limit: {peak['operations / s'] / 1e9:,.0f} GFLOP/s in a large "
        f"product, {peak['bytes / s'] / 1e9:,.0f} GB/s in a large copy"
    )
    return [{"peaks": peak}, *results], {title: [line(r) for r in results]}
