"""Reading a shipped model: nothing is run, and nothing built before it was checked."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from semikd._files.checks import refusal
from semikd._files.npz import read_arrays
from semikd._files.signed import built, read_named, read_signed
from semikd._validation import Shown
from semikd.artifact.arrays import StudentArrays
from semikd.artifact.foreign import ForeignStudent
from semikd.artifact.forests import ForestArrays
from semikd.artifact.linear import LinearArrays
from semikd.artifact.model import ShippedModel
from semikd.artifact.network import NetworkArrays
from semikd.artifact.saving import (
    ARRAYS_FILE,
    FOREIGN_FILE,
    FORMAT,
    FORMAT_VERSION,
    MAX_BYTES,
    MODEL_FILE,
)
from semikd.artifact.schema import expected_arrays
from semikd.artifact.trees import TreeArrays

if TYPE_CHECKING:
    from semikd.encoding import Encoder

__all__ = ["load_model"]

Builder = Callable[[Mapping[str, NDArray[Any]], int], StudentArrays]

_BUILDERS: dict[str, Builder] = {
    "forest": ForestArrays.from_arrays,
    "linear": LinearArrays.from_arrays,
    "network": NetworkArrays.from_arrays,
    "tree": TreeArrays.from_arrays,
}
# Entries of model.json besides format, version and hash -> the kinds they may be.
_ENTRIES: dict[str, tuple[type, ...]] = {
    "about": (dict,),
    "class_format": (str, type(None)),
    "classes": (list, type(None)),
    "encoder": (dict,),
    "files": (dict,),
    "link": (str,),
    "student": (dict,),
    "target": (str,),
    "threshold": (float,),
}


def load_model(
    directory: str | os.PathLike[str], *, foreign: bool = True
) -> ShippedModel:
    """Read a model that ``save_model`` wrote, or say in one line what is wrong with it.

    Parameters
    ----------
    directory : path
        The folder.
    foreign : bool, default=True
        Whether a student of another library may be read, by skops and from known types
        only. That library then reads its own numbers, which nothing here can check:
        use False for folders of unknown origin.

    Returns
    -------
    ShippedModel

    Raises
    ------
    ArtifactError
        If the folder holds no model, a newer one, or a damaged one.
    ImportError
        If the student is of another library and skops is not installed.

    Notes
    -----
    Nothing of the file is run. Sizes, hashes, the formats and lengths of arrays, the
    children of trees and the range of every number are checked before anything is
    built, so that a damaged or hostile folder is refused without using much memory. A
    hash tells damage, not who wrote the file.

    Examples
    --------
    >>> from semikd.artifact import load_model
    >>> load_model("no-such-folder")
    Traceback (most recent call last):
    semikd.exceptions.ArtifactError: no-such-folder must be a folder with a saved \
model; got nothing of that name.
    """
    folder = Path(directory)
    # Unlike the method of a path, this raises nothing for names too long to exist.
    if not os.path.isdir(folder):
        found = "a file" if os.path.lexists(folder) else "nothing of that name"
        raise refusal(folder, "be a folder with a saved model", Shown(found))
    path = folder / MODEL_FILE
    if not os.path.lexists(path):
        constraint = "be a folder with a saved model"
        raise refusal(folder, constraint, Shown(f"none: {MODEL_FILE} is missing"))
    content = _content(path)
    encoder = built(path, lambda: _encoder(content["encoder"]))
    student = _student(folder, content, foreign)
    classes = content["classes"]
    return built(
        path,
        lambda: ShippedModel(
            encoder=encoder,
            student=student,
            link=content["link"],
            classes=None if classes is None else tuple(classes),
            class_format=content["class_format"],
            threshold=content["threshold"],
            target=content["target"],
            about=content["about"],
        ),
    )


def _content(path: Path) -> dict[str, Any]:
    """Return the entries of model.json, whose format, version and hash are right."""
    content = read_signed(path, FORMAT, FORMAT_VERSION, MAX_BYTES[MODEL_FILE])
    _check_entries(path, content)
    return content


def _check_entries(path: Path, content: dict[str, Any]) -> None:
    """Refuse entries that are missing, too many, or of another kind."""
    if set(content) != set(_ENTRIES):
        shown = Shown(f"{min(set(content) ^ set(_ENTRIES))!r} missing or too many")
        raise refusal(path, "have the entries of a model", shown)
    for name, kinds in _ENTRIES.items():
        if type(content[name]) not in kinds:
            constraint = f"have another kind of {name!r}"
            raise refusal(path, constraint, Shown(type(content[name]).__name__))


def _encoder(entry: dict[str, Any]) -> "Encoder":
    """Return the encoder of its entry."""
    from semikd.encoding import Encoder

    return Encoder.from_dict(entry)


def _student(folder: Path, content: dict[str, Any], foreign: bool) -> StudentArrays:
    """Return the student that the entry names, from its one file."""
    path, entry = folder / MODEL_FILE, content["student"]
    kind, n_features = entry.get("kind"), entry.get("n_features")
    if type(n_features) is not int or not 1 <= n_features <= 1_000_000:
        raise refusal(path, "have between 1 and 1,000,000 columns", n_features)
    if kind == ForeignStudent.kind:
        if not foreign:
            constraint = "have a student made of plain arrays"
            remedy = "Pass foreign=True if you trust its origin"
            raise refusal(path, constraint, Shown("one of another library"), remedy)
        data = _one_file(folder, FOREIGN_FILE, content["files"])
        return ForeignStudent.from_bytes(folder / FOREIGN_FILE, data, entry)
    axes = built(path, lambda: expected_arrays(kind, entry.get("arrays")))
    data = _one_file(folder, ARRAYS_FILE, content["files"])
    arrays_path = folder / ARRAYS_FILE
    arrays = read_arrays(arrays_path, data, axes)
    build = _BUILDERS[str(kind)]
    return built(arrays_path, lambda: build(arrays, n_features))


def _one_file(folder: Path, name: str, files: dict[str, Any]) -> bytes:
    """Return the content of the one other file, of the size and hash stated for it."""
    return read_named(folder / MODEL_FILE, name, files, MAX_BYTES[name])
