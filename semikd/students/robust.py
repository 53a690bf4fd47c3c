"""A network that is taught at the inputs on which it does worst."""

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from semikd._random import RandomState
from semikd._validation import check_shape, count, finite_array, number
from semikd.losses import DistillationLoss
from semikd.networks import Attack, FeatureTerm, OnlineTargets, Training
from semikd.networks.attack import as_attack
from semikd.simplex import FloatArray
from semikd.students.base import Student
from semikd.students.network import TorchStudent

if TYPE_CHECKING:
    from semikd.networks.robust import Attacked

__all__ = ["RobustStudent"]


class RobustStudent(TorchStudent):
    r"""A network whose answers are to hold where inputs are moved against it.

    .. math:: \min_\theta \sum_i w_i \bigl\{ a_i\, \ell(f_\theta(\tilde x_i); \tau_i) +
       (1 - a_i)\, \mathrm{KL}\bigl(S_\theta(x_i) \,\|\, S_\theta(\tilde x_i)\bigr)
       \bigr\}, \qquad a_i = \hat p_{y_i}^{\,\beta}

    with the network's own worst perturbation :math:`\tilde x_i` of the row, its
    probabilities S, and a trust :math:`a_i` in the teacher that falls with its belief
    in the outcome; what trust is missing, the student's own answer at :math:`x_i`
    takes over. The target :math:`\tau` is the library's: plain, or corrected, on the
    scale of cross-entropy.

    Parameters
    ----------
    module : sequence of int, architecture or callable, default=(64, 64)
        As for ``TorchStudent``.
    attack : float or semikd.networks.Attack, default=8/255
        How far inputs are moved, and how; a number is its ``epsilon``, for images in
        the scale 0 to 1, for tables in standard deviations. At 0 nothing moves, and
        with ``trust_power=0`` the student is ``TorchStudent(validation_fraction=0)`` up
        to rounding.
    trust_power : float, default=0.1
        :math:`\beta`, at least 0. At 0 the teacher is trusted wholly: adversarial
        training towards targets.
    warmup_epochs : int, default=20
        Epochs at the start in which all trust is 1, and the student's own part off.
    learning_rate : float, default=1e-3
        Step size.
    weight_decay : float, default=1e-4
        Penalty on the weights.
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
        Seed of the network, the order of the rows and the starts of the attack.

    Attributes
    ----------
    classes_ : ndarray of shape (k,)
        Class labels.
    module_ : torch.nn.Module
        The fitted network.

    Raises
    ------
    ValueError
        If a number is out of its range.
    TypeError
        If targets are on another scale than that of cross-entropy.

    See Also
    --------
    semikd.diagnostics.robust_accuracy : Right answers under an attack.
    semikd.label_aware.TrustGate : The same trust, in the target of any student.

    Notes
    -----
    *The teacher's answer* in a is the label that the record has of the row: by networks
    of folds that did not see it, at :math:`x_i`. With ``online_labels=True`` both a and
    the target are of the fold's network at :math:`\tilde x_i`. *A row without an
    outcome* has the mean of a over the outcomes that the teacher believes in,
    :math:`\sum_j \hat p_j^{1 + \beta}`, and is moved against its answer as a whole.
    From scratch, without a teacher, a is 1 and this is adversarial training.

    *Verified* in the released code: the attack (up to where it starts, below), the
    trust with the teacher at :math:`\tilde x_i`, both parts of the loss and the warm-up
    are those of IAD-II, with :math:`\beta` = 0.1, 10 steps of a quarter of
    :math:`\varepsilon` = 8/255, and a warm-up of 40 of 200 epochs. As there, the
    gradient goes through the student's answer at :math:`x_i` too.
    *This library's*: labels of folds, corrected targets, weights, what is done without
    an outcome, and tables. *Different*: the released IAD-I does not multiply the
    teacher's part by a; IAD-II adds a quarter of cross-entropy with the outcome, and a
    second teacher that was trained on natural images; ``hard_weight`` adds the former,
    times a. There the attack runs with the statistics of its batches, here with those
    of training and without dropout, and its random starts stay within the range of the
    inputs. Code was read, the paper was not: its own tables are not reproduced.

    With random starts a repeated row and a weight of 2 agree in expectation only.
    It is trained on all rows to the last epoch, since the best epoch by the loss of
    inputs as they are is not the most robust one. An epoch costs about ``n_steps``
    times one of ``TorchStudent``.

    References
    ----------
    .. [1] J. Zhu et al., "Reliable Adversarial Distillation with Unreliable Teachers",
       ICLR 2022 (the code in ZFancy/IAD).
    .. [2] A. Madry et al., "Towards Deep Learning Models Resistant to Adversarial
       Attacks", ICLR 2018, Section 2.1.

    Examples
    --------
    >>> import numpy as np
    >>> from semikd.students import RobustStudent
    >>> X = np.random.default_rng(0).normal(size=(40, 2))
    >>> student = RobustStudent((4,), attack=0.3, max_epochs=2, device="cpu")
    >>> student.fit(X, X[:, 0] > 0).predict_proba(X).shape
    (40, 2)
    """

    fit_options = ("groups", "online", "outcome", "labels")
    trains_in_batches = False
    # Layers of the inputs as they are would stand beside answers at others.
    shows_layers = False
    solver = "adam"
    validation_fraction = 0.0
    loss = "cross_entropy"

    def __init__(
        self,
        module: Any = (64, 64),
        *,
        attack: float | Attack = 8 / 255,
        trust_power: float = 0.1,
        warmup_epochs: int = 20,
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
        self.attack = attack
        self.trust_power = trust_power
        self.warmup_epochs = warmup_epochs
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.training = training
        self.device = device
        self.dtype = dtype
        self.random_state = random_state

    def supports(
        self, loss: DistillationLoss, target_range: tuple[float, float] | None = None
    ) -> str | None:
        """Return why rows cannot be moved on that scale, or targets have no minimum."""
        if loss.name != "cross_entropy":
            return "what the student adds is a divergence of probabilities in nats"
        if super().supports(loss, target_range) is None:
            return None
        return (
            "targets outside [0, 1] may have no minimum for a network that is trained "
            "to the end; use a smaller correction"
        )

    def complexity(
        self, n_samples: int, n_features: int, n_outputs: int
    ) -> float | None:
        """Return None: coefficients do not count what moved rows keep of noise."""
        return None

    def set_params(self, **params: Any) -> Self:
        """Set parameters; ``attack__x`` also where the attack is a number."""
        given = params.get("attack", self.attack)
        nested = any(name.startswith("attack__") for name in params)
        if nested and not isinstance(given, Attack):
            params["attack"] = Attack(given)
        return super().set_params(**params)

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
        labels: FloatArray | None = None,
    ) -> Self:
        """Minimise the loss of rows that are moved against the network.

        ``outcome`` is one-hot, shape (n, k), NaN in rows without one; ``labels`` are
        the teacher's probabilities, by default read from the target. Groups are of no
        matter, since no row is held out. There are no ``features``.
        """
        more: dict[str, Any] = {"groups": groups, "online": online}
        more |= {"outcome": outcome, "labels": labels}
        return self._fit(X, target, loss, sample_weight, **more)

    # One network at a time is moved against.
    fit_many = Student.fit_many

    def _fit(
        self,
        X: Any,
        target: Any,
        loss: DistillationLoss,
        sample_weight: Any,
        *,
        go_on: bool = False,
        outcome: FloatArray | None = None,
        labels: FloatArray | None = None,
        **more: Any,
    ) -> Self:
        """Fit to targets at moved rows, from fresh parameters or from the present."""
        self._check_settings()
        target = finite_array("target", target, shape=(None, None))
        attacked = self._attacked(target, loss, outcome, labels)
        more["attacked"] = attacked
        return super()._fit(X, target, loss, sample_weight, go_on=go_on, **more)

    def _check_settings(self) -> None:
        """Refuse settings that no fit could use."""
        as_attack(self.attack)
        number("trust_power", self.trust_power, low=0.0)
        count("warmup_epochs", self.warmup_epochs, low=0)
        super()._check_settings()

    def _attacked(
        self,
        target: FloatArray,
        loss: DistillationLoss,
        outcome: FloatArray | None,
        labels: FloatArray | None,
    ) -> "Attacked":
        """Return what rows are moved against, and whom the teacher's answers convince.

        An outcome that is not known is believed in as the teacher does.
        """
        from semikd.networks.robust import Attacked, answers_of

        said = answers_of(target, loss)
        if labels is not None:
            said = finite_array("labels", labels, shape=said.shape)
        belief = said
        if outcome is not None:
            outcome = np.asarray(outcome, dtype=np.float64)
            check_shape("outcome", outcome, said.shape)
            known = np.isfinite(outcome).all(axis=1, keepdims=True)
            belief = np.where(known, outcome, said)
        attack, power = as_attack(self.attack), float(self.trust_power)
        return Attacked(attack, belief, said, power, int(self.warmup_epochs))
