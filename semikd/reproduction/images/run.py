"""An experiment on photographs: cells, findings, pages."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from semikd._progress import Reporter
from semikd._validation import invalid
from semikd.reproduction.asked import HONEST, PUBLISHED, Asked, Outcome
from semikd.reproduction.cells import Cell
from semikd.reproduction.images.figures import image_figure
from semikd.reproduction.images.honest import honest_cells, honest_scores
from semikd.reproduction.images.photographs import Photographs, read_photographs
from semikd.reproduction.images.published import published_scores
from semikd.reproduction.images.reference import reference_cells, reference_scores
from semikd.reproduction.images.results import Findings
from semikd.reproduction.images.study import IMAGE_STUDIES, ImageStudy
from semikd.reproduction.images.tables import (
    image_tables,
    image_tidy,
    sentences,
)
from semikd.reproduction.images.training import Networks
from semikd.reproduction.images.words import remarks
from semikd.reproduction.runs import Finished, Protocol, finish_protocols
from semikd.reproduction.writing import Results, origin_of, times_of, write_results

__all__ = ["reproduce_images"]


def reproduce_images(
    experiment: str, asked: Asked, out: Path, progress: Reporter
) -> Outcome:
    """Do an experiment on photographs, or go on with it, and write what was found.

    The page holds all that is finished in its folder, whatever is asked this time.

    Parameters
    ----------
    experiment : {'cifar', 'strength'}
        The experiment.
    asked : Asked
        Protocols, repetitions of the honest one, and whether a trial is enough.
    out : Path
        Folder of all results; this one's is in it.
    progress : callable
        Called with a ``Step`` as each cell starts.

    Returns
    -------
    Outcome

    Raises
    ------
    ValueError
        If files are missing, or a strength is asked for honestly.
    """
    study = IMAGE_STUDIES[experiment]
    study = study.shortened() if asked.small else study
    if asked.protocol == HONEST and not study.has_honest:
        constraint = f"be published for {experiment}: honestly, a strength is chosen"
        raise invalid("--protocol", constraint, asked.protocol)
    device, named = _device()
    folder = out / f"{experiment}{'-small' if asked.small else ''}"
    photographs = read_photographs(study, asked.data)
    job = _Job(study, photographs, asked, device, named)
    runs = finish_protocols(folder, asked.protocol, job.protocols(), progress)
    found = job.findings(runs)
    about = remarks(study, photographs, named, honest=bool(found.honest))
    results = Results(
        title=study.title,
        tidy=image_tidy(found),
        tables=image_tables(found),
        figure=lambda: image_figure(found),
        remarks=(*about, *times_of(runs)),
        origin=origin_of(runs, asked=asdict(asked)),
    )
    said = (f"{photographs.name}, on {named}", *sentences(found))
    return Outcome(study.title, said, tuple(write_results(results, folder)))


@dataclass(frozen=True, eq=False)
class _Job:
    """One experiment on the images at hand."""

    study: ImageStudy
    photographs: Photographs
    asked: Asked
    device: str
    named: str

    def protocols(self) -> dict[str, Protocol]:
        """Return what each protocol would do."""
        common = self.study, self.photographs, self.device
        make: dict[str, Callable[[], list[Cell]]] = {
            PUBLISHED: partial(reference_cells, *common)
        }
        if self.study.has_honest:
            make[HONEST] = partial(honest_cells, *common, self.asked.repeat_seeds())
        return {
            name: Protocol(self._configuration(name), cells)
            for name, cells in make.items()
        }

    def findings(self, runs: dict[str, Finished]) -> Findings:
        """Return what all of it found."""
        study, reproduced, honest = self.study, {}, {}
        if PUBLISHED in runs:
            reproduced = reference_scores(study, runs[PUBLISHED].run)
        if HONEST in runs:
            honest = honest_scores(study, runs[HONEST].run)
        ratio = self.photographs.ratio
        return Findings(study, published_scores(study), reproduced, honest, ratio)

    def _configuration(self, protocol: str) -> dict[str, Any]:
        """Return what all cells of a protocol depend on, whatever is asked."""
        images = self.photographs
        return {
            "experiment": self.study.name,
            "protocol": protocol,
            "images": images.name,
            "content": images.content(),
            "classes": images.n_classes,
            "sizes": list(images.sizes),
            "device": self.named,
            "precision": Networks(self.study, images, self.device).precision(),
            "study": self.study.configuration(protocol),
        }


def _device() -> tuple[str, str]:
    """Return where networks are trained, and what it is called."""
    import torch

    if torch.cuda.is_available():
        return "cuda", torch.cuda.get_device_name()
    return "cpu", "cpu"
