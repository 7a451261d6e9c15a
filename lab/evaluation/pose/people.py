"""The study of pose alignment in the rendered world: somebody else drives, of other proportions and by another camera.

The truth is the reference's own body in the same poses of the same motion, as its own camera sees it.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from freeanimate_pack.demo.people import CLASSES, Camera, Pose, motion, person, posed, reference_pose
from freeanimate_pack.demo.people.clips import shared_camera
from freeanimate_pack.demo.people.render import Posed, picture_joints
from freeanimate_pack.freeanimate_core.pose import VISIBLE, PoseSequence
from freeanimate_pack.freeanimate_core.pose.align import ALIGN_MODES, AlignSettings, align

from ..given import EXACT, noisy
from ..people import class_of, clip_of, held_out
from ..results import mean_and_error
from .clips import DrivingClip

SIZE, FRAMES = 256, 12
APART = 500  # the driver of a held-out person is that many further on
KIND = "other person"


def clips_of(people: int, inputs: str) -> Iterable[tuple[DrivingClip, tuple[str, ...]]]:
    """A clip for each of the first held-out people, with the class of pose of each of its frames."""
    for number in range(people):
        yield _clip(held_out(number), held_out(number + APART), inputs)


def _clip(seed: int, driver: int, inputs: str) -> tuple[DrivingClip, tuple[str, ...]]:
    name, view = clip_of(seed)
    reference, truth, _ = _seen(seed, name, view)
    _, driving, poses = _seen(driver, name, view)
    if inputs != EXACT:
        rng = np.random.default_rng([seed, 42])
        reference, driving = noisy(reference, rng), noisy(driving, rng)
    clip = DrivingClip(KIND, f"{name}, seed {driver} drives {seed}", driving, reference, truth.joints, {})
    return clip, tuple(class_of(name, view, pose) for pose in poses)


def _seen(seed: int, name: str, view: str) -> tuple[PoseSequence, PoseSequence, list[Pose]]:
    """Somebody's reference pose and motion as one camera sees them, and the poses."""
    who, poses = person(seed), motion(name, seed, FRAMES)
    bodies = [posed(who, pose) for pose in (reference_pose(seed, view), *poses)]
    camera = shared_camera(who, bodies, view, "waist", 1.0)
    joints = np.stack([_joints(body, camera) for body in bodies])
    return *(PoseSequence.from_joints(part, SIZE, SIZE) for part in (joints[:1], joints[1:])), poses


def _joints(body: Posed, camera: Camera) -> np.ndarray:
    """Joints [18,3] in pixels; nothing needs to be drawn to know where they are."""
    nothing = np.zeros((SIZE, SIZE))
    return picture_joints(body, camera, nothing, nothing)[0]


def errors(clip: DrivingClip, mode: str) -> np.ndarray:
    """Mean distance [F] of the joints that both show, in shares of the canvas height; NaN where a frame has none."""
    poses = align(clip.driving, clip.reference, AlignSettings(mode)).poses
    shown = (poses.joints[..., 2] >= VISIBLE) & (clip.truth[..., 2] >= VISIBLE)
    off = np.hypot(*(poses.joints - clip.truth)[..., :2].transpose(2, 0, 1)) / clip.reference.height
    return np.where(shown, off, 0).sum(axis=1) / np.where(shown.any(axis=1), shown.sum(axis=1), np.nan)


def study(people: int, inputs: str) -> dict:
    """{"classes": {class: {mode: {mean, se}}}, "all": {mode: {mean, se}}}: joint errors over the people."""
    rows: dict[str, dict[str, list[float]]] = {name: {mode: [] for mode in ALIGN_MODES} for name in (*CLASSES, "all")}
    for clip, classes in clips_of(people, inputs):
        for mode in ALIGN_MODES:
            for name, value in _by_class(errors(clip, mode), classes).items():
                rows[name][mode].append(value)
    entries = {name: {mode: _entry(column) for mode, column in modes.items()} for name, modes in rows.items()}
    return {"all": entries.pop("all"), "classes": {n: modes for n, modes in entries.items() if any(rows[n].values())}}


def _by_class(values: np.ndarray, classes: Sequence[str]) -> dict[str, float]:
    found = {"all": float(np.nanmean(values))}
    for name in dict.fromkeys(classes):
        own = values[[other == name for other in classes]]
        if np.isfinite(own).any():
            found[name] = float(np.nanmean(own))
    return found


def _entry(column: list[float]) -> dict[str, float | None]:
    mean, error = mean_and_error(column)
    return {"mean": mean, "se": error}


def markdown(report: dict) -> str:
    """The table of pose.json for people."""
    modes = list(report["all"])
    lines = [
        f"# Pose alignment: {report['clips']} rendered people driven by others, {report['inputs']} inputs",
        "",
        "Mean error of a joint, per cent of the canvas height, mean over the people and its standard error.",
        "",
        f"| pose class | {' | '.join(modes)} |",
        "|---" * (len(modes) + 1) + "|",
    ]
    for name, entries in (*report["classes"].items(), ("all", report["all"])):
        lines.append(f"| {name} | {' | '.join(_cell(entries[mode]) for mode in modes)} |")
    return "\n".join(lines) + "\n"


def _cell(entry: dict[str, float | None]) -> str:
    error = "" if entry["se"] is None else f" +- {100 * entry['se']:.2f}"
    return f"{100 * entry['mean']:.2f}{error}"
