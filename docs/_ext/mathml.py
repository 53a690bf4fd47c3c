"""Formulas as MathML, which browsers draw themselves: pages need no network for them.

Sphinx's own renderers fetch a script from elsewhere or ask for a LaTeX installation;
docutils can translate the LaTeX that is used here.
"""

import re
from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.util import logging

_LOGGER = logging.getLogger(__name__)


# What LaTeX accepts and docutils does not, or reads in another way: switches of style
# in mid-formula, \dots, and fractions without braces.
_REWRITTEN = (
    (re.compile(r"\\textstyle"), ""),
    (re.compile(r"\\dots"), r"\\ldots"),
    (re.compile(r"\\(t?frac)\s*(\w)\s*(\w)"), r"\\\1{\2}{\3}"),
)
# What docutils writes and browsers show badly: a function's name without a space after
# it, and the subscript of an accented letter below that letter.
_REPAIRED = (
    (
        re.compile(r"<mo>&ApplyFunction;</mo>(?!\s*<mo[^>]*>[(\[])"),
        '<mspace width="0.17em"></mspace>',
    ),
    (
        re.compile(
            r"<munderover>\s*(<mi[^>]*>[^<]*</mi>)(.*?)"
            r"(<mo[^>]*>[\u02c6\u02dc\u00af]</mo>)\s*</munderover>",
            re.DOTALL,
        ),
        r'<msub><mover accent="true">\1\3</mover>\2</msub>',
    ),
)


def _mathml(tex: str, node: nodes.Node, *, as_block: bool) -> str:
    """Return the formula as MathML; one that cannot be translated is a warning."""
    plain = _substituted(tex, _REWRITTEN)
    if as_block and r"\\" in plain and r"\begin" not in plain:
        plain = rf"\begin{{align*}}{plain}\end{{align*}}"
    try:
        return _substituted(str(tex2mathml(plain, as_block=as_block)), _REPAIRED)
    except MathError as error:
        _LOGGER.warning("formula %r: %s", tex, error, location=node)
        return f"<code>{nodes.unescape(tex)}</code>"


def _substituted(text: str, rules: tuple[tuple[re.Pattern[str], str], ...]) -> str:
    """Return a text after these replacements, in their order."""
    for pattern, replacement in rules:
        text = pattern.sub(replacement, text)
    return text


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
