"""What a picture, a mask, a latent, poses or a conditioning may look like, and the nodes that make it so.

SAME: pairs of forms that mean the same, so that their results must agree. BAD: forms that no node can serve,
so that they must be refused. FREE: forms that a node may serve or refuse.
"""

import copy
import math

import torch
from torch import Tensor

AS_IT_IS = "as it is"
POSE_ARRAY = "pose_keypoints_2d"
HUGE = 10**400


def _spoiled(values: Tensor, bad: float) -> Tensor:
    values = values.clone()
    values[-1].flatten()[-1] = bad
    return values


def _grey(images: Tensor) -> Tensor:
    return images.mean(-1, keepdim=True)


def _alpha(images: Tensor) -> Tensor:
    return torch.linspace(0, 1, images.shape[2]).expand(images.shape[:3])[..., None]


def _levels(values: Tensor) -> Tensor:
    return (255 * values).round().to(torch.uint8)


SPOILED = {
    "nan": lambda x: _spoiled(x, math.nan),
    "inf": lambda x: _spoiled(x, math.inf),
    "-inf": lambda x: _spoiled(x, -math.inf),
    "no frames": lambda x: x[:0],
    "no width": lambda x: x[:, :, :0],
    "nothing": lambda x: None,
    "a list": lambda x: [x],
    "whole numbers": lambda x: (255 * x).long(),
    "0-255": lambda x: 255 * x.clamp(min=0.1),
}
NUMBERS = {
    AS_IT_IS: lambda x: x,
    "float64": lambda x: x.double(),
    "float16": lambda x: x.half(),
    "as float16": lambda x: x.half().float(),
    "bfloat16": lambda x: x.bfloat16(),
    "as bfloat16": lambda x: x.bfloat16().float(),
    "8 bits": _levels,
    "as 8 bits": lambda x: _levels(x) / 255,
    "overshoot": lambda x: 1.5 * x - 0.25,
    "clamped": lambda x: (1.5 * x - 0.25).clamp(0, 1),
    "bool": lambda x: x > 0.5,
    "as bool": lambda x: (x > 0.5).float(),
    "turned in memory": lambda x: x.transpose(1, 2).contiguous().transpose(1, 2),
}
COUNTS = {
    "first frame": lambda x: x[:1],
    "one frame more": lambda x: torch.cat([x, x[-1:]]),
    "cropped": lambda x: x[:, :-1, :-1],
    "half": lambda x: x[:, ::2, ::2],
    "one pixel": lambda x: x[:, :1, :1],
    "black": lambda x: 0 * x,
    "white": lambda x: 0 * x + 1,
    "transposed": lambda x: x.transpose(1, 2)[:, ::2],
}
PICTURES = {
    **SPOILED,
    **NUMBERS,
    **COUNTS,
    "grey": _grey,
    "as grey": lambda x: _grey(x).repeat(1, 1, 1, 3),
    "opaque": lambda x: torch.cat([x, torch.ones_like(x[..., :1])], -1),
    "half clear": lambda x: torch.cat([x, _alpha(x)], -1),
    "over black": lambda x: x * _alpha(x),
    "no channels": lambda x: x[..., 0],
    "two channels": lambda x: x[..., :2],
    "channels first": lambda x: x.movedim(-1, 1),
    "five ranks": lambda x: x[None],
    "one without frames": lambda x: x[0],
}
MASKS = {
    **SPOILED,
    **NUMBERS,
    **COUNTS,
    "channel first": lambda x: x[:, None],
    "channel last": lambda x: x[..., None],
    "a picture": lambda x: x[..., None].repeat(1, 1, 1, 3),
    "five ranks": lambda x: x[None, None],
    "a row": lambda x: x[0, 0],
    "first without frames": lambda x: x[0],
}
LATENTS = {
    AS_IT_IS: lambda x: {"samples": x},
    "float64": lambda x: {"samples": x.double()},
    "with more keys": lambda x: {"samples": x, "batch_index": list(range(5, 5 + len(x))), "type": "image"},
    "nan": lambda x: {"samples": _spoiled(x, math.nan)},
    "inf": lambda x: {"samples": _spoiled(x, math.inf)},
    "no samples": lambda x: {},
    "samples of nothing": lambda x: {"samples": None},
    "a tensor": lambda x: x,
    "nothing": lambda x: None,
    "no frames": lambda x: {"samples": x[:0]},
    "no width": lambda x: {"samples": x[..., :0]},
    "three ranks": lambda x: {"samples": x[0]},
    "five ranks": lambda x: {"samples": x[:, :, None]},
    "three channels": lambda x: {"samples": x[:, :3]},
    "whole numbers": lambda x: {"samples": x.long()},
    "blank": lambda x: {"samples": 0 * x},
    "wider": lambda x: {"samples": torch.cat([x, x], -1)},
    "first frame": lambda x: {"samples": x[:1]},
    "one frame more": lambda x: {"samples": torch.cat([x, x[-1:]])},
    "huge": lambda x: {"samples": 1e30 * x},
    "with a noise mask": lambda x: {"samples": x, "noise_mask": torch.zeros(len(x), 1, 16, 16)},
}


def _people(frames: list[dict], change) -> list[dict]:
    """A copy of the frames with every person's arrays [x, y, seen]... changed."""
    frames = copy.deepcopy(frames)
    for frame in frames:
        for person in frame["people"]:
            for key, values in person.items():
                if values:
                    person[key] = change(values)
    return frames


def _scaled(frames: list[dict], x: float, y: float, canvas: tuple[float, float]) -> list[dict]:
    def change(values: list) -> list:
        factors = (x, y, 1.0)
        return [value * factors[place % 3] for place, value in enumerate(values)]

    scaled = _people(frames, change)
    for frame in scaled:
        frame["canvas_width"] = round(frame["canvas_width"] * canvas[0])
        frame["canvas_height"] = round(frame["canvas_height"] * canvas[1])
    return scaled


def _fractions(frames: list[dict]) -> list[dict]:
    return _scaled(frames, 1 / frames[0]["canvas_width"], 1 / frames[0]["canvas_height"], (1, 1))


def _with_child(frames: list[dict], first: bool) -> list[dict]:
    """A second person of a third of the size in every frame, who stands before or after the first in the list."""
    frames, small = copy.deepcopy(frames), _scaled(frames, 1 / 3, 1 / 3, (1, 1))
    for frame, other in zip(frames, small):
        frame["people"] = other["people"] + frame["people"] if first else frame["people"] + other["people"]
    return frames


def _edited(frames: list[dict], number: int, **changes: object) -> list[dict]:
    frames = copy.deepcopy(frames)
    frames[number] |= changes
    return frames


def _joint(frames: list[dict], value: object) -> list[dict]:
    frames = copy.deepcopy(frames)
    for person in frames[0]["people"]:
        person[POSE_ARRAY][3] = value
    return frames


POSES = {
    AS_IT_IS: lambda x: x,
    "fractions": _fractions,
    "on a canvas of twice the size": lambda x: _scaled(x, 2, 2, (2, 2)),
    "with a child after": lambda x: _with_child(x, first=False),
    "with a child before": lambda x: _with_child(x, first=True),
    "nan": lambda x: _joint(x, math.nan),
    "inf": lambda x: _joint(x, math.inf),
    "a number of 400 digits": lambda x: _joint(x, HUGE),
    "a text in it": lambda x: _joint(x, "12"),
    "a list in it": lambda x: _joint(x, [1.0]),
    "nothing in it": lambda x: _joint(x, None),
    "nothing": lambda x: None,
    "no frames": lambda x: [],
    "a dict": lambda x: {"frames": 3},
    "frames of nothing": lambda x: [None] * len(x),
    "frames of numbers": lambda x: list(range(len(x))),
    "no canvas": lambda x: [{"people": frame["people"]} for frame in x],
    "a canvas of nothing": lambda x: _edited(x, 0, canvas_width=None),
    "a canvas of 0": lambda x: [frame | {"canvas_width": 0} for frame in x],
    "a canvas of 400 digits": lambda x: [frame | {"canvas_width": HUGE} for frame in x],
    "a canvas of nan": lambda x: [frame | {"canvas_height": math.nan} for frame in x],
    "people of another kind": lambda x: _edited(x, 0, people="anna"),
    "a person of another kind": lambda x: _edited(x, 0, people=[7]),
    "two numbers": lambda x: _people(x, lambda values: values[:2]),
    "nobody": lambda x: [frame | {"people": []} for frame in x],
    "nobody in one frame": lambda x: _edited(x, len(x) - 1, people=[]),
    "one frame": lambda x: x[:1],
    "far away": lambda x: _scaled(x, 1e9, 1e9, (1, 1)),
    "a point": lambda x: _scaled(x, 1e-9, 1e-9, (1, 1)),
    "negative": lambda x: _scaled(x, -1, -1, (1, 1)),
    "another aspect": lambda x: _scaled(x, 1, 1, (1, 2)),
}
CONDITIONINGS = {
    AS_IT_IS: lambda x: x,
    "empty": lambda x: [],
    "no text": lambda x: [[None, options] for _, options in x],
    "twice": lambda x: x + x,
    "one row a frame": lambda x: [[text.repeat(3, 1, 1), options] for text, options in x],
    "text of nan": lambda x: [[text * math.nan, options] for text, options in x],
}
FORMS = {
    "IMAGE": PICTURES,
    "MASK": MASKS,
    "LATENT": LATENTS,
    "POSE_KEYPOINT": POSES,
    "CONDITIONING": CONDITIONINGS,
}
_NUMBER_PAIRS = [
    ("float64", AS_IT_IS),
    ("float16", "as float16"),
    ("bfloat16", "as bfloat16"),
    ("8 bits", "as 8 bits"),
    ("overshoot", "clamped"),
    ("bool", "as bool"),
    ("turned in memory", AS_IT_IS),
]
SAME = {
    "IMAGE": [*_NUMBER_PAIRS, ("grey", "as grey"), ("opaque", AS_IT_IS), ("half clear", "over black")],
    "MASK": [*_NUMBER_PAIRS, ("channel first", AS_IT_IS), ("channel last", AS_IT_IS)],
    "LATENT": [("float64", AS_IT_IS), ("with more keys", AS_IT_IS)],
    "POSE_KEYPOINT": [
        ("fractions", AS_IT_IS),
        ("on a canvas of twice the size", AS_IT_IS),
        ("with a child after", AS_IT_IS),
        ("with a child before", AS_IT_IS),
    ],
    "CONDITIONING": [],
}
BAD = {
    "IMAGE": [*SPOILED, "no channels", "two channels", "channels first", "five ranks", "one without frames"],
    "MASK": [*SPOILED, "a picture", "five ranks", "a row"],
    "LATENT": [
        *("nan", "inf", "no samples", "samples of nothing", "a tensor", "nothing", "no frames", "no width"),
        *("three ranks", "five ranks", "three channels", "whole numbers", "blank", "wider"),
    ],
    "POSE_KEYPOINT": [
        *("nan", "inf", "a number of 400 digits", "a text in it", "a list in it", "nothing", "no frames", "a dict"),
        *("frames of nothing", "frames of numbers", "no canvas", "a canvas of nothing", "a canvas of 0"),
        *("a canvas of 400 digits", "a canvas of nan", "people of another kind", "a person of another kind"),
    ],
    "CONDITIONING": ["empty", "no text", "text of nan"],
}
FREE = {
    kind: sorted(set(forms) - set(BAD[kind]) - {name for pair in SAME[kind] for name in pair})
    for kind, forms in FORMS.items()
}
