"""Which frames of a clip a node works on: chosen by its widgets, and cut out of what comes for the whole clip."""

from ..errors import FreeAnimateError
from ..method.conditioning import parts_of
from ..method.record import Inversion


def chosen_frames(total: int, first: int, count: int, node: str, source: str) -> range:
    """The frames of a clip of ``total`` that first_frame and frames name; FreeAnimateError where it has none.

    count: 0 goes to the end of the clip. source: the input of ``node`` that brings the clip.
    """
    if first >= total:
        raise FreeAnimateError(
            f"{node}: first_frame is {first} and {source} has frames 0 to {total - 1}; set it to one of them."
        )
    if first + count > total:
        raise FreeAnimateError(
            f"{node}: frames is {count} and from first_frame {first} {source} has {total - first}; set it to at "
            f"most {total - first}, or to 0 for all of these."
        )
    return range(first, first + count if count else total)


def of_record(record: Inversion, *conditionings: list) -> list[list]:
    """Conditionings of the whole clip, as they travel between nodes, cut to the frames that a record holds."""
    return [*conditionings] if record.whole else parts_of([*conditionings], record.clip_range, record.clip_frames)


def in_words(frames: range, total: int) -> str:
    """Frames by their numbers, and of how many."""
    return f"frames {frames.start} to {frames.stop - 1} of {total}"
