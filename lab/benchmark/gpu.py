"""All benchmarks of a CUDA card in one call: each in a process of its own, all within one limit of time."""

import subprocess
import sys
import time
from pathlib import Path

LIMIT = 570  # seconds of all of them together
STARTING = 25  # seconds that a process takes before and after its clock
CAP = 8  # GB
FEW = ("--rows", "inversion", "animate_recompute", "animate_ra_sa_only", "literal_maps_32", "literal_maps_all")
FEW += ("joint_batch", "joint_batch_ra_sa")
CASES = {  # folder: arguments, share of the time that is left
    "sd15_16_frames": (("--size", "sd15"), 0.45),
    "sd15_64_frames": (("--size", "sd15", "--frames", "64", *FEW), 0.35),
    "sdxl_8_frames": (("--size", "sdxl", *FEW), 0.55),
    f"sd15_16_frames_{CAP}_GB": (("--size", "sd15", "--memory-cap", str(CAP), *FEW), 1.0),
}


def run_all(host: Path, out: Path) -> int:
    """Run CASES into folders of ``out``; the exit code of the last that failed, else 0."""
    end, failed = time.monotonic() + LIMIT, 0
    for name, (arguments, share) in CASES.items():
        left = share * (end - time.monotonic())
        line = [sys.executable, "-m", "lab.benchmark", "--host", host, "--out", out / name, "--device", "cuda"]
        limit = str(max(10, int(left - STARTING)))
        try:
            code = subprocess.run([*map(str, line), *arguments, "--limit", limit], timeout=left + STARTING).returncode
        except subprocess.TimeoutExpired:
            code = 1
        failed = code or failed
    return failed
