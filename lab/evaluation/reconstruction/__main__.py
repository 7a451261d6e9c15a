"""How close previews come back: python -m lab.evaluation.reconstruction --host DIR --out DIR.

Started by `python dev.py evaluate reconstruction`. By solver, levels and number of steps: inversion, then denoising at
guidance 1 with everything replayed, as DDIM Inversion's own check does it. Writes reconstruction.json, .md and .png:
PSNR in latent space and the evaluations that each frame took.
"""

import argparse
import json
import sys

from ... import hosting
from ...command_line import exit_code, positive, study
from .lines import plot

STEPS = (8, 12, 20, 30, 50)


def main() -> int:
    """Run the study and return the exit code."""
    options = _options()
    return exit_code("evaluate", options.out, lambda: _run(options))


def _run(options: argparse.Namespace) -> None:
    hosting.start(options.host)
    from .trips import entries  # it imports the host

    found = list(entries(options.characters, options.frames, options.steps))
    content = {"characters": options.characters, "frames": options.frames, "entries": found}
    (options.out / "reconstruction.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    (options.out / "reconstruction.md").write_text(_markdown(found), encoding="utf-8")
    plot(found).save(options.out / "reconstruction.png", optimize=True)


def _markdown(entries: list[dict]) -> str:
    steps = sorted({e["steps"] for e in entries}, reverse=True)
    lines = ["| way | " + " | ".join(f"{s} steps" for s in steps) + " |", "|---" * (len(steps) + 1) + "|"]
    for name in dict.fromkeys(e["way"] for e in entries):
        found = {e["steps"]: e for e in entries if e["way"] == name}
        cells = [f"{found[s]['psnr']:.1f} dB, {found[s]['evaluations']}" for s in steps]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _options() -> argparse.Namespace:
    parser = study("evaluate reconstruction")
    parser.add_argument("--characters", type=positive, default=4, help="held-out characters (4)")
    parser.add_argument("--frames", type=positive, default=2, help="frames of each (2)")
    parser.add_argument("--steps", type=positive, nargs="+", default=STEPS, help="steps asked of ddim_uniform")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
