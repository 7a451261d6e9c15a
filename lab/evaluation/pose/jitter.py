"""What smoothing gains against jitter of the detections, and what it costs where there is none."""

import numpy as np

from freeanimate_pack.demo.drawn.motion import MOTIONS, motion, rest_pose
from freeanimate_pack.freeanimate_core.pose import PoseSequence
from freeanimate_pack.freeanimate_core.pose.align import AlignSettings, align
from freeanimate_pack.freeanimate_core.pose.keypoints import VISIBLE

from .clips import HEIGHT, WIDTH

STRENGTHS = (0.0, 0.2, 0.4, 0.6, 0.8)
NOISE = (0.0, 0.5, 1.0, 2.0)  # standard deviation of each coordinate in pixels of a height of 256
FRAMES = 32


def jitter() -> dict[str, dict[str, float]]:
    """Mean joint error as a fraction of the canvas height: noise -> strength -> error, over all motions."""
    return {
        f"{noise} px of {HEIGHT}": {str(strength): _error(noise, strength) for strength in STRENGTHS} for noise in NOISE
    }


def _error(noise: float, strength: float) -> float:
    rng = np.random.default_rng(2)
    errors = []
    for seed, name in enumerate(MOTIONS):
        truth = motion(name, seed, FRAMES, HEIGHT, WIDTH).astype(np.float64)
        seen = truth.copy()
        seen[..., :2] += noise * rng.standard_normal(seen[..., :2].shape)
        reference = PoseSequence.from_joints(rest_pose(seed, HEIGHT, WIDTH), HEIGHT, WIDTH)
        settings = AlignSettings("affine", smoothing=strength, ground=False)
        poses = align(PoseSequence.from_joints(seen, HEIGHT, WIDTH), reference, settings).poses
        shown = truth[..., 2] >= VISIBLE
        errors.append(np.hypot(*(poses.joints - truth)[shown][:, :2].T).mean())
    return float(np.mean(errors) / HEIGHT)
