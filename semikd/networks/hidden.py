"""Whose hidden layers a student's row is set beside: those of its own teacher."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, choose, invalid
from semikd.crossfit import OutOfFold
from semikd.crossfit.new_rows import labellers
from semikd.features import FeatureLoss
from semikd.networks.online import refuse_no_networks

__all__ = ["FeatureTerm", "TeacherFeatures"]

_SEEN = "hidden layers of a teacher that saw the rows"
_UNSEEN = "hidden layers of the teachers that label"


@dataclass(frozen=True, eq=False)
class TeacherFeatures:
    """The networks whose hidden layers a student is shown, and who shows them of a row.

    Parameters
    ----------
    teachers : sequence of sequences of NetworkEstimator
        Fitted networks of each repeat, by fold.
    fold : ndarray of int of shape (r, n)
        Which network of the repeat shows its layers of each of the student's rows; -1
        where none does, and the row learns from its target alone.
    honest : bool, default=True
        Whether no network saw the rows that it shows its layers of.

    Raises
    ------
    TypeError
        If a teacher is no network, or none was kept.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd import cross_fit
    >>> from semikd.networks import TeacherFeatures
    >>> from semikd.teachers import TorchClassifier
    >>> X = np.random.default_rng(0).normal(size=(40, 2))
    >>> teacher = TorchClassifier((4,), max_epochs=2, device="cpu")
    >>> record = cross_fit(teacher, X, X[:, 0] > 0, cv=4, random_state=0)
    >>> TeacherFeatures.of(record, np.arange(40)).fold.shape
    (1, 40)
    """

    teachers: Sequence[Sequence[Any]]
    fold: NDArray[np.intp]
    honest: bool = True

    def __post_init__(self) -> None:
        refuse_no_networks(
            self.teachers,
            "be networks to show their hidden layers",
            "Use TorchClassifier as teacher, and new_rows='mean' in cross_fit",
        )

    @classmethod
    def of(
        cls,
        record: OutOfFold,
        rows: NDArray[np.intp],
        *,
        taught_by: str = "folds",
        n_added: int = 0,
    ) -> "TeacherFeatures":
        """Return who shows the layers of some rows of a record.

        Parameters
        ----------
        record : OutOfFold
            Labels, with the teachers that made them.
        rows : ndarray of int of shape (n,)
            Which of its rows the student learns from.
        taught_by : {'folds', 'all'}, default='folds'
            The network that labelled the row, of the fold that held it out; or one
            fitted to all rows, this one among them (``new_rows='refit'``). A model that
            saw none of the rows (``model_labels``) shows its layers of all.
        n_added : int, default=0
            Rows behind them that no network shows its layers of.

        Returns
        -------
        TeacherFeatures

        Raises
        ------
        ValueError, TypeError
            If the teachers were not kept, or are no networks.
        """
        choose("taught_by", taught_by, dict.fromkeys(("folds", "all")))
        teachers, every = labellers(record)
        fold, honest = every[:, rows], record.honest
        if taught_by == "all" and teachers is record.teachers:
            if record.refitted is None:
                shown = Shown(f"none ({record.strategy})")
                remedy = "Cross-fit with new_rows='refit'"
                constraint = "be fitted to all rows for taught_by='all'"
                raise invalid("a teacher", constraint, shown, remedy)
            fold, teachers, honest = fold[:1], ((record.refitted,),), False
        if not honest:
            # The one teacher, of in-sample labels too, is that of every row.
            fold = np.zeros_like(fold)
        nobody = np.full((len(fold), n_added), -1, dtype=fold.dtype)
        return cls(teachers, np.concatenate([fold, nobody], axis=1), honest)

    @property
    def words(self) -> str:
        """Whose layers they are, in words."""
        return _UNSEEN if self.honest else _SEEN


@dataclass(frozen=True, eq=False)
class FeatureTerm:
    """What is added to the loss of a student's answers.

    Parameters
    ----------
    losses : tuple of FeatureLoss
        Their sum.
    shown : TeacherFeatures
        Whose layers they read.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.features import get_features
    >>> from semikd.networks import FeatureTerm, TeacherFeatures
    >>> from semikd.teachers import TorchClassifier
    >>> X = np.random.default_rng(0).normal(size=(40, 2))
    >>> teacher = TorchClassifier((4,), max_epochs=2, device="cpu").fit(X, X[:, 0] > 0)
    >>> seen = TeacherFeatures([[teacher]], np.zeros((1, 40), dtype=int), honest=False)
    >>> FeatureTerm(get_features("similarity"), seen).shown.words
    'hidden layers of a teacher that saw the rows'
    """

    losses: tuple[FeatureLoss, ...]
    shown: TeacherFeatures
