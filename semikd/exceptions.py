"""The warnings and errors of semikd, under names by which a user can catch them.

Errors are Python's own (``ValueError``, ``TypeError``), scikit-learn's
``NotFittedError``, or a kind of ``ValueError`` that is named here; nothing depends on
anything but the standard library.
"""

__all__ = ["ArtifactError", "LeakageWarning", "SemikdWarning", "UsageError"]


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


class UsageError(ValueError):
    """What was asked for cannot be done as asked; the message is one line and says why.

    Raised for files, columns and folders that cannot be used, before any work is done.

    Examples
    --------
    >>> from semikd.exceptions import UsageError
    >>> issubclass(UsageError, ValueError)
    True
    """


class ArtifactError(ValueError):
    """A saved model is damaged, foreign or hostile; one line says which file and why.

    Examples
    --------
    >>> from semikd.artifact import load_model
    >>> from semikd.exceptions import ArtifactError
    >>> try:
    ...     load_model("no-such-folder")
    ... except ArtifactError as error:
    ...     print(error)
    no-such-folder must be a folder with a saved model; got nothing of that name.
    """
