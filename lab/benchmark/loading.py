"""What the pack itself takes, beside any model: its import, and the pictures of its poses."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from freeanimate_pack.demo.drawn.motion import motion
from freeanimate_pack.freeanimate_core.pose import PoseSequence, draw_poses

from .. import REPOSITORY
from ..timing import Clock

IMPORT_WANTED = 1.0  # seconds that a server may start later for the pack
FRAMES, SIDE = 64, 512
CLOUDS = {"face": (0, 70), "right_hand": (4, 21), "left_hand": (7, 21)}  # the joint that they lie about, their points
LOADING = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from comfy.cli_args import args
args.cpu = True
import nodes
from comfy_api.latest import io
import lab.hosting
start = time.perf_counter()
lab.hosting.enter(Path(sys.argv[1]))
import freeanimate_pack.nodes
print(time.perf_counter() - start)
"""


def import_seconds(host: Path) -> float:
    """Seconds of wall time that importing the pack takes in a new process, once the host is imported."""
    line = [sys.executable, "-c", LOADING, str(host)]
    done = subprocess.run(line, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return float(done.stdout.splitlines()[-1])


def drawing_seconds(clock: Clock) -> float:
    """Seconds that skeletons with hands and faces take: FRAMES pictures of SIDE x SIDE."""
    joints = motion("dance", 5, FRAMES, SIDE, SIDE)
    noise = np.random.default_rng(0).normal(0, 14, (1, 70, 2))
    clouds = {}
    for name, (centre, count) in CLOUDS.items():
        places = joints[:, centre, None, :2] + noise[:, :count]
        clouds[name] = np.concatenate([places, np.ones((FRAMES, count, 1))], axis=-1)
    poses = replace(PoseSequence.from_joints(joints, SIDE, SIDE), **clouds)
    begin = clock.now()
    draw_poses(poses)
    return clock.now() - begin
