"""Sets of images as arrays: decoded once, then read back in a fraction of a second."""

import gzip
import os
import re
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semikd._validation import Shown, invalid
from semikd.datasets._files import SOURCES, DataFolder, digest
from semikd.datasets.record import Dataset

_MEMBER = re.compile(r"(train|test)/(\w+)/(\d+)\.jpg")

CIFAR10_CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)


def mnist(folder: DataFolder) -> Dataset:
    """Return the handwritten digits, the 60,000 training images first."""
    parts = ("train", "t10k")
    images = [_read_idx(folder.file(f"mnist/{p}-images-idx3-ubyte.gz")) for p in parts]
    labels = [_read_idx(folder.file(f"mnist/{p}-labels-idx1-ubyte.gz")) for p in parts]
    return Dataset(
        name="mnist",
        X=np.concatenate(images),
        y=np.concatenate(labels).astype(np.int64),
        task="classification",
        description=(
            "Handwritten digits of 28 x 28 pixels from 0 to 255, ten classes. Writers "
            "of the official test images are not among those of the training images, "
            "so a random split over both is optimistic."
        ),
        source=SOURCES["mnist"],
        licence="CC BY-SA 3.0",
        extra=_official_split(len(labels[0]), len(labels[1])),
    )


def cifar10(folder: DataFolder) -> Dataset:
    """Return the small colour photographs, the 50,000 training images first."""
    archive = folder.file("cifar10/cifar10_jpg.tar.gz")
    X, y, n_train = _cached(archive, folder.cache_folder())
    return Dataset(
        name="cifar10",
        X=X,
        y=y,
        task="classification",
        description=(
            "Colour photographs of 32 x 32 pixels, ten classes; rows of the training "
            "and of the test part are each sorted by class. The images were "
            "compressed again as JPEG (about 30 dB against the originals), so "
            "accuracies lie a few points below published ones; teacher and student see "
            "the same pixels."
        ),
        source=f"{SOURCES['cifar10']}; Krizhevsky (2009)",
        licence="none stated",
        extra={
            **_official_split(n_train, len(y) - n_train),
            "class_names": list(CIFAR10_CLASSES),
        },
    )


def _official_split(n_train: int, n_test: int) -> dict[str, Any]:
    """Return the rows of the official parts, training rows standing first."""
    return {
        "train_index": np.arange(n_train),
        "test_index": np.arange(n_train, n_train + n_test),
    }


def _read_idx(path: Path) -> NDArray[np.uint8]:
    """Return a gzipped idx file of bytes as an array of the shape in its header."""
    with gzip.open(path, "rb") as stream:
        content = stream.read()
    # Two zero bytes, the type (8 is unsigned byte), the number of axes, the lengths.
    if content[:3] != b"\x00\x00\x08":
        shown = Shown(f"the bytes {content[:3].hex(' ')}")
        raise invalid(str(path), "begin as an idx file of unsigned bytes", shown)
    n_axes = content[3]
    shape = np.frombuffer(content, ">u4", count=n_axes, offset=4)
    values = np.frombuffer(content, np.uint8, offset=4 + 4 * n_axes)
    if values.size != shape.prod(dtype=np.int64):
        shown = Shown(f"{values.size} bytes for shape {tuple(shape.tolist())}")
        raise invalid(str(path), "hold one byte per entry", shown)
    return values.reshape(shape)


def _cached(
    archive: Path, cache: Path
) -> tuple[NDArray[np.uint8], NDArray[np.int64], int]:
    """Return images, labels and the number of training rows, decoding them once."""
    # The name carries the checksum: another archive is never answered from this cache.
    stem = f"cifar10-{digest(archive)[:16]}"
    images, labels = cache / f"{stem}-images.npy", cache / f"{stem}-labels.npy"
    if not (images.is_file() and labels.is_file()):
        X, coded = _decode(archive)
        _save(images, X)
        _save(labels, coded)
    X = np.load(images, allow_pickle=False)
    # Labels are kept as class + 10 for test rows, so one file says both.
    part, y = np.divmod(np.load(labels, allow_pickle=False), len(CIFAR10_CLASSES))
    return X, y, int((part == 0).sum())


def _decode(archive: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return all images of the archive, sorted by part, class and number."""
    from PIL import Image

    found = []
    with tarfile.open(archive) as members:
        for member in members:
            match = _MEMBER.search(member.name)
            content = members.extractfile(member) if match else None
            if match is None or content is None:
                continue
            part, name, number = match.groups()
            code = CIFAR10_CLASSES.index(name) + 10 * (part == "test")
            with Image.open(BytesIO(content.read())) as image:
                found.append((code, int(number), np.asarray(image.convert("RGB"))))
    if not found:
        raise invalid(str(archive), "hold train|test/CLASS/NNNN.jpg", Shown("none"))
    found.sort(key=lambda item: item[:2])
    X = np.stack([pixels for _, _, pixels in found])
    return X, np.array([code for code, _, _ in found], dtype=np.int64)


def _save(path: Path, array: NDArray[Any]) -> None:
    """Write an array whole or not at all, so that an interrupted run leaves no half."""
    handle, partial = tempfile.mkstemp(suffix=".npy", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            np.save(stream, array, allow_pickle=False)
        Path(partial).replace(path)
    finally:
        Path(partial).unlink(missing_ok=True)
