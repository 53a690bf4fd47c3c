"""The order of the gallery: the tutorial first, then one question after another."""

_ORDER = (
    "plot_tutorial.py",
    "plot_when_cross_fitting_matters.py",
    "plot_correction_and_student_size.py",
    "plot_scales.py",
    "plot_coefficients.py",
    "plot_how_many_labels.py",
    "plot_subgroups.py",
)


class ReadingOrder:
    """A sort key over file names; a file that is not listed is an error."""

    def __init__(self, src_dir: str) -> None:
        self.src_dir = src_dir

    def __call__(self, filename: str) -> int:
        """Return the place of this example."""
        return _ORDER.index(filename)
