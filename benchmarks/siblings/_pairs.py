"""Arms of binary tables: response-based, feature-based and de-biased distillation.

The library is imported by the functions: the threads are fixed before it starts any.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from _arms import ADJUSTED, DID_NOT, FOLDS, MIX, SAW, SCRATCH, tuned_mix, tuned_scratch
from _cells import FloatArray, Row
from _splits import Part
from numpy.typing import NDArray

NETWORK, RECALIBRATED, POOLED = "network", "recalibrated", "pooled"
# What is judged, and what knows nothing that the baselines do not.
JUDGED = f"{POOLED}, estimated"
ATTRIBUTES = {"adult": "sex", "bank_marketing": "marital"}
Arm = tuple[str, str, dict[str, Any]]


def teachers(*, small: bool) -> dict[str, Any]:
    """Return the unfitted teachers by name."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from semikd import (
        BoostingTeacher,
        CalibratedTeacher,
        StackedTeacher,
        TorchClassifier,
    )

    network = TorchClassifier((16,) if small else (256, 256))
    linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return {
        NETWORK: network,
        RECALIBRATED: CalibratedTeacher(network),
        POOLED: StackedTeacher([network, BoostingTeacher(), linear]),
    }


def students(*, small: bool) -> dict[str, Any]:
    """Return the unfitted students by name."""
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.tree import DecisionTreeRegressor

    from semikd import TorchStudent

    found = {
        NETWORK: TorchStudent((8,) if small else (64,)),
        "tree": DecisionTreeRegressor(max_leaf_nodes=32, min_samples_leaf=5),
    }
    return found if small else found | {"forest": RandomForestRegressor(10)}


def response_arms(student: str) -> dict[str, dict[str, Any]]:
    """Return the arms that know what the teacher answers."""
    from semikd.losses import CrossEntropyLoss

    found = {"plain": {}, "log-odds": {"loss": "log_probability"}}
    if student == NETWORK:
        found |= {
            f"Hinton, T = {t:g}": {
                "loss": CrossEntropyLoss(temperature=t),
                "hard_weight": 0.1,
            }
            for t in (2.0, 4.0)
        }
    return found


FEATURES: dict[str, Any] = {
    "FitNets": "hint",
    "similarity-preserving": "similarity",
    "relational": "distance",
    "contrastive": "contrastive",
}


def network_labels(part: Part, seed: int, *, small: bool) -> dict[str, Any]:
    """Return labels of the network of both kinds, with the networks that gave them."""
    from semikd import cross_fit

    return {
        labels: cross_fit(
            teachers(small=small)[NETWORK],
            part.train.X,
            part.train.y,
            cv=cv,
            groups=part.train.groups,
            random_state=seed,
        )
        for labels, cv in ((SAW, "in-sample"), (DID_NOT, FOLDS))
    }


def taught_arms(
    student: str, learner: Any, records: dict[str, Any]
) -> Iterator[tuple[str, Any, Any, dict[str, Any]]]:
    """Yield the arms that know answers, and hidden layers, of the same networks."""
    from semikd.students import FeatureStudent

    for labels, record in records.items():
        for arm, options in response_arms(student).items():
            yield f"{arm}, {labels}", record, learner, options
        for arm, features in FEATURES.items() if student == NETWORK else ():
            yield f"{arm}, {labels}", record, FeatureStudent(learner, features), {}


def arms_of(
    student: str, learner: Any, part: Part, bank: Any, seed: int
) -> Iterator[tuple[str, Any, Any, dict[str, Any]]]:
    """Yield name, labels, student and options of the baselines and de-biased arms."""
    from semikd.label_aware import LogitAdjustment

    honest = {name: bank.outer(DID_NOT, name) for name in bank.teachers}
    table = part.train
    tuned = tuned_scratch(learner, table, seed)
    yield SCRATCH, honest[NETWORK], tuned, {"correction": "orthogonal"}
    if student == NETWORK:
        rule = LogitAdjustment(outcome_share=1.0)
        yield ADJUSTED, honest[NETWORK], tuned, {"correction": rule}
    weights = {
        name: tuned_mix(learner, bank, name, table, seed) for name in bank.teachers
    }
    yield MIX, honest[NETWORK], learner, {"correction": weights[NETWORK]}
    for name in (RECALIBRATED, POOLED):
        for rule in ("none", "estimated", weights[name]):
            words = "mix" if isinstance(rule, float) else rule
            yield f"{name}, {words}", honest[name], learner, {"correction": rule}


def binary_scores(part: Part, p: FloatArray) -> Row:
    """Return every metric of probabilities of test rows, shape (n, 2)."""
    from sklearn.metrics import precision_recall_fscore_support

    from semikd.evaluation import scores

    y, rarer = part.test.y, int(np.bincount(part.train.y).argmin())
    precision, recall, f1, _ = precision_recall_fscore_support(
        y, p.argmax(axis=1), pos_label=rarer, average="binary", zero_division=0.0
    )
    attribute = attribute_of(part)
    return {
        **scores(p, y),
        "f1": float(f1),
        "precision": float(precision),
        "recall": float(recall),
        "bias": float(np.mean(p[:, 1] - y)),
        "largest bias": _largest_bias(attribute[1], p[:, 1] - y),
        "rarest group": _rarest_group(part, attribute, p),
    }


def attribute_of(part: Part) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the attribute of training and test rows, zeros where there is none."""
    from semikd.datasets import load_dataset

    if part.name not in ATTRIBUTES:
        return np.zeros(len(part.train.y)), np.zeros(len(part.test.y))
    columns = list(load_dataset(part.name).X.columns)
    place = columns.index(ATTRIBUTES[part.name])
    return part.train.X[:, place], part.test.X[:, place]


def _largest_bias(attribute: NDArray[Any], residual: FloatArray) -> float:
    """Return the mean residual of the group where it is largest in size."""
    means = [float(residual[attribute == a].mean()) for a in np.unique(attribute)]
    return max(means, key=abs)


def _rarest_group(
    part: Part, attribute: tuple[NDArray[Any], NDArray[Any]], p: FloatArray
) -> float:
    """Return the accuracy in the rarest training group of attribute and class."""
    own = np.column_stack([attribute[0], part.train.y])
    groups, counts = np.unique(own, axis=0, return_counts=True)
    # Groups of which fewer than ten rows judge say nothing.
    for group in groups[np.argsort(counts, kind="stable")]:
        inside = (attribute[1] == group[0]) & (part.test.y == group[1])
        if inside.sum() >= 10:
            return float((p.argmax(axis=1) == part.test.y)[inside].mean())
    return float("nan")
