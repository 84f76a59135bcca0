"""Let tests import the modules of the sweep."""

import sys

from helpers.zoo import TOOLS

SWEEP = TOOLS.parent / '.dev_scripts/zoo_sweep'
sys.path.insert(0, str(SWEEP))
