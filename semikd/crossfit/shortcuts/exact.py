"""The shortcuts that are exact, one for each kind of learner."""

from semikd.crossfit.shortcuts.kernel import KERNEL
from semikd.crossfit.shortcuts.neighbours import NEIGHBOURS
from semikd.crossfit.shortcuts.one_fit import OneFit
from semikd.crossfit.shortcuts.ridge import RIDGE
from semikd.crossfit.shortcuts.smoother import SMOOTHER

__all__ = ["EXACT"]

EXACT: tuple[OneFit, ...] = (RIDGE, KERNEL, NEIGHBOURS, SMOOTHER)
