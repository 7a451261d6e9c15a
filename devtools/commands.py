"""The commands of dev.py. A new one is a function and a few lines in `parser`."""

import argparse
import errno
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from . import environment, front_end
from .shell import ROOT, SetupError, heed_signals, run_foreground

# A file's fixtures are made in one process; in the folders' order the many short tests of `unit` come last, so that no
# worker waits long for the other
SPREAD = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
CHECKS = (("ruff", "check"), ("ruff", "format", "--check"), ("mypy",))  # set in pyproject.toml
STUDIES = {
    "animation": "lab.evaluation",
    "preview": "lab.evaluation.preview",
    "pose": "lab.evaluation.pose",
    "reconstruction": "lab.evaluation.reconstruction",
    "price": "lab.evaluation.price",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 2 when it could not be set up, 130 after Ctrl-C."""
    heed_signals()
    options, rest = parser().parse_known_args(arguments)
    if rest and not options.passes_on:
        parser().error(f"unrecognized arguments: {' '.join(rest)}")
    options.rest = rest
    try:
        return options.run(options)
    except KeyboardInterrupt:
        return _stopped("stopped", 130)
    except SetupError as error:
        return _stopped(str(error), 2)
    except OSError as error:
        full = error.errno == errno.ENOSPC
        return _stopped(f"the disk is full: {error}; free some space and run again" if full else str(error), 2)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="dev.py", description="FreeAnimate: run the demo, the tests or a server.")
    commands = top.add_subparsers(metavar="command", required=True)

    demo = commands.add_parser("demo", help="animate the demo character and write a video", allow_abbrev=False)
    demo.add_argument("--out", type=Path, default=ROOT / "output" / "demo", metavar="DIR", help="where to write")
    demo.set_defaults(run=run_demo, passes_on=False)

    test = commands.add_parser(
        "test",
        help="run the tests, or `test browser`: those in the real editor alone; other arguments go to pytest",
        allow_abbrev=False,
    )
    test.add_argument("--full", action="store_true", help="run only the long tests, which the others leave out")
    test.set_defaults(run=run_tests, passes_on=True)

    check = commands.add_parser("check", help="lint, formatting and types, in seconds", allow_abbrev=False)
    check.set_defaults(run=run_checks, passes_on=False)

    evaluate = commands.add_parser(
        "evaluate",
        help="measure the methods on drawn or rendered people with known truth; other arguments go to the study",
        description="Other arguments of animation: --characters N, --first NUMBER, --frames N, --steps N, "
        "--cfg X [X ...], --methods NAME [NAME ...], --quick, --sweep NAME, --stills, "
        "--classes CLASS [CLASS ...], --training, --spoil NAME, --words true|little; of preview: "
        "--characters N, --size N, --quick, --photo-only; of pose: "
        "--characters N. All three take --world drawn|people and --inputs exact|noisy.",
        allow_abbrev=False,
    )
    evaluate.add_argument("what", choices=STUDIES, help="what to measure")
    evaluate.add_argument(
        "--out", type=Path, default=ROOT / "output" / "evaluation", metavar="DIR", help="where to write and to continue"
    )
    evaluate.set_defaults(run=run_evaluation, passes_on=True)

    bench = commands.add_parser(
        "bench",
        help="measure seconds, rows and bytes against the host's own sampling; other arguments go to lab.benchmark",
        description="Other arguments: --device cpu|cuda, --size tiny|sd15|sdxl, --frames N, --rows NAME [NAME ...], "
        "--quick, --gpu, --memory-cap GB, --limit SECONDS, --cpu-clock, --profile ROW.",
        allow_abbrev=False,
    )
    bench.add_argument("--out", type=Path, default=ROOT / "output" / "bench", metavar="DIR", help="where to write")
    bench.set_defaults(run=run_bench, passes_on=True)

    attack = commands.add_parser(
        "attack",
        help="run prompts that nobody would write over all nodes; other arguments go to lab.attack",
        description="Other arguments: --seed N, --minutes M, --prompts N at most, --only N to repeat one.",
        allow_abbrev=False,
    )
    attack.add_argument("--out", type=Path, default=ROOT / "output" / "attack", metavar="DIR", help="where nodes write")
    attack.set_defaults(run=run_attack, passes_on=True)

    train = commands.add_parser(
        "train-demo",
        help="train the demo model, or go on with it; other arguments go to lab.training",
        allow_abbrev=False,
    )
    train.add_argument(
        "--work", type=Path, default=ROOT / "output" / "training", metavar="DIR", help="pictures, checkpoints and logs"
    )
    train.set_defaults(run=run_training, passes_on=True)

    serve = commands.add_parser("serve", help="run ComfyUI with the pack; other arguments go to it", allow_abbrev=False)
    serve.add_argument("--port", type=int, default=8188, help="default: %(default)s")
    serve.set_defaults(run=run_server, passes_on=True)
    return top


def run_demo(options: argparse.Namespace) -> int:
    """Run the demo graph on a server and write its video, contact sheet and report."""
    ready = environment.ensure()
    line = [ready.python, "-m", "lab.server.run", "--host", ready.host, "--base", environment.BASE]
    return run_foreground([*map(str, line), "--out", str(options.out.absolute())], ready.variables())


def run_evaluation(options: argparse.Namespace) -> int:
    """Run the evaluation in the environment, with the host in its process."""
    ready = environment.ensure()
    line = [ready.python, "-m", STUDIES[options.what], "--host", ready.host, "--out", options.out.absolute()]
    return run_foreground([*map(str, line), *options.rest], ready.variables())


def run_bench(options: argparse.Namespace) -> int:
    """Run the benchmark in the environment, with the host in its process."""
    ready = environment.ensure()
    line = [ready.python, "-m", "lab.benchmark", "--host", ready.host, "--out", options.out.absolute()]
    return run_foreground([*map(str, line), *options.rest], ready.variables())


def run_attack(options: argparse.Namespace) -> int:
    """Run generated prompts in the environment, with the host in its process."""
    ready = environment.ensure()
    line = [ready.python, "-m", "lab.attack", "--host", ready.host, "--out", options.out.absolute()]
    return run_foreground([*map(str, line), *options.rest], ready.variables())


def run_checks(options: argparse.Namespace) -> int:
    """Run every check, whether or not an earlier one failed, and return 1 if one did."""
    ready = environment.ensure()
    codes = {" ".join(words): run_foreground([str(ready.python), "-m", *words], ready.variables()) for words in CHECKS}
    failed = [words for words, code in codes.items() if code]
    print(f"[check] failed: {', '.join(failed)}" if failed else "[check] all clean", flush=True)
    return int(bool(failed))


def run_tests(options: argparse.Namespace) -> int:
    """Run pytest in the environment; COMFYUI_DIR names the host, FREEANIMATE_FRONT_END the newest front end."""
    ready = environment.ensure()
    alone = options.full or _browser_alone(options)
    variables = ready.variables() | ({} if alone else {"OMP_NUM_THREADS": "1"})
    variables.setdefault(front_end.VARIABLE, str(front_end.PINNED.target))
    return run_foreground([str(ready.python), "-m", "pytest", *pytest_arguments(options)], variables)


def pytest_arguments(options: argparse.Namespace) -> list[str]:
    """All tests but the long ones, or only those, or the browser's; paths in the caller's arguments replace tests/.

    Two processes of one thread each share small models better than two threads in one process do.
    """
    if _browser_alone(options):
        return ["-c", "tests/pytest.ini", "-s", "tests/browser", *options.rest[1:]]
    kind = ["-m", "full", "-s"] if options.full else ["-m", "not full", *SPREAD]
    named = any(Path(argument.split("::")[0]).parts[:1] == ("tests",) for argument in options.rest)
    return ["-c", "tests/pytest.ini", *kind, *([] if named else ["tests"]), *options.rest]


def _browser_alone(options: argparse.Namespace) -> bool:
    return options.rest[:1] == ["browser"]


def run_training(options: argparse.Namespace) -> int:
    """Train the demo model in the environment."""
    ready = environment.ensure()
    line = [ready.python, "-m", "lab.training", "--host", ready.host, "--work", options.work.absolute()]
    return run_foreground([*map(str, line), *options.rest], ready.variables())


def run_server(options: argparse.Namespace) -> int:
    """Run the server in the foreground until Ctrl-C."""
    _require_free(options.port)
    ready = environment.ensure()
    print(f"[serve] starting ComfyUI on port {options.port}", flush=True)
    line = [
        ready.python,
        "-m",
        "lab.server.serve",
        "--host",
        ready.host,
        "--base",
        environment.BASE,
        "--port",
        options.port,
    ]
    return run_foreground([*map(str, line), *options.rest], ready.variables())


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        if os.name != "nt":  # a port that was left a moment ago counts as free, as for the server
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise SetupError(f"port {port} is in use; choose another one with --port") from error


def _stopped(sentence: str, code: int) -> int:
    sys.stderr.write(f"dev.py: {sentence}\n")
    return code
