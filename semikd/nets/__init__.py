"""The torch engine: modules, and what fits them, with no word of distillation.

Notes
-----
Whoever imports this package imports torch; students and teachers do so inside their
methods. An *objective* takes the scores of a batch, shape (b, m), and the positions of
its rows, shape (b,), and returns the scalar to be minimised.
"""

from semikd.nets.devices import devices, find_device, find_dtype
from semikd.nets.full_batch import minimize
from semikd.nets.modules import Dropout, mlp, n_parameters, predict, seeded
from semikd.nets.training import Epoch, Objective, TrainingOptions, train

__all__ = [
    "Dropout",
    "Epoch",
    "Objective",
    "TrainingOptions",
    "devices",
    "find_device",
    "find_dtype",
    "minimize",
    "mlp",
    "n_parameters",
    "predict",
    "seeded",
    "train",
]
