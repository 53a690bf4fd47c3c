"""The parts of a fitted network estimator in plain words and numbers, and back again.

Every function that reads raises for what no estimator of this library wrote: words of a
file are checked before anything is made of them.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semikd._files.npz import Arrays
from semikd._validation import Shown, check_shape, choose, invalid, wrong_type
from semikd.losses import (
    CrossEntropyLoss,
    DistillationLoss,
    HardLabelMix,
    IdentityLoss,
    LogProbabilityLoss,
    ProbabilityLoss,
    ShiftedLoss,
    SmoothedLoss,
    TopClassesLoss,
)
from semikd.networks.tables import ImageEncoding, TableEncoding, TableLayout

if TYPE_CHECKING:
    from semikd.nets import Epoch

_LOSSES: dict[str, type[DistillationLoss]] = {
    "identity": IdentityLoss,
    "probability": ProbabilityLoss,
    "log_probability": LogProbabilityLoss,
    "cross_entropy": CrossEntropyLoss,
    "hard_label_mix": HardLabelMix,
    "shifted": ShiftedLoss,
    "smoothed": SmoothedLoss,
    "top_classes": TopClassesLoss,
}


def loss_words(loss: DistillationLoss) -> dict[str, Any]:
    """Return a loss of this library as JSON values; ``TypeError`` for any other."""
    for name, kind in _LOSSES.items():
        if type(loss) is kind:
            settings = {f.name: getattr(loss, f.name) for f in fields(kind)}  # type: ignore[arg-type]
            if "base" in settings:
                settings["base"] = loss_words(settings["base"])
            return {"name": name, "settings": {k: plain(settings[k]) for k in settings}}
    constraint = f"be one of the scales {', '.join(_LOSSES)} to be saved"
    raise wrong_type("loss", constraint, loss, "Only these have a name in a file")


def loss_of(words: Mapping[str, Any]) -> DistillationLoss:
    """Return the loss that ``loss_words`` described."""
    kind = choose("loss", words["name"], _LOSSES)
    settings = dict(words["settings"])
    known = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    if sorted(settings) != sorted(known):
        constraint = f"have the settings {', '.join(known) or 'none'}"
        raise invalid(f"loss {words['name']!r}", constraint, sorted(settings))
    if "base" in settings:
        settings["base"] = loss_of(settings["base"])
    if not isinstance(settings.get("centered", True), bool):
        raise wrong_type("centered", "be True or False", settings["centered"])
    return kind(**settings)


def encoding_words(
    encoding: TableEncoding | ImageEncoding,
) -> tuple[dict[str, Any], Arrays]:
    """Return how rows are read, as JSON values and arrays."""
    arrays: Arrays = {"mean": encoding.mean, "scale": encoding.scale}
    if isinstance(encoding, ImageEncoding):
        return {"kind": "images", "size": list(encoding.size)}, arrays
    layout = encoding.layout
    # As bytes: a column may have more values than words of a file may have.
    packed = [value.encode(*_TEXT) for each in layout.values for value in each]
    arrays["values"] = np.frombuffer(b"".join(packed), dtype=np.uint8)
    arrays["lengths"] = np.array([len(value) for value in packed], dtype=np.int64)
    return {
        "kind": "table",
        "numeric": list(layout.numeric),
        "categorical": list(layout.categorical),
        "gaps": list(layout.gaps),
        "n_values": [len(each) for each in layout.values],
    }, arrays


def encoding_of(
    words: Mapping[str, Any], arrays: Arrays
) -> TableEncoding | ImageEncoding:
    """Return how rows are read, as ``encoding_words`` described it."""
    kind = choose("encoding", words["kind"], {"images": True, "table": False})
    if kind:
        c, h, w = _counts("size", words["size"])
        return ImageEncoding(*_moments(arrays, c), (c, h, w))
    numeric = _counts("numeric", words["numeric"])
    categorical = _counts("categorical", words["categorical"])
    gaps = _counts("gaps", words["gaps"])
    ordered = all(list(own) == sorted(set(own)) for own in (numeric, categorical, gaps))
    columns = sorted(numeric + categorical)
    if not ordered or columns != list(range(len(columns))):
        shown = Shown("another list")
        raise invalid("columns", "be numeric or categorical, each once", shown)
    if not set(gaps) <= set(range(len(numeric))):
        raise invalid("gaps", "name numeric columns", list(gaps))
    values = _values(_counts("n_values", words["n_values"]), arrays)
    if len(values) != len(categorical):
        raise invalid("values", "be those of the columns", Shown("another number"))
    layout = TableLayout(numeric, categorical, gaps, values)
    return TableEncoding(layout, *_moments(arrays, len(numeric)))


def history_words(history: "tuple[Epoch, ...]") -> NDArray[np.float64]:
    """Return epochs and losses as a table (n, 3), NaN where none was watched."""
    rows = [
        (e.epoch, e.train_loss, np.nan if e.validation_loss is None else watched)
        for e in history
        for watched in [e.validation_loss]
    ]
    return np.array(rows, dtype=np.float64).reshape(-1, 3)


def history_of(table: NDArray[Any]) -> "tuple[Epoch, ...]":
    """Return the epochs that ``history_words`` described."""
    from semikd.nets import Epoch

    check_shape("history", table, (None, 3))
    if table.dtype != np.float64 or not np.isfinite(table[:, :2]).all():
        raise invalid("history", "hold finite numbers", Shown("others"))
    return tuple(
        Epoch(int(epoch), train, None if np.isnan(watched) else watched)
        for epoch, train, watched in table.tolist()
    )


def plain(value: Any) -> Any:
    """Return a number of numpy as one of Python; anything else as it is."""
    return value.item() if isinstance(value, np.generic) else value


# Halves of surrogate pairs, which a table may hold, have bytes of their own.
_TEXT = ("utf-8", "surrogatepass")


def _counts(name: str, values: Any) -> tuple[int, ...]:
    """Return whole numbers of at least 0."""
    fits = isinstance(values, list) and all(type(v) is int and v >= 0 for v in values)
    if not fits:
        raise wrong_type(name, "be a list of whole numbers", values)
    return tuple(values)


def _moments(arrays: Arrays, d: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return means and positive scales of d columns."""
    for name in ("mean", "scale"):
        check_shape(name, arrays[name], (d,))
        if arrays[name].dtype != np.float64 or not np.isfinite(arrays[name]).all():
            raise invalid(name, "hold finite numbers", Shown("others"))
    if not (arrays["scale"] > 0).all():
        raise invalid("scale", "be positive", float(arrays["scale"].min()))
    return arrays["mean"].copy(), arrays["scale"].copy()


def _values(sizes: tuple[int, ...], arrays: Arrays) -> tuple[tuple[str, ...], ...]:
    """Return the values of the categorical columns, each in order."""
    lengths, packed = arrays["lengths"], arrays["values"]
    check_shape("lengths", lengths, (sum(sizes),))
    fits = lengths.dtype == np.int64 and packed.dtype == np.uint8 and packed.ndim == 1
    if not fits or (lengths < 0).any() or lengths.sum() != len(packed):
        raise invalid("values", "have the lengths stated", Shown("others"))
    ends = np.cumsum(lengths)
    whole = packed.tobytes()
    texts = [
        whole[end - length : end].decode(*_TEXT)
        for end, length in zip(ends.tolist(), lengths.tolist(), strict=True)
    ]
    stops = np.cumsum(sizes, dtype=np.int64).tolist()
    found = tuple(
        tuple(texts[stop - n : stop]) for stop, n in zip(stops, sizes, strict=True)
    )
    if any(list(own) != sorted(set(own)) for own in found):
        raise invalid("values", "be different, and in order", Shown("others"))
    return found
