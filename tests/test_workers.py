"""Workers leave Ctrl-C to who deals them the work, from their first moment on."""

import os
import signal

import pytest
from sklearn.utils.parallel import delayed

from semikd._workers import in_workers

needs_masks = pytest.mark.skipif(
    not hasattr(signal, "pthread_sigmask"), reason="this system holds no signals back"
)


def held_back() -> tuple[int, bool, bool]:
    """Return a process, whether it was born deaf to Ctrl-C, and is deaf to it."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    return os.getpid(), signal.SIGINT in mask, ignored


@needs_masks
def test_workers_begin_deaf_to_ctrl_c_and_the_dealer_does_not() -> None:
    found = list(in_workers((delayed(held_back)() for _ in range(4)), n_jobs=2))
    assert os.getpid() not in {process for process, _, _ in found}
    assert all(born and deaf for _, born, deaf in found)
    assert held_back() == (os.getpid(), False, False)


@needs_masks
def test_without_workers_nothing_is_held_back() -> None:
    found = list(in_workers((delayed(held_back)() for _ in range(2)), n_jobs=1))
    assert found == [(os.getpid(), False, False)] * 2


def test_results_keep_the_order_of_their_tasks() -> None:
    tasks = (delayed(pow)(i, 2) for i in range(7))
    assert list(in_workers(tasks, n_jobs=2, pre_dispatch="n_jobs")) == [
        i**2 for i in range(7)
    ]
