"""Fixtures for all tests, and a guard: no test may move global random state."""

import os
import random
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

# Small fits are slower on several threads than on one; a user's own setting stays. This
# comes before the libraries that read it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.tree import DecisionTreeRegressor

# Imported once here, so that no test module pickles a second copy of a class.
import semikd.students  # noqa: F401
from semikd import DistilledClassifier
from semikd.datasets import Dataset, make_gaussian_mixture


@pytest.fixture(autouse=True, scope="session")
def _interrupts_arrive() -> Iterator[None]:
    """Let Ctrl-C through: a shell's background job, and its children, ignore it."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(autouse=True)
def _global_state_stays() -> Iterator[None]:
    """Fail any test in which a global generator or numpy's error state moved."""
    before = _global_state()
    yield
    after = _global_state()
    moved = [name for name in before if not _same(before[name], after[name])]
    assert not moved, f"a test moved global state: {', '.join(moved)}"


@pytest.fixture
def generator_of_the_checks() -> Iterator[None]:
    """Put numpy's global generator back: one of scikit-learn's checks draws from it."""
    state = np.random.get_state()  # noqa: NPY002
    yield
    np.random.set_state(state)  # noqa: NPY002


@pytest.fixture
def one_torch_thread() -> Iterator[None]:
    """Let torch use one thread: sums are then the same to the last bit each time."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def mixture() -> Dataset:
    """Return rows of two classes that overlap, for comparisons."""
    return make_gaussian_mixture(600, 4, 0.4, random_state=0)


@pytest.fixture(scope="session")
def recipe() -> Callable[..., DistilledClassifier]:
    """Return a function that makes what is compared: a quick teacher, a small tree."""

    def make(**settings: object) -> DistilledClassifier:
        tree = DecisionTreeRegressor(max_leaf_nodes=32)
        return DistilledClassifier(
            **{"teacher": LogisticRegression(), "student": tree, **settings}
        )

    return make


# Names that break what forgets to escape, to isolate, or to bound them.
NASTY_NAMES = {
    "markup": "</script><img src=x onerror=alert(1)>",
    "console markup": "[/b]",
    "mathematics": "$_^",
    "line end": "a\nb",
    "override": "safe\u202egpj.exe",
    "right to left": "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627 (1)",
    "long": "wide " + "x" * 290 + " tail",
    "quotes": "\"'&<>`",
    "template": "{{ 7*7 }}{% raw %}",
    "emoji": "\N{WHITE SMILING FACE}\N{PILE OF POO}",
    "formula": "=1+1",
    "option": "--help",
    "control": "bell\x07\x1b[31mred\x00",
}


@pytest.fixture(scope="session")
def nasty_names() -> dict[str, str]:
    """Return names for columns, classes, arms and files, by what is nasty in them."""
    return dict(NASTY_NAMES)


@pytest.fixture(scope="session")
def data_home() -> Path:
    """The folder of real data files; tests that need it skip where it is absent."""
    folder = os.environ.get("SEMIKD_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("SEMIKD_DATA does not name a folder with the data files")
    return Path(folder)


def _global_state() -> dict[str, object]:
    """Return what no part of the library may touch."""
    return {
        "numpy generator": np.random.get_state(legacy=False)["state"],  # noqa: NPY002
        "python generator": random.getstate(),
        "numpy errors": np.geterr(),
    }


def _same(before: object, after: object) -> bool:
    """Compare two states that may hold arrays."""
    if isinstance(before, dict) and isinstance(after, dict):
        return all(np.array_equal(before[key], after[key]) for key in before)
    return before == after
