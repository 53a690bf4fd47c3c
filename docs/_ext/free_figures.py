"""Figures of the gallery that pyplot never saw, such as those of ``compare``."""

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst

# One figure is drawn once, under whatever names an example keeps it.
_DRAWN = "_drawn_figures"


def scrape(
    _block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]
) -> str:
    """Save new figures among an example's variables, and return their reST."""
    values = block_vars["example_globals"]
    drawn = values.setdefault(_DRAWN, set())
    paths = []
    for figure in [value for value in values.values() if isinstance(value, Figure)]:
        # A figure with a number belongs to pyplot, whose own scraper draws it.
        if id(figure) in drawn or getattr(figure, "number", None) is not None:
            continue
        drawn.add(id(figure))
        path = Path(next(block_vars["image_path_iterator"]))
        figure.savefig(path, dpi=110)
        paths.append(str(path))
    return figure_rst(paths, gallery_conf["src_dir"])
