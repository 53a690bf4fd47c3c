"""Real data by name and simulated data whose class probabilities are known.

Tests, benchmarks and tutorials all ask here, so that a pitfall of a data set is dealt
with once. Nothing is downloaded unless a name starts with ``openml:``.
"""

from semikd.datasets.encoding import ordinal_matrix
from semikd.datasets.record import Dataset
from semikd.datasets.registry import list_datasets, load_dataset
from semikd.datasets.simulated import (
    make_gaussian_mixture,
    make_multiclass_process,
    make_smooth_process,
)

__all__ = [
    "Dataset",
    "list_datasets",
    "load_dataset",
    "make_gaussian_mixture",
    "make_multiclass_process",
    "make_smooth_process",
    "ordinal_matrix",
]
