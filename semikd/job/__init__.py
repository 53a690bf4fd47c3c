"""From a table to a folder with a small model and a page: files in, files out.

The one room that knows paths. Names resolve when they are first used, because the
command line imports this room and must answer at once.
"""

import importlib
from typing import Any

# Public name -> the module that has it.
_HOMES = {
    "BroughtLabels": "semikd.job.labels",
    "Outcome": "semikd.job.distilling",
    "Settings": "semikd.job.settings",
    "Target": "semikd.job.target",
    "distil": "semikd.job.distilling",
    "read_groups": "semikd.job.roles",
    "read_labels": "semikd.job.labels",
    "read_table": "semikd.job.reading",
    "read_target": "semikd.job.target",
    "read_weights": "semikd.job.roles",
    "result_folder": "semikd.job.folder",
    "write_labels": "semikd.job.labels",
    "write_result": "semikd.job.results",
    "write_table": "semikd.job.writing",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    """Resolve a public name on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Return the public names, resolved or not."""
    return sorted([*globals(), *_HOMES])
