"""What is compared: videos of one length and size, the truth and the person's masks if they are known."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import COMPARE, FreeAnimateError, counted
from .flow import LEAST_SIDE

TRUTH = "truth"  # its label, which no video gets
RESIZE, CUT = "Upscale Image", "Get Image from Batch"  # the host's nodes that mend a size and a length


@dataclass(frozen=True)
class Clips:
    """Videos by label, each [F,H,W,3] 0-1; truth [F,H,W,3] or None; person_mask [F,H,W] or None. float32, CPU."""

    videos: dict[str, Tensor]
    truth: Tensor | None
    person_mask: Tensor | None

    @property
    def shown(self) -> dict[str, Tensor]:
        """The videos, and the truth as the last of them."""
        return self.videos if self.truth is None else {**self.videos, TRUTH: self.truth}

    def row(self, truth_first: bool) -> dict[str, Tensor]:
        """The same with the truth as the last, or the first, of them."""
        if self.truth is None or not truth_first:
            return self.shown
        return {TRUTH: self.truth, **self.videos}


def gathered(
    videos: Mapping[str, Tensor | None], labels: list[str], truth: Tensor | None, person_mask: Tensor | None
) -> Clips:
    """Clips of the node's inputs; FreeAnimateError, by the input's name, for what does not fit together.

    videos: by the name of their input, None where nothing is connected. labels: one for each of them; an empty
    one becomes the input's name. person_mask: [1 or F,H,W].
    """
    given = {name: images for name, images in videos.items() if images is not None}
    first = next(iter(given))
    shape = _shape(given[first])
    for name, images in (given if truth is None else {**given, TRUTH: truth}).items():
        if _shape(images) != shape:
            raise FreeAnimateError(
                f"{COMPARE}: {name} is {_size(images)} and {first} {_size(given[first])}; {_remedy(images, shape)}"
            )
    frames, height, width = shape
    if frames == 0 or min(height, width) < LEAST_SIDE:
        raise FreeAnimateError(
            f"{COMPARE}: {first} is {_size(given[first])} and at least one frame of {LEAST_SIDE}x{LEAST_SIDE} is "
            f"needed; connect a video, or enlarge it by {RESIZE}."
        )
    if person_mask is not None and _shape(person_mask) not in ((frames, height, width), (1, height, width)):
        raise FreeAnimateError(
            f"{COMPARE}: person_mask is {_size(person_mask)} and {first} {_size(given[first])}; connect one mask per "
            "frame of the videos' size, or one for all frames."
        )
    names = _named({name: label for name, label in zip(videos, labels) if name in given})
    return Clips(
        {names[name]: _pictures(images) for name, images in given.items()},
        None if truth is None else _pictures(truth),
        None if person_mask is None else person_mask.to("cpu", torch.float32).expand(frames, -1, -1),
    )


def _named(labels: dict[str, str]) -> dict[str, str]:
    """Labels by input, an empty one replaced by the input's name; FreeAnimateError where two are the same."""
    names = {name: label.strip() or name for name, label in labels.items()}
    taken = [*names.values(), TRUTH]
    for name, label in names.items():
        if taken.count(label) > 1:
            widget = name.replace("video", "label")
            raise FreeAnimateError(f"{COMPARE}: {widget} '{label}' is there twice; call every video something else.")
    return names


def _pictures(images: Tensor) -> Tensor:
    """float32 on the CPU without alpha."""
    return images[..., :3].to("cpu", torch.float32)


def _shape(images: Tensor) -> tuple[int, ...]:
    """Frames, height, width."""
    return tuple(images.shape[:3])


def _size(images: Tensor) -> str:
    frames, height, width = _shape(images)
    return f"{counted(frames, 'frame')} of {width}x{height}"


def _remedy(images: Tensor, wanted: tuple[int, ...]) -> str:
    if _shape(images)[1:] != wanted[1:]:
        return f"give all videos one size, for example by {RESIZE}."
    return f"give all videos one length: cut the longer by {CUT}."
