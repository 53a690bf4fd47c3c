"""An experiment on photographs: cells, scores, pages."""

from dataclasses import asdict
from pathlib import Path

from semikd._progress import Reporter
from semikd._validation import invalid
from semikd.reproduction.asked import HONEST, PUBLISHED, Asked, Outcome
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
from semikd.reproduction.runs import Finished, finish_run
from semikd.reproduction.writing import (
    Results,
    origin_of,
    times_of,
    write_results,
)

__all__ = ["reproduce_images"]

_REMARK = (
    "Mean ± standard error over fits; published: mean ± standard deviation over five "
    "fits (three for strengths). Published numbers are most likely those of the "
    "validation images, by which the strength was chosen, too."
)


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
    if asked.protocol == HONEST and not study.has_honest:
        constraint = f"be published for {experiment}: honestly, a strength is chosen"
        raise invalid("--protocol", constraint, asked.protocol)
    photographs = read_photographs(study, asked.data)
    device, named = _device()
    folder = out / f"{experiment}{'-small' if asked.small else ''}"
    shared = {
        "experiment": experiment,
        "images": photographs.name,
        "content": photographs.content(),
        "device": named,
        "study": asdict(study),
    }
    make = {PUBLISHED: published_cells}
    if study.has_honest:
        make[HONEST] = honest_cells
    if asked.protocol in make:
        make = {asked.protocol: make[asked.protocol]}
    runs = {
        name: finish_run(
            folder / name,
            {**shared, "protocol": name},
            cells(study, photographs, device),
            progress,
        )
        for name, cells in make.items()
    }
    results = _results(study, runs, f"Images: {photographs.name}. Device: {named}.")
    said = (f"{photographs.name}, on {named}",)
    return Outcome(study.title, said, tuple(write_results(results, folder)))


def _results(study: ImageStudy, runs: dict[str, Finished], where: str) -> Results:
    """Return what is written of the finished cells."""
    reproduced: ImageScores = {}
    honest: ImageScores = {}
    if PUBLISHED in runs:
        reproduced = published_scores(study, runs[PUBLISHED].run)
    if HONEST in runs:
        honest = honest_scores(study, runs[HONEST].run)
    return Results(
        title=study.title,
        tidy=image_tidy(study, reproduced, honest),
        tables=image_tables(study, reproduced, honest),
        figure=lambda: image_figure(study, reproduced),
        remarks=(where, _REMARK, *times_of(runs)),
        origin=origin_of(runs),
    )


def _device() -> tuple[str, str]:
    """Return where networks are trained, and what it is called."""
    import torch

    if torch.cuda.is_available():
        return "cuda", torch.cuda.get_device_name()
    return "cpu", "cpu"
