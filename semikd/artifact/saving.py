"""Writing a shipped model down: JSON for words, plain arrays for numbers, no pickle."""

import os
from pathlib import Path
from typing import Any

from semikd._files.checks import damaged
from semikd._files.npz import MAX_ARRAYS, write_arrays
from semikd._files.signed import file_entry, signed_json
from semikd._validation import Shown, invalid
from semikd.artifact.foreign import ForeignStudent
from semikd.artifact.model import ShippedModel

__all__ = [
    "ARRAYS_FILE",
    "FOREIGN_FILE",
    "FORMAT",
    "FORMAT_VERSION",
    "MAX_BYTES",
    "MODEL_FILE",
    "save_model",
]

FORMAT = "semikd-model"
FORMAT_VERSION = 1
MODEL_FILE, ARRAYS_FILE, FOREIGN_FILE = "model.json", "model.npz", "student.skops"

# Largest files: what is larger is no small model, and is neither written nor read.
MAX_BYTES = {MODEL_FILE: 1 << 23, ARRAYS_FILE: 1 << 26, FOREIGN_FILE: 1 << 28}


def save_model(model: ShippedModel, directory: str | os.PathLike[str]) -> int:
    """Write a model into a folder, as ``load_model`` reads it.

    Parameters
    ----------
    model : ShippedModel
        What ``ship`` returns.
    directory : path
        An existing folder that holds no model yet.

    Returns
    -------
    int
        Bytes written.

    Raises
    ------
    ValueError
        If there is no such folder, it holds a model, or the model is too large to be
        read again.
    ImportError
        If the student is of another library and skops is not installed.

    Notes
    -----
    ``model.json`` holds the encoder, the classes and the sizes and SHA-256 of the other
    file and of itself; ``model.npz`` the arrays of the student, or ``student.skops`` a
    student of another library. The same model gives the same bytes. Files are written
    one after the other: a caller that may be interrupted writes into a temporary folder
    and renames it.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from semikd.artifact import LinearArrays, ShippedModel, load_model, save_model
    >>> from semikd.encoding import Encoder, NumberColumn, Scaling
    >>> encoder = Encoder((NumberColumn("age", Scaling(40.0, 0.0, 1.0)),))
    >>> student = LinearArrays(np.array([[0.5]]), np.array([1.0]))
    >>> model = ShippedModel(encoder, student, "identity", None, target="price")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     n_bytes = save_model(model, folder)
    ...     load_model(folder).predict({"age": [4.0]})
    array([3.])
    """
    folder = Path(directory)
    if not folder.is_dir():
        raise invalid("directory", "be an existing folder", str(folder))
    taken = [name for name in MAX_BYTES if os.path.lexists(folder / name)]
    if taken:
        constraint = f"hold no {taken[0]} yet"
        raise invalid("directory", constraint, str(folder), "Give an empty folder")
    files = model_files(model)
    for name, content in files.items():
        if len(content) > MAX_BYTES[name]:
            constraint = f"take at most {MAX_BYTES[name]:,} bytes in {name}"
            remedy = "Use a smaller student"
            raise invalid("model", constraint, Shown(f"{len(content):,}"), remedy)
    for name, content in files.items():
        with open(folder / name, "xb") as file:
            file.write(content)
    return sum(len(content) for content in files.values())


def model_files(model: ShippedModel) -> dict[str, bytes]:
    """Return the files of a model by name, the one that names the others last."""
    student, files = model.student, {}
    named: dict[str, Any] = {"kind": student.kind, "n_features": student.n_features}
    if isinstance(student, ForeignStudent):
        named |= {"adapter": student.adapter, "n_outputs": student.n_outputs}
        files[FOREIGN_FILE] = student.to_bytes()
    else:
        arrays = student.to_arrays()
        if sum(array.nbytes + 256 for array in arrays.values()) > MAX_ARRAYS:
            constraint = f"have arrays of at most {MAX_ARRAYS:,} bytes"
            raise invalid("model", constraint, Shown("more"), "Use a smaller student")
        named["arrays"] = sorted(arrays)
        files[ARRAYS_FILE] = write_arrays(arrays)
    content = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "target": model.target,
        "link": model.link,
        "classes": None if model.classes is None else list(model.classes),
        "class_format": model.class_format,
        "threshold": float(model.threshold),
        "student": named,
        "about": dict(model.about),
        "encoder": model.encoder.to_dict(),
        "files": {name: file_entry(data) for name, data in files.items()},
    }
    try:
        return {**files, MODEL_FILE: signed_json(content)}
    except (TypeError, ValueError) as error:
        # Half of a surrogate pair in a name, or an infinite number.
        raise damaged(Path(MODEL_FILE), error) from None
