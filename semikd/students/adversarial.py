"""A network that is taught against an opponent who guesses a protected attribute."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from semikd._random import RandomState
from semikd._tables import missing_values
from semikd._validation import (
    Shown,
    choose,
    counted,
    invalid,
    number,
    weights_or_ones,
)
from semikd.corrections._columns import values_of
from semikd.crossfit import n_rows
from semikd.losses import DistillationLoss, IdentityLoss
from semikd.networks import FeatureTerm, OnlineTargets, Training
from semikd.simplex import FloatArray
from semikd.students.network import TorchStudent

if TYPE_CHECKING:
    from semikd.networks.adversary import Against

__all__ = ["AdversarialStudent"]

_CRITERIA = ("demographic_parity", "equalized_odds")
# An attribute of more values is a number, or a name, and no group.
_MOST_VALUES = 20
_BETWEEN = "\x1f"  # No text of a table holds it.


class AdversarialStudent(TorchStudent):
    r"""A network whose answers are to say nothing of a protected attribute.

    .. math:: W \leftarrow W - \eta\,\bigl(g - \operatorname{proj}_h g - \alpha h\bigr),
       \qquad g = \nabla_W L, \quad h = \nabla_W L_A

    An opponent guesses the attribute z from the student's probabilities p, by logistic
    regression on :math:`s = \operatorname{softmax}((1 + |c|) \log p)`, and learns at
    the same time. The student's step leaves out what would help the opponent, and goes
    against it by :math:`\alpha`. What it is taught is as for any student: plain or
    corrected targets, on any scale of class probabilities. The teacher's own bias by
    group is fought too, at a price in the loss.

    Parameters
    ----------
    module : sequence of int, architecture or callable, default=(64, 64)
        As for ``TorchStudent``.
    protected : str, int or list of these
        Column of X, by name or position, that holds the attribute: 2 to 20 values, none
        missing. Of several, such as one for each category, it is the combination. The
        student reads them too. In a Pipeline, columns of what reaches it.
    criterion : {'demographic_parity', 'equalized_odds'}, default='demographic_parity'
        What the opponent sees: p alone, so that answers are to be independent of z; or
        p and the outcome y, as s, sy and s(1 - y), for independence given y. The latter
        needs an outcome of every row.
    strength : float, default=1.0
        :math:`\alpha`, at least 0. At 0 there is no opponent, and the student is
        ``TorchStudent(validation_fraction=0)`` to the last bit; just above 0 the
        projection is there already.
    learning_rate : float, default=1e-3
        Step size of the student; that of the opponent is 50 times as large, since a
        slow one is fooled, not beaten.
    weight_decay : float, default=1e-4
        Penalty on the student's weights; the opponent has none.
    batch_size : int or None, default=256
        Most rows of a batch.
    max_epochs : int, default=100
        Passes over the rows; the last one is kept.
    training : Training, optional
        Further options, as for ``TorchStudent``.
    device : str, default='auto'
        Where to train.
    dtype : {'float32', 'float64'}, default='float32'
        Format of the parameters.
    random_state : int, generator or None, default=None
        Seed of student and opponent.

    Attributes
    ----------
    classes_ : ndarray of shape (k,)
        Class labels.
    module_ : torch.nn.Module
        The fitted network; the opponent is not kept.

    Raises
    ------
    ValueError
        If a number is out of its range, the column is not there, lacks a value in some
        row or has one value or too many, or an outcome is needed and missing.

    See Also
    --------
    semikd.TorchStudent : Without an opponent.
    semikd.diagnostics.parity_gaps : How far answers differ between groups.

    Notes
    -----
    It is trained on all rows to the last epoch, by 'adam' in mini-batches: the best
    epoch by the loss alone would be one in which the opponent had not been fought yet.
    The game ends where the opponent has nothing to go by, whatever the strength, which
    decides how soon; it has no guarantee to settle. Look at the gaps on rows that were
    held out, and at what they cost. The projection is tensor by tensor, as in the
    released code; there the strength is 0.1, the opponent as slow as the student, and
    the steps shrink.

    References
    ----------
    .. [1] B. H. Zhang, B. Lemoine and M. Mitchell, "Mitigating Unwanted Biases with
       Adversarial Learning", AIES 2018, Section 3; the update is that of the code in
       Trusted-AI/AIF360. More than two classes, or values, are this library's.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.students import AdversarialStudent
    >>> X = np.random.default_rng(0).normal(size=(40, 2))
    >>> X[:, 1] = X[:, 1] > 0
    >>> student = AdversarialStudent((4,), protected=1, max_epochs=2, device="cpu")
    >>> student.fit(X, X[:, 0] > 0).predict_proba(X).shape
    (40, 2)
    """

    trains_in_batches = False
    # The opponent reads scores, and would take layers beside them for scores.
    shows_layers = False
    solver = "adam"
    validation_fraction = 0.0
    loss = "cross_entropy"

    def __init__(
        self,
        module: Any = (64, 64),
        *,
        protected: str | int | Sequence[str | int],
        criterion: str = "demographic_parity",
        strength: float = 1.0,
        learning_rate: float = 1e-3,
        weight_decay: float = 1e-4,
        batch_size: int | None = 256,
        max_epochs: int = 100,
        training: Training | None = None,
        device: str = "auto",
        dtype: str = "float32",
        random_state: RandomState = None,
    ) -> None:
        self.module = module
        self.protected = protected
        self.criterion = criterion
        self.strength = strength
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.training = training
        self.device = device
        self.dtype = dtype
        self.random_state = random_state

    @property
    def fit_options(self) -> tuple[str, ...]:  # type: ignore[override]
        """What else ``fit_target`` takes: the outcome only if the opponent sees it."""
        sees = self.criterion == "equalized_odds"
        return ("groups", "online", *(["outcome"] if sees else []))

    def supports(
        self, loss: DistillationLoss, target_range: tuple[float, float] | None = None
    ) -> str | None:
        """Return why the opponent cannot read such scores, or they have no minimum."""
        if isinstance(loss.scale, IdentityLoss):
            return "an opponent reads class probabilities; use TorchStudent for numbers"
        if super().supports(loss, target_range) is None:
            return None
        return (
            "cross-entropy at targets outside [0, 1] may have no minimum for a network "
            "that is trained to the end; use 'log_probability', or a smaller correction"
        )

    def fit_target(
        self,
        X: Any,
        target: FloatArray,
        *,
        loss: DistillationLoss,
        sample_weight: FloatArray | None = None,
        groups: NDArray[Any] | None = None,
        online: OnlineTargets | None = None,
        features: FeatureTerm | None = None,
        outcome: FloatArray | None = None,
    ) -> Self:
        """Minimise the weighted mean of losses against the opponent.

        ``outcome`` is one-hot, shape (n, k), and needed for 'equalized_odds'. Groups
        are of no matter, since no row is held out. There are no ``features``.
        """
        self._check_settings()
        weight = weights_or_ones(sample_weight, n_rows(X))
        against = self._against(X, outcome, weight)
        more: dict[str, Any] = {"groups": groups, "online": online, "against": against}
        return self._fit(X, target, loss, sample_weight, **more)

    def _check_settings(self) -> None:
        """Refuse settings that no fit could use."""
        choose("criterion", self.criterion, dict.fromkeys(_CRITERIA))
        number("strength", self.strength, low=0.0)
        super()._check_settings()

    def _check_given(
        self,
        X: Any,
        weights: FloatArray | None,
        *,
        unlabelled: Any,
        added: str,
        **_: Any,
    ) -> None:
        """Refuse an attribute that cannot be guessed, and outcomes to be missing."""
        tables = [(X, weights_or_ones(weights, n_rows(X)) > 0)]
        if unlabelled is not None:
            tables.append((unlabelled, np.ones(n_rows(unlabelled), dtype=bool)))
        known = [_known(table, self.protected, counts) for table, counts in tables]
        _told_apart(np.concatenate(known), self.protected)
        if added and self.strength and self.criterion == "equalized_odds":
            raise _unknown_outcomes(added)

    def _against(
        self, X: Any, outcome: FloatArray | None, weight: FloatArray
    ) -> "Against | None":
        """Return what the opponent guesses, and what it sees beside the answers."""
        values = protected_codes(X, self.protected, weight > 0)
        if self.strength == 0.0:
            return None
        from semikd.networks.adversary import Against

        if self.criterion == "demographic_parity":
            return Against(values, None, self.strength)
        if outcome is None or not np.isfinite(outcome[weight > 0]).all():
            if outcome is None:
                raise _unknown_outcomes("no outcomes")
            lacking = ~np.isfinite(outcome[weight > 0]).all(axis=1)
            raise _unknown_outcomes(f"{counted(int(lacking.sum()), 'row')} without")
        outcome = np.where(weight[:, None] > 0, outcome, 0.0)
        return Against(values, outcome, self.strength)


def protected_codes(
    X: Any, column: str | int | Sequence[str | int], counts: NDArray[np.bool_]
) -> NDArray[np.intp]:
    """Return the position of each row's protected value; rows that do not count have 0.

    Raises
    ------
    ValueError
        If the column is not there, has gaps, or holds one value or too many.
    """
    codes = np.zeros(len(counts), dtype=np.intp)
    codes[counts] = _told_apart(_known(X, column, counts), column)
    return codes


def _known(X: Any, column: Any, counts: NDArray[np.bool_]) -> NDArray[Any]:
    """Return the attribute of the rows that count, refused where it has gaps."""
    if isinstance(column, list | tuple):
        if not column:
            raise invalid("protected", "name a column of X", Shown("an empty list"))
        # By their texts, so that those of two tables compare.
        each = [_known(X, one, counts).astype(str) for one in column]
        return np.array([_BETWEEN.join(row) for row in zip(*each, strict=True)])
    values = values_of(X, column, "protected")
    missing = missing_values(values) & counts
    if missing.any():
        first = int(np.argmax(missing))
        shown = Shown(f"{counted(int(missing.sum()), 'row')} without (first: {first})")
        constraint = f"have a value in every row of column {column!r}"
        remedy = "Leave those rows out, or make a value of the gap"
        raise invalid("protected", constraint, shown, remedy)
    return values[counts]


def _told_apart(known: NDArray[Any], column: Any) -> NDArray[np.intp]:
    """Return the position of each value among the distinct ones, few but not one."""
    words = known if known.dtype.kind in "biuf" else known.astype(str)
    names, own = np.unique(words, return_inverse=True)
    if not 2 <= len(names) <= _MOST_VALUES:
        constraint = f"have 2 to {_MOST_VALUES} values in column {column!r}"
        shown = Shown(counted(len(names), "value"))
        raise invalid("protected", constraint, shown, "Make groups of it first")
    return np.asarray(own, dtype=np.intp)


def _unknown_outcomes(got: str) -> ValueError:
    """Return the refusal of rows of which the opponent is to see the outcome."""
    remedy = "Leave such rows out, or use 'demographic_parity'"
    constraint = "be known of every row for criterion='equalized_odds'"
    return invalid("outcome", constraint, Shown(got), remedy)
