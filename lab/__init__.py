"""The laboratory: studies, benchmark, training, and the servers that they and the tests run. Never shipped.

The host loads a pack under a package name of its own choice, and the pack's ``nodes`` would clash with the
host's module of that name. So outside a server the repository has one name too, given here: whoever imports
``lab`` first can import ``freeanimate_pack.freeanimate_core``, ``freeanimate_pack.nodes`` and
``freeanimate_pack.demo``, and nothing of the pack is loaded twice.
"""

import sys
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PACK = "freeanimate_pack"


def _name_the_pack() -> None:
    spec = ModuleSpec(PACK, None, is_package=True)
    spec.submodule_search_locations = [str(REPOSITORY)]
    sys.modules[PACK] = module_from_spec(spec)


if PACK not in sys.modules:
    _name_the_pack()
