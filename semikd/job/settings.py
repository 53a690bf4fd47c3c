"""What the main job is asked to do, as the command line and a script say it alike."""

import shlex
from dataclasses import MISSING, dataclass, fields

from semikd._validation import number, unknown
from semikd.job._checks import check_settings
from semikd.job._refusals import refusal
from semikd.job.names import CORRECTIONS, OF_CLASSES, TEACHERS_OF_CLASSES

__all__ = ["Settings"]


@dataclass(frozen=True)
class Settings:
    """Everything that decides the result of a job, apart from the table itself.

    Parameters
    ----------
    target : str, default=''
        The column to predict.
    teacher : str, default='boosting'
        'boosting', 'forest', 'extra-trees' or 'linear', which read the encoded table,
        as do, for classes, 'network', 'ensemble' (five networks), 'meta' (a network
        tuned by what is learned from it) and 'self-distilled' (one born again); or
        ``package.module:object``, an estimator of your own (or a function that returns
        one), which reads the table as it is.
    labels : str or None
        File of out-of-fold predictions that take the teacher's place.
    key : str or None
        Column by which rows of that file and of the table belong together; by default
        its column ``row`` counts the rows of the table from 0.
    student : {'tree', 'forest', 'linear', 'network'}, default='tree'
        The small model.
    layers : str, default=''
        What of its teacher's hidden layers a network student learns from too, by names
        of ``semikd.features`` between commas; the teacher is then 'network'.
    protected : str or None
        Column of which the answers of a network student are to say nothing: it is
        trained against an opponent (``AdversarialStudent``), and the held-out rows are
        parted by it.
    leaves : int, default=128
        Most leaves of a tree (and of each of a forest's ten).
    correction : str, default='none'
        A share in [0, 1], or a name as in ``DistilledClassifier``: 'none',
        'orthogonal', 'reliability' or one of `semikd.label_aware`. Any but 'none'
        declares what ships: nothing is then searched.
    preset : {'none', 'fast', 'balanced', 'thorough'} or None
        How much is tried before the best recipe is chosen, on the training rows alone;
        by default 'fast', and 'none' where labels are brought or a correction is asked
        for. 'none' ships the cross-fitted student without a search.
    time_budget : float or None
        Seconds that the search may take; rounds that would not end in time are left
        out. The comparison that follows comes on top.
    within : float or None
        Ship the smallest student that is shown, on the held-out rows, to be worse than
        the teacher by less than this, in log-loss or squared error.
    cv : int, default=5
        Number of folds.
    groups, weight : str or None
        Columns of groups that no split may divide, and of weights. Neither is learned
        from.
    by : str or None
        Column whose values (or quarters, of numbers) part the held-out rows, the target
        as well, or several between commas, which are crossed: what ships is compared
        with the teacher on each part.
    test : str, default='0.3'
        Share of rows to hold out, or a file of held-out rows.
    task : {'auto', 'classification', 'regression'}, default='auto'
        What the target is.
    refits : int or None
        Times that all arms are fitted; by default 5, which lets the result speak of
        the procedure, 3 from 20,000 training rows on, and 1 from 100,000 on, so that
        large tables end in minutes.
    seed : int, default=0
        Seed of split, folds, teachers and students.
    jobs : int or None
        Workers over folds; the result does not depend on it.

    Raises
    ------
    ValueError
        On values that no job could use; the message names the option.

    Examples
    --------
    >>> from semikd.job import Settings
    >>> Settings(target="income", leaves=16).command("adult.csv")
    'semikd distill adult.csv --target income --leaves 16 --seed 0'
    """

    target: str = ""
    teacher: str = "boosting"
    labels: str | None = None
    key: str | None = None
    student: str = "tree"
    layers: str = ""
    protected: str | None = None
    leaves: int = 128
    correction: str = "none"
    preset: str | None = None
    time_budget: float | None = None
    within: float | None = None
    cv: int = 5
    groups: str | None = None
    weight: str | None = None
    by: str | None = None
    test: str = "0.3"
    task: str = "auto"
    refits: int | None = None
    seed: int = 0
    jobs: int | None = None

    def __post_init__(self) -> None:
        check_settings(self)

    @property
    def shown_layers(self) -> tuple[str, ...]:
        """What of the hidden layers is compared, by name.

        Examples
        --------
        >>> from semikd.job import Settings
        >>> both = {"student": "network", "teacher": "network"}
        >>> Settings("y", layers="hint, distance", **both).shown_layers
        ('hint', 'distance')
        """
        return tuple(each.strip() for each in self.layers.split(",") if each.strip())

    def refuse_classes(self) -> None:
        """Refuse what is of classes, once the target is known to be a number.

        Raises
        ------
        UsageError
            If the teacher or the correction asks for the class of a row.
        """
        if self.teacher in TEACHERS_OF_CLASSES:
            constraint = "learn numbers where the target is one"
            remedy = "Use boosting, or --task classification"
            raise refusal("--teacher", constraint, self.teacher, remedy)
        if self.protected is not None:
            constraint = "be absent where the target is a number"
            remedy = "An opponent reads probabilities of classes"
            raise refusal("--protected", constraint, self.protected, remedy)
        if self.correction in OF_CLASSES:
            constraint = "be a share, none or orthogonal where the target is a number"
            remedy = "Or use --task classification"
            raise refusal("--correction", constraint, self.correction, remedy)

    @property
    def parted_by(self) -> str | None:
        """The columns that part the held-out rows: those asked for, or the protected.

        Examples
        --------
        >>> from semikd.job import Settings
        >>> Settings("y", student="network", protected="sex").parted_by
        'sex'
        """
        return self.protected if self.by is None else self.by

    @property
    def is_declared(self) -> bool:
        """Whether labels or a correction say what ships.

        Examples
        --------
        >>> from semikd.job import Settings
        >>> Settings("y").is_declared
        False
        """
        return self.labels is not None or self.correction != "none"

    @property
    def search(self) -> str:
        """The preset in force: 'fast', unless the recipe is declared or another asked.

        Examples
        --------
        >>> from semikd.job import Settings
        >>> Settings("y").search, Settings("y", correction="0.2").search
        ('fast', 'none')
        """
        if self.preset is not None:
            return self.preset
        return "none" if self.is_declared else "fast"

    @property
    def strength(self) -> str | float:
        """The correction, a number where it is one."""
        if self.correction in CORRECTIONS:
            return self.correction
        share = _number(self.correction)
        if share is None:
            listed = [*CORRECTIONS, "a share such as 0.2"]
            raise unknown("--correction", self.correction, listed)
        return number("--correction", share, low=0.0, high=1.0)

    @property
    def test_share(self) -> float | None:
        """The share of rows to hold out, None where a file is named."""
        share = _number(self.test)
        if share is None:
            return None
        remedy = "Or name a file of held-out rows"
        return number("--test", share, low=0.0, high=0.9, open_low=True, remedy=remedy)

    def command(self, table: str | None) -> str:
        """Return what to type to do it again: what differs from defaults, and the seed.

        Parameters
        ----------
        table : str or None
            Path of the table; None is the table that is built in.

        Returns
        -------
        str
        """
        words = ["semikd", "distill"]
        if table is not None:
            # A file may be named like an option.
            words.append(f"./{table}" if table.startswith("-") else table)
        for field in fields(self):
            value = getattr(self, field.name)
            assert field.default is not MISSING  # noqa: S101 - all have one
            if value != field.default or field.name == "seed":
                words += [f"--{field.name.replace('_', '-')}", str(value)]
        return shlex.join(words)


def _number(text: str) -> float | None:
    """Return text as a number, None if it is none."""
    try:
        return float(text)
    except ValueError:
        return None
