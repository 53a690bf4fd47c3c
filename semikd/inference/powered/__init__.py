"""Inference for which unlabelled rows count too: outcomes of a few, labels of many."""

from semikd.inference.powered.coefficients import (
    PoweredCoefficients,
    powered_coefficients,
)
from semikd.inference.powered.gain import PoweredResult, PredictionGain
from semikd.inference.powered.linear import (
    LinearMoment,
    powered_linear,
    powered_means,
)
from semikd.inference.powered.making import partly_labelled
from semikd.inference.powered.regression import powered_regression
from semikd.inference.powered.rows import PartlyLabelled, checked_rows

__all__ = [
    "LinearMoment",
    "PartlyLabelled",
    "PoweredCoefficients",
    "PoweredResult",
    "PredictionGain",
    "checked_rows",
    "partly_labelled",
    "powered_coefficients",
    "powered_linear",
    "powered_means",
    "powered_regression",
]
