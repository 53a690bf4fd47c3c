"""What ten cross-fitted teachers cost when they are trained at once."""

import statistics

import numpy as np
import torch
from _engine_fits import (
    Setting,
    Shape,
    Table,
    fitted,
    made,
    mean_loss,
    n_steps,
    reached,
    timed,
)
from _harness import Row, compared
from torch import Tensor

from semikd.nets import Trained

K = 10


def cases(setting: Setting) -> list[tuple[Shape, float | None]]:
    """Return networks and the ratio asked of each."""
    if setting.small:
        return [(Shape((64, 64), 256), None), (Shape((256, 256), 256), None)]
    if setting.on_gpu:
        return [(Shape((256, 256), 1024), 1.5)]
    return [(Shape((64, 64), 256), 3.0), (Shape((256, 256), 256), 6.5)]


def dealt(n: int, seed: int) -> list[tuple[Tensor, Tensor]]:
    """Return training and held-out rows of each fold."""
    generator = torch.Generator().manual_seed(seed)
    parts = torch.randperm(n, generator=generator).tensor_split(K)
    return [
        (torch.cat([own for j, own in enumerate(parts) if j != k]), parts[k])
        for k in range(K)
    ]


def in_batch(table: Table, shape: Shape, epochs: int, seed: int) -> list[Trained]:
    """Train the teachers of all folds at once."""
    rows = [train for train, _ in dealt(len(table.x), seed)]
    return fitted(table, shape, epochs, [seed * K + k for k in range(K)], rows)


def one_by_one(table: Table, shape: Shape, epochs: int, seed: int) -> list[Trained]:
    """Train the same teachers in turn."""
    return [
        fitted(table, shape, epochs, [seed * K + k], [train])[0]
        for k, (train, _) in enumerate(dealt(len(table.x), seed))
    ]


def held_out_loss(table: Table, teachers: list[Trained], seed: int) -> float:
    """Return the out-of-fold log-loss."""
    losses = [
        mean_loss(teacher.module, table.x[own], table.y[own])
        for teacher, (_, own) in zip(teachers, dealt(len(table.x), seed), strict=True)
    ]
    return statistics.mean(losses)


def cost(setting: Setting, table: Table, shape: Shape, asked: float | None) -> Row:
    """Return the times of ten teachers at once and of one plain fit."""
    epochs, n = setting.epochs, len(table.x)
    wall, cpu, _ = timed(
        {
            "ten": lambda seed: in_batch(table, shape, epochs, seed),
            "one": lambda seed: fitted(table, shape, epochs, [seed]),
        },
        setting.rounds(judged=True),
        setting.device,
    )
    steps = n_steps(n, shape) / n_steps(n - n // K, shape)
    return {
        **shape.named,
        "asked": asked,
        "wall": compared(wall["ten"], wall["one"]),
        "processor": compared(cpu["ten"], cpu["one"]),
        "steps of one ÷ steps of a teacher": steps,
    }


def quality(setting: Setting, table: Table, shape: Shape) -> Row:
    """Return out-of-fold losses in the batch and one by one, in pairs over seeds."""
    epochs = setting.epochs
    pairs = [
        (
            held_out_loss(table, in_batch(table, shape, epochs, seed), seed),
            held_out_loss(table, one_by_one(table, shape, epochs, seed), seed),
        )
        for seed in range(2 if setting.small else 5)
    ]
    return {**shape.named, "in a batch, one by one": pairs}


def cost_line(result: Row) -> Row:
    """Return the line of a cost."""
    wall, asked = result["wall"], result["asked"]
    low, high = wall["quartiles"]
    per_step = wall["ratio"] * result["steps of one ÷ steps of a teacher"]
    return {
        "hidden layers": result["hidden layers"],
        "batch": result["batch"],
        "ten at once": f"{wall['ours']:.3f} s",
        "one fit": f"{wall['theirs']:.3f} s",
        "ratio": f"{wall['ratio']:.2f} ({low:.2f} to {high:.2f})",
        "of processor seconds": f"{result['processor']['ratio']:.2f}",
        "for each step": f"{per_step:.2f}",
        "asked": "" if asked is None else f"<= {asked:g}",
        "reached": reached(wall["ratio"], asked, at_most=True),
    }


def quality_line(result: Row) -> Row:
    """Return the line of a comparison of losses."""
    batch, alone = np.array(result["in a batch, one by one"]).T
    gaps, spread = batch - alone, float(np.std(batch, ddof=1))
    within = abs(float(gaps.mean())) <= spread
    return {
        "hidden layers": result["hidden layers"],
        "batch": result["batch"],
        "log-loss in a batch": f"{batch.mean():.5f}",
        "one by one": f"{alone.mean():.5f}",
        "difference": f"{gaps.mean():.1e} ± {gaps.std(ddof=1):.1e}",
        "deviation over seeds": f"{spread:.1e}",
        "within": "yes" if within else "no",
    }


def run(setting: Setting) -> tuple[list[Row], dict[str, list[Row]]]:
    """Return all measurements, and the tables that show them."""
    table = made(setting.n_rows, setting.device)
    costs = [cost(setting, table, shape, asked) for shape, asked in cases(setting)]
    losses = [quality(setting, table, shape) for shape, _ in cases(setting)]
    tables = {
        "Ten cross-fitted teachers at once ÷ one fit": [cost_line(r) for r in costs],
        "Out-of-fold log-loss, in a batch and one by one": [
            quality_line(r) for r in losses
        ],
    }
    return costs + losses, tables
