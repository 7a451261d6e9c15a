"""Poses of people in pictures, found by controlnet-aux's OpenPose (arXiv 1812.08008) with weights on this machine.

The package is imported only when it is needed: that takes seconds. It reads weights with torch.load,
so it is handed a stream that we wrote ourselves from tensors, never the user's file.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from pickle import UnpicklingError
from types import ModuleType
from typing import Protocol

import numpy as np
import torch
from einops import rearrange
from safetensors import SafetensorError
from torch import Tensor
from torch.nn import functional

from ..errors import DETECT_POSE, FreeAnimateError, counted, printable
from .keypoints import ARRAYS, FACE_POINTS, Person, write_people

FOLDER = "controlnet_aux"  # below the host's models
WEIGHTS = {"body": "body_pose_model", "hand": "hand_pose_model", "face": "facenet"}  # file names without suffix
SUFFIXES = (".safetensors", ".pth")
CLASSES = {"body": "Body", "hand": "Hand", "face": "Face"}
SOURCE = "https://huggingface.co/lllyasviel/Annotators"
# What reading a file raises that is none: torch's and safetensors' own, and the host's where it holds a list, a
# number or nothing in the place of a dictionary.
NO_FILE = (OSError, EOFError, ValueError, RuntimeError, UnpicklingError, SafetensorError)
UNREADABLE = (*NO_FILE, AttributeError, TypeError, KeyError)
INSTEAD = "or use ComfyUI's own SDPose Keypoint Extractor instead"
FACE_PEAK = 0.05  # height from which a face point counts as found, as in the package


class Keypoint(Protocol):
    """A point as the package gives it, in fractions of the picture."""

    x: float
    y: float


Keypoints = Sequence[Keypoint | None] | None


class FoundBody(Protocol):
    """The joints of a body, None where one was not found."""

    keypoints: Keypoints


class FoundPose(Protocol):
    """A person as the package gives it; what was not looked for is None."""

    body: FoundBody
    face: Keypoints
    right_hand: Keypoints
    left_hand: Keypoints


class Detector(Protocol):
    """controlnet-aux's OpenposeDetector, as far as it is used."""

    def detect_poses(self, picture: np.ndarray, include_hand: bool, include_face: bool) -> Sequence[FoundPose]:
        """Everybody in a picture [h,w,3] of 8 bits."""


class Estimation(Protocol):
    """The package's Body, Hand or Face: a network with what reads its output."""

    def to(self, device: torch.device | str) -> "Estimation":
        """The same with its network on another device."""

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """What it finds in a picture [h,w,3] of 8 bits."""


def wanted_parts(hands: bool, face: bool) -> list[str]:
    """The keys of ``WEIGHTS`` that a detection needs."""
    return ["body"] + ["hand"] * hands + ["face"] * face


def choose_files(parts: Sequence[str], present: Sequence[str]) -> dict[str, str]:
    """Part -> the first of ``present`` (paths) that holds its weights; FreeAnimateError naming those missing."""
    by_name = {path.replace("\\", "/").rsplit("/", 1)[-1]: path for path in reversed(present)}
    chosen = {}
    for part in parts:
        names = [WEIGHTS[part] + suffix for suffix in SUFFIXES if WEIGHTS[part] + suffix in by_name]
        if names:
            chosen[part] = by_name[names[0]]
    missing = [f"{WEIGHTS[part]}.pth" for part in parts if part not in chosen]
    if missing:
        raise FreeAnimateError(
            f"{DETECT_POSE}: {', '.join(missing)} not found in models/{FOLDER}; download from "
            f"{SOURCE} (comfyui_controlnet_aux keeps the same files in its folder ckpts) and put there, in any "
            f"subfolder, {INSTEAD}."
        )
    return chosen


def read_weights(load: Callable[[str], Mapping], files: Mapping[str, str]) -> dict[str, Mapping]:
    """``load`` each of ``files`` (part -> path); FreeAnimateError for one that holds no plain weights."""
    weights = {}
    for part, name in files.items():
        try:
            weights[part] = load(name)
        except UNREADABLE as error:
            raise FreeAnimateError(
                f"{DETECT_POSE}: {printable(name)} in models/{FOLDER} cannot be read as weights "
                f"({type(error).__name__}); download it again from {SOURCE}."
            ) from None
        if not isinstance(weights[part], Mapping) or not any(isinstance(v, Tensor) for v in weights[part].values()):
            raise FreeAnimateError(
                f"{DETECT_POSE}: {printable(name)} in models/{FOLDER} holds a {type(weights[part]).__name__} without "
                f"weights; download it again from {SOURCE}."
            )
    return weights


def build_detector(weights: Mapping[str, Mapping[str, Tensor]], device: torch.device | str) -> Detector:
    """controlnet-aux's OpenposeDetector on ``device`` from state dicts by part: body, and hand and face if wanted.

    Raises FreeAnimateError when the package cannot be imported or a state dict is another network's.
    """
    package = _open_pose()
    parts = {part: _estimation(package, part, state).to(device) for part, state in weights.items()}
    face = _AllPoints(parts["face"]) if "face" in parts else None
    return package.OpenposeDetector(parts["body"], parts.get("hand"), face)


def detect_poses(
    images: Tensor, detector: Detector, hands: bool, face: bool, resolution: int, progress: Callable[[int], None]
) -> list[dict]:
    """POSE_KEYPOINT, in pixels, of everybody in ``images`` [F,H,W,3] 0-1; frames without people have none.

    ``resolution`` is the shorter side, in pixels, that pictures are scaled to. ``progress`` gets the number
    of frames done and may raise. Raises FreeAnimateError when no frame shows anybody.
    """
    height, width = images.shape[1:3]
    people = []
    for done, image in enumerate(images):
        progress(done)
        found = detector.detect_poses(_picture(image, resolution), include_hand=hands, include_face=face)
        people.append([_arrays(pose, height, width) for pose in found])
    progress(len(images))
    if not any(people):
        raise FreeAnimateError(
            f"{DETECT_POSE}: images show nobody that OpenPose recognises in any of {counted(len(images), 'frame')}; "
            f"raise resolution, choose frames that show shoulders and head, {INSTEAD}."
        )
    return write_people(people, height, width)


def _open_pose() -> ModuleType:
    """The package's module, imported now."""
    try:
        from controlnet_aux import open_pose
    except ImportError as error:
        raise FreeAnimateError(
            f"{DETECT_POSE}: the package controlnet_aux cannot be imported ({error}); run "
            f"'pip install controlnet-aux' with the Python that runs ComfyUI, {INSTEAD}."
        ) from error
    return open_pose


def _estimation(package: ModuleType, part: str, state: Mapping[str, Tensor]) -> Estimation:
    """The package's Body, Hand or Face with these weights."""
    stream = io.BytesIO()
    torch.save({name: value for name, value in state.items() if isinstance(value, Tensor)}, stream)
    stream.seek(0)
    try:
        return getattr(package, CLASSES[part])(stream)
    except (KeyError, RuntimeError) as error:  # a name or a shape that is not there
        raise FreeAnimateError(
            f"{DETECT_POSE}: {WEIGHTS[part]} in models/{FOLDER} holds another network's weights; "
            f"download it again from {SOURCE}."
        ) from error


class _AllPoints:
    """A face estimation that keeps every point's number; the package's own leaves out those it did not find."""

    def __init__(self, estimation: Estimation) -> None:
        self.estimation = estimation

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        return self.estimation(picture)

    def compute_peaks_from_heatmaps(self, heatmaps: np.ndarray) -> np.ndarray:
        """Highest pixels (x, y) [70,2] of ``heatmaps`` [71,h,w], the last being the ground; 0, 0 if not found."""
        flat = rearrange(heatmaps[:FACE_POINTS], "point h w -> point (h w)")
        rows, columns = np.divmod(flat.argmax(axis=1), heatmaps.shape[2])
        found = flat.max(axis=1) > FACE_PEAK
        return np.where(found[:, None], np.stack((columns, rows), axis=-1), 0)


def _picture(image: Tensor, resolution: int) -> np.ndarray:
    """One image [H,W,3] 0-1 as 8 bits, its shorter side scaled to ``resolution``."""
    height, width = image.shape[:2]
    size = [round(side * resolution / min(height, width)) for side in (height, width)]
    planes = rearrange(image, "h w c -> 1 c h w")
    scaled = functional.interpolate(planes, size, mode="bilinear", antialias=True)
    picture = rearrange(scaled, "1 c h w -> h w c")
    return (picture.clamp(0, 1) * 255).round().byte().contiguous().numpy()


def _arrays(pose: FoundPose, height: int, width: int) -> Person:
    """One of the package's results as arrays in pixels; found points have confidence 1, as in its peers."""
    found: dict[str, Keypoints] = {
        "joints": pose.body.keypoints,
        "face": pose.face,
        "right_hand": pose.right_hand,
        "left_hand": pose.left_hand,
    }
    return {name: _points(found.get(name), count, height, width) for name, (_, count) in ARRAYS.items()}


def _points(keypoints: Keypoints, count: int, height: int, width: int) -> np.ndarray:
    """Keypoints, fractions of the picture, as [count,3]; not found are None, or negative in both."""
    points = np.zeros((count, 3))
    for row, keypoint in zip(points, keypoints or []):
        if keypoint is not None and (keypoint.x >= 0 or keypoint.y >= 0):
            row[:] = keypoint.x * width, keypoint.y * height, 1.0
    return points
