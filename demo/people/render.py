"""From a person, a pose, a camera and a room to a picture with its truth."""

from dataclasses import dataclass, field

import numpy as np

from .camera import Camera
from .geometry import normals_of
from .light import Shadow, lit, shadow_of
from .mesh import HAIR, SKIN
from .noise import noise
from .paint import albedo
from .person import Person
from .pose import Pose, bone_transforms
from .raster import rasterise, weights_at
from .room import Plate, plate
from .scene import Room
from .skirt import hung

SAMPLES = 2  # per pixel and axis
VISIBLE = 0.6  # decimetres: a joint this deep below the surface that hides it is still seen


@dataclass(frozen=True)
class Posed:
    """A person in a pose: what can be computed before there is a camera."""

    person: Person
    points: np.ndarray  # [n,3]
    normals: np.ndarray  # [n,3]
    joints: np.ndarray  # [18,3]
    facing: np.ndarray  # [3], where the face looks
    nose_to_head: np.ndarray = field(default_factory=lambda: np.zeros(3))


@dataclass(frozen=True)
class Frame:
    """One picture and all that is true of it; pixels [H,W], H and W the picture's size."""

    picture: np.ndarray  # [H,W,3] float32 0-1
    mask: np.ndarray  # [H,W] share of the person
    labels: np.ndarray  # [H,W] uint8: 0 ground, 1 torso, 2 head, 3-6 arms, 7-10 legs, as the drawn characters'
    material: np.ndarray  # [H,W] uint8: ``mesh`` materials, 255 ground
    joints: np.ndarray  # [18,3] x, y, confidence: 0 outside the picture or a face point turned away
    visible: np.ndarray  # [18] bool: confidence 1 and not behind another part
    depth: np.ndarray  # [H,W] decimetres from the camera's plane
    room: np.ndarray  # [H,W,3] the still room without the person and its shadow
    shaded: np.ndarray  # [H,W] how much of the person's cast shadow falls on the room
    triangle: np.ndarray  # [H,W] int32, -1 where the person is not
    shares: np.ndarray  # [H,W,3] of the triangle's corners
    posed: Posed
    camera: Camera


def posed(person: Person, pose: Pose) -> Posed:
    """The person's surface and joints in the pose, standing on the floor near the origin."""
    bones = bone_transforms(person.skeleton, pose)
    matrices = (person.weights @ bones.reshape(len(bones), 12)).reshape(-1, 3, 4)
    points = (matrices[..., :3] @ person.points[..., None])[..., 0] + matrices[..., 3]
    points = hung(person, points, bones)
    head = bones[person.skeleton.bones.index("head")].astype(np.float64)
    face = person.face @ head[:, :3].T + head[:, 3]
    return Posed(person, points, normals_of(points, person.triangles), _joints(person, bones, face), head[:, 2])


def _joints(person: Person, bones: np.ndarray, face: np.ndarray) -> np.ndarray:
    """OpenPose-18 in the world; the neck is the shoulders' middle."""
    skeleton = person.skeleton

    def at(bone: str) -> np.ndarray:
        matrix = bones[skeleton.bones.index(bone)].astype(np.float64)
        return matrix[:, :3] @ skeleton.head[bone] + matrix[:, 3]

    arms = [at(name + end) for end in ("_r", "_l") for name in ("upperarm", "lowerarm", "hand")]
    legs = [at(name + end) for end in ("_r", "_l") for name in ("thigh", "calf", "foot")]
    return np.stack([face[0], 0.5 * (arms[0] + arms[3]), *arms, *legs, face[1], face[2], face[3], face[4]])


def render(
    person: Person | Posed,
    pose: Pose | None,
    camera: Camera,
    room: Room,
    height: int,
    width: int,
    still: Plate | None = None,
) -> Frame:
    """The picture of ``person`` in ``pose``; ``still`` is the room's plate if it is known already."""
    body = person if isinstance(person, Posed) else posed(person, pose)
    still = still or plate(room, camera, height, width)
    spots, near = camera.project(body.points, height, width)
    high, wide = height * SAMPLES, width * SAMPLES
    ids, front = rasterise(spots * SAMPLES, near, body.person.triangles, high, wide)
    ids = np.where(front * 1.0005 > np.repeat(np.repeat(still.nearness, SAMPLES, 0), SAMPLES, 1), ids, -1)
    shadow = shadow_of(body.points, body.person.triangles, room.light.towards)
    rows = np.flatnonzero(ids.ravel() >= 0)
    colours, shares = _shaded(body, room, shadow, ids.ravel()[rows], rows, spots * SAMPLES, near, wide)
    nearest, person_mask = _pixels(ids, front)
    shaded = _cast(still, shadow, room, body)
    ground = still.lit + shaded[..., None] * (still.dark - still.lit)
    sums = _block_sums(colours, rows, (height, width))
    picture = np.clip(sums + (1 - person_mask[..., None]) * ground, 0, 1)
    at = np.full(high * wide, -1)
    at[rows] = np.arange(len(rows))
    chosen = at[nearest]
    return _frame(
        body, camera, still, picture, person_mask, shaded, ids.ravel()[nearest], chosen, shares, front.ravel()[nearest]
    )


def _shaded(
    body: Posed,
    room: Room,
    shadow: Shadow,
    hit: np.ndarray,
    rows: np.ndarray,
    spots: np.ndarray,
    near: np.ndarray,
    wide: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Colours [m,3] and corner shares [m,3] of the samples ``rows`` that show the triangles ``hit``."""
    person = body.person
    corners = person.triangles[hit]
    places = np.stack([rows % wide + 0.5, rows // wide + 0.5], axis=1)
    shares = weights_at(spots, near, corners, places).astype(np.float32)
    values = np.concatenate([person.rest, person.paint, body.normals, body.points], axis=1, dtype=np.float32)
    mixed = sum(values[corners[:, k]] * shares[:, k, None] for k in range(3))
    rest, paint, normals, points = np.split(mixed, (3, 5, 8), axis=1)
    return _lit_surface(body, room, shadow, person.material[hit], rest, paint, normals, points), shares


def _lit_surface(
    body: Posed,
    room: Room,
    shadow: Shadow,
    material: np.ndarray,
    rest: np.ndarray,
    paint: np.ndarray,
    normals: np.ndarray,
    points: np.ndarray,
) -> np.ndarray:
    """Colours [m,3] of surface places in the room's light."""
    person, source = body.person, room.light
    normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)
    colour, shiny = albedo(person.looks, person.seed, material, rest, paint)
    cloth = (material > HAIR) & (material < 4)
    folds = cloth[:, None] * _folds(rest, person.seed)
    normals = normals + folds
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    dark = shadow.at(points + 0.12 * normals)
    result = lit(colour, normals, dark, source, wrap=0.25)
    gleam = np.clip(normals @ _half(source.towards), 0, 1)
    shine = np.where(shiny, 0.10 * gleam**12, np.where(material == SKIN, 0.05 * gleam**18, 0)) * (1 - 0.7 * dark)
    return result + shine[:, None].astype(np.float32)


def _half(towards: np.ndarray) -> np.ndarray:
    half = towards + np.array((0.0, 0.0, 1.0))
    return (half / np.linalg.norm(half)).astype(np.float32)


def _folds(rest: np.ndarray, seed: int) -> np.ndarray:
    """Small tilts [m,3] of cloth, as folds do."""
    x, y = rest[:, 0], rest[:, 1]
    first = noise(1.3 * x + 0.4 * y, 0.55 * y + 0.3 * rest[:, 2], seed + 21) - 0.5
    second = noise(2.6 * x - 0.8 * y, 1.4 * y + rest[:, 2], seed + 22) - 0.5
    return np.stack([0.5 * first + 0.35 * second, 0.4 * second, np.zeros_like(first)], axis=1)


def _block_sums(colours: np.ndarray, rows: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Pixels [H,W,3]: the samples' colours summed over each pixel, in shares of a pixel."""
    height, width = size
    wide = width * SAMPLES
    pixel = (rows // wide // SAMPLES) * width + rows % wide // SAMPLES
    sums = [np.bincount(pixel, colours[:, k], height * width) for k in range(3)]
    return (np.stack(sums, axis=1) / SAMPLES**2).reshape(height, width, 3).astype(np.float32)


def _pixels(ids: np.ndarray, front: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each pixel the flat index [H,W] of its nearest sample, and the share [H,W] that the person covers."""
    high, wide = ids.shape
    blocks = np.where(ids >= 0, front, 0).reshape(high // SAMPLES, SAMPLES, wide // SAMPLES, SAMPLES)
    blocks = blocks.transpose(0, 2, 1, 3).reshape(high // SAMPLES, wide // SAMPLES, -1)
    best = blocks.argmax(axis=2)
    y, x = np.mgrid[: high // SAMPLES, : wide // SAMPLES] * SAMPLES
    return (y + best // SAMPLES) * wide + x + best % SAMPLES, (blocks > 0).mean(axis=2).astype(np.float32)


def _cast(still: Plate, shadow: Shadow, room: Room, body: Posed) -> np.ndarray:
    """How much [H,W] of the person's shadow falls on the room, with the dimness under its feet."""
    points = still.places.reshape(-1, 3)
    shaded = shadow.at(points)
    floor = np.flatnonzero(points[:, 1] < 0.02)
    for joint in (10, 13):
        gap = ((points[floor][:, [0, 2]] - body.joints[joint, [0, 2]] - 0.4 * body.facing[[0, 2]]) ** 2).sum(axis=1)
        lifted = max(body.joints[joint, 1] - 1.0, 0.0)
        shaded[floor] = np.maximum(shaded[floor], 0.75 * np.exp(-gap / 1.2 - lifted))
    return shaded.reshape(still.nearness.shape).astype(np.float32)


def _frame(
    body: Posed,
    camera: Camera,
    still: Plate,
    picture: np.ndarray,
    mask: np.ndarray,
    shaded: np.ndarray,
    triangle: np.ndarray,
    chosen: np.ndarray,
    shares: np.ndarray,
    front: np.ndarray,
) -> Frame:
    covered = mask > 0
    person = body.person
    triangle = np.where(covered, triangle, -1).astype(np.int32)
    depth = np.where(covered, 1 / np.where(covered, front, 1), 1 / still.nearness)
    joints, visible = picture_joints(body, camera, depth, mask)
    return Frame(
        picture=picture.astype(np.float32),
        mask=mask,
        labels=np.where(mask >= 0.5, person.label[triangle], 0).astype(np.uint8),
        material=np.where(covered, person.material[triangle], 255).astype(np.uint8),
        joints=joints,
        visible=visible,
        depth=depth.astype(np.float32),
        room=still.lit,
        shaded=shaded,
        triangle=triangle,
        shares=np.where(covered[..., None], shares[chosen], 0) if len(shares) else np.zeros((*mask.shape, 3)),
        posed=body,
        camera=camera,
    )


def picture_joints(body: Posed, camera: Camera, depth: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Joints [18,3] in pixels with confidence, and which [18] are not behind another part."""
    height, width = mask.shape
    spots, near = camera.project(body.joints, height, width)
    inside = ((spots >= 0) & (spots < (width, height))).all(axis=1)
    shown = inside & _face_seen(body, camera)
    x, y = np.clip(spots.astype(int), 0, (width - 1, height - 1)).T
    limit = np.full(18, 1.9)  # joints lie inside the body: half a trunk
    limit[[3, 4, 6, 7, 10, 13]] = 0.9
    limit[[9, 12]] = 1.7 if len(body.person.skirt) else 1.1
    limit[[0, 14, 15, 16, 17]] = 0.7
    behind = 1 / near - depth[y, x] > limit
    joints = np.concatenate([spots, shown[:, None]], axis=1).astype(np.float32)
    return np.where(shown[:, None], joints, 0).astype(np.float32), shown & ~behind


def _face_seen(body: Posed, camera: Camera) -> np.ndarray:
    """Which of the 18 joints [18] the head's direction lets a detector see; all but face points are always True."""
    away = np.array(camera.position) - body.joints[0]
    towards = away[[0, 2]] / max(np.hypot(away[0], away[2]), 1e-6)
    ahead = body.facing[[0, 2]] / max(np.hypot(*body.facing[[0, 2]]), 1e-6)
    front = float(ahead @ towards)
    right = float(-ahead[1] * towards[0] + ahead[0] * towards[1])  # of the person's right side, towards the camera
    seen = np.ones(18, dtype=bool)
    seen[0] = front > -0.15
    seen[14], seen[15] = front + 0.6 * right > 0.0, front - 0.6 * right > 0.0
    seen[16], seen[17] = right > -0.62, right < 0.62
    return seen
