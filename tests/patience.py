"""How long tests wait for what must come. No test measures time: on a busy machine everything comes later."""

import os

FACTOR = float(os.environ.get("FREEANIMATE_PATIENCE", "1"))  # above 1 on a machine that is busier than we thought


def patience(seconds: float) -> float:
    """Seconds after which a test gives up: many times what a free machine takes, as that only ends what hangs."""
    return FACTOR * seconds
