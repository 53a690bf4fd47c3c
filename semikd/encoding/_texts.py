"""Texts as a few components, for teachers: no student reads numbers without a name."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semikd._random import generator
from semikd.encoding._values import (
    Coded,
    Table,
    find_columns,
    is_missing,
    is_null_text,
    read_column,
)

# Components of n-grams settle long before this many rows; more only take longer.
FITTED_ROWS = 20_000
N_COMPONENTS = 30
_CHUNK = 50_000


@dataclass(frozen=True, eq=False)
class TextColumn:
    """A column of texts with skrub's fitted ``StringEncoder``."""

    name: str
    encoder: Any
    n_components: int

    def components(self, table: Table) -> NDArray[np.float32]:
        """Return the components of every row, shape (n_samples, n_components)."""
        import pandas as pd

        codes, distinct = pd.factorize(np.array(_texts(table, self.name), dtype=object))
        # The last text is empty and stands for a missing one, whose code is -1.
        all_texts = [*distinct.tolist(), ""]
        rows = [
            self.encoder.transform(
                _series(all_texts[start : start + _CHUNK], self.name)
            )
            for start in range(0, len(all_texts), _CHUNK)
        ]
        found: NDArray[np.float32] = np.vstack(rows).astype(np.float32)[codes]
        return found


def fit_texts(frame: Table, name: str, seed: int) -> TextColumn:
    """Return a column of texts with components learned from its rows, or some of them.

    Rows are drawn with the seed where there are more than ``FITTED_ROWS``.
    """
    from skrub import StringEncoder  # type: ignore[import-untyped]

    texts = _texts(frame, name)
    if len(texts) > FITTED_ROWS:
        rows = generator(seed).choice(len(texts), FITTED_ROWS, replace=False)
        texts = [texts[row] for row in np.sort(rows).tolist()]
    encoder = StringEncoder(n_components=N_COMPONENTS, random_state=seed)
    with warnings.catch_warnings():
        # Few and short texts have fewer components than asked for, which is no harm.
        warnings.simplefilter("ignore", UserWarning)
        encoder.fit(_series([text or "" for text in texts], name))
    return TextColumn(name, encoder, int(encoder.n_components_))


def _texts(table: Table, name: str) -> list[str | None]:
    """Return the texts of a column, None where there is none."""
    column = read_column(find_columns(table, [name])[0], name)
    cells = (column.decoded() if isinstance(column, Coded) else column).tolist()
    texts = [None if is_missing(cell) else str(cell) for cell in cells]
    return [None if text is None or is_null_text(text) else text for text in texts]


def _series(texts: list[str], name: str) -> Any:
    """Return texts as skrub takes them."""
    import pandas as pd

    return pd.Series(texts, name=name, dtype="str")
