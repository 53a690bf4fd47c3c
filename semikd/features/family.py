"""Losses of hidden layers by name, as an object, or several of them."""

from typing import Any

from semikd._validation import choose, wrong_type
from semikd.features.attention import AttentionTransfer
from semikd.features.base import FeatureLoss
from semikd.features.contrast import ContrastiveRepresentation
from semikd.features.hints import Hint
from semikd.features.relations import RelationalAngle, RelationalDistance
from semikd.features.similarity import SimilarityPreserving

__all__ = ["get_features"]

_NAMED: dict[str, type[FeatureLoss]] = {
    kind.name: kind
    for kind in (
        AttentionTransfer,
        ContrastiveRepresentation,
        Hint,
        RelationalAngle,
        RelationalDistance,
        SimilarityPreserving,
    )
}


def get_features(features: Any) -> tuple[FeatureLoss, ...]:
    """Return the losses that are meant.

    Parameters
    ----------
    features : str, FeatureLoss or sequence of these
        'hint', 'attention', 'similarity', 'contrastive', 'distance' or 'angle', an
        object, or several, whose losses are added.

    Returns
    -------
    tuple of FeatureLoss

    Raises
    ------
    ValueError
        If a name is unknown, or there is none.
    TypeError
        If one of them is neither name nor object.

    Examples
    --------
    >>> from semikd.features import RelationalAngle, get_features
    >>> [loss.weight for loss in get_features(["distance", RelationalAngle(2.0)])]
    [1.0, 2.0]
    """
    several = features if isinstance(features, list | tuple) else [features]
    found = tuple(_meant(each) for each in several)
    if not found:
        constraint = "name at least one loss of hidden layers"
        remedy = "Use the student itself where there is none"
        raise wrong_type("features", constraint, features, remedy)
    return found


def _meant(feature: Any) -> FeatureLoss:
    """Return the loss of that name, or itself."""
    if isinstance(feature, str):
        return choose("features", feature, _NAMED)()
    if not isinstance(feature, FeatureLoss):
        constraint = "be the name of a loss of hidden layers, or such a loss"
        names = ", ".join(map(repr, sorted(_NAMED)))
        raise wrong_type("features", constraint, feature, f"Use one of {names}")
    return feature
