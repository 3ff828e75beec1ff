"""Sphinx builds the pages of this folder: sphinx-build -W -b html docs build/docs."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path[:0] = [str(HERE), *(str(ROOT / p) for p in (".", "controllers", "planners", "sim_assets"))]

from embodied import __version__  # noqa: E402

project = "embodied"
author = "the authors of embodied"
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "generated"]

html_theme = "furo"
html_show_copyright = False
html_title = f"embodied {version}"
html_static_path = ["static"]
html_css_files = ["embodied.css"]
html_theme_options = {"navigation_with_keys": True}
pygments_style = "friendly"

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True}
autodoc_type_aliases = {"Array": "Array", "ArrayLike": "ArrayLike"}
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
python_maximum_signature_line_length = 88
