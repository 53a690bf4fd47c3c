"""Tables that the benchmarks left, shown as they were written.

``.. result-table:: NAME`` reads ``benchmarks/results/NAME*.md``, a name with a folder
(``paper/trees-magic``) the Markdown files in that; with ``:only: Title``
the tables whose titles begin so. No Markdown parser is needed: the files hold headings,
paragraphs, lists and pipe tables, and nothing else.
"""

import re
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

_BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


class ResultTable(SphinxDirective):
    """Show the results of one benchmark, or say that there are none."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {"only": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        """Return the files as document nodes."""
        name = self.arguments[0]
        pattern = f"{name}/*.md" if "/" in name else f"results/{name}*.md"
        found = sorted(_BENCHMARKS.glob(pattern))
        if not found:
            nothing = f"*No results of* ``{name}`` *are recorded yet.*"
            return self.parse_text_to_nodes(nothing)
        shown: list[nodes.Node] = []
        for path in found:
            self.env.note_dependency(str(path))
            text = path.read_text(encoding="utf-8")
            if "only" in self.options:
                text = _titled(text, self.options["only"])
            lines = as_rest(text)
            shown += self.parse_text_to_nodes(StringList(lines, str(path)))
        return shown


def _titled(markdown: str, title: str) -> str:
    """Return the tables whose titles begin like this."""
    parts = markdown.split("\n## ")[1:]
    kept = [f"## {part}" for part in parts if part.startswith(title)]
    if not kept:
        raise ValueError(f"no table begins with {title!r}")
    return "\n".join(kept)


def as_rest(markdown: str) -> list[str]:
    """Return simple Markdown as lines of reStructuredText."""
    lines: list[str] = []
    runs = groupby(
        markdown.splitlines(), key=lambda line: line.lstrip().startswith("|")
    )
    for is_table, run in runs:
        lines += _table(list(run)) if is_table else _text(run)
        lines.append("")
    return lines


def _text(run: Iterable[str]) -> list[str]:
    """Return lines of text; a heading becomes a bold line of its own."""
    lines: list[str] = []
    for line in run:
        heading = line.startswith("#")
        lines += ["", f"**{line.lstrip('# ')}**", ""] if heading else [_code(line)]
    return lines


def _table(rows: list[str]) -> list[str]:
    """Return a pipe table as a list-table with its first row as the header."""
    cells = [
        [cell.strip() for cell in row.strip().strip("|").split("|")] for row in rows
    ]
    cells = [row for row in cells if not all(set(cell) <= set(":- ") for cell in row)]
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in cells:
        for at, cell in enumerate(row):
            # A lone dash is a value here, not a list.
            shown = rf"\{cell}" if cell in {"-", "+", "*"} else _code(cell)
            lines.append(f"   {'* -' if at == 0 else '  -'} {shown}".rstrip())
    return ["", *lines, ""]


def _code(text: str) -> str:
    """Return text with code marks doubled, and signs that mean something escaped."""
    parts = text.split("`")
    parts[::2] = [re.sub(r"([*_|\\])", r"\\\1", part) for part in parts[::2]]
    return "``".join(parts)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("result-table", ResultTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
