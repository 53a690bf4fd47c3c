"""Leave-one-out labels of a logistic regression, from one fit to all rows.

A Newton step from the fit to all rows says what the teacher would have said of a row it
had not seen; where one step is too rough, the row is refitted.
"""

from semikd.crossfit.shortcuts.logistic.strategy import dear, handles, labels, why_not

__all__ = ["dear", "handles", "labels", "why_not"]
