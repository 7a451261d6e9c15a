"""Poses, pictures and latents, good and bad, of any size and length."""

import math

import torch
from comfy_api.latest import io

# OpenPose-18 joints of a standing person, as fractions of the canvas: nose, neck, right arm, left arm,
# right leg, left leg, right eye, left eye, right ear, left ear.
STANDING = (
    (0.50, 0.16), (0.50, 0.28), (0.41, 0.29), (0.36, 0.41), (0.33, 0.52), (0.59, 0.29), (0.64, 0.41), (0.67, 0.52),
    (0.44, 0.53), (0.43, 0.70), (0.42, 0.88), (0.56, 0.53), (0.57, 0.70), (0.58, 0.88), (0.48, 0.14), (0.52, 0.14),
    (0.45, 0.15), (0.55, 0.15),
)  # fmt: skip
LEFT_WRIST = 7
FACE, HAND = 70, 21
POSE_KINDS = ("good", "one frame empty", "all empty", "no joint seen", "nan", "fractions", "no canvas", "no frames")


def _person(joints: list[float]) -> dict[str, list[float]]:
    """A person in the ecosystem's format, face and hands unseen."""
    unseen = {"face_keypoints_2d": FACE, "hand_left_keypoints_2d": HAND, "hand_right_keypoints_2d": HAND}
    return {"pose_keypoints_2d": joints} | {key: [0.0] * (3 * count) for key, count in unseen.items()}


def _joints(frame: int, width: float, height: float, seen: float) -> list[float]:
    """Flat [x, y, seen]*18; the left wrist swings by a tenth of the height."""
    flat = []
    for joint, (x, y) in enumerate(STANDING):
        lift = 0.1 * math.sin(0.6 * frame) if joint == LEFT_WRIST else 0.0
        flat += [x * width * seen, (y - lift) * height * seen, seen]
    return flat


def _frame(kind: str, frame: int, width: int, height: int) -> dict[str, object]:
    """One frame's dict with the fault that `kind` names."""
    w, h = (1.0, 1.0) if kind == "fractions" else (width, height)
    joints = _joints(frame, w, h, 0.0 if kind == "no joint seen" else 1.0)
    if kind == "nan":
        joints[3] = math.nan
    empty = kind == "all empty" or (kind == "one frame empty" and frame == 1)
    canvas = {} if kind == "no canvas" else {"canvas_width": width, "canvas_height": height}
    return {"people": [] if empty else [_person(joints)]} | canvas


def _size() -> list[io.Input]:
    """Frames, width and height in pixels; 0 frames is an empty batch."""
    return [
        io.Int.Input("frames", default=3, min=0, max=256, step=1),
        io.Int.Input("width", default=64, min=8, max=1024, step=8),
        io.Int.Input("height", default=64, min=8, max=1024, step=8),
    ]


def _smooth(frames: int, channels: int, h: int, w: int, seed: int) -> torch.Tensor:
    """[F,C,h,w] in 0..1 without detail, another one for each frame."""
    rng = torch.Generator().manual_seed(seed)
    coarse = torch.rand(max(frames, 1), channels, 3, 3, generator=rng)
    smooth = torch.nn.functional.interpolate(coarse, (h, w), mode="bilinear", align_corners=True)
    return smooth[:frames]


class TinyPoses(io.ComfyNode):
    """POSE_KEYPOINT of a standing person who lifts one hand, or a faulty one."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The fault and the size."""
        return io.Schema(
            node_id="TinyPoses",
            category="tests",
            inputs=[io.Combo.Input("kind", options=list(POSE_KINDS)), *_size()],
            outputs=[io.Custom("POSE_KEYPOINT").Output()],
        )

    @classmethod
    def execute(cls, kind: str, frames: int, width: int, height: int) -> io.NodeOutput:
        """One dict per frame."""
        count = 0 if kind == "no frames" else frames
        return io.NodeOutput([_frame(kind, i, width, height) for i in range(count)])


class TinyPicture(io.ComfyNode):
    """IMAGE and MASK of smooth colours, for any stage that wants pictures."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Seed and size."""
        return io.Schema(
            node_id="TinyPicture",
            category="tests",
            inputs=[io.Int.Input("seed", default=0, min=0, max=1000, step=1), *_size()],
            outputs=[io.Image.Output(), io.Mask.Output()],
        )

    @classmethod
    def execute(cls, seed: int, frames: int, width: int, height: int) -> io.NodeOutput:
        """IMAGE [F,H,W,3] and an oval MASK [F,H,W]."""
        y, x = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
        mask = (x.square() * 4 + y.square() < 0.8).float().expand(frames, -1, -1)
        return io.NodeOutput(_smooth(frames, 3, height, width, seed).movedim(1, -1), mask)


class TinyLatent(io.ComfyNode):
    """LATENT of a smooth clip, or one that holds a NaN, with any channel count."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """The fault, seed, channels and size in pixels (8 per cell)."""
        return io.Schema(
            node_id="TinyLatent",
            category="tests",
            inputs=[
                io.Combo.Input("kind", options=["good", "nan"]),
                io.Int.Input("seed", default=0, min=0, max=1000, step=1),
                io.Int.Input("channels", default=4, min=1, max=128, step=1),
                *_size(),
            ],
            outputs=[io.Latent.Output()],
        )

    @classmethod
    def execute(cls, kind: str, seed: int, channels: int, frames: int, width: int, height: int) -> io.NodeOutput:
        """LATENT [F,C,H/8,W/8] in the VAE's units."""
        samples = 8.0 * (_smooth(frames, channels, height // 8, width // 8, seed) - 0.5)
        if kind == "nan":
            samples[0, 0, 0, 0] = math.nan
        return io.NodeOutput({"samples": samples})
