"""What is compared: videos of one length and size, the truth and the person's masks if they are known."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from ..errors import COMPARE, FreeAnimateError, counted, quoted
from ..pictures import read_masks, read_pictures
from .flow import LEAST_SIDE

TRUTH = "truth"  # its label, which no video gets beside it
NEEDED = 2  # videos; the others may be left out
LONGEST = 1000  # characters of a label
UNPRINTABLE = ("Cc", "Cs")  # kinds of characters that no text may hold: controls, halves of characters
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

    videos: by the name of their input, None where nothing is connected, which the first two need. labels: one for
    each of them; an empty one becomes the input's name. person_mask: [1 or F,H,W].
    """
    wanted = [name for place, (name, images) in enumerate(videos.items()) if place < NEEDED or images is not None]
    names = _named({name: label for name, label in zip(videos, labels) if name in wanted}, truth is not None)
    given = {name: read_pictures(videos[name], f"{COMPARE}: {name}") for name in wanted}
    truth = None if truth is None else read_pictures(truth, f"{COMPARE}: {TRUTH}")
    masks = None if person_mask is None else read_masks(person_mask, f"{COMPARE}: person_mask")
    _check_sizes(given if truth is None else {**given, TRUTH: truth}, masks)
    if masks is not None:
        masks = masks.expand(len(given[wanted[0]]), -1, -1)
    return Clips({names[name]: images for name, images in given.items()}, truth, masks)


def _check_sizes(given: dict[str, Tensor], masks: Tensor | None) -> None:
    """FreeAnimateError unless pictures and masks, by the name of their input, are as many and as large as the first."""
    first = next(iter(given))
    shape = _shape(given[first])
    for name, images in given.items():
        if _shape(images) != shape:
            raise FreeAnimateError(
                f"{COMPARE}: {name} is {_size(images)} and {first} {_size(given[first])}; {_remedy(images, shape)}"
            )
    frames, height, width = shape
    if min(height, width) < LEAST_SIDE:
        raise FreeAnimateError(
            f"{COMPARE}: {first} is {_size(given[first])} and at least {LEAST_SIDE}x{LEAST_SIDE} is needed; "
            f"enlarge it by {RESIZE}."
        )
    if masks is not None and _shape(masks) not in ((frames, height, width), (1, height, width)):
        raise FreeAnimateError(
            f"{COMPARE}: person_mask is {_size(masks)} and {first} {_size(given[first])}; connect one mask per "
            "frame of the videos' size, or one for all frames."
        )


def _named(labels: dict[str, str], with_truth: bool) -> dict[str, str]:
    """Labels by input, an empty one replaced by the input's name; FreeAnimateError where two are the same.

    with_truth: the truth takes part, under its own name.
    """
    names = {name: _written(name.replace("video", "label"), label) or name for name, label in labels.items()}
    taken = list(names.values())
    for name, label in names.items():
        where = f"{COMPARE}: {name.replace('video', 'label')} {quoted(label)}"
        if taken.count(label) > 1:
            raise FreeAnimateError(f"{where} is there twice; call every video something else.")
        if with_truth and label == TRUTH:
            raise FreeAnimateError(f"{where} is what the input {TRUTH} is called; call the video something else.")
    return names


def _written(widget: str, label: str) -> str:
    """A label as it was typed, without spaces about it; FreeAnimateError for one that is too long or no text."""
    if len(label) > LONGEST:
        raise FreeAnimateError(f"{COMPARE}: {widget} has {len(label)} characters; write at most {LONGEST}.")
    label = label.strip()
    if any(unicodedata.category(letter) in UNPRINTABLE and not letter.isspace() for letter in label):
        raise FreeAnimateError(f"{COMPARE}: {widget} {quoted(label)} holds what cannot be printed; write plain text.")
    return label


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
