"""How the pages are built: everything is on this machine, and every example is run."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

from semikd import __version__

project = "semikd"
author = "The semikd developers"
copyright = author
version = release = __version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "mathml",
    "result_tables",
]
exclude_patterns = ["_build", "examples", "**/*.md"]
templates_path = ["_templates"]
nitpicky = True
default_role = "literal"

html_theme = "furo"
html_title = f"semikd {version}"
html_static_path = ["_static"]
html_css_files = ["semikd.css"]
html_math_renderer = "mathml"
html_show_copyright = False
html_show_sphinx = False

autosummary_generate = True
# Types are in the docstrings, with shapes and limits; signatures show the defaults.
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
# Metadata routing adds these to every estimator; scikit-learn documents them.
_ROUTING = ("fit", "score", "predict", "predict_proba", "partial_fit", "transform")
autodoc_default_options = {
    "exclude-members": ", ".join(
        ["get_metadata_routing", *(f"set_{name}_request" for name in _ROUTING)]
    )
}
numpydoc_show_class_members = False

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "filename_pattern": "/plot_",
    "within_subsection_order": "reading_order.ReadingOrder",
    "image_scrapers": ("matplotlib", "free_figures.scrape"),
    "abort_on_example_error": True,
    "capture_repr": (),
    "download_all_examples": False,
    "show_signature": False,
    "remove_config_comments": True,
}
