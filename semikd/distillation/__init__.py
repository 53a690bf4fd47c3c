"""Distillation as the paper states it: teachers label, targets move, students learn."""

from semikd.distillation.algorithm import Distilled
from semikd.distillation.classifier import DistilledClassifier
from semikd.distillation.complexity import kept_noise, noise_pair
from semikd.distillation.generations import SelfDistilledClassifier
from semikd.distillation.growing import honest_tree
from semikd.distillation.names import named_teacher
from semikd.distillation.trees import HonestTree

__all__ = [
    "Distilled",
    "DistilledClassifier",
    "HonestTree",
    "SelfDistilledClassifier",
    "honest_tree",
    "kept_noise",
    "named_teacher",
    "noise_pair",
]
