"""Train the demo model: python -m lab.training --host DIR --work DIR, started by `python dev.py train-demo`.

Stages, in order: pictures are drawn; the autoencoder; its decoder alone against a critic (the latents stay as they
are; look at the result, and delete its checkpoint if it is no better); the pose hint; the denoiser with its
ControlNet and text encoder; export of weights, card and sample sheets.
Each one continues where it was stopped. On a CPU, several workers of one thread are faster than one of several:
python -m torch.distributed.run --nproc-per-node 2 -m lab.training ... --stages denoiser. Pictures may be drawn by one
process while another trains the autoencoder: a step waits for the pictures that it needs.
On a large GPU all of it takes about ten minutes: --device cuda --workers 16 --batch 8 --steps 0.3.
"""

import argparse
import os
import signal
import sys
import time
from pathlib import Path

import torch

from .. import hosting

STAGES = ("pictures", "autoencoder", "decoder", "hint", "denoiser", "export")


def main() -> int:
    """Run the chosen stages and return the exit code: 130 after Ctrl-C."""
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)  # also in the background: the checkpoint is written
    given = vars(_options())
    host, threads, names = (given.pop(name) for name in ("host", "threads", "stages"))
    hosting.start(host, cpu=given["device"] == "cpu", torch_attention=True)  # gradients ask for torch's
    if "WORLD_SIZE" in os.environ:  # started by torch.distributed.run: one worker of several
        torch.distributed.init_process_group("gloo" if given["device"] == "cpu" else "nccl")
    torch.set_num_threads(threads)
    from .stages import Options, run  # it imports the host

    try:
        run(Options(**given | {"out": given["out"] or given["work"] / "export"}), names)
    except KeyboardInterrupt:
        sys.stdout.write("\n[train] stopped; the same command goes on from here\n")
        return 130
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dev.py train-demo")
    parser.add_argument("--host", type=Path, required=True, help="the folder with ComfyUI's main.py")
    parser.add_argument("--work", type=Path, required=True, help="pictures, checkpoints and logs")
    parser.add_argument(
        "--out", type=Path, help="weights, card and sheet; the folder export in the other, if not given"
    )
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--workers", type=int, default=1, help="processes that draw pictures")
    parser.add_argument("--pictures", type=int, default=5000, help="to train on; may be more in a later run")
    parser.add_argument("--batch", type=int, default=1, help="how many times the usual pictures per step")
    parser.add_argument("--steps", type=float, default=1.0, help="how many times the usual steps")
    parser.add_argument("--crops", type=float, default=0.7, help="share of the denoiser's steps that see crops")
    parser.add_argument("--perceptual", type=Path, help="a foreign encoder of the TAESD layout, for the autoencoder")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="of each stage, at most")
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=list(STAGES))
    return parser.parse_args()


if __name__ == "__main__":
    started = time.monotonic()
    code = main()
    print(f"[train] {(time.monotonic() - started) / 60:.1f} minutes", flush=True)
    sys.exit(code)
