"""The command ``semikd``: a thin door to what the package does.

Nothing heavier than numpy is imported before a command is known, and Ctrl-C is answered
in one line even while the rest is being imported.
"""

import os
import signal
import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments after the name of the program; those of the process by default.

    Returns
    -------
    int
        0: done; 2: refused, in one line that says why; 130: interrupted; 141: nobody
        reads the output any more; 1: a mistake in the program.

    Examples
    --------
    >>> from semikd.cli import main
    >>> main(["distill", "--no-such-option"])
    2
    """
    if argv is None:
        # Threads that wait for a busy core sleep instead of spinning, which would keep
        # the core from whoever else uses the machine.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        _replace_closed_streams()
    try:
        from semikd.cli.errors import run
    except KeyboardInterrupt:
        sys.stderr.write("semikd: interrupted; nothing was written\n")
        return 130
    code = run(argv)
    if argv is None:
        # All is done or given up, and workers are about to leave: a Ctrl-C that comes
        # now would only be answered with a traceback.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    return code


def _replace_closed_streams() -> None:
    """Give what is written somewhere to go where the caller closed the output."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
