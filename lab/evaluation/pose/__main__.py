"""The study: python -m lab.evaluation.pose --out DIR, started by `python dev.py evaluate pose`.

Writes pose.json and pose.md: errors of every mode of Align Pose over clips with known truth, by kind of clip;
what a mode does not set out to do; and what smoothing does to jitter. With --world people: joint errors by class of
pose where somebody else drives. Exit code 1 when DIR cannot be written.
"""

import argparse
import json
import sys
import time

from freeanimate_pack.freeanimate_core.pose.align import ALIGN_MODES, AlignSettings, align

from ...command_line import exit_code, positive, study
from ..case import DRAWN, PEOPLE
from ..given import EXACT
from ..options import add_world
from . import people
from .clips import DrivingClip, all_clips
from .jitter import STRENGTHS, jitter
from .scores import score, summary

PEOPLE_DRIVEN = 20
# Mode -> kinds of clips that it does not set out to fit, and why. They are measured all the same.
ONLY_AS_IT_IS = "the poses stay where they are"
OUT_OF_SCOPE: dict[str, dict[str, str]] = {
    "none": dict.fromkeys(("scale", "offset", "aspect", "foreshortened first frame", "half body"), ONLY_AS_IT_IS)
    | {"missing joints": ONLY_AS_IT_IS, "child and adult": "no bone changes"},
    "affine": {"child and adult": "one scale cannot change proportions: use bone length"},
    "affine (StableAnimator)": {
        "jump": "vertical motion shrinks the body, as published",
        "bob": "vertical motion shrinks the body, as published",
        "child and adult": "one scale cannot change proportions: use bone length",
    },
    "bone length": {},
}


def main() -> int:
    """Run the study and return the exit code."""
    parser = study("evaluate pose", hosted=False)
    add_world(parser)
    parser.add_argument("--characters", type=positive, default=PEOPLE_DRIVEN, help=f"people ({PEOPLE_DRIVEN})")
    options = parser.parse_args()
    if options.world == DRAWN and options.inputs != EXACT:
        parser.error("the drawn clips are damaged in ways of their own: --inputs goes with --world people")
    return exit_code("evaluate", options.out, lambda: _run(options))


def _run(options: argparse.Namespace) -> None:
    start = time.process_time()
    if options.world == PEOPLE:
        report = people.study(options.characters, options.inputs)
        report |= {"clips": options.characters, "inputs": options.inputs}
    else:
        clips = all_clips()
        report = {"modes": {_key(mode): _study(mode, clips) for mode in ALIGN_MODES}, "jitter": jitter()}
        report["clips"] = len(clips)
    report["cpu_seconds"] = round(time.process_time() - start, 2)
    text = people.markdown(report) if options.world == PEOPLE else _markdown(report)
    (options.out / "pose.json").write_text(json.dumps(report, indent=1), encoding="ascii")
    (options.out / "pose.md").write_text(text, encoding="ascii")
    print(f"[evaluate] {options.out / 'pose.md'} after {report['cpu_seconds']:.1f} s of CPU time", flush=True)


def _study(mode: str, clips: list[DrivingClip]) -> dict:
    """Errors of one mode with its other widgets at their defaults."""
    settings = AlignSettings(mode)
    found = (score(clip, align(clip.driving, clip.reference, settings).poses) for clip in clips)
    return {**summary(found), "out_of_scope": OUT_OF_SCOPE[mode]}


def _key(mode: str) -> str:
    """``mode`` as pose.json names it: affine (StableAnimator) -> affine_stableanimator."""
    return mode.lower().replace("(", "").replace(")", "").replace(" ", "_")


def _markdown(report: dict) -> str:
    """The tables of pose.json for people; brackets: out of the mode's scope."""
    modes = report["modes"]
    lines = [f"# Pose alignment: {report['clips']} clips with known truth, {report['cpu_seconds']:.1f} s", ""]
    for measure, title in (
        ("scale_error_max", "Largest error of the scale, per cent"),
        ("bone_error_max", "Largest error of a bone's length, per cent"),
        ("joint_error_mean", "Mean error of a joint, per cent of the canvas height"),
    ):
        lines += [f"## {title}", "", f"| clips | {' | '.join(modes)} |", "|---|" + "---|" * len(modes)]
        for kind in next(iter(modes.values()))["kinds"]:
            cells = [_cell(found["kinds"][kind][measure], kind in found["out_of_scope"]) for found in modes.values()]
            lines.append(f"| {kind} | {' | '.join(cells)} |")
        lines += [f"| all | {' | '.join(_cell(found[measure], False) for found in modes.values())} |", ""]
    lines += ["In brackets: what a mode does not set out to fit.", ""]
    lines += [
        f"- {mode}, {kind}: {why}" for mode, found in modes.items() for kind, why in found["out_of_scope"].items()
    ]
    return "\n".join([*lines, "", *_jitter_lines(report["jitter"])]) + "\n"


def _cell(value: float | None, outside: bool) -> str:
    if value is None:
        return "-"
    return f"({100 * value:.2f})" if outside else f"{100 * value:.2f}"


def _jitter_lines(found: dict) -> list[str]:
    """The table of smoothing: rows jitter of the detections, columns strength."""
    lines = ["## Mean error of a joint under jitter, by smoothing, per cent of the canvas height (affine)", ""]
    lines += [f"| jitter | {' | '.join(map(str, STRENGTHS))} |", "|---|" + "---|" * len(STRENGTHS)]
    return lines + [
        f"| {noise} | {' | '.join(_cell(v, False) for v in row.values())} |" for noise, row in found.items()
    ]


if __name__ == "__main__":
    sys.exit(main())
