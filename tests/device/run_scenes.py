"""All scenes in every mode: python run_scenes.py LIBRARY FOLDER.

Each mode runs in a process of its own, forked from one that has the host imported, and writes FOLDER/MODE/report.json:
what failed, what the pack logged in each scene, in mode `card` what a step of sampling copies and waits for; and
results.safetensors, tensors by "scene/name".
"""

import json
import logging
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import host_on_card
import torch
from card import Card, Counts
from safetensors.torch import save_file

MODES = ("cpu", "card", "gpu only", "little memory")
LITTLE = 7_000_000  # bytes free: a window of two frames while inverting, of one while denoising
RECLAIMED = 2**30
SHORT, LONG = 2, 3  # steps of two runs, which differ by one step


class Said(logging.Handler):
    """Keeps what the pack logs."""

    def __init__(self):
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """One line more."""
        self.lines.append(record.getMessage())

    def taken(self) -> list[str]:
        """The lines since the last time."""
        lines, self.lines = self.lines, []
        return lines


def run_all(demo, scenes: dict[str, Callable], said: Said) -> tuple[dict[str, torch.Tensor], dict]:
    """Tensors of all scenes, and their failures and logs; one that fails takes only those along that need it."""
    tensors, report = {}, {"failed": {}, "said": {}}
    for name, run in scenes.items():
        try:
            made = run(demo)
        except (RuntimeError, TypeError, ValueError) as error:
            report["failed"][name] = "".join(traceback.format_exception(error)[-6:])
        else:
            found = ((key, value) for key, value in made.items() if isinstance(value, torch.Tensor))
            tensors |= {f"{name}/{key}": value.to("cpu").clone().contiguous() for key, value in found}
        report["said"][name] = said.taken()
    return tensors, report


def per_step(card: Card, demo, runs: dict[str, Callable]) -> dict[str, dict[str, int]]:
    """By kind of run, what one more step adds to its copies and waits. run(the inversion's outputs, steps)."""
    inverted = {steps: demo.invert("recompute", steps, check=0) for steps in (SHORT, LONG)}
    found = {}
    for kind, run in runs.items():
        taken: dict[int, Counts] = {}
        for steps in (SHORT, SHORT, LONG):  # the first loads the models
            before = card.counts
            run(inverted[steps], steps)
            taken[steps] = card.counts - before
        found[kind] = vars(taken[LONG] - taken[SHORT])
    return found


def run_mode(mode: str, library: Path, folder: Path) -> None:
    """Run everything in one mode and write it."""
    folder.mkdir()
    host_on_card.use_folders(folder)
    card = None if mode == "cpu" else Card(library)
    if card is not None:
        free = LITTLE if mode == "little memory" else host_on_card.PLENTY
        host_on_card.move_to(card, free, gpu_only=mode == "gpu only")
    import scenes  # needs the host

    said, log = Said(), logging.getLogger("freeanimate")
    log.setLevel(logging.INFO)
    log.addHandler(said)
    with torch.inference_mode():
        demo = scenes.Demo()
        tensors, report = run_all(demo, scenes.SCENES, said)
        if mode == "card":
            report["per step"] = per_step(card, demo, scenes.counted_runs(demo))
        if mode == "little memory":
            with scenes.reclaimable(RECLAIMED):
                demo.sample(demo.inverted[0], demo.patched(demo.inverted[0]))
            report["said"]["reclaimable"] = said.taken()
    save_file(tensors, folder / "results.safetensors")
    (folder / "report.json").write_text(json.dumps(report, indent=1), encoding="utf-8")


def in_own_process(mode: str, library: Path, folder: Path) -> int:
    """The exit code of a fork that runs one mode."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    code = 1
    try:
        run_mode(mode, library, folder)
        code = 0
    finally:  # whatever happens, the fork ends here
        if code:
            traceback.print_exc()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    made_of, into = map(Path, sys.argv[1:])
    host_on_card.start()
    sys.exit(max(in_own_process(mode, made_of, into / mode) for mode in MODES))
