"""What was decided about a table, in plain sentences for whoever brought it."""

from collections.abc import Mapping

from semikd._validation import counted
from semikd.encoding._records import Column
from semikd.encoding._survey import ColumnFacts
from semikd.encoding._texts import FITTED_ROWS, TextColumn

_REASONS = {
    "empty": "it has no values",
    "constant": "it has the same value in every row",
}


def reason(facts: ColumnFacts) -> str:
    """Return why a student does not read a column."""
    return _REASONS.get(facts.kind, f"it has {facts.n_texts:,} different texts")


def first_reason(left_out: Mapping[str, str]) -> str:
    """Return the reason for leaving out the first column."""
    name, reason = next(iter(left_out.items()), ("", "there is none"))
    return f"column {name[:60]!r}: {reason}" if name else reason


def written_notes(
    facts: Mapping[str, ColumnFacts],
    columns: Mapping[str, Column],
    texts: tuple[TextColumn, ...],
    n_rows: int,
) -> tuple[str, ...]:
    """Return what was decided, in sentences, where it does not go without saying."""
    components = {text.name: text.n_components for text in texts}
    notes = [
        _note(name, found, name in columns, components.get(name, 0))
        for name, found in facts.items()
    ]
    if texts and n_rows > FITTED_ROWS:
        notes.append(
            f"Components of texts are learned from {FITTED_ROWS:,} of {n_rows:,} rows."
        )
    return tuple(note for note in notes if note)


def _note(name: str, facts: ColumnFacts, read: bool, n_components: int) -> str:
    """Return what was decided about one column, nothing where it speaks for itself."""
    column = f"Column {name!r}"
    if facts.kind in _REASONS:
        return f"{column} is not read: {_REASONS[facts.kind]}."
    if facts.kind == "number" and facts.from_text:
        return f"{column} holds numbers written as text; they are read as numbers."
    if facts.kind == "date" and facts.form is not None:
        return f"{column} holds dates written as {facts.form}; they are read as dates."
    if facts.kind != "text":
        return ""
    many = f"{column} has {facts.n_texts:,} different texts"
    if read:
        return f"{many}: they are read as codes in alphabetical order."
    parts = counted(n_components, "component")
    by_teacher = f"the teacher reads it as {parts}, " if n_components else ""
    return f"{many}: {by_teacher}the student does not read it."
