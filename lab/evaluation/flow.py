"""Where each pixel of a true frame was in the frame before it: known from the part labels and the joints.

The figure is drawn in its parts' own frames, so a part's motion is that of its joints: a limb turns
and is stretched along its bone, the torso is an affine map of shoulders and hips, the head a
similarity of the face. The ground stands still. Points are x, y in pixels.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from freeanimate_pack.freeanimate_core.measures import warped

GROUND, TORSO, HEAD = 0, 1, 2
TORSO_JOINTS, FACE_JOINTS = (1, 2, 5, 8, 11), (0, 1, 14, 15, 16, 17)
BONES = {3: (2, 3), 4: (3, 4), 5: (5, 6), 6: (6, 7), 7: (8, 9), 8: (9, 10), 9: (11, 12), 10: (12, 13)}  # by label
SURE = 0.99  # share of the four pixels around a spot that must belong to the part

Move = Callable[[np.ndarray], np.ndarray]


def true_flow(joints: np.ndarray, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Places [F-1,H,W,2] of frame t+1's pixels in frame t, and which of them both frames show [F-1,H,W] bool.

    joints: [F,18,3]. labels: [F,H,W] of the true frames. A spot counts as shown when it belongs to
    the same part in both frames and lies on the canvas.
    """
    pairs = [_between(joints[t], joints[t + 1], labels[t : t + 2]) for t in range(len(joints) - 1)]
    if not pairs:
        return torch.zeros(0, *labels.shape[1:], 2), torch.zeros(0, *labels.shape[1:], dtype=torch.bool)
    return torch.stack([places for places, _ in pairs]), torch.stack([seen for _, seen in pairs])


def shown_in(reference: np.ndarray, reference_labels: Tensor, joints: np.ndarray, labels: Tensor) -> Tensor:
    """Which pixels [F,H,W] of the true frames a reference shows too.

    reference: [18,3] joints of the reference with its labels [H,W]; joints [F,18,3] and labels [F,H,W] of the frames.
    """
    frames = [
        _between(reference, *pair) for pair in zip(joints, torch.stack([reference_labels.expand_as(labels), labels], 1))
    ]
    return torch.stack([seen for _, seen in frames])


def _between(before: np.ndarray, after: np.ndarray, labels: Tensor) -> tuple[Tensor, Tensor]:
    height, width = labels.shape[1:]
    pixels = np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), axis=-1)
    places, owner = pixels.copy(), labels[1].numpy()
    known = owner == GROUND
    for label in np.unique(owner[owner != GROUND]).tolist():
        move = _move(label, before, after)
        if move is not None:
            mask = owner == label
            places[mask], known = move(pixels[mask]), known | mask
    inside = (places >= 0.5).all(-1) & (places[..., 0] <= width - 0.5) & (places[..., 1] <= height - 0.5)
    found = torch.from_numpy(places).float()
    return found, _same_part(labels, found) & torch.from_numpy(known & inside)


def _same_part(labels: Tensor, places: Tensor) -> Tensor:
    """[H,W] bool: the spot in frame t belongs to the part that frame t+1 shows."""
    kinds = functional.one_hot(labels.long(), 11).float()
    return (warped(kinds[:1], places[None])[0] * kinds[1]).sum(-1) > SURE


def _move(label: int, before: np.ndarray, after: np.ndarray) -> Move | None:
    """The map of a part's points from frame t+1 to frame t, or None when its joints are not known."""
    wanted = {TORSO: TORSO_JOINTS, HEAD: FACE_JOINTS}.get(label) or BONES[label]
    shown = [k for k in wanted if before[k, 2] > 0 and after[k, 2] > 0]
    source, target = after[shown, :2].astype(np.float64), before[shown, :2].astype(np.float64)
    if label == TORSO:
        return _affine(source, target) if len(shown) >= 3 else None
    if label == HEAD:
        return _similarity(source, target) if len(shown) >= 2 else None
    return _along_bone(source, target) if len(shown) == 2 else None


def _affine(source: np.ndarray, target: np.ndarray) -> Move:
    """Least-squares affine map [n,2] -> [n,2]."""
    matrix = np.linalg.lstsq(np.c_[source, np.ones(len(source))], target, rcond=None)[0]
    return lambda points: np.c_[points, np.ones(len(points))] @ matrix


def _similarity(source: np.ndarray, target: np.ndarray) -> Move:
    """Least-squares similarity, with points as complex numbers."""
    z, w = source @ (1, 1j), target @ (1, 1j)
    middle, aim = z.mean(), w.mean()
    turn = ((z - middle).conj() * (w - aim)).sum() / max((np.abs(z - middle) ** 2).sum(), 1e-6)

    def move(points: np.ndarray) -> np.ndarray:
        moved = aim + turn * (points @ (1, 1j) - middle)
        return np.stack([moved.real, moved.imag], axis=-1)

    return move


def _along_bone(source: np.ndarray, target: np.ndarray) -> Move:
    """A turn that scales along the bone only between its joints: hands and shoes keep their size."""
    (a, b), (c, d) = source, target
    long, short = np.hypot(*(b - a)), np.hypot(*(d - c))
    e, f = (b - a) / max(long, 1e-6), (d - c) / max(short, 1e-6)

    def move(points: np.ndarray) -> np.ndarray:
        along = (points - a) @ e
        across = (points - a) @ (-e[1], e[0])
        within = np.clip(along, 0, long)
        way = within * (short / max(long, 1e-6)) + along - within
        return c + way[:, None] * f + across[:, None] * np.array((-f[1], f[0]))

    return move
