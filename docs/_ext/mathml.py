"""Formulas as MathML, which browsers draw themselves: pages need no network for them.

Sphinx's own renderers fetch a script from elsewhere or ask for a LaTeX installation;
docutils can translate the LaTeX that is used here.
"""

from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.util import logging

_LOGGER = logging.getLogger(__name__)


def _mathml(tex: str, node: nodes.Node, *, as_block: bool) -> str:
    """Return the formula as MathML; one that cannot be translated is a warning."""
    # docutils has no \dots, and no style switch in mid-formula.
    plain = tex.replace(r"\textstyle", "").replace(r"\dots", r"\ldots")
    if as_block and r"\\" in plain and r"\begin" not in plain:
        plain = rf"\begin{{align*}}{plain}\end{{align*}}"
    try:
        return str(tex2mathml(plain, as_block=as_block))
    except MathError as error:
        _LOGGER.warning("formula %r: %s", tex, error, location=node)
        return f"<code>{nodes.unescape(tex)}</code>"


def _visit_inline(translator: Any, node: nodes.math) -> None:
    """Write a formula within a line."""
    translator.body.append(_mathml(node.astext(), node, as_block=False))
    raise nodes.SkipNode


def _visit_block(translator: Any, node: nodes.math_block) -> None:
    """Write a formula on lines of its own."""
    start = translator.starttag(node, "div", CLASS="math-block")
    formula = _mathml(node.astext(), node, as_block=True)
    number = ""
    if node.get("number"):
        number = f'<span class="eqno">({node["number"]})</span>'
    translator.body.append(f"{start}{number}{formula}</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer under the name that conf.py chooses."""
    app.add_html_math_renderer(
        "mathml",
        inline_renderers=(_visit_inline, None),
        block_renderers=(_visit_block, None),
    )
    return {"parallel_read_safe": True, "parallel_write_safe": True}
