"""The warnings of semikd, under one name, so that a user can filter them as one.

Errors are Python's own (``ValueError``, ``TypeError``) and scikit-learn's
``NotFittedError``; nothing here depends on anything but the standard library.
"""

__all__ = ["LeakageWarning", "SemikdWarning"]


class SemikdWarning(UserWarning):
    """Base of every warning that semikd raises itself.

    Examples
    --------
    >>> import warnings
    >>> from semikd.exceptions import SemikdWarning
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", SemikdWarning)
    """


class LeakageWarning(SemikdWarning):
    """A label is less honest than it looks: its teacher saw the row, or a copy of it.

    Examples
    --------
    >>> from semikd.exceptions import LeakageWarning, SemikdWarning
    >>> issubclass(LeakageWarning, SemikdWarning)
    True
    """
