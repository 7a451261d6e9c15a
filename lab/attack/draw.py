"""Cases drawn by a seed: one change of a prompt that works, and what must come of it."""

import copy
import math
import random
from dataclasses import dataclass

from .forms import AS_IT_IS, BAD, FORMS, FREE, SAME
from .world import CHAINS, SEEN_AT, TARGETS, WORLD, Prompt, is_link, needed, node

SCENARIOS = {"same": 35, "bad": 25, "widget": 25, "free": 15}
CHAINED = 0.25  # share of the prompts whose model carries a patch of the host
HINT = ("control", "image")  # an input of the host's that the pack reads
SIZED = ("align", "reference_pose", "on a canvas of twice the size")  # what comes out is then of that size
HANDED_ON = {"save"}  # puts out what came in, in its own unit
WIDEST = 8  # of what makes a prompt long: frames, steps, parts
LONG = {"frames", "steps", "correction", "lead_in", "width", "height", "resolution"}
NUMBERS = (math.nan, math.inf, -math.inf, 1e-300, -1e-9, 1e308, 2**63, 2**64, -(2**63), 10**400, -(10**400))
ODD = (None, True, "3", "", " ", "nan", "1e400", [], {}, [1], {"a": 1})
TEXTS = (
    *("", " ", ".", "..", "/", "a/b", "a\\b", "../x", "/x", "C:\\x", "con", "NUL.json", "a<b>|?*\"'", "trailing."),
    *("\ud800", "\x00", "\x07", "a\nb", "\u202e", "\u00e9", "\u4eba", "\U0001f600", "a" * 300, "b" * 100_000, "a|b"),
    *("%second%", "%year%-%month%", "%width%", "%missing.text%", "0-1: left arm behind", "all: tail front", "0-1"),
    *("9999999999999999999999", "1-0", "0, 1-2", "truth", "B", "part", "run.json", "attack.json", "\u0660-\u0661"),
)
# Changes by node, each of which must leave the result as it is
UNSEEN: dict[str, list[Prompt]] = {
    "inversion": [
        *({"inversion": {"storage": storage}} for storage in ("memory", "disk", "auto")),
        *({"inversion": {"frames_per_window": size}} for size in (1, 2, 4096)),
    ],
    "sampler": [
        *({"inversion": {"storage": storage}} for storage in ("memory", "disk", "auto")),
        *({"patch": {"frames_per_window": size}} for size in (1, 2, 4096)),
        {"inversion": {"frames_per_window": 1}, "patch": {"frames_per_window": 2}},
    ],
    "long": [
        *({"long": {"frames_per_part": size}} for size in (1, 3, 4096)),
        {"inversion": {"storage": "disk"}},
        {"patch": {"frames_per_window": 1}},
        {"long": {"again": "0-2"}},
    ],
    "refine": [{"refine": {"frames_per_window": size}} for size in (1, 2, 4096)],
    "inspect": [{"inversion": {"storage": "memory"}}, {"inversion": {"frames_per_window": 1}}],
    "align": [{"align": {"person": 1}}, {"align": {"fill_gaps": 0}}],
}
UNSEEN["patch"] = UNSEEN["stock"] = UNSEEN["sampler"]
COMPARED = {"long": 0, "inversion": 1}  # the output that a setting must leave: others tell of the setting
# Outputs of two nodes that must agree
EQUAL = ((("long", 1), ("sampler", 0)), (("stock", 0), ("sampler", 0)), (("load", 0), ("character", 2)))


@dataclass(frozen=True)
class Side:
    """A prompt, the node whose outputs are looked at, and which of them (None: all)."""

    prompt: Prompt
    end: str
    slot: int | None = None


@dataclass(frozen=True)
class Case:
    """One prompt, or two that must agree. expected: same, bad (must be refused) or free; words: what was changed."""

    target: str
    expected: str
    words: str
    sides: tuple[Side, ...]


def drawn(seed: int, number: int, classes: dict[str, type]) -> Case:
    """The case of this number under a seed; classes: the host's, whose schemas say what there is to change."""
    rng = random.Random(f"{seed}:{number}")
    target = rng.choices(list(TARGETS), list(TARGETS.values()))[0]
    end = SEEN_AT.get(target, target)
    prompt = needed(WORLD, [end])
    words = _chained(prompt, rng)
    scenario = rng.choices(list(SCENARIOS), list(SCENARIOS.values()))[0]
    case = _SCENARIOS[scenario](rng, prompt, target, classes)
    words = words if "chain" in case.sides[0].prompt else ""
    return Case(case.target, case.expected, words + case.words, case.sides)


def _chained(prompt: Prompt, rng: random.Random) -> str:
    """Put a patch of the host behind the model, for all that read it or for Patch Model alone; say which."""
    readers = [name for name, item in prompt.items() if item["inputs"].get("model") == ["model", 0]]
    if not readers or rng.random() > CHAINED:
        return ""
    kind = rng.choice(list(CHAINS))
    chosen = readers if rng.random() < 0.7 else readers[-1:]
    prompt["chain"] = node(kind, model=["model", 0], **CHAINS[kind])
    for name in chosen:
        prompt[name]["inputs"]["model"] = ["chain", 0]
    return f"{kind} before {' and '.join(chosen)}; "


def changed(prompt: Prompt, changes: Prompt) -> Prompt:
    """A copy with inputs changed, by node."""
    prompt = copy.deepcopy(prompt)
    for name, inputs in changes.items():
        prompt[name]["inputs"] |= inputs
    return prompt


def _sockets(prompt: Prompt, target: str, classes: dict[str, type]) -> list[tuple[str, str, str, bool]]:
    """Node, input, kind of value, and whether it may be left out, of what can be given another form."""
    found = []
    for name, (kind, optional, _) in _inputs(classes[prompt[target]["class_type"]]).items():
        if isinstance(kind, str) and kind in FORMS and is_link(prompt[target]["inputs"].get(name), prompt):
            found.append((target, name, kind, optional))
    return found


def _inputs(kind: type) -> dict[str, tuple[object, bool, dict]]:
    """Type, optional or not, and options of a node's inputs by name."""
    groups = kind.INPUT_TYPES()
    return {
        name: (given[0], group == "optional", given[1] if len(given) > 1 else {})
        for group in ("required", "optional")
        for name, given in groups.get(group, {}).items()
    }


def formed(prompt: Prompt, where: str, name: str, kind: str, form: str) -> Prompt:
    """A copy in which an input gets its value in another form."""
    prompt = copy.deepcopy(prompt)
    if form != AS_IT_IS:
        prompt["form"] = node(f"Attack{kind}", value=prompt[where]["inputs"][name], form=form)
        prompt[where]["inputs"][name] = ["form", 0]
    return prompt


def _same(rng: random.Random, prompt: Prompt, target: str, classes: dict[str, type]) -> Case:
    end = SEEN_AT.get(target, target)
    sockets = [] if target in HANDED_ON else _sockets(prompt, target, classes)
    pairs = [(s, pair) for s in sockets for pair in SAME[s[2]] if (*s[:2], pair[0]) != SIZED]
    unseen = UNSEEN.get(target, [])
    equal = [pair for pair in EQUAL if target in (pair[0][0], pair[1][0])]
    choice = (
        rng.choices(["form", "setting", "node"], [2 * bool(pairs), 2 * bool(unseen), bool(equal)])[0]
        if (pairs or unseen or equal)
        else ""
    )
    if choice == "form":
        (where, name, kind, _), forms = rng.choice(pairs)
        sides = [Side(formed(prompt, where, name, kind, form), end) for form in forms]
        return Case(target, "same", f"{name}: {forms[0]} and {forms[1]}", tuple(sides))
    if choice == "setting":
        change = rng.choice(unseen)
        slot = COMPARED.get(target)
        return Case(target, "same", f"{change}", (Side(changed(prompt, change), end, slot), Side(prompt, end, slot)))
    if choice == "node":
        ends = rng.choice(equal)
        sides = [Side(needed(WORLD, [name]), name, slot) for name, slot in ends]
        return Case(target, "same", f"{ends[0][0]} and {ends[1][0]}", tuple(sides))
    return _widget(rng, prompt, target, classes)


def _bad(rng: random.Random, prompt: Prompt, target: str, classes: dict[str, type]) -> Case:
    return _of_form(rng, prompt, target, classes, BAD, "bad")


def _free(rng: random.Random, prompt: Prompt, target: str, classes: dict[str, type]) -> Case:
    return _of_form(rng, prompt, target, classes, FREE, "free")


def _of_form(
    rng: random.Random, prompt: Prompt, target: str, classes: dict[str, type], forms: dict[str, list], expected: str
) -> Case:
    """An input of the target, or the pose images, in a form."""
    end = SEEN_AT.get(target, target)
    found = _sockets(prompt, target, classes)
    hints = ["nan", "inf"] if expected == "bad" else ["grey", "half clear", "first frame", "cropped", "8 bits"]
    if "control" in prompt and rng.random() < 0.15:
        form = rng.choice(hints)
        return Case(target, expected, f"pose images: {form}", (Side(formed(prompt, *HINT, "IMAGE", form), end),))
    if not found:
        return _widget(rng, prompt, target, classes)
    where, name, kind, optional = rng.choice(found)
    form = rng.choice([form for form in forms[kind] if not (optional and form == "nothing")] or [AS_IT_IS])
    expected = "free" if form == AS_IT_IS else expected
    return Case(target, expected, f"{name}: {form}", (Side(formed(prompt, where, name, kind, form), end),))


def _widget(rng: random.Random, prompt: Prompt, target: str, classes: dict[str, type]) -> Case:
    """One or two widgets at values that a schema may or may not allow."""
    prompt = copy.deepcopy(prompt)
    widgets = {
        name: given
        for name, given in _inputs(classes[prompt[target]["class_type"]]).items()
        if not is_link(prompt[target]["inputs"].get(name), prompt) and _values(name, given[0], given[2])
    }
    chosen = rng.sample(sorted(widgets), min(len(widgets), rng.choice((1, 1, 2))))
    changes = {name: rng.choice(_values(name, *widgets[name][::2])) for name in chosen}
    if target == "stock":  # its schema lets NaN through, which is the host's own matter
        changes = {name: value for name, value in changes.items() if str(value) != "nan"}
    prompt[target]["inputs"] |= changes
    words = ", ".join(f"{name}={ascii(value)[:80]}" for name, value in changes.items())
    return Case(target, "free", words, (Side(prompt, SEEN_AT.get(target, target)),))


def _values(name: str, kind: object, options: dict) -> list:
    """What a widget is set to: its ends, what lies beyond them, and what is no such value at all."""
    if isinstance(kind, list) or kind == "COMBO":
        listed = kind if isinstance(kind, list) else options.get("options", [])
        return [*listed * 3, *listed, "no such thing", 0, *ODD, *TEXTS[:20]]
    if kind == "BOOLEAN":
        return [True, False, 0, 1, 2, "false", *ODD]
    if kind == "STRING":
        return [*TEXTS * 2, *ODD, 5, math.nan]
    if kind not in ("INT", "FLOAT"):
        return []
    low, high = options.get("min", 0), options.get("max", WIDEST)
    high = min(high, low + WIDEST) if name in LONG else high
    inner = [low, high, low + (high - low) * 0.31, options.get("default", low)]
    inner = [round(value) for value in inner] if kind == "INT" else inner
    return [*inner * 5, options.get("min", 0) - 1, options.get("max", 1) + 1, 2.5, *NUMBERS, *ODD]


_SCENARIOS = {"same": _same, "bad": _bad, "widget": _widget, "free": _free}
