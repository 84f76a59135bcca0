"""Configuration of the documentation site: `make docs` builds it into docs/_build/html and executes the tutorials."""

import warnings

import matplotlib
from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

matplotlib.use('Agg')
for category in (DeprecationWarning, FutureWarning, UserWarning):  # of the zoos, when they are imported
    warnings.filterwarnings('ignore', category=category)

import sr4ir_mm  # noqa: E402

project = 'sr4ir_mm'
author = 'the authors of sr4ir_mm'
release = sr4ir_mm.__version__

extensions = ['myst_nb', 'sphinx.ext.autodoc', 'sphinx.ext.napoleon', 'sphinx.ext.viewcode']
exclude_patterns = ['_build']
html_theme = 'furo'
html_title = 'sr4ir_mm'
html_static_path = ['_static']
html_css_files = ['site.css']
html_show_sphinx = False
html_show_copyright = False
smartquotes_action = 'D'  # dashes only: other quotes would change commands

myst_enable_extensions = ['deflist']
myst_heading_anchors = 3
nb_execution_mode = 'force'  # a cache would not see a change of the code that a tutorial calls
nb_execution_timeout = 900  # a cell takes a minute, on a machine that may do more
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_merge_streams = True

autodoc_default_options = {'members': True, 'special-members': '__call__', 'show-inheritance': True}
autodoc_typehints = 'none'  # the docstrings have the types, with shapes and ranges
autodoc_member_order = 'bysource'
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False

nitpicky = True
nitpick_ignore_regex = [
    ('py:.*', r'(?!sr4ir_mm).*\..*'),  # names of other packages: their inventories are on the network
    ('py:class', r'[^.]*'),  # types in docstrings, such as Tensor and optional
    ('py:class', r'sr4ir_mm\..*\.(ExactResumeHook|Proxy)'),  # parents of public classes
]


def resolve(app: Sphinx, env: BuildEnvironment, node: pending_xref, contnode: nodes.Element) -> nodes.Element | None:
    """Resolve references such as :class:`TDPLoss` from any module: public names are unique."""
    domain = env.get_domain('py')
    if node.get('refdomain') != 'py' or node.get('reftype') not in ('class', 'func', 'exc', 'obj', 'meth'):
        return None
    name = node['reftarget'].rpartition('.')[2]
    full = [key for key, entry in domain.objects.items() if key.rpartition('.')[2] == name and not entry.aliased]
    foreign = '.' in node['reftarget'] and not node['reftarget'].startswith('sr4ir_mm')
    if foreign or len(full) != 1:
        return None
    return domain.resolve_xref(env, node['refdoc'], app.builder, node['reftype'], full[0], node, contnode)


def setup(app: Sphinx) -> None:
    """Register :func:`resolve`."""
    app.connect('missing-reference', resolve)
