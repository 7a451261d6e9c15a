"""The evaluation: python -m lab.evaluation --host DIR --out DIR, started by `python dev.py evaluate animation`.

Writes animation.json, animation_values.json (each character's), animation.md, animation.png and
contact_sheet.png; with several values of --cfg, a folder for each. --sweep NAME runs a list of
recipes of sweeps.py instead and names its files after it. --world people takes rendered people, and adds
every measure by class of pose; with --stills each of them stands once in every class. What was made before
is kept in OUT/cache. Exit code 1 when something fails, 2 when the disk is full, 130 after Ctrl-C.
"""

import argparse
import sys

from .. import hosting
from ..command_line import exit_code, positive, study
from .methods import METHODS
from .options import WORDS, add_stills, add_world, refuse
from .spoil import SPOILS
from .sweeps import SWEEPS


def main() -> int:
    """Run the evaluation and return the exit code."""
    options = _options()
    return exit_code("evaluate", options.out, lambda: _run(options))


def _run(options: argparse.Namespace) -> None:
    host = hosting.start(options.host)
    from .animation import run  # it imports the host

    run(host, options)


def _options() -> argparse.Namespace:
    parser = study("evaluate animation")
    parser.add_argument("--characters", type=positive, help="held-out characters (24; sweeps 8)")
    parser.add_argument(
        "--first", type=int, default=0, metavar="NUMBER", help="the first of them: two runs may fill one OUT/cache"
    )
    parser.add_argument("--frames", type=positive, help="frames of each (12; sweeps 6)")
    add_world(parser)
    add_stills(parser)
    parser.add_argument("--spoil", choices=SPOILS, help="spoil every preview in this way (none)")
    parser.add_argument("--words", choices=WORDS, default="true", help="true ones, or little: 'a person' (true)")
    parser.add_argument("--steps", type=positive, help="steps asked of ddim_uniform (20; sweeps 12)")
    parser.add_argument("--cfg", type=float, nargs="+", help="guidance, one table each (the Animate Sampler's default)")
    parser.add_argument("--methods", nargs="+", choices=METHODS, metavar="NAME", help="only these, and full")
    parser.add_argument("--quick", action="store_true", help="3 characters, 3 frames, 6 steps, 8 methods")
    parser.add_argument("--sweep", choices=SWEEPS, help="run this experiment instead of the main table")
    options = parser.parse_args()
    refuse(parser, options)
    return options


if __name__ == "__main__":
    sys.exit(main())
