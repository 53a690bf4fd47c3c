"""Tasks that worker processes share out, on scikit-learn's own parallelism.

A terminal sends Ctrl-C to every process of a command. Workers leave it to the process
that deals the work, which ends them: else each would show a traceback of its own.
"""

import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from joblib import effective_n_jobs
from sklearn.utils.parallel import Parallel

__all__ = ["in_workers"]


def in_workers(
    tasks: Iterable[Any], n_jobs: int | None, **options: Any
) -> Iterator[Any]:
    """Return the results of delayed tasks one by one, in their order.

    Parameters
    ----------
    tasks : iterable
        Calls, each wrapped in ``sklearn.utils.parallel.delayed``.
    n_jobs : int or None
        Number of workers, as everywhere in scikit-learn.
    **options : object
        Further options of ``joblib.Parallel``, such as ``pre_dispatch``.

    Returns
    -------
    iterator
        The results.

    Examples
    --------
    >>> from sklearn.utils.parallel import delayed
    >>> from semikd._workers import in_workers
    >>> list(in_workers((delayed(abs)(i) for i in (-1, 2)), n_jobs=1))
    [1, 2]
    """
    workers = Parallel(
        n_jobs=n_jobs, return_as="generator", initializer=_ignore_ctrl_c, **options
    )
    if effective_n_jobs(n_jobs) == 1:
        return iter(workers(tasks))
    # The first tasks are dealt here, and with them the workers start.
    with _ctrl_c_held_back():
        return iter(workers(tasks))


@contextmanager
def _ctrl_c_held_back() -> Iterator[None]:
    """Have Ctrl-C wait; processes that start meanwhile never hear of it.

    A worker is deaf only once it has loaded its libraries, unless it begins so.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    # The one helper that every process pool starts first lets Ctrl-C through again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _ignore_ctrl_c() -> None:
    """Ignore Ctrl-C in this process, where a system knows no signals held back."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
