"""What an animation costs: python -m lab.evaluation.price --host DIR --out DIR.

Started by `python dev.py evaluate price`. Inversion and denoising together, by the defaults of all nodes, against the
host's own sampling of as many frames (guidance, ControlNet): in turn, round after round, in CPU seconds of the process
or seconds of the card. Writes price.json and price.md.
"""

import argparse
import json
import sys

from ... import hosting
from ...command_line import exit_code, positive, study

STEPS = (20, 12, 8)


def main() -> int:
    """Run the study and return the exit code."""
    options = _options()
    return exit_code("evaluate", options.out, lambda: _run(options))


def _run(options: argparse.Namespace) -> None:
    host = hosting.start(options.host)
    from .study import measure  # it imports the host

    entries = measure(host, options.frames, options.rounds, options.steps)
    content = {"frames": options.frames, "rounds": options.rounds, "entries": entries}
    (options.out / "price.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    lines = ["| run | s | spread | ratio to plain sampling |", "|---|---|---|---|"]
    lines += [f"| {e['name']} | {e['seconds']:.2f} | {e['spread']:.2f} | {e['ratio']:.2f} |" for e in entries]
    (options.out / "price.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = study("evaluate price")
    parser.add_argument("--frames", type=positive, default=6, help="frames of the clip (6)")
    parser.add_argument("--rounds", type=positive, default=5, help="timed rounds (5)")
    parser.add_argument("--steps", type=positive, nargs="+", default=STEPS, help="steps asked of ddim_uniform")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
