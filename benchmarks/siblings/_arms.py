"""Ways from labels to a student, by name, and what is tuned for the baselines.

The library is imported by the functions: the threads are fixed before it starts any.
"""

from typing import Any

import numpy as np
from _cells import FloatArray, Row
from numpy.typing import NDArray

FOLDS = 5
MIXES = (0.0, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0)
SCRATCH, ADJUSTED, MIX = "labels alone", "labels alone, logits adjusted", "constant mix"
SAW, DID_NOT = "in-sample", "cross-fitted"


def long_tail_rules(table: FloatArray) -> dict[str, dict[str, Any]]:
    """Return loss and correction of the arms that have labels of both kinds.

    ``table`` is what the teachers say of each class, shape (k, k).
    """
    from semikd import label_aware as aware
    from semikd.losses import CrossEntropyLoss, SmoothedLoss, TopClassesLoss

    plain = CrossEntropyLoss()
    return {
        "plain": {},
        "AdaAlpha": {"correction": aware.AdaptiveAlpha()},
        "reliability, of x alone": {"correction": "reliability"},
        "AdaMargin": {"correction": aware.AdaptiveMargin()},
        "logits adjusted": {"correction": aware.LogitAdjustment(outcome_share=0.0)},
        "trust gate": {"correction": aware.TrustGate()},
        "KD-pt": {"correction": aware.ConfidenceTarget()},
        "KD-sim": {"correction": aware.ClassTable(table)},
        "top three": {"loss": TopClassesLoss(plain, 3)},
        "smoothed": {"loss": SmoothedLoss(plain, 0.1)},
    }


def tuned_scratch(student: Any, table: Any, seed: int) -> Any:
    """Return the student with settings that five folds pick for labels alone."""
    from sklearn.base import clone

    from semikd.evaluation import Classification
    from semikd.evaluation.scratch import scratch_settings, tune_scratch
    from semikd.students import new_student

    first = new_student(student, len(table.y), None, seed)
    settings = scratch_settings(first) or [{}]
    picked = tune_scratch(first, table, Classification(), settings=settings, seed=seed)
    return clone(student).set_params(**picked)


def tuned_mix(student: Any, bank: Any, teacher: str, table: Any, seed: int) -> float:
    """Return the one weight of outcomes that rows choose which no teacher saw."""
    from semikd.evaluation import Classification
    from semikd.selection import Candidate
    from semikd.selection.judging import Judge

    judge = Judge(table, Classification(), {"student": student}, bank, seed=seed)
    tried = {
        w: Candidate("student", DID_NOT, teacher, correction=float(w)) for w in MIXES
    }
    judge.judge(list(tried.values()))
    means = {w: float(np.mean(judge.losses[each])) for w, each in tried.items()}
    return min(means, key=lambda w: means[w])


def long_tail_scores(
    y: NDArray[np.intp], p: FloatArray, order: NDArray[np.intp]
) -> Row:
    """Return accuracy over all classes, the rarest three and third, and log-loss.

    ``order`` are the classes from the most frequent to the rarest.
    """
    from semikd.evaluation import pointwise_log_loss

    right, k = p.argmax(axis=1) == y, len(order)

    def over(classes: NDArray[np.intp]) -> float:
        return float(right[np.isin(y, classes)].mean())

    return {
        "accuracy": float(right.mean()),
        "rarest three": over(order[-3:]),
        "rarest third": over(order[-(k // 3) :]),
        "log-loss": float(pointwise_log_loss(p, y).mean()),
    }
