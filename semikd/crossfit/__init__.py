"""Which teacher labels which row: cross-fitting, and the record it leaves.

The paper's first two steps. Rows are divided into folds, a teacher is trained on all
folds but one and labels the rows of that one, so that no row is labelled by a teacher
that saw it. Nothing here knows what the labels are for.
"""

from semikd.crossfit.copies import seeded_clone
from semikd.crossfit.external import external_labels, model_labels
from semikd.crossfit.kept import load_labels, save_labels
from semikd.crossfit.learners import fit_learner
from semikd.crossfit.nested import NestedFolds
from semikd.crossfit.nested_labels import NestedLabels
from semikd.crossfit.procedure import cross_fit
from semikd.crossfit.record import OutOfFold
from semikd.crossfit.rows import (
    content_split,
    hash_values,
    n_rows,
    row_hashes,
    take_rows,
)
from semikd.crossfit.second_stage import StagedModel
from semikd.crossfit.stages import fit_stages

__all__ = [
    "NestedFolds",
    "NestedLabels",
    "OutOfFold",
    "StagedModel",
    "content_split",
    "cross_fit",
    "external_labels",
    "fit_learner",
    "fit_stages",
    "hash_values",
    "load_labels",
    "model_labels",
    "n_rows",
    "row_hashes",
    "save_labels",
    "seeded_clone",
    "take_rows",
]
