"""Skrub's decisions about a training table, compiled into an encoder of our own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semikd._random import RandomState, spawn_seeds
from semikd._validation import Shown, choose, counted, invalid, wrong_type
from semikd.encoding._notes import first_reason, reason, written_notes
from semikd.encoding._records import Column
from semikd.encoding._survey import MOST_CODES, ColumnFacts, survey
from semikd.encoding._texts import TextColumn, fit_texts
from semikd.encoding._values import read_column
from semikd.encoding.categories import CategoryColumn
from semikd.encoding.dates import DateColumn
from semikd.encoding.encoder import Encoder
from semikd.encoding.numbers import NumberColumn, Scaling

if TYPE_CHECKING:
    import pandas as pd

# With fewer rows than this per category on average, codes are names of rows.
FEWEST_ROWS_PER_CODE = 5


@dataclass(frozen=True, eq=False)
class TablePlan:
    """How a table is read: by the student, and in addition by the teacher.

    Parameters
    ----------
    encoder : Encoder
        What the student reads, and what is shipped with it.
    dropped : mapping of str to str
        Columns that the student does not read, with the reason.
    notes : tuple of str
        Sentences for whoever wants to know what was decided.
    texts : tuple of TextColumn, default=()
        Columns of many different texts with their components.

    Examples
    --------
    >>> import pandas as pd
    >>> from semikd.encoding import fit_plan
    >>> table = pd.DataFrame({"age": [37, 41, 29], "planet": ["Earth"] * 3})
    >>> plan = fit_plan(table)
    >>> plan.teacher_features(table)
    array([[37.],
           [41.],
           [29.]], dtype=float32)
    >>> plan.notes
    ("Column 'planet' is not read: it has the same value in every row.",)
    """

    encoder: Encoder
    dropped: Mapping[str, str]
    notes: tuple[str, ...]
    texts: tuple[TextColumn, ...] = ()

    def teacher_features(self, frame: "pd.DataFrame") -> NDArray[np.float32]:
        """Return the student's features followed by the components of texts.

        Parameters
        ----------
        frame : pandas DataFrame
            A table with the columns of the training table.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Features as float32.
        """
        features, _ = self.encoder.encode(frame)
        if not self.texts:
            return features
        return np.hstack([features, *(text.components(frame) for text in self.texts)])


def fit_plan(
    frame: "pd.DataFrame",
    *,
    student: str = "tree",
    components: bool = True,
    random_state: RandomState = None,
) -> TablePlan:
    """Return how a training table is read, as skrub decides without the target.

    Parameters
    ----------
    frame : pandas DataFrame of shape (n_samples, n_columns)
        The columns of the training rows, without the target.
    student : {'tree', 'linear'}, default='tree'
        Trees and forests read codes of categories and NaN; linear models and networks
        read one feature per category, and numbers filled by their median and
        standardised.
    components : bool, default=True
        Whether texts that the student does not read become components for the teacher;
        False for a teacher that reads the table itself.
    random_state : int, Generator, RandomState or None, default=None
        Seeds the components of texts, which only the teacher reads.

    Returns
    -------
    TablePlan
        The encoder, what is left out and why.

    Raises
    ------
    TypeError
        If ``frame`` is no pandas frame.
    ValueError
        If it has no rows, two columns of one name or a name that is no text, infinite
        numbers, or no column that a student can read.

    Notes
    -----
    Numbers and dates written as texts are read as such where every text is one. A
    column of up to 39 different texts is one of categories. With more, the teacher
    reads components of the texts (skrub's ``StringEncoder``, learned from 20,000 rows
    drawn with ``random_state`` where there are more) and the student nothing, with one
    exception: trees read codes of up to 1,000 categories with at least 5 rows each on
    average. Columns without values, or with one value in all rows, are left out. Texts
    of four digits are numbers, not years.

    Kinds, categories, medians and standard deviations come from all rows: skrub is
    asked about the distinct values of each column.

    References
    ----------
    .. [1] The skrub developers, "skrub: machine learning with dataframes",
       ``TableVectorizer`` and ``DatetimeEncoder``, version 0.11.

    Examples
    --------
    >>> import pandas as pd
    >>> from semikd.encoding import fit_plan
    >>> table = pd.DataFrame({
    ...     "joined": ["05/01/2020", "17/03/2021"], "size": ["small", "large"]
    ... })
    >>> encoder = fit_plan(table).encoder
    >>> encoder.feature_names[:3]
    ('joined: year', 'joined: month', 'joined: day')
    >>> features, unknown = encoder.encode({"joined": ["2 May"], "size": ["large"]})
    >>> features[0, -1].item(), unknown
    (0.0, {'joined': 1})
    """
    one_hot = choose("student", student, {"tree": False, "linear": True})
    _check_frame(frame)
    facts = survey(frame)
    columns = {
        name: column
        for name, found in facts.items()
        if (column := _column(name, found, one_hot, len(frame))) is not None
    }
    seeds = spawn_seeds(random_state, len(facts))
    texts = tuple(
        fit_texts(frame, name, seed)
        for (name, found), seed in zip(facts.items(), seeds, strict=True)
        if components and found.kind == "text" and name not in columns
    )
    left_out = {n: reason(f) for n, f in facts.items() if n not in columns}
    if not columns:
        shown = Shown(f"{counted(len(facts), 'column')}; {first_reason(left_out)}")
        constraint = "have a column that a student can read"
        remedy = "Add a column of numbers, dates or categories"
        raise invalid("table", constraint, shown, remedy)
    encoder = Encoder(tuple(_fitted(c, frame, one_hot) for c in columns.values()))
    notes = written_notes(facts, columns, texts, len(frame))
    return TablePlan(encoder, left_out, notes, texts)


def _check_frame(frame: Any) -> None:
    """Refuse what is no frame with rows, and columns that cannot be told apart."""
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        constraint = "be a pandas DataFrame"
        raise wrong_type("table", constraint, Shown(type(frame).__name__))
    if not len(frame):
        raise invalid("table", "have rows", Shown("none"))
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise invalid("column names", "be unique", Shown(f"{twice!r} twice"))
    for name, dtype in frame.dtypes.items():
        if not isinstance(name, str):
            remedy = "Rename, e.g. with `frame.columns = frame.columns.map(str)`"
            raise invalid("column names", "be texts", name, remedy)
        strange = isinstance(dtype, pd.SparseDtype | pd.PeriodDtype)
        if strange or getattr(dtype, "kind", "O") == "c":
            constraint = "hold numbers, texts, dates or truth values"
            raise invalid(f"column {name!r}", constraint, Shown(f"dtype {dtype}"))


def _column(name: str, facts: ColumnFacts, one_hot: bool, n_rows: int) -> Column | None:
    """Return how the student reads a column, None where it does not."""
    if facts.kind == "number":
        return NumberColumn(name)
    if facts.kind == "date":
        return DateColumn(name, facts.parts, facts.form, facts.zone)
    few_codes = 0 < len(facts.categories) <= MOST_CODES
    often = len(facts.categories) * FEWEST_ROWS_PER_CODE <= n_rows
    if facts.kind == "category" or (
        facts.kind == "text" and not one_hot and few_codes and often
    ):
        return CategoryColumn(name, facts.categories, one_hot)
    return None


def _fitted(column: Column, frame: "pd.DataFrame", one_hot: bool) -> Column:
    """Return a column with what is learned from all rows; infinite ones are refused."""
    if isinstance(column, DateColumn) and not one_hot:
        return column
    if isinstance(column, CategoryColumn):
        return _with_missing(column, frame) if one_hot else column
    names = column.feature_names
    raw = np.empty((len(frame), len(names)), dtype=np.float32)
    column.fill(read_column(frame[column.name], column.name), raw)
    if not one_hot:
        return column
    scalings = tuple(_scaling(raw[:, [position]]) for position in range(len(names)))
    if isinstance(column, NumberColumn):
        return NumberColumn(column.name, scalings[0])
    return DateColumn(column.name, column.parts, column.form, column.zone, scalings)


def _with_missing(column: CategoryColumn, frame: "pd.DataFrame") -> CategoryColumn:
    """Return a column with a feature for missing cells where the training rows have."""
    out = np.empty((len(frame), len(column.categories)), dtype=np.float32)
    column.fill(read_column(frame[column.name], column.name), out)
    missing = bool((out.sum(axis=1) == 0).any())
    return CategoryColumn(column.name, column.categories, True, missing)


def _scaling(values: NDArray[np.float32]) -> Scaling:
    """Return the median, mean and standard deviation of one feature, shape (n, 1)."""
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import StandardScaler

    # In float32 the sum of two large numbers, of which a median is half, is infinite.
    exact = values.astype(np.float64)
    imputer = SimpleImputer(strategy="median").fit(exact)
    scaler = StandardScaler().fit(imputer.transform(exact))
    numbers = (imputer.statistics_[0], scaler.mean_[0], scaler.scale_[0])
    return Scaling(*(float(number) for number in numbers))
