"""Compress a large classifier into a small one, and prove how good the small one is.

The trip of the data is one sentence: *teacher labels, correction moves, student learns,
statistics judge*. Names resolve when they are first used, so that importing the package
costs next to nothing.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

# Public name -> the module that has it.
_HOMES = {
    "AutoDistiller": "semikd.selection",
    "BoostingTeacher": "semikd.teachers",
    "CalibratedTeacher": "semikd.teachers",
    "ConstantCorrection": "semikd.corrections",
    "CrossEntropyLoss": "semikd.losses",
    "DistilledClassifier": "semikd.distillation",
    "DistilledRegressor": "semikd.regression",
    "FeatureStudent": "semikd.students",
    "LinearStudent": "semikd.students",
    "LogProbabilityLoss": "semikd.losses",
    "NoCorrection": "semikd.corrections",
    "OrthogonalCorrection": "semikd.corrections",
    "OutOfFold": "semikd.crossfit",
    "ProbabilityLoss": "semikd.losses",
    "ReferenceCorrection": "semikd.label_aware",
    "ResidualTeacher": "semikd.teachers",
    "ShrinkageCorrection": "semikd.corrections",
    "StackedTeacher": "semikd.teachers",
    "SyntheticRows": "semikd.synthetic",
    "TorchClassifier": "semikd.teachers",
    "TorchStudent": "semikd.students",
    "compare": "semikd.evaluation",
    "cross_fit": "semikd.crossfit",
    "external_labels": "semikd.crossfit",
    "load_dataset": "semikd.datasets",
    "load_model": "semikd.artifact",
    "model_labels": "semikd.crossfit",
}

__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> Any:
    """Resolve a public name on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Return the public names, resolved or not."""
    return sorted([*globals(), *_HOMES])
