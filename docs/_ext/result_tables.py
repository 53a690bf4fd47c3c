"""Tables that the benchmarks left, shown as they were written.

``.. result-table:: NAME`` reads ``benchmarks/results/NAME.md``. No Markdown parser is
needed: the files hold headings, paragraphs, lists and pipe tables, and nothing else.
"""

from itertools import groupby
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

_RESULTS = Path(__file__).parents[2] / "benchmarks" / "results"


class ResultTable(SphinxDirective):
    """Show one file of results, or say that it is not there."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the file as document nodes."""
        path = _RESULTS / f"{self.arguments[0]}.md"
        self.env.note_dependency(str(path))
        if path.exists():
            lines = as_rest(path.read_text(encoding="utf-8"))
        else:
            lines = [f"*No results of* ``{self.arguments[0]}`` *are recorded yet.*"]
        return self.parse_text_to_nodes(StringList(lines, str(path)))


def as_rest(markdown: str) -> list[str]:
    """Return simple Markdown as lines of reStructuredText."""
    lines: list[str] = []
    runs = groupby(
        markdown.splitlines(), key=lambda line: line.lstrip().startswith("|")
    )
    for is_table, run in runs:
        lines += _table(list(run)) if is_table else [_line(line) for line in run]
        lines.append("")
    return lines


def _line(line: str) -> str:
    """Return a line of text; a heading becomes a bold line."""
    if line.startswith("#"):
        return f"\n**{line.lstrip('#').strip()}**\n"
    return _code(line)


def _table(rows: list[str]) -> list[str]:
    """Return a pipe table as a list-table with its first row as the header."""
    cells = [
        [cell.strip() for cell in row.strip().strip("|").split("|")] for row in rows
    ]
    cells = [row for row in cells if not all(set(cell) <= set(":- ") for cell in row)]
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in cells:
        for at, cell in enumerate(row):
            lines.append(f"   {'* -' if at == 0 else '  -'} {_code(cell)}".rstrip())
    return ["", *lines, ""]


def _code(text: str) -> str:
    """Return text with Markdown's code marks doubled, as reStructuredText has them."""
    return text.replace("`", "``")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("result-table", ResultTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
