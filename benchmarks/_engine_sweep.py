"""Thirty-six students in one call, beside the price of one."""

import statistics

import torch
from _engine_fits import (
    PENALTY,
    RATE,
    D,
    Setting,
    Table,
    made,
    network,
    timed,
)
from _harness import Row
from torch import Tensor
from torch.nn import functional

from semikd.nets import Batch, Member, Trained, TrainingOptions, train

STRENGTHS = torch.linspace(0.0, 1.0, 9)
WIDTHS = (32, 64, 128, 256)
BATCH = 256
ALL = "36 students in one call"


def students(
    setting: Setting,
    table: Table,
    seed: int,
    widths: tuple[int, ...],
    strengths: Tensor,
) -> list[Trained]:
    """Train a student of each width on each target, on the same rows in one order."""
    s = strengths.to(setting.device)[:, None]
    targets = s * table.y + (1.0 - s) * table.p
    rows = torch.arange(len(table.x))
    members = [
        Member(
            network((width, width), seed, setting.device),
            rows,
            seed=seed,
            learning_rate=RATE,
            weight_decay=PENALTY,
            max_epochs=setting.epochs,
        )
        for width in widths
        for _ in strengths
    ]

    def objective(scores: Tensor, batch: Batch) -> Tensor:
        f = scores.squeeze(2)
        own = targets[(batch.members % len(strengths))[:, None], batch.rows]
        return functional.binary_cross_entropy_with_logits(f, own, reduction="none")

    options = TrainingOptions(batch_size=BATCH)
    return train(members, table.x, objective, options=options)


def run(setting: Setting) -> tuple[list[Row], dict[str, list[Row]]]:
    """Return all measurements, and the table."""
    table = made(setting.n_rows, setting.device)
    sides = {ALL: lambda seed: students(setting, table, seed, WIDTHS, STRENGTHS)}
    for width in WIDTHS:
        sides[f"one of ({width}, {width})"] = lambda seed, width=width: students(
            setting, table, seed, (width,), STRENGTHS[:1]
        )
    rounds = setting.rounds(judged=False)
    wall, cpu, _ = timed(sides, rounds, setting.device)
    result = {"wall": wall, "processor": cpu, "rows": len(table.x), "columns": D}
    ratios = {}
    for clock, times in (("wall", wall), ("processor", cpu)):
        alone = zip(*(own for side, own in times.items() if side != ALL), strict=True)
        pairs = zip(times[ALL], map(statistics.mean, alone), strict=True)
        ratios[clock] = statistics.median(a / b for a, b in pairs)
    lines = [
        {
            "arm": side,
            "seconds": f"{statistics.median(own):.3f}",
            "÷ mean of the single ones": f"{ratios['wall']:.1f}" if side == ALL else "",
            "of processor seconds": f"{ratios['processor']:.1f}" if side == ALL else "",
        }
        for side, own in wall.items()
    ]
    title = f"9 targets x 4 networks, {len(table.x):,} rows, {setting.epochs} epochs"
    return [result | {"ratios": ratios}], {title: lines}
