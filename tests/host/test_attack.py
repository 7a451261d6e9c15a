"""The attack itself: it draws the same cases by the same seed, tells faults from refusals, and finds planted ones."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import hostside
import pytest
import torch

from lab.attack import forms
from lab.attack.draw import Case, Side, drawn
from lab.attack.host import Host, Outcome
from lab.attack.judge import distance, judged, unclear
from lab.attack.world import SEEN_AT, TARGETS, WORLD, needed


@pytest.fixture(scope="module")
def host(tmp_path_factory) -> Iterator[Host]:
    """The host of the attack; pytest's own name for the folder of the server tests waits so long."""
    ours = sys.modules.pop("server", None)
    opened = Host(hostside._host_directory(), tmp_path_factory.mktemp("attack"))
    yield opened
    opened.close()
    if ours is not None:
        sys.modules["server"] = ours


def judge(host: Host, prompt: dict, end: str, expected: str = "free") -> tuple[str, str]:
    return judged(Case(end, expected, "", (Side(prompt, end),)), [host.run(prompt, end)], host.classes)


def test_cases_follow_from_seed_and_number_and_travel_as_json(host):
    cases = [drawn(5, number, host.classes) for number in range(300)]
    assert cases == [drawn(5, number, host.classes) for number in range(300)]
    assert cases[:20] != [drawn(6, number, host.classes) for number in range(20)]
    assert {case.target for case in cases} == set(TARGETS)
    assert {case.expected for case in cases} == {"same", "bad", "free"}
    for side in (side for case in cases for side in case.sides):
        assert json.loads(json.dumps(side.prompt)).keys() == side.prompt.keys() and side.end in side.prompt


def test_every_node_of_the_pack_is_attacked(host):
    ours = {name for name in host.classes if name.startswith("FreeAnimate")}
    assert {WORLD[target]["class_type"] for target in TARGETS} | {"FreeAnimateDemoModel"} >= ours


@pytest.mark.parametrize("target", [name for name in TARGETS if name != "detect"])
def test_the_prompts_that_are_changed_work(host, target):
    end = SEEN_AT.get(target, target)
    assert judge(host, needed(WORLD, [end]), end) == ("accepted", "")


@pytest.mark.parametrize("kind", forms.FORMS)
def test_pairs_and_lists_name_forms(kind):
    named = {form for pair in forms.SAME[kind] for form in pair} | set(forms.BAD[kind]) | set(forms.FREE[kind])
    assert named == set(forms.FORMS[kind]) | {forms.AS_IT_IS}


def planted(values: torch.Tensor | None = None, error: dict | None = None, refusal: str = "") -> Outcome:
    """An outcome of the node "preview", made up."""
    return Outcome(refusal, error or {}, {"preview": [values, values, values]} if values is not None else {})


GOOD = torch.full((2, 4, 4, 3), 0.5)
CLEAR = {"node_type": "FreeAnimatePreview", "exception_type": "freeanimate.FreeAnimateError", "traceback": []}
PLANTED = {
    "right": ("free", [planted(GOOD)], "accepted"),
    "not finite": ("free", [planted(GOOD * float("nan"))], "silent"),
    "beyond 0-1": ("free", [planted(GOOD * 4)], "silent"),
    "bad and accepted": ("bad", [planted(GOOD)], "silent"),
    "twins": ("same", [planted(GOOD), planted(GOOD + 1e-5)], "accepted"),
    "twins that disagree": ("same", [planted(GOOD), planted(GOOD + 1e-2)], "silent"),
    "twins of other sizes": ("same", [planted(GOOD), planted(GOOD[:1])], "silent"),
    "one twin refused": (
        "same",
        [planted(GOOD), planted(error=CLEAR | {"exception_message": "Preview Generation: no; use another."})],
        "clear",
    ),
    "schema": ("free", [planted(refusal="value too large")], "schema"),
    "raw": (
        "bad",
        [planted(error=CLEAR | {"exception_type": "RuntimeError", "exception_message": "size mismatch"})],
        "raw",
    ),
    "a host's own": (
        "free",
        [
            planted(
                error={
                    "node_type": "VAEEncode",
                    "exception_type": "RuntimeError",
                    "exception_message": "x",
                    "traceback": [],
                }
            )
        ],
        "schema",
    ),
    "no sentence": ("bad", [planted(error=CLEAR | {"exception_message": "Preview Generation: no"})], "raw"),
    "dead log": ("free", [Outcome(outputs={"preview": [GOOD]}, unprintable=["\\ud800"])], "raw"),
}


@pytest.mark.parametrize("name", PLANTED)
def test_planted_outcomes_are_told_apart(host, name):
    expected, outcomes, kind = PLANTED[name]
    side = Side(needed(WORLD, ["preview"]), "preview")
    assert judged(Case("preview", expected, "", (side,) * len(outcomes)), outcomes, host.classes)[0] == kind


@pytest.mark.parametrize(
    "sentence, clear",
    [
        ("Compare Videos: truth is empty; connect it.", True),
        ("size mismatch.", False),
        ("Compare Videos: label_a '\ud800' is bad.", False),
        ("Compare Videos: one.\nTwo.", False),
        ("Compare Videos: " + "a" * 1000 + ".", False),
    ],
)
def test_a_clear_sentence(sentence, clear):
    assert (unclear(sentence) == "") == clear


def test_the_distance_is_relative():
    assert distance([torch.ones(4)], [torch.ones(4)]) == 0
    assert distance([1.1 * torch.ones(4)], [torch.ones(4)]) == pytest.approx(0.1, abs=1e-6)
    assert distance([torch.zeros(0)], [torch.zeros(0)]) == 0


def test_the_command_counts_and_repeats_one(tmp_path):
    line = [
        sys.executable,
        "-m",
        "lab.attack",
        "--host",
        hostside._host_directory(),
        "--out",
        tmp_path,
        "--seed",
        "0x5",
    ]
    done = subprocess.run(
        [*map(str, line), "--minutes", "60", "--only", "0"],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
    )
    last = done.stdout.splitlines()[-1]
    assert last.startswith("1 prompts: ") and last.endswith(" silent") and "seed 5" in done.stdout
    assert done.returncode == int(not last.endswith(", 0 raw, 0 silent"))
