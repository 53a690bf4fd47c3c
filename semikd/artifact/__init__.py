"""What is shipped: an encoder and a student as plain arrays, read without trust.

A folder with ``model.json`` and ``model.npz`` is a model. It is loaded and answers with
numpy and the standard library alone, from nothing that could run.
"""

from semikd.artifact.arrays import StudentArrays
from semikd.artifact.foreign import ForeignStudent
from semikd.artifact.forests import ForestArrays
from semikd.artifact.linear import LinearArrays
from semikd.artifact.loading import load_model
from semikd.artifact.model import ShippedModel
from semikd.artifact.network import NetworkArrays
from semikd.artifact.saving import save_model
from semikd.artifact.shipping import ship, student_arrays
from semikd.artifact.trees import TreeArrays

__all__ = [
    "ForeignStudent",
    "ForestArrays",
    "LinearArrays",
    "NetworkArrays",
    "ShippedModel",
    "StudentArrays",
    "TreeArrays",
    "load_model",
    "save_model",
    "ship",
    "student_arrays",
]
