"""Where each part of the reference goes in each frame, as backward maps: target pixel -> reference pixel.

Axes: f frames, h, w the target's pixels in a window. Positions are (x, y) in pixels.
A limb is two bones with one single-valued map: each pixel belongs to the nearer bone, lengths are
scaled along a bone only (foreshortening does not thin a limb), and the wedge that opens on the outer
side of a bent joint is filled by turning the limb's cross-section about the joint, so that its edge
stays closed and unbroken at any angle.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

WEDGE = 1.6  # radii about a bent joint within which the wedge is drawn: farther out lies another piece of the limb
NOWHERE = -1e6  # reference position of pixels that show nothing
SLANT = 0.25  # sine of the angle with a border from which a limb is said to cross it
COLLAPSED = 1e-3  # a scale below this is none: the points lie on one another
Point = Tensor  # [2] or [f,2]


@dataclass(frozen=True)
class Placed:
    """A bone in the reference (``a``, ``b`` [2]) and in the frames (``ta``, ``tb`` [f,2]).

    ``mate`` is the other half of the limb; ``lower`` says that the common joint is ``a``.
    """

    a: Point
    b: Point
    ta: Point
    tb: Point
    beyond: float
    radius: float
    mate: "Placed | None" = None
    lower: bool = False


def bone_map(bone: Placed, x: Tensor, y: Tensor, width_scale: float) -> tuple[Tensor, Tensor]:
    """Reference positions (x, y) [f,h,w] for target pixels x [w], y [h,1], by one bone.

    Anisotropic similarity: ``z = a + R diag(1/s_l, 1/s_w) R'^-1 (z' - a')``; past the ends the scale
    along is ``width_scale`` too, so hands and feet keep their size.
    """
    along, length = _direction(bone.b - bone.a)
    t_along, t_length = _direction(bone.tb - bone.ta)
    px, py = x - _at(bone.ta, 0), y - _at(bone.ta, 1)
    u = px * _at(t_along, 0) + py * _at(t_along, 1)
    v = (py * _at(t_along, 0) - px * _at(t_along, 1)) / width_scale
    t_length = t_length[:, None, None]
    within = torch.minimum(u.clamp_min(0), t_length)
    s = within * (length / t_length) + (u - within) / width_scale
    sx = bone.a[0] + s * along[0] - v * along[1]
    sy = bone.a[1] + s * along[1] + v * along[0]
    if bone.mate is None:
        return sx, sy
    past = u < 0 if bone.lower else u > t_length
    halves = (bone.mate, bone) if bone.lower else (bone, bone.mate)
    wx, wy = _wedge_map(*halves, x, y, width_scale)
    return torch.where(past, wx, sx), torch.where(past, wy, sy)


def _wedge_map(upper: Placed, lower: Placed, x: Tensor, y: Tensor, width_scale: float) -> tuple[Tensor, Tensor]:
    """The map beyond the joint that two bones share: distance kept, angle between their normals.

    Beyond ``WEDGE`` radii there is nothing: a joint bent in the reference would show its other half again.
    """
    px, py = x - _at(lower.ta, 0), y - _at(lower.ta, 1)
    t_upper, t_lower = _angle(upper.tb - upper.ta), _angle(lower.tb - lower.ta)
    bend = _wrapped(t_lower - t_upper)[:, None, None]
    # The wedge opens on the side away from the bend: its normals are a quarter turn against it.
    side = torch.where(bend >= 0, -torch.pi / 2, torch.pi / 2)
    turn = _wrapped(torch.atan2(py, px) - (t_upper[:, None, None] + side))
    share = (turn / torch.where(bend.abs() < 1e-4, 1e-4, bend)).clamp(0, 1)
    first = _angle(upper.b - upper.a)
    angle = first + side + share * _wrapped(_angle(lower.b - lower.a) - first)
    distance = torch.hypot(px, py) / width_scale
    far = distance > WEDGE * max(upper.radius, lower.radius)
    sx, sy = lower.a[0] + distance * torch.cos(angle), lower.a[1] + distance * torch.sin(angle)
    return torch.where(far, NOWHERE, sx), torch.where(far, NOWHERE, sy)


def drawn_back(bone: Placed, x: Tensor, y: Tensor, width: int, height: int) -> tuple[Tensor, Tensor]:
    """Reference positions [f,h,w] beyond a border, drawn back along the bone to the picture's last pixels."""
    along, _ = _direction(bone.b - bone.a)
    steps = torch.zeros_like(x)
    for at, way, end in ((x, float(along[0]), width), (y, float(along[1]), height)):
        if abs(way) > SLANT:
            over = at - (end - 0.5) if way > 0 else 0.5 - at
            steps = torch.maximum(steps, over / abs(way))
    return (x - steps * along[0]).clamp(0.5, width - 0.5), (y - steps * along[1]).clamp(0.5, height - 0.5)


def bone_along(bone: Placed, x: Tensor, y: Tensor) -> Tensor:
    """Target pixels' way [f,h,w] along the bone from its first joint, in pixels."""
    along, _ = _direction(bone.tb - bone.ta)
    return (x - _at(bone.ta, 0)) * _at(along, 0) + (y - _at(bone.ta, 1)) * _at(along, 1)


def bone_distance(bone: Placed, x: Tensor, y: Tensor, width_scale: float) -> Tensor:
    """Distance [f,h,w] of target pixels to the bone, its hand or foot included."""
    along, length = _direction(bone.tb - bone.ta)
    px, py = x - _at(bone.ta, 0), y - _at(bone.ta, 1)
    u = px * _at(along, 0) + py * _at(along, 1)
    v = py * _at(along, 0) - px * _at(along, 1)
    end = (length + bone.beyond * width_scale)[:, None, None]
    return torch.hypot(u - torch.minimum(u.clamp_min(0), end), v)


def sampled(picture: Tensor, sx: Tensor, sy: Tensor) -> Tensor:
    """A picture [c,H,W] at reference positions [f,h,w], as [f,c,h,w]; nothing beyond its border."""
    height, width = picture.shape[1:]
    grid = torch.stack([sx / width * 2 - 1, sy / height * 2 - 1], dim=-1)
    return functional.grid_sample(
        picture.expand(len(grid), -1, -1, -1), grid, mode="bilinear", padding_mode="zeros", align_corners=False
    )


def affine_map(matrix: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Reference positions [f,h,w] by target-to-reference affine matrices [f,2,3]."""
    m = matrix[:, :, :, None, None]
    return m[:, 0, 0] * x + m[:, 0, 1] * y + m[:, 0, 2], m[:, 1, 0] * x + m[:, 1, 1] * y + m[:, 1, 2]


def similarity(source: np.ndarray, target: np.ndarray, weight: np.ndarray) -> tuple[complex, complex] | None:
    """Least-squares ``target = m source + t`` over complex points [n] (Umeyama, TPAMI 1991, without its reflections).

    ``weight`` [n] is each point's; None when points coincide on either side.
    """
    total = weight.sum()
    if (weight > 0).sum() < 2:
        return None
    x_mean, y_mean = (weight * source).sum() / total, (weight * target).sum() / total
    spread = (weight * np.abs(source - x_mean) ** 2).sum()
    if spread / total < 1.0:
        return None
    m = (weight * np.conj(source - x_mean) * (target - y_mean)).sum() / spread
    return (complex(m), complex(y_mean - m * x_mean)) if abs(m) > COLLAPSED else None


def affine(source: np.ndarray, target: np.ndarray, prior: np.ndarray, stiffness: float) -> np.ndarray:
    """Least-squares affine [2,3] over points [n,2], drawn towards the linear part of ``prior`` [2,3].

    ``stiffness`` is the prior's weight as a share of the points' spread: a line of points, as the
    shoulders and hips of a person seen from the side, leaves no direction undetermined.
    """
    x_mean, y_mean = source.mean(0), target.mean(0)
    x, y = source - x_mean, target - y_mean
    ridge = stiffness * np.trace(x.T @ x) / 2 * np.eye(2)
    linear = np.linalg.solve(x.T @ x + ridge, x.T @ y + ridge @ prior[:, :2].T).T
    return np.concatenate([linear, (y_mean - linear @ x_mean)[:, None]], axis=1)


def as_complex(points: np.ndarray) -> np.ndarray:
    """Points [...,2] as complex numbers x + iy [...]."""
    return points[..., 0] + 1j * points[..., 1]


def as_matrix(m: complex, t: complex) -> np.ndarray:
    """The similarity z -> m z + t as a matrix [2,3]."""
    return np.array([[m.real, -m.imag, t.real], [m.imag, m.real, t.imag]])


def inverted(matrix: np.ndarray, thinnest: float) -> np.ndarray:
    """Inverse [2,3] of an affine map, whose scale in no direction is taken as less than ``thinnest``."""
    u, s, vt = np.linalg.svd(matrix[:, :2])
    linear = vt.T @ np.diag(1 / np.maximum(s, thinnest)) @ u.T
    return np.concatenate([linear, -(linear @ matrix[:, 2])[:, None]], axis=1)


def _at(points: Tensor, axis: int) -> Tensor:
    """One coordinate of points [f,2] as [f,1,1]."""
    return points[:, axis, None, None]


def _direction(line: Tensor) -> tuple[Tensor, Tensor]:
    """Unit vector and length of lines [...,2]."""
    length = torch.linalg.vector_norm(line, dim=-1).clamp_min(1.0)
    return line / length[..., None], length


def _angle(line: Tensor) -> Tensor:
    return torch.atan2(line[..., 1], line[..., 0])


def _wrapped(angle: Tensor) -> Tensor:
    """Angle brought to -pi..pi."""
    return torch.remainder(angle + torch.pi, 2 * torch.pi) - torch.pi
