"""How far inputs may be moved against a network, in the units of those who use it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from semikd._validation import Shown, count, invalid, number, wrong_type
from semikd.networks.tables import ImageEncoding, TableEncoding
from semikd.networks.words import plain
from semikd.simplex import FloatArray

__all__ = ["Attack"]

# Of the radius, where no step is given: 2/255 of 8/255, as published.
_STEP = 0.25


class Attack(BaseEstimator):
    r"""Perturbations of inputs that a network is tried by: PGD in a cube.

    .. math:: \tilde x \leftarrow \Pi\bigl\{\tilde x + s \operatorname{sign}
       \nabla_{\tilde x}\, \mathrm{CE}(y, S(\tilde x))\bigr\}, \qquad
       \|\tilde x - x\|_\infty \le \varepsilon

    Parameters
    ----------
    epsilon : float, default=8/255
        :math:`\varepsilon`, at least 0. Of images in the scale of pixels from 0 to 1;
        of a table in standard deviations of each column, as the network learned them.
        Categories and missing values stay as they are.
    step : float, optional
        s, in the same units; by default a quarter of :math:`\varepsilon`.
    n_steps : int, default=10
        Number of steps.
    random_start : bool, default=True
        Start anywhere in the cube, and not at x.
    input_range : pair of floats, optional
        Least and largest value of the inputs, in the units of X, that a perturbation
        may reach; by default 0 and 1 for images, and none for tables.

    References
    ----------
    .. [1] A. Madry et al., "Towards Deep Learning Models Resistant to Adversarial
       Attacks", ICLR 2018, Section 2.1.

    Examples
    --------
    >>> from semikd.networks import Attack
    >>> Attack(0.1, n_steps=20).stride
    0.25
    """

    def __init__(
        self,
        epsilon: float = 8 / 255,
        *,
        step: float | None = None,
        n_steps: int = 10,
        random_start: bool = True,
        input_range: tuple[float, float] | None = None,
    ) -> None:
        self.epsilon = epsilon
        self.step = step
        self.n_steps = n_steps
        self.random_start = random_start
        self.input_range = input_range

    @property
    def stride(self) -> float:
        """The length of a step as a share of the radius."""
        if self.step is None or not self.epsilon:
            return _STEP
        return self.step / self.epsilon

    def check(self) -> None:
        """Refuse a setting that no attack could have.

        Raises
        ------
        ValueError
            If a number is out of its range.
        TypeError
            If a setting is of the wrong type.
        """
        number("epsilon", self.epsilon, low=0.0)
        if self.step is not None:
            number("step", self.step, low=0.0, open_low=True)
        count("n_steps", self.n_steps)
        if not isinstance(self.random_start, bool):
            constraint = "be True or False"
            raise wrong_type("random_start", constraint, self.random_start)
        if self.input_range is not None:
            _check_range(self.input_range)

    def box(
        self, encoding: TableEncoding | ImageEncoding
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return radius, least and largest value of each number that a network reads.

        Parameters
        ----------
        encoding : TableEncoding or ImageEncoding
            How rows become these numbers.

        Returns
        -------
        radius : ndarray of shape (c, 1, 1) or (d,)
            For each channel, or each number of an encoded row.
        low : ndarray of that shape
            Least values.
        high : ndarray of that shape
            Largest values.
        """
        is_image = isinstance(encoding, ImageEncoding)
        given = self.input_range or ((0.0, 1.0) if is_image else (-np.inf, np.inf))
        low, high = ((end - encoding.mean) / encoding.scale for end in given)
        if is_image:
            radius = self.epsilon / encoding.scale
            return _by_channel(radius), _by_channel(low), _by_channel(high)
        # What follows the numbers says what is missing, or which category: it stays.
        shape = encoding.shape
        n_fixed = shape.numeric + len(shape.categories) - len(low)
        rest = np.full(n_fixed, np.inf)
        radius = np.concatenate([np.full(len(low), self.epsilon), np.zeros(n_fixed)])
        return radius, np.concatenate([low, -rest]), np.concatenate([high, rest])


def as_attack(attack: Any) -> Attack:
    """Return a checked attack; a number is its epsilon.

    Examples
    --------
    >>> from semikd.networks.attack import as_attack
    >>> as_attack(0.1)
    Attack(epsilon=0.1)
    """
    if not isinstance(attack, Attack):
        if isinstance(attack, bool) or not isinstance(attack, int | float | np.number):
            remedy = "Use semikd.networks.Attack(...)"
            raise wrong_type("attack", "be a number or an Attack", attack, remedy)
        attack = Attack(float(attack))
    found: Attack = attack
    found.check()
    return found


def attack_words(attack: Any) -> Any:
    """Return an attack as JSON values; a number as it is."""
    if not isinstance(attack, Attack):
        return plain(attack)
    words = {name: plain(value) for name, value in attack.get_params().items()}
    if words["input_range"] is not None:
        words["input_range"] = [plain(end) for end in words["input_range"]]
    return words


def attack_of(words: Any) -> Any:
    """Return the checked attack that ``attack_words`` described."""
    if not isinstance(words, Mapping):
        as_attack(words)
        return words
    known = Attack._get_param_names()
    if sorted(words) != sorted(known):
        raise invalid("attack", f"have the settings {', '.join(known)}", sorted(words))
    given = words["input_range"]
    ends = tuple(given) if isinstance(given, list) else given
    return as_attack(Attack(**{**words, "input_range": ends}))


def _check_range(given: Any) -> None:
    """Refuse what is not two numbers, the lower one first."""
    constraint = "be two numbers, the lower one first, or None"
    if not isinstance(given, tuple | list) or len(given) != 2:
        raise wrong_type("input_range", constraint, given)
    low, high = (number("input_range", end) for end in given)
    if not low < high:
        raise invalid("input_range", constraint, Shown(f"{low:g} and {high:g}"))


def _by_channel(numbers: FloatArray) -> NDArray[np.float64]:
    """Return a number of each channel in a shape that pixels broadcast with."""
    return numbers.reshape(-1, 1, 1)
