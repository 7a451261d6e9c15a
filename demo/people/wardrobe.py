"""Garments cut out of the helper meshes, by fields over the base mesh that are positive where there is cloth.

Places are the base mesh's, in decimetres: shoulder (1.68, 5.25), elbow (3.13, 3.49), wrist (4.31, 2.45), crotch at
height -0.5, knee -3.69, ankle -7.45, sole -8.2.
"""

from dataclasses import replace

import numpy as np

from .geometry import normals_of, step
from .looks import Looks
from .mesh import LEGS, SHOES, TOP, Piece, cut, evened, neighbours

SHOULDER, ELBOW, WRIST = np.array([1.68, 5.25, 0.15]), np.array([3.13, 3.49, 0.13]), np.array([4.31, 2.45, 1.76])
HIP, KNEE, ANKLE = 0.3, -3.69, -7.45
WAIST = 1.95
LAP = 0.3  # how far skin goes on below a hem
ARM_BONES = ("upperarm", "lowerarm", "hand", "thumb", "index", "middle", "ring", "pinky")


def garments(looks: Looks, tights: Piece, skirt: Piece, bones: tuple[str, ...]) -> list[Piece]:
    """Top, legwear and shoes over the identity's ``tights`` and ``skirt``."""
    normals = normals_of(tights.points, tights.triangles)
    arms = arm_share(tights.weights, bones)
    soft = _softened(tights, normals, 24)
    pieces = [_shoes(looks, tights, normals)]
    normals = normals_of(soft.points, soft.triangles)
    pieces += _top(looks, soft, normals, arms, bones)
    if looks.legwear in ("skirt", "dress"):
        return [*pieces, _skirt(looks, skirt)]
    return [*pieces, _trousers(looks, soft, normals, arms)]


def _softened(piece: Piece, normals: np.ndarray, rounds: int) -> Piece:
    """Over the small hollows of the body, as cloth hangs: moved along the normals only."""
    even = evened(piece.points, neighbours(piece.triangles, len(piece.points)), rounds)
    away = ((even - piece.points) * normals).sum(axis=1)
    return _seat_filled(piece.moved(np.clip(away, -0.03, 0.5)[:, None] * normals))


def _seat_filled(piece: Piece) -> Piece:
    """Cloth goes straight across the seat: at each height nothing there lies deeper than what stands out most."""
    x, y, z = np.abs(piece.rest[:, 0]), piece.rest[:, 1], piece.rest[:, 2]
    behind = (z < -0.1) & (x < 1.7)
    heights = np.linspace(-1.0, 1.8, 29)
    near = np.abs(y[:, None] - heights) < 0.16
    out = np.where(near & behind[:, None], piece.points[:, 2:], np.inf).min(axis=0)
    out = np.convolve(np.pad(out, 1, mode="edge"), np.ones(3) / 3, mode="valid")
    share = behind * step(-0.8, -0.45, y) * step(1.7, 1.2, y) * step(1.45, 0.95, x)
    deeper = np.minimum(piece.points[:, 2], np.interp(y, heights, out) + 0.04 + 0.25 * x**2)
    offset = np.zeros_like(piece.points)
    offset[:, 2] = share * (deeper - piece.points[:, 2])
    return piece.moved(offset)


def covered(looks: Looks, rest: np.ndarray, arms: np.ndarray) -> np.ndarray:
    """Which vertices [n] of the body lie so deep under a garment that they are left out."""
    top = top_field(looks, rest, arms, (0.12, LAP, LAP)) > 0
    legs = (rest[:, 1] < 1) & (rest[:, 1] > leg_height(looks.hem) + LAP)
    return top | legs | (rest[:, 1] < shoe_height(looks) - 0.15)


def arm_share(weights: np.ndarray, bones: tuple[str, ...]) -> np.ndarray:
    """How much each vertex [n] belongs to an arm, 0-1."""
    columns = [k for k, bone in enumerate(bones) if bone.startswith(ARM_BONES)]
    return weights[:, columns].sum(axis=1)


def along_arm(rest: np.ndarray) -> np.ndarray:
    """How far down the arm [n]: 0 shoulder, 1 elbow, 2 wrist."""
    spots = np.abs(rest) * (1, 0, 0) + rest * (0, 1, 1)
    upper, lower = ELBOW - SHOULDER, WRIST - ELBOW
    first = (spots - SHOULDER) @ upper / (upper @ upper)
    second = (spots - ELBOW) @ lower / (lower @ lower)
    return np.where(second > 0, 1 + second, np.minimum(first, 1))


def leg_height(hem: float) -> float:
    """Height on the base mesh of a hem that is ``hem`` down the leg (0 hip, 1 knee, 2 ankle)."""
    return HIP + hem * (KNEE - HIP) if hem < 1 else KNEE + (hem - 1) * (ANKLE - KNEE)


def shoe_height(looks: Looks) -> float:
    """Height on the base mesh of a shoe's upper edge."""
    return -6.3 if looks.boots else -7.55


def top_hem(looks: Looks) -> float:
    """Height on the base mesh of the shirt's lower edge."""
    return 1.62 if looks.tucked else -0.25 + 0.5 * looks.fringe * 0.5


def top_field(
    looks: Looks, rest: np.ndarray, arms: np.ndarray, laps: tuple[float, float, float] = (0.0, 0.0, 0.0)
) -> np.ndarray:
    """Positive [n] where the shirt is, decimetres from its edge; ``laps`` draw in the neckline, hem and sleeves."""
    x, y, z = rest.T
    neck = 6.0 - 0.42 * np.maximum(z - 0.05, 0) - y
    if looks.neckline == "v":
        deep = 0.85 * np.maximum(1 - np.abs(x) / 0.62, 0) * step(0.2, 0.7, z)
        neck = neck - deep
    if looks.sleeve == 0:
        arm = 1.6 * (0.5 - arms)
    else:
        arm = 2.28 * (looks.sleeve - along_arm(rest) * arms)
    return np.minimum(np.minimum(neck - laps[0], y - top_hem(looks) - laps[1]), arm - laps[2])


def _top(looks: Looks, tights: Piece, normals: np.ndarray, arms: np.ndarray, bones: tuple[str, ...]) -> list[Piece]:
    """The trunk of the shirt and its sleeves, each with its own run of the pattern."""
    y, loose = tights.rest[:, 1], looks.top.loose
    along = along_arm(tights.rest)
    body = 0.09 + 0.2 * loose * step(5.6, 4.2, y) + (0.0 if looks.tucked else 0.08 * step(2.2, 1.2, y))
    body = np.where(looks.tucked, body * (0.45 + 0.55 * step(1.5, 2.4, y)), body)
    sleeve = 0.08 + 0.2 * loose * step(0, 1.0, along) * step(2.2, 1.5, along)
    offset = (body + (sleeve - body) * arms)[:, None] * normals
    whole = cut(replace(tights.moved(offset), material=TOP), top_field(looks, tights.rest, arms))
    seam = arm_share(whole.weights, bones) - 0.5
    trunk = cut(replace(whole, paint=_around(whole.rest, 0.0, 0.35, 1.3)), -seam)
    if looks.sleeve == 0:
        return [trunk]
    along = along_arm(whole.rest)
    round_arm = whole.rest[:, 2] - 0.15 - 1.6 * np.maximum(along - 1, 0)
    return [trunk, cut(replace(whole, paint=_pair(round_arm, -2.28 * along)), seam)]


def _trousers(looks: Looks, tights: Piece, normals: np.ndarray, arms: np.ndarray) -> Piece:
    y = tights.rest[:, 1]
    wide = (0.02 + 0.22 * looks.legs.loose) * step(0.2, -1.5, y)
    wide = wide + (0.08 + 0.3 * looks.legs.loose) * step(-4.0, -7.0, y)  # straight down past the calf
    offset = (0.045 + wide + 0.08 * step(0.9, 1.6, y) * looks.tucked)[:, None] * normals
    upper = WAIST if looks.tucked else top_hem(looks) + 0.55
    field = np.minimum(upper - y, y - leg_height(looks.hem))
    field = np.where(arms > 0.1, -1, field)
    centre = 1.2 + 0.14 * np.clip(-y, 0, 8)
    paint = _around(tights.rest, np.sign(tights.rest[:, 0]) * centre, 0.2, 0.8)
    return cut(replace(tights.moved(offset), paint=paint, material=LEGS), field)


def _skirt(looks: Looks, skirt: Piece) -> Piece:
    y = skirt.rest[:, 1]
    normals = normals_of(skirt.points, skirt.triangles)
    flare = 0.05 + 0.1 * step(1.0, 1.6, y) + (0.1 + 0.5 * looks.legs.loose) * step(1.2, -5.5, y)
    piece = replace(skirt.moved(flare[:, None] * normals), paint=_around(skirt.rest, 0.0, 0.2, 1.9), material=LEGS)
    return cut(piece, y - leg_height(looks.hem))


def _shoes(looks: Looks, tights: Piece, normals: np.ndarray) -> Piece:
    y = tights.rest[:, 1]
    offset = (0.06 + 0.05 * step(-7.7, -8.1, y))[:, None] * normals
    offset[:, 1] = np.where(y < -8.0, -0.09, offset[:, 1])  # a flat sole
    paint = _pair(tights.rest[:, 2], y)
    return cut(replace(tights.moved(offset), paint=paint, material=SHOES), shoe_height(looks) - y)


def _around(rest: np.ndarray, x: np.ndarray | float, z: float, radius: float) -> np.ndarray:
    """Cloth coordinates [n,2]: around a vertical axis (front and back mirrored, so there is no seam), and height."""
    around = radius * np.arctan2(rest[:, 0] - x, np.abs(rest[:, 2] - z) + 0.05)
    return _pair(around, rest[:, 1])


def _pair(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.stack([first, second], axis=1).astype(np.float32)
