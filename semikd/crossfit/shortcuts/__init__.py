"""Honest labels at the price of about one fit, for teachers whose structure allows it.

A forest has trees that did not see a row; ridge, neighbours and logistic regression
know what they would have said without it.
"""

from semikd.crossfit.shortcuts.distinct import distinct_units
from semikd.crossfit.shortcuts.labels import (
    FallBack,
    Shortcut,
    split_pipeline,
)

__all__ = ["FallBack", "Shortcut", "distinct_units", "split_pipeline"]
