"""Ten folds at once, in the engine and in pytabkit's vectorised cross-validation."""

import logging
import statistics
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from _engine_fits import RATE, Setting, timed
from _harness import FloatArray, Row, available, compared, scores, table
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from semikd.nets import (
    Batch,
    Member,
    Trained,
    TrainingOptions,
    mlp,
    predict,
    seeded,
    train,
)

K, BATCH = 10, 256
HIDDEN = ((64, 64), (256, 256))
# Its own tricks, turned off so that both sides train the same network.
PLAIN: dict[str, Any] = {
    "act": "silu",
    "use_parametric_act": False,
    "num_emb_type": "none",
    "tfms": [],
    "add_front_scale": False,
    "weight_param": "standard",
    "weight_init_mode": "normal",
    # The standard deviation of what torch draws.
    "weight_init_gain": 3.0**-0.5,
    "bias_init_mode": "zeros",
    "bias_lr_factor": 1.0,
    "p_drop": 0.0,
    "wd": 0.0,
    "use_ls": False,
    "lr": RATE,
    "lr_sched": "constant",
    "sq_mom": 0.999,
    "val_metric_name": "cross_entropy",
}


@dataclass(frozen=True)
class Work:
    """Rows in float32, classes, and the held-out rows of each fold."""

    x: NDArray[np.float32]
    y: NDArray[np.intp]
    folds: list[NDArray[np.intp]]
    hidden: tuple[int, ...]
    epochs: int
    device: torch.device


def work_on(setting: Setting, name: str, hidden: tuple[int, ...]) -> Work:
    """Return standardised rows in stratified folds of equal length."""
    from sklearn.model_selection import StratifiedKFold

    X, y = table(name, 1500 if setting.small else None)
    X, y = X[: len(y) // K * K], y[: len(y) // K * K]
    x = ((X - X.mean(axis=0)) / X.std(axis=0)).astype(np.float32)
    dealt = StratifiedKFold(K, shuffle=True, random_state=0).split(x, y)
    epochs = 2 if setting.small else 10
    return Work(x, y, [held for _, held in dealt], hidden, epochs, setting.device)


def ours(work: Work, seed: int) -> list[Trained]:
    """Train all folds in the engine."""
    n, d = work.x.shape
    y = torch.from_numpy(work.y).to(work.device)

    def objective(f: Tensor, batch: Batch) -> Tensor:
        target = y[batch.rows].expand(f.shape[:2])
        losses = functional.cross_entropy(
            f.flatten(0, 1), target.flatten(), reduction="none"
        )
        return losses.view(f.shape[:2])

    members = [
        Member(
            seeded(lambda: mlp(d, work.hidden, 2), seed * K + k).to(work.device),
            torch.from_numpy(np.setdiff1d(np.arange(n), held)),
            torch.from_numpy(held),
            seed=seed * K + k,
            learning_rate=RATE,
            weight_decay=0.0,
            max_epochs=work.epochs,
        )
        for k, held in enumerate(work.folds)
    ]
    options = TrainingOptions(batch_size=BATCH, patience=work.epochs)
    x = torch.from_numpy(work.x).to(work.device)
    return train(members, x, objective, options=options)


def our_answers(work: Work, found: list[Trained]) -> FloatArray:
    """Return out-of-fold probabilities of the engine."""
    p = np.empty(len(work.y))
    for one, held in zip(found, work.folds, strict=True):
        f = predict(one.module, work.x[held], device=work.device)
        p[held] = 1.0 / (1.0 + np.exp(f[:, 0] - f[:, 1]))
    return p


def theirs(work: Work, seed: int) -> Any:
    """Train all folds in pytabkit."""
    from pytabkit import RealMLP_TD_Classifier

    return RealMLP_TD_Classifier(
        device=str(work.device),
        random_state=seed,
        n_cv=K,
        n_threads=torch.get_num_threads(),
        hidden_sizes=list(work.hidden),
        n_epochs=work.epochs,
        batch_size=BATCH,
        **PLAIN,
    ).fit(work.x, work.y, val_idxs=np.stack(work.folds))


def their_answers(work: Work, model: Any) -> FloatArray:
    """Return out-of-fold probabilities of pytabkit."""
    p = np.empty(len(work.y))
    found = model.predict_proba_ensemble(work.x)
    for k, held in enumerate(work.folds):
        p[held] = found[k, held, 1]
    return p


def study(setting: Setting, name: str, hidden: tuple[int, ...]) -> Row:
    """Return times and out-of-fold scores of both sides."""
    work = work_on(setting, name, hidden)
    sides = {
        "engine": lambda seed: ours(work, seed),
        "pytabkit": lambda seed: theirs(work, seed),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wall, cpu, found = timed(sides, setting.rounds(judged=False), setting.device)
    answers = {
        "engine": [our_answers(work, one) for one in found["engine"]],
        "pytabkit": [their_answers(work, one) for one in found["pytabkit"]],
    }
    return {
        "data": name,
        "hidden layers": str(hidden),
        "wall": compared(wall["pytabkit"], wall["engine"]),
        "processor": compared(cpu["pytabkit"], cpu["engine"]),
        "scores": {s: [scores(work.y, p) for p in own] for s, own in answers.items()},
    }


def lines(result: Row) -> list[Row]:
    """Return the lines of both sides."""
    shown = []
    for side, key in (("engine", "theirs"), ("pytabkit", "ours")):
        line = {k: result[k] for k in ("data", "hidden layers")}
        line["arm"] = side
        line["seconds"] = f"{result['wall'][key]:.2f}"
        ratio = {"engine": 1.0, "pytabkit": result["wall"]["ratio"]}[side]
        line["÷ engine"] = f"{ratio:.2f}"
        cpu = {"engine": 1.0, "pytabkit": result["processor"]["ratio"]}[side]
        line["of processor seconds"] = f"{cpu:.2f}"
        for metric in ("log-loss", "AUC"):
            values = [found[metric] for found in result["scores"][side]]
            spread = statistics.stdev(values)
            line[metric] = f"{statistics.mean(values):.4f} ± {spread:.4f}"
        shown.append(line)
    return shown


def run(setting: Setting) -> tuple[list[Row], dict[str, list[Row]]]:
    """Return all measurements, and the table."""
    try:
        import pytabkit  # noqa: F401
        import pytorch_lightning  # noqa: F401
    except ImportError as reason:
        print(f"skipped pytabkit: {reason} (README.md says how to install it)")
        return [], {}
    for name in ("pytorch_lightning", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.ERROR)
    results = []
    for name in ["fair"] if setting.small else available(["magic"]):
        for hidden in HIDDEN:
            results.append(study(setting, name, hidden))
            print(f"{name}, {hidden} done", flush=True)
    shown = [line for result in results for line in lines(result)]
    return results, {"Ten folds at once, with validation in each epoch": shown}
