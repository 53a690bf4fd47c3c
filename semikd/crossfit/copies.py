"""Copies of a learner: with the same seeds, with new ones, or with its columns."""

from typing import Any

from sklearn.base import clone

__all__ = ["reopened", "same_columns", "seed_names", "seeded_clone"]


def seeded_clone(learner: Any, seed: int) -> Any:
    """Return an unfitted copy whose open ``random_state`` parameters have this seed.

    A seed that the user fixed stays.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from semikd.crossfit.copies import seeded_clone
    >>> seeded_clone(DecisionTreeClassifier(), 7).random_state
    7
    """
    copy = clone(learner)
    settings = copy.get_params(deep=True)
    open_seeds = [name for name in seed_names(copy) if settings[name] is None]
    return copy.set_params(**dict.fromkeys(open_seeds, seed))


def reopened(learner: Any) -> Any:
    """Return an unfitted copy whose ``random_state`` parameters are all open.

    Copies that are to differ have seeds of their own, whatever the learner's is.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from semikd.crossfit.copies import reopened
    >>> reopened(DecisionTreeClassifier(random_state=3)).random_state is None
    True
    """
    copy = clone(learner)
    return copy.set_params(**dict.fromkeys(seed_names(copy)))


def same_columns(estimator: Any) -> Any:
    """Return an unfitted copy, with the same parameters, that knows the columns.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from semikd.crossfit.copies import same_columns
    >>> same_columns(GaussianNB().fit([[0.0], [1.0]], [0, 1])).n_features_in_
    1
    """
    copy = type(estimator)(**estimator.get_params(deep=False))
    for name in ("n_features_in_", "feature_names_in_"):
        if hasattr(estimator, name):
            setattr(copy, name, getattr(estimator, name))
    return copy


def seed_names(learner: Any) -> list[str]:
    """Return the names of a learner's ``random_state`` parameters, at any depth.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from semikd.crossfit.copies import seed_names
    >>> seed_names(DecisionTreeClassifier())
    ['random_state']
    """
    settings = learner.get_params(deep=True)
    return [name for name in settings if name.split("__")[-1] == "random_state"]
