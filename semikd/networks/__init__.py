"""What makes estimators of the torch engine: architectures, inputs, training options.

Importing this room imports nothing of torch.
"""

from semikd.networks.architectures import CustomFactory, as_architecture
from semikd.networks.attack import Attack
from semikd.networks.base import Architecture
from semikd.networks.convolutional import ResNet, SmallCNN
from semikd.networks.estimator import NetworkEstimator
from semikd.networks.hidden import FeatureTerm, TeacherFeatures
from semikd.networks.online import OnlineTargets
from semikd.networks.options import NetworkOptions
from semikd.networks.perceptron import MLP
from semikd.networks.prepared import prepare
from semikd.networks.saving import SavedNetwork, load_network, save_network
from semikd.networks.shapes import InputShape
from semikd.networks.training import EpochEnd, Training, print_epochs

__all__ = [
    "MLP",
    "Architecture",
    "Attack",
    "CustomFactory",
    "EpochEnd",
    "FeatureTerm",
    "InputShape",
    "NetworkEstimator",
    "NetworkOptions",
    "OnlineTargets",
    "ResNet",
    "SavedNetwork",
    "SmallCNN",
    "TeacherFeatures",
    "Training",
    "as_architecture",
    "load_network",
    "prepare",
    "print_epochs",
    "save_network",
]
