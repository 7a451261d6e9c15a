"""What a part of a long clip is made from, by values that are equal after a restart of the host."""

import dis
import functools
from collections.abc import Mapping
from dataclasses import asdict, astuple, replace
from types import CellType, CodeType, FunctionType, MethodType

from torch import Tensor

from ..config import PatchConfig, SamplerConfig
from ..host.digests import model_digests
from ..method.fingerprint import values_digest
from ..method.record import Inversion
from .checks import control_digest
from .patch import PatchedModel
from .run_folder import CLEAN, NOISY, Origin

LATER = ("release", "eta", "noise_seed")  # settings that older runs had not, and whose defaults are what those did
PLAIN = (bool, int, float, str, Tensor, type(None))


def origin_of(
    model, patched: PatchedModel, positive: list, negative: list, guidance: SamplerConfig, frames_per_part: int
) -> Origin:
    """By the names that a refusal uses, all that the latents of a run depend on.

    Not frames_per_window, whose choice is the machine's. Of the model's other patches the kinds, and the
    plain values that a function was made with; what an object or a module holds cannot be compared.
    """
    record = patched.record
    levels = [record.levels, record.descending, record.reference_weight]
    values = {
        "inversion": values_digest(list(astuple(record.fingerprint)), *levels),
        "model": values_digest(model_digests(model)),
        "patches on the model": values_digest(settled(model.model_options)),
        "patches on the model of the inversion": values_digest(settled(record.options)),
        "settings of Patch Model": _settings(patched.config),
        "redraw_mask": None if patched.clip_redraw is None else values_digest(patched.clip_redraw),
        "cfg, cfg_start or cfg_end": [guidance.cfg, guidance.start, guidance.end],
        "positive": conditioning_digest(positive),
        "negative": conditioning_digest(negative),
        "reference_positive": conditioning_digest(record.reference_positive),
        "latent size": [*record.top.shape[1:]],
        "number of frames in the clip": record.clip_frames,
        "frames_per_part": frames_per_part,
    }
    return Origin(values, _trajectories(record), record.clip_range)


def _settings(config: PatchConfig) -> list:
    """Its values; those that came later only where they act, so that a run from before them goes on."""
    values = asdict(replace(config, window=0))
    later = {name: values.pop(name) for name in LATER}
    acting = {name: value for name, value in later.items() if value != getattr(PatchConfig, name)}
    return [*values.values(), *([acting] if acting else [])]


def _trajectories(record: Inversion) -> dict[str, Tensor]:
    """Both ends of preview and reference: a slight change of a picture moves the noisy end by less than rounding."""
    clean = {CLEAN: record.clip_preview, "reference": record.reference[0]}
    return clean | {NOISY: record.top, "reference_start": record.reference[-1]}


def conditioning_digest(conditioning: list) -> str:
    """Digest of texts, ControlNets with their hints and settings, and plain options."""
    plain = [{k: v for k, v in options.items() if k != "control"} for _, options in conditioning]
    texts = [text for text, _ in conditioning]
    return values_digest(texts, plain, [control_digest(entry) for entry in conditioning])


def settled(value: object, seen: frozenset[int] = frozenset()) -> object:
    """Nested options in which every function is its name and the plain values that it was made with."""
    if id(value) in seen:
        return None
    seen = seen | {id(value)}
    if isinstance(value, Mapping):
        return {key: settled(inner, seen) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [settled(inner, seen) for inner in value]
    if isinstance(value, MethodType):
        return settled(value.__func__, seen)
    if isinstance(value, functools.partial):
        return [settled(inner, seen) for inner in (value.func, value.args, value.keywords)]
    if not isinstance(value, FunctionType):
        return value
    cells = zip(value.__code__.co_freevars, value.__closure__ or ())
    made_with = {name: cell for name, cell in cells if not _rebound(value.__code__, name)}
    return [value.__qualname__, {name: settled(_content(cell), seen) for name, cell in made_with.items()}]


def _content(cell: CellType) -> object:
    """What a function closes over, where it can be compared; None for the rest, and for what is not there yet."""
    try:
        value = cell.cell_contents
    except ValueError:
        return None
    return value if _plain(value) else None


def _plain(value: object) -> bool:
    """Whether a value can be compared: nested plain values, and functions, which are taken apart in turn."""
    if isinstance(value, Mapping):
        return all(isinstance(key, PLAIN) and _plain(inner) for key, inner in value.items())
    if isinstance(value, (list, tuple)):
        return all(map(_plain, value))
    return isinstance(value, (*PLAIN, FunctionType))


def _rebound(code: CodeType, name: str) -> bool:
    """Whether a function writes a variable of the one around it: its state, such as APG's running average."""
    return any(step.opname == "STORE_DEREF" and step.argval == name for step in dis.get_instructions(code))
