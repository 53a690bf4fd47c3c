"""The torch engine: modules, and what fits them, with no word of distillation.

Notes
-----
Whoever imports this package imports torch; students and teachers do so inside their
methods. An *objective* takes the scores of a batch, shape (M, b, m), with its ``Batch``
and returns the loss of each row, shape (M, b).
"""

from semikd.nets.augmentation import flip_and_crop
from semikd.nets.checkpoints import Checkpoint
from semikd.nets.contest import Contest, steered
from semikd.nets.devices import (
    devices,
    find_compiler,
    find_device,
    find_dtype,
    find_precision,
)
from semikd.nets.fleet import train
from semikd.nets.full_batch import minimize
from semikd.nets.layers import Dropout, Residual, with_own_dropout
from semikd.nets.live import Live
from semikd.nets.modules import mlp, n_parameters, predict, seeded
from semikd.nets.observed import Observed
from semikd.nets.perturbations import Ball, perturbations
from semikd.nets.rows import MappedRows, ResidentRows, Rows
from semikd.nets.stack import Stack
from semikd.nets.training import (
    Batch,
    Epoch,
    Member,
    Objective,
    Trained,
    TrainingOptions,
)

__all__ = [
    "Ball",
    "Batch",
    "Checkpoint",
    "Contest",
    "Dropout",
    "Epoch",
    "Live",
    "MappedRows",
    "Member",
    "Objective",
    "Observed",
    "ResidentRows",
    "Residual",
    "Rows",
    "Stack",
    "Trained",
    "TrainingOptions",
    "devices",
    "find_compiler",
    "find_device",
    "find_dtype",
    "find_precision",
    "flip_and_crop",
    "minimize",
    "mlp",
    "n_parameters",
    "perturbations",
    "predict",
    "seeded",
    "steered",
    "train",
    "with_own_dropout",
]
