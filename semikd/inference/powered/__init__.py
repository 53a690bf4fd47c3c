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
from semikd.inference.powered.rows import PartlyLabelled, partly_labelled

__all__ = [
    "LinearMoment",
    "PartlyLabelled",
    "PoweredCoefficients",
    "PoweredResult",
    "PredictionGain",
    "partly_labelled",
    "powered_coefficients",
    "powered_linear",
    "powered_means",
]
