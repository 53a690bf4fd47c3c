"""What a reader must know of the numbers on photographs."""

from semikd.reproduction.images.honest import ARMS
from semikd.reproduction.images.photographs import Photographs
from semikd.reproduction.images.study import PRIMARY, ImageStudy

__all__ = ["remarks"]

_PUBLISHED = (
    "Published: mean ± standard deviation over fits; most likely of the validation "
    "images, by which the strength was chosen, too. Reproduced: the same protocol on "
    "validation images here, mean ± standard error over fits and over images. The "
    "difference is in combined errors: of fits on both sides, and of validation images "
    "on both sides, which are as many but not the same."
)
_LIKE_THE_PAPER = (
    "One teacher and one draw of folds teach all fits of a student, as released: the "
    "spread over fits lacks theirs. Folds and division are drawn as released. "
    "Named departures: batches of nearly equal size drop no row; Nesterov's momentum; "
    "biases are not shrunk. Assumed, since it is stated nowhere: the student is a "
    "ResNet-8, half of the loss is the labels' own, images are not augmented."
)
_HONEST = (
    "Honest: mean on test images ± half of a 95 % interval by Student's law over "
    "repetitions, each with its own images to learn from and to choose by, folds, "
    "teachers and students. Settings are chosen by the loss on validation images. "
    "Teachers label what students are shown"
)
_SHARED = (
    "The official test images judge all repetitions, whose training images overlap: "
    "the interval is over divisions, folds and seeds, not over other photographs. What "
    "another draw of as many test images would change is the error over test images, "
    "given beside it."
)
_OWN = (
    "Each repetition draws its own test images; the variance is raised for training "
    "images that repetitions share."
)
_ON_TEST = (
    "Honest: the same networks on test images, which chose nothing, mean ± standard "
    "error over fits and over images. The correction depends on the row's own label, "
    "as released."
)
_DIVERGED = (
    "A student whose loss does not stay finite is not left out: it answers with equal "
    "probabilities, and is called diverged."
)


def remarks(
    study: ImageStudy, photographs: Photographs, device: str, *, honest: bool
) -> list[str]:
    """Return the remarks above the tables.

    Parameters
    ----------
    study : ImageStudy
        The experiment.
    photographs : Photographs
        The images.
    device : str
        What networks were trained on.
    honest : bool
        Whether there are numbers of the honest protocol.

    Returns
    -------
    list of str
    """
    said = [f"Images: {photographs.name}. Device: {device}. {photographs.about}"]
    primary = [str(depth) for depth in PRIMARY if depth in study.depths]
    if primary:
        layers = " and ".join(primary)
        said.append(f"Primary cells: teachers of {layers} layers.")
    if study.rows is not None:
        said.append(
            f"A trial: {study.rows[0]} images and {study.epochs} passes with a teacher "
            "of 8 layers stand in for the primary cells, teachers of 20 and 56 layers. "
            "No published number is comparable, so none stands beside these."
        )
    said += [_PUBLISHED, _LIKE_THE_PAPER, _DIVERGED]
    if study.varies_strength:
        return [*said, _ON_TEST]
    if honest:
        shown = ": shifted and mirrored images." if study.augmented else "."
        said += [_HONEST + shown, _SHARED if photographs.shares_test else _OWN]
        said.append("\n".join(f"- **{arm}**: {text}." for arm, text in ARMS.items()))
    return said
