"""An experiment on photographs: cells, scores, pages."""

from dataclasses import asdict
from pathlib import Path

from semikd._progress import Reporter
from semikd.reproduction.asked import Asked, Outcome
from semikd.reproduction.cells import Cell, Run, open_run, versions
from semikd.reproduction.images.results import (
    ImageScores,
    honest_scores,
    image_figure,
    image_tables,
    image_tidy,
    published_scores,
)
from semikd.reproduction.images.study import (
    IMAGE_STUDIES,
    ImageStudy,
    read_photographs,
)
from semikd.reproduction.images.training import honest_cells, published_cells
from semikd.reproduction.writing import Results, duration, machine, write_results

__all__ = ["reproduce_images"]


def reproduce_images(
    experiment: str, asked: Asked, out: Path, progress: Reporter
) -> Outcome:
    """Do an experiment on photographs, or go on with it, and write what was found.

    Parameters
    ----------
    experiment : {'cifar', 'strength'}
        The experiment.
    asked : Asked
        Protocols, and whether a trial is enough.
    out : Path
        Folder of all results; this one's is in it.
    progress : callable
        Called with a ``Step`` as each cell starts.

    Returns
    -------
    Outcome
    """
    study = IMAGE_STUDIES[experiment]
    study = study.shortened() if asked.small else study
    photographs = read_photographs(study, asked.data)
    device, named = _device()
    folder = out / f"{experiment}{'-small' if asked.small else ''}"
    cells: dict[str, list[Cell]] = {}
    if asked.protocol != "honest" or not study.has_honest:
        cells["published"] = published_cells(study, photographs, device)
    if asked.protocol != "published" and study.has_honest:
        cells["honest"] = honest_cells(study, photographs, device)
    runs = {}
    for protocol, own in cells.items():
        configuration = {
            "experiment": experiment,
            "images": photographs.name,
            "protocol": protocol,
            "device": named,
            "study": asdict(study),
        }
        runs[protocol] = open_run(folder / protocol, configuration)
        runs[protocol].finish(own, progress)
    results = _results(study, runs, cells, photographs.name, named, small=asked.small)
    said = (f"{photographs.name}, on {named}",)
    return Outcome(study.title, said, tuple(write_results(results, folder)))


def _results(
    study: ImageStudy,
    runs: dict[str, Run],
    cells: dict[str, list[Cell]],
    images: str,
    device: str,
    *,
    small: bool,
) -> Results:
    """Return what is written of the finished cells."""
    reproduced: ImageScores = {}
    honest: ImageScores = {}
    if "published" in runs:
        reproduced = published_scores(study, runs["published"])
    if "honest" in runs:
        honest = honest_scores(study, runs["honest"])
    seconds = {
        name: run.seconds([cell.name for cell in cells[name]])
        for name, run in runs.items()
    }
    took = [f"The {name} protocol took {duration(t)}." for name, t in seconds.items()]
    return Results(
        title=study.title,
        tidy=image_tidy(study, reproduced, honest),
        tables=image_tables(study, reproduced, honest, small=small),
        figure=lambda: image_figure(study, reproduced, small=small),
        remarks=(
            f"Images: {images}. Device: {device}.",
            "Mean ± standard error over fits. Published accuracies are most likely "
            "those of the validation images, by which the strength was chosen, too.",
            *took,
        ),
        origin={
            "versions": versions(),
            "machine": machine(),
            "device": device,
            "images": images,
            "configuration": asdict(study),
            "seconds": seconds,
        },
    )


def _device() -> tuple[str, str]:
    """Return where networks are trained, and what it is called."""
    import torch

    if torch.cuda.is_available():
        return "cuda", torch.cuda.get_device_name()
    return "cpu", "cpu"
