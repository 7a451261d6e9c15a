"""POSE_KEYPOINT as each producer writes it, by hand from the producers' code: one person in one pose.

SDPOSE       ComfyUI's SDPose Keypoint Extractor: pixels, scores, missing points -1, -1, feet, face of 70
DWPOSE       comfyui_controlnet_aux, DWPose: confidence 1 or 0, None for a hand that was not found
FRACTIONS    the same of later versions: fractions of the canvas
OPENPOSE     comfyui_controlnet_aux, OpenPose: fractions, face of 71, missing hand points a pixel outside
ANIMAL       comfyui_controlnet_aux, AnimalPose: no people at all
"""

import numpy as np

WIDTH, HEIGHT = 128, 192
# OpenPose-18 in pixels; half pixels, so that rounding down is the same for pixels and fractions.
JOINTS = np.array(
    [
        (64.5, 30.5), (64.5, 52.5), (48.5, 54.5), (40.5, 80.5), (36.5, 104.5), (80.5, 54.5), (88.5, 80.5),
        (92.5, 104.5), (54.5, 104.5), (52.5, 136.5), (50.5, 170.5), (74.5, 104.5), (76.5, 136.5), (78.5, 170.5),
        (60.5, 26.5), (68.5, 26.5), (54.5, 30.5), (74.5, 30.5),
    ]
)  # fmt: skip
UNSEEN = 16  # the right ear is never found
FACE = np.stack([np.linspace(55.5, 73.5, 68).round() + 0.5, np.linspace(20.5, 40.5, 68).round() + 0.5], axis=-1)
RIGHT_HAND = np.stack([np.linspace(24, 36, 21).round() + 0.5, np.linspace(106, 126, 21).round() + 0.5], axis=-1)
LOST_FINGER = 20  # a point of the right hand that is never found
SCALE = np.array([WIDTH, HEIGHT])


def flat(points, confidence=1.0, missing=(), absent=(0.0, 0.0, 0.0)):
    """[n,2] as a flat list of x, y, confidence, with `absent` in the place of missing points."""
    rows = [absent if k in missing else (float(x), float(y), confidence) for k, (x, y) in enumerate(points)]
    return [value for row in rows for value in row]


def canvas(**content):
    """A frame's dictionary."""
    return content | {"canvas_height": HEIGHT, "canvas_width": WIDTH}


def sdpose():
    """One frame of SDPose."""
    gone = (-1.0, -1.0, 0.9)
    person = {
        "pose_keypoints_2d": flat(JOINTS, 0.8, [UNSEEN], gone),
        "foot_keypoints_2d": flat(JOINTS[[10, 10, 10, 13, 13, 13]] + 6, 0.7),
        "face_keypoints_2d": flat(np.concatenate([FACE, JOINTS[14:16]]), 0.6),
        "hand_right_keypoints_2d": flat(RIGHT_HAND, 0.5, [LOST_FINGER], gone),
        "hand_left_keypoints_2d": gone * 21,
    }
    return canvas(people=[person])


def dwpose(scale=(1.0, 1.0)):
    """One frame of DWPose; `scale` divides pixels."""
    person = {
        "pose_keypoints_2d": flat(JOINTS / scale, missing=[UNSEEN]),
        "face_keypoints_2d": flat(np.concatenate([FACE, JOINTS[14:16]]) / scale),
        "hand_left_keypoints_2d": None,
        "hand_right_keypoints_2d": flat(RIGHT_HAND / scale, missing=[LOST_FINGER]),
    }
    return canvas(people=[person])


def openpose():
    """One frame of OpenPose: the last of 71 face points stands for the background."""
    outside = (-1.0 / WIDTH, -1.0 / (HEIGHT + 64), 1.0)  # by the padded picture, which is higher than the canvas
    person = {
        "pose_keypoints_2d": flat(JOINTS / SCALE, missing=[UNSEEN]),
        "face_keypoints_2d": flat(np.concatenate([FACE, JOINTS[14:16], [[1.5, 1.5]]]) / SCALE),
        "hand_left_keypoints_2d": outside * 21,
        "hand_right_keypoints_2d": flat(RIGHT_HAND / SCALE, 1.0, [LOST_FINGER], outside),
    }
    return canvas(people=[person])


def animal(count=1):
    """One frame of AnimalPose: 17 points of each animal, not flat."""
    return canvas(version="ap10k", animals=[[[float(x), float(y), 0.9] for x, y in JOINTS[:17]]] * count)


PRODUCERS = {"SDPose": sdpose, "DWPose": dwpose, "DWPose, fractions": lambda: dwpose(SCALE), "OpenPose": openpose}
