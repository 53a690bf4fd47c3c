"""The experiments by name."""

from dataclasses import fields
from pathlib import Path

from semikd._progress import Reporter, silent
from semikd._validation import unknown, wrong_type
from semikd.reproduction import EXPERIMENTS
from semikd.reproduction.asked import Asked, Outcome
from semikd.reproduction.forests.readings import PaperTable
from semikd.reproduction.forests.study import FOREST_STUDIES
from semikd.reproduction.images.study import IMAGE_STUDIES

__all__ = ["reads_tables", "reproduce"]

# What experiments with forests listen to, and what the others do.
_BY_ALL = tuple(each.name for each in fields(Asked))
_HEARD = {
    "cifar": ("protocol", "small", "data", "repeats"),
    "strength": ("protocol", "small", "data"),
    "synthetic": ("small",),
}


def reads_tables(experiment: str) -> bool:
    """Return whether an experiment is done on tables, one after the other.

    Parameters
    ----------
    experiment : str
        Its name.

    Returns
    -------
    bool

    Raises
    ------
    ValueError
        If there is none of that name.

    Examples
    --------
    >>> from semikd.reproduction.experiments import reads_tables
    >>> reads_tables("trees")
    True
    """
    if experiment not in EXPERIMENTS:
        raise unknown("EXPERIMENT", experiment, EXPERIMENTS)
    return experiment in FOREST_STUDIES


def reproduce(
    experiment: str,
    asked: Asked,
    out: Path,
    table: PaperTable | None = None,
    progress: Reporter = silent,
) -> Outcome:
    """Do an experiment of the paper, or go on with it, and write what was found.

    Parameters
    ----------
    experiment : str
        Its name.
    asked : Asked
        Protocols and repeats.
    out : Path
        Folder of all results; this one's is in it.
    table : PaperTable, optional
        The data set, for experiments on tables.
    progress : callable, optional
        Called with a ``Step`` as each cell starts.

    Returns
    -------
    Outcome

    Raises
    ------
    ValueError
        If the name is unknown, or the folder holds cells of another configuration.
    """
    asked.refuse_idle(experiment, _HEARD.get(experiment, _BY_ALL))
    if reads_tables(experiment):
        from semikd.reproduction.forests.run import reproduce_forests

        if table is None:
            raise wrong_type("table", f"be a PaperTable for {experiment}", table)
        return reproduce_forests(experiment, table, asked, out, progress)
    if experiment in IMAGE_STUDIES:
        from semikd.reproduction.images.run import reproduce_images

        return reproduce_images(experiment, asked, out, progress)
    from semikd.reproduction.simulations.run import reproduce_simulations

    return reproduce_simulations(asked, out, progress)
