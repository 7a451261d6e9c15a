"""The benchmark: python -m lab.benchmark --host DIR --out DIR, started by `python dev.py bench`.

Writes bench.json, bench.md and bench.png. Exit code 1 when something fails, 2 when the machine or
the request does not allow it, 130 after Ctrl-C.
"""

import argparse
import sys

import torch

from .. import hosting
from ..command_line import exit_code, positive, study
from ..server.client import has_gpu
from .gpu import run_all

SIZES = ("tiny", "sd15", "sdxl")


def main() -> int:
    """Run the benchmark and return the exit code."""
    options = _options()
    refusal = _refusal(options)
    if refusal:
        sys.stderr.write(f"bench: {refusal}\n")
        return 2
    return exit_code("bench", options.out, lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    if options.gpu:
        return run_all(options.host, options.out)
    host = hosting.start(options.host, cpu=options.device == "cpu")
    if options.memory_cap:
        total = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, options.memory_cap * 1e9 / total))
    from .run import run  # it imports the host

    run(host, options)
    return 0


def _refusal(options: argparse.Namespace) -> str:
    """Why this cannot be run here; empty when it can."""
    if (options.gpu or options.device == "cuda") and not torch.cuda.is_available():
        return "no CUDA device is available; use --device cpu"
    if options.device == "cpu" and options.size == "sdxl":
        return "size sdxl needs a GPU: 1024x1024 pixels take hours on a CPU; use --size sd15 or --size tiny"
    if options.memory_cap and options.device == "cpu":
        return "--memory-cap limits the memory of a CUDA device; leave it out with --device cpu"
    return ""


def _options() -> argparse.Namespace:
    parser = study("bench")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda" if has_gpu() else "cpu")
    parser.add_argument("--size", choices=SIZES, default="tiny")
    parser.add_argument("--frames", type=positive, default=0, help="another number of frames")
    parser.add_argument("--quick", action="store_true", help="the smallest tiny run: one repetition, few rows")
    parser.add_argument("--gpu", action="store_true", help="all sizes on the CUDA card, in less than ten minutes")
    parser.add_argument("--rows", nargs="+", default=(), metavar="NAME", help="only these, and the floors")
    parser.add_argument("--memory-cap", type=float, default=0.0, metavar="GB", help="what this process may take of it")
    parser.add_argument("--limit", type=float, default=0.0, metavar="SECONDS", help="leave out what comes after this")
    parser.add_argument("--cpu-clock", action="store_true", help="count this process's CPU seconds: a shared machine")
    parser.add_argument("--profile", metavar="ROW", help="write the operators that this row spends its time in as well")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
