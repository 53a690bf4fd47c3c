"""Real data by name and simulated data whose class probabilities are known.

Tests, benchmarks and tutorials all ask here, so that a pitfall of a data set is dealt
with once. Nothing is downloaded unless a name starts with ``openml:``.
"""

from semikd.datasets.encoding import ordinal_matrix
from semikd.datasets.hierarchical import make_class_hierarchy
from semikd.datasets.long_tails import long_tailed_counts, long_tailed_rows
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
    "long_tailed_counts",
    "long_tailed_rows",
    "make_class_hierarchy",
    "make_gaussian_mixture",
    "make_multiclass_process",
    "make_smooth_process",
    "ordinal_matrix",
]
