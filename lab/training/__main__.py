"""Train the demo model: python -m lab.training --host DIR --work DIR, started by `python dev.py train-demo`.

Stages, in order: pictures are drawn; the autoencoder; its decoder alone (the latents stay as they are); the
pose hint; the denoiser with its ControlNet and text encoder; export of weights, card and sample sheets.
Each one continues where it was stopped. On a CPU, several workers of one thread are faster than one of
several: python -m torch.distributed.run --nproc-per-node 2 -m lab.training ... --stages denoiser.
"""

import argparse
import os
import signal
import sys
import time
from pathlib import Path

import torch

from .. import hosting

STAGES = {
    "pictures": "draw_pictures",
    "autoencoder": "train_autoencoder",
    "decoder": "train_decoder",
    "hint": "train_hint",
    "denoiser": "train_denoiser",
    "export": "export",
}


def main() -> int:
    """Run the chosen stages and return the exit code: 130 after Ctrl-C."""
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)  # also in the background: the checkpoint is written
    options = _options()
    hosting.start(options.host, cpu=options.device == "cpu", torch_attention=True)  # gradients ask for torch's
    if "WORLD_SIZE" in os.environ:  # started by torch.distributed.run: one worker of several
        torch.distributed.init_process_group("gloo" if options.device == "cpu" else "nccl")
    torch.set_num_threads(options.threads)
    from .stages import Training  # it imports the host

    training = Training(options.work, options.device, options.minutes)
    try:
        for name in options.stages:
            getattr(training, STAGES[name])()
    except KeyboardInterrupt:
        sys.stdout.write("\n[train] stopped; the same command goes on from here\n")
        return 130
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dev.py train-demo")
    parser.add_argument("--host", type=Path, required=True, help="the folder with ComfyUI's main.py")
    parser.add_argument("--work", type=Path, required=True, help="pictures, checkpoints and logs")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--minutes", type=float, default=float("inf"), help="of each stage, at most")
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=list(STAGES))
    return parser.parse_args()


if __name__ == "__main__":
    started = time.monotonic()
    code = main()
    print(f"[train] {(time.monotonic() - started) / 60:.1f} minutes", flush=True)
    sys.exit(code)
