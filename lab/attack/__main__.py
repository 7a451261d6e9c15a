"""``dev.py attack``: prompts by a seed for some minutes, every fault printed so that it can be repeated."""

import argparse
import json
import logging
import sys
import time
from collections import Counter

from ..command_line import exit_code, positive, study
from .draw import Case, drawn
from .host import Host, Strict


def main() -> int:
    """1 unless nothing was raw and nothing silent."""
    parser = study("attack")
    parser.add_argument("--seed", type=lambda text: int(text, 0), default=0, help="which prompts, a whole number")
    parser.add_argument("--minutes", type=float, default=2.0, help="when to stop; default: %(default)s")
    parser.add_argument("--prompts", type=positive, help="how many at most")
    parser.add_argument("--only", type=int, metavar="N", help="the prompt of this number alone")
    options = parser.parse_args()
    return exit_code("attack", options.out, lambda: attacked(options))


def attacked(options: argparse.Namespace) -> int:
    """Run the prompts, print what is raw or silent, what of each kind there was, and the sum."""
    host = Host(options.host, options.out)
    logging.getLogger().setLevel(logging.INFO)  # all lines must be text; none is shown
    for handler in logging.getLogger().handlers:
        handler.setLevel(logging.INFO if isinstance(handler, Strict) else logging.CRITICAL)
    from .judge import KINDS, judged  # imports the pack, and with it the host

    print(f"[attack] ComfyUI {host.version}, seed {options.seed}", flush=True)
    until = time.monotonic() + 60 * options.minutes
    counts, faults = Counter(dict.fromkeys(KINDS, 0)), Counter()
    number = options.only or 0
    last = number + 1 if options.only is not None else (options.prompts or sys.maxsize)
    while number < last and time.monotonic() < until:
        case = drawn(options.seed, number, host.classes)
        outcomes = [host.run(side.prompt, side.end) for side in case.sides]
        kind, why = judged(case, outcomes, host.classes)
        counts[kind] += 1
        if kind in ("raw", "silent"):
            faults[f"{kind}: {case.target}: {case.words.split(': ')[0]:.60}: {why:.90}"] += 1
            print(_told(options.seed, number, case, kind, why), flush=True)
        elif options.only is not None:
            print(f"[attack] {case.target}: {case.words}: {kind} {why}", flush=True)
        number += 1
    print("\n".join(f"[attack] {times} times {fault}" for fault, times in faults.most_common()), flush=True)
    print(f"{counts.total()} prompts: " + ", ".join(f"{counts[kind]} {kind}" for kind in KINDS), flush=True)
    return int(counts["raw"] + counts["silent"] > 0)


def _told(seed: int, number: int, case: Case, kind: str, why: str) -> str:
    """A fault with the prompts that show it."""
    head = f"[attack] --seed {seed} --only {number}: {kind}: {case.target}: {case.words}: {why}"
    return "\n".join([head, *(json.dumps(side.prompt) for side in case.sides)])


if __name__ == "__main__":
    sys.exit(main())
