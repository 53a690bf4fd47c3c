"""Labels on disk, with the fold of each row, so that they stay as honest as they were.

A large teacher is fitted once and its labels serve many students. What must not get
lost is who was held out when: labels without folds cannot be corrected or judged.
"""

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np

from semikd._files.checks import refusal
from semikd._files.class_labels import label_words, labels_of
from semikd._files.npz import Arrays
from semikd._files.records import RecordKind, read_record, write_record
from semikd._files.signed import built
from semikd._validation import Shown, check_shape, count, invalid, wrong_type
from semikd.crossfit.learners import is_estimator
from semikd.crossfit.record import OutOfFold
from semikd.simplex import FloatArray

__all__ = ["load_labels", "save_labels"]

LABELS = RecordKind("labels", "saved labels")
# Kinds of numbers; whole ones stand for shares of their largest.
_PRECISIONS = {64: np.float64, 32: np.float32, 16: np.uint16, 8: np.uint8}
_ENTRIES = {"strategy", "classes", "honest", "leans", "teacher", "n_classes"}


def save_labels(
    labels: OutOfFold,
    folder: str | os.PathLike[str],
    *,
    n_top: int | None = None,
    n_bits: int = 64,
    teacher: Any = None,
) -> int:
    r"""Write labels with their folds and the identity of their rows.

    .. math:: \tilde p_j = \frac{1}{2^b - 1} \operatorname{round}\bigl((2^b - 1)\,p_j
       \bigr) \ (j \in \text{top}), \qquad \frac{1 - \sum_{l \in \text{top}} \tilde p_l}
       {k - |\text{top}|} \ \text{(otherwise)}

    Parameters
    ----------
    labels : OutOfFold
        The labels; their teachers are not kept.
    folder : path
        A folder that is new or empty, or holds saved labels, which are replaced in one
        step.
    n_top : int, optional
        Most likely classes that are kept of each row; the rest share alike. By default
        all.
    n_bits : {64, 32, 16, 8}, default=64
        Precision of each number b. Rounding to 16 and 8 bits errs by at most 7.6e-6 and
        0.002, after which rows are divided by their sums: with many classes 8 bits want
        an ``n_top``.
    teacher : estimator or str, optional
        Who labelled. `load_labels` refuses the file where another is expected.

    Returns
    -------
    int
        Bytes written.

    Raises
    ------
    ValueError, TypeError
        If there is no such precision, means of a regression are to be shortened, or the
        folder holds anything else.

    References
    ----------
    .. [1] Z. Shen and E. Xing, "A Fast Knowledge Distillation Framework for Visual
       Recognition", ECCV 2022: shortened labels; folds are this library's.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from semikd import external_labels
    >>> from semikd.crossfit import load_labels, save_labels
    >>> X, p = np.arange(2.0)[:, None], [[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]]
    >>> labels = external_labels(X, p, classes=["a", "b", "c"], fold=[0, 1])
    >>> folder = tempfile.mkdtemp()
    >>> _ = save_labels(labels, folder, n_top=1, n_bits=8)
    >>> load_labels(folder, X).mean.round(2)
    array([[0.7 , 0.15, 0.15],
           [0.1 , 0.1 , 0.8 ]])
    """
    if not isinstance(labels, OutOfFold):
        raise wrong_type("labels", "be an OutOfFold record", labels)
    if n_bits not in _PRECISIONS:
        raise invalid("n_bits", "be one of 64, 32, 16, 8", n_bits)
    k = labels.prediction.shape[2]
    if labels.classes is None and (n_top is not None or n_bits < 32):
        remedy = "Leave n_top out, and use 32 or 64 bits"
        shown = Shown(f"n_top={n_top}, n_bits={n_bits}")
        raise invalid("labels", "be probabilities to be shortened", shown, remedy)
    top = k if n_top is None else min(count("n_top", n_top), k)
    known = np.asarray(np.isfinite(labels.prediction).all(axis=2))
    p = np.where(known[:, :, None], labels.prediction, 0.0)
    arrays: Arrays = {
        "fold": labels.fold.astype(np.int32),
        "hash": labels.row_hash,
        "known": known.astype(np.uint8),
    }
    if top < k:
        place = np.argsort(-p, axis=2, kind="stable")[:, :, :top]
        arrays["place"] = place.astype(np.uint16 if k <= 1 << 16 else np.uint32)
        p = np.take_along_axis(p, place, axis=2)
    arrays["p"] = _stored(p, _PRECISIONS[n_bits])
    content = {
        "strategy": labels.strategy,
        "classes": None if labels.classes is None else label_words(labels.classes),
        "n_classes": k,
        "honest": labels.honest,
        "leans": labels.leans,
        "teacher": _identity(teacher),
    }
    return write_record(folder, LABELS, content, arrays)


def load_labels(
    folder: str | os.PathLike[str], X: Any = None, *, teacher: Any = None
) -> OutOfFold:
    """Read labels that ``save_labels`` wrote.

    Parameters
    ----------
    folder : path
        The folder.
    X : array-like of shape (n, d), optional
        The rows that they are to be used with, which are checked; estimators check them
        again.
    teacher : estimator or str, optional
        Who is to have labelled, with the same parameters.

    Returns
    -------
    OutOfFold
        Without teachers: new rows cannot be labelled.

    Raises
    ------
    ArtifactError
        If there are no such labels, or they are damaged.
    ValueError
        If they are of other rows, or of another teacher.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from semikd import external_labels
    >>> from semikd.crossfit import load_labels, save_labels
    >>> X = np.arange(2.0)[:, None]
    >>> labels = external_labels(X, [0.2, 0.9], classes=[0, 1])
    >>> folder = tempfile.mkdtemp()
    >>> _ = save_labels(labels, folder)
    >>> np.array_equal(load_labels(folder, X).mean, labels.mean)
    True
    """
    content, arrays = read_record(folder, LABELS)
    if set(content) != _ENTRIES:
        shown = Shown("other entries")
        raise refusal(Path(folder), "hold saved labels", shown)
    expected, found = _identity(teacher), content["teacher"]
    if teacher is not None and expected != found:
        shown = Shown(f"those of {found or 'a teacher that was not named'}")
        raise invalid("labels", f"be of {expected}", shown, "Make them again")
    labels = built(Path(folder) / LABELS.file, lambda: _record(content, arrays))
    if X is not None:
        labels.check_rows(X)
    return labels


def _record(content: dict[str, Any], arrays: Arrays) -> OutOfFold:
    """Return the record of what a file holds, refusing what does not fit together."""
    words, k = content["classes"], int(content["n_classes"])
    known, kept = arrays["known"], arrays["p"]
    check_shape("known", known, (None, None))
    check_shape("fold", arrays["fold"], known.shape)
    check_shape("hash", arrays["hash"], known.shape[1:])
    check_shape("p", kept, (*known.shape, None))
    if "place" in arrays:
        check_shape("place", arrays["place"], kept.shape)
        if kept.shape[2] >= k or (arrays["place"] >= k).any():
            raise invalid("place", f"name some of {k} classes", Shown("others"))
    elif kept.shape[2] != k:
        raise invalid("p", f"have {k} columns", Shown(str(kept.shape[2])))
    classes = None if words is None else labels_of(words)
    if classes is not None and len(classes) != k:
        raise invalid("classes", f"be {k}", Shown(str(len(classes))))
    p = _restored(arrays, k, classes is not None)
    return OutOfFold(
        prediction=np.where(known[:, :, None] == 1, p, np.nan),
        fold=arrays["fold"].astype(np.intp),
        classes=classes,
        strategy=str(content["strategy"]),
        row_hash=arrays["hash"],
        honest=bool(content["honest"]),
        leans=bool(content["leans"]),
    )


def _stored(p: FloatArray, kind: Any) -> np.ndarray:
    """Return numbers in the precision that they are kept in."""
    if issubclass(kind, np.floating):
        return p.astype(kind)
    return np.rint(p * np.iinfo(kind).max).astype(kind)


def _restored(arrays: Arrays, k: int, is_probability: bool) -> FloatArray:
    """Return the labels of all classes, rows of sum 1 where they are probabilities."""
    kept = arrays["p"]
    whole = np.iinfo(kept.dtype).max if kept.dtype.kind == "u" else 1.0
    p = kept.astype(np.float64) / whole
    if "place" in arrays:
        rest = np.maximum(1.0 - p.sum(axis=2, keepdims=True), 0.0)
        full = np.repeat(rest / (k - p.shape[2]), k, axis=2)
        np.put_along_axis(full, arrays["place"].astype(np.intp), p, axis=2)
        p = full
    if not is_probability or (kept.dtype == np.float64 and "place" not in arrays):
        return p
    total = p.sum(axis=2, keepdims=True)
    return np.asarray(p / np.where(total > 0, total, 1.0))


def _identity(teacher: Any) -> str | None:
    """Return what tells one teacher from another: its class and its parameters."""
    if teacher is None or isinstance(teacher, str):
        return teacher
    if not is_estimator(teacher):
        raise wrong_type("teacher", "be an estimator or a name", teacher)
    settings = sorted(f"{k}={v!r}" for k, v in teacher.get_params(deep=True).items())
    told = hashlib.sha256("\n".join(settings).encode()).hexdigest()[:12]
    return f"{type(teacher).__name__} ({told})"
