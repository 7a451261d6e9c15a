"""dev.py: which host it takes, what it refuses, and that every refusal is one line and exit code 2."""

import argparse
import io
import os
import re
import signal
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
from patience import patience

from devtools import commands, environment, front_end, host, pinned
from devtools.shell import ROOT, SetupError, explain

PLENTY = 10**12


def comfyui(folder: Path) -> Path:
    (folder / "comfy").mkdir(parents=True)
    (folder / "main.py").touch()
    (folder / "comfyui_version.py").touch()
    (folder / "requirements.txt").write_text("torch\n")
    return folder


def run_dev(*arguments: str, root: Path = ROOT, **variables: str) -> subprocess.CompletedProcess:
    line = [sys.executable, "dev.py", *arguments]
    return subprocess.run(
        line, cwd=root, env=os.environ | variables, capture_output=True, text=True, timeout=patience(600)
    )


def assert_refused(result: subprocess.CompletedProcess, *words: str) -> None:
    assert result.returncode == 2, result.stderr
    assert re.fullmatch(r"dev\.py: [^\n]+\n", result.stderr)
    assert all(word in result.stderr for word in words), result.stderr


def test_a_wrong_comfyui_dir_is_one_line(tmp_path):
    (tmp_path / "main.py").touch()
    assert_refused(run_dev("test", COMFYUI_DIR=str(tmp_path)), str(tmp_path), "no comfy,", "no comfyui_version.py")


def test_an_old_python_is_one_line():
    code = "import sys, runpy; sys.version_info = (3, 9, 1); runpy.run_path('dev.py', run_name='__main__')"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert_refused(result, "3.10", "3.9")


def test_no_network_is_one_line_and_leaves_nothing_that_counts_as_ready(tmp_path):
    for name in ("dev.py", "requirements.txt", "requirements-dev.txt"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / "devtools").mkdir()
    for path in (ROOT / "devtools").glob("*.py"):
        (tmp_path / "devtools" / path.name).write_bytes(path.read_bytes())
    refused = run_dev("test", root=tmp_path, COMFYUI_DIR="", PIP_NO_INDEX="1", PIP_FIND_LINKS="", UV_OFFLINE="1")
    assert_refused(refused, "setup.log" if "8 GB" not in refused.stderr else "free")
    assert not list(tmp_path.rglob(environment.STAMP.name))


def test_a_bad_argument_is_refused_where_nothing_passes_it_on():
    assert run_dev("demo", "--ouput", "x").returncode == 2


def test_the_host_is_the_named_one_then_the_one_around(tmp_path):
    named, around = comfyui(tmp_path / "named"), comfyui(tmp_path / "around")
    inside = around / "custom_nodes" / "pack"
    assert host.find(inside, {"COMFYUI_DIR": str(named)}) == named
    assert host.find(inside, {}) == around
    assert host.find(tmp_path / "elsewhere" / "pack", {}) in (None, host.PINNED.target)


def archive(path: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            member.size = 2 if member.isfile() else 0
            tar.addfile(member, io.BytesIO(b"ok"))
    return path


def link(name: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, "/etc"
    return member


def wheel(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as packed:
        for name in names:
            packed.writestr(name, b"ok")
    return path


TAKEN = ("d/host/a.py", "d/host/sub/b.py", "d/other.py", "d/hostile/c.py")
OUTSIDE = "d/host/../../evil.py"


@pytest.mark.parametrize(
    "packed",
    [lambda path: archive(path / "x.tar.gz", *map(tarfile.TarInfo, TAKEN)), lambda path: wheel(path / "x.whl", *TAKEN)],
    ids=["tar", "wheel"],
)
def test_unpacking_takes_the_folder_alone(tmp_path, packed):
    pinned.unpack(packed(tmp_path), PurePosixPath("d/host"), tmp_path / "out")
    found = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.py")}
    assert found == {"a.py", "sub/b.py"}
    assert (tmp_path / "out" / "a.py").read_bytes() == b"ok"


@pytest.mark.parametrize(
    "packed",
    [
        lambda path: archive(path / "x.tar.gz", tarfile.TarInfo("d/host/a.py"), tarfile.TarInfo(OUTSIDE)),
        lambda path: archive(path / "x.tar.gz", tarfile.TarInfo("d/host/a.py"), link("d/host/evil.py")),
        lambda path: wheel(path / "x.whl", "d/host/a.py", OUTSIDE),
    ],
    ids=["tar", "link", "wheel"],
)
def test_unpacking_refuses_what_leads_out(tmp_path, packed):
    with pytest.raises(SetupError, match="evil.py"):
        pinned.unpack(packed(tmp_path), PurePosixPath("d/host"), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.rglob("evil.py"))


def test_a_download_that_is_not_the_pinned_one_is_deleted(tmp_path, monkeypatch):
    monkeypatch.setattr(pinned, "DOWNLOADS", tmp_path)
    monkeypatch.setattr(pinned, "run_logged", lambda *_: wheel(tmp_path / front_end.PINNED.file, "other/static/a.js"))
    with pytest.raises(SetupError, match="SHA-256 differs"):
        pinned.fetch(front_end.PINNED, Path(sys.executable))
    assert list(tmp_path.iterdir()) == []


def test_a_setup_without_the_newest_front_end_is_not_ready(tmp_path, monkeypatch):
    one, stamp = comfyui(tmp_path / "one"), tmp_path / "stamp"
    monkeypatch.setattr(environment, "STAMP", stamp)
    monkeypatch.setattr(environment, "_works", lambda _: True)
    monkeypatch.setattr(front_end, "PINNED", replace(front_end.PINNED, target=tmp_path / "front end"))
    stamp.write_text(environment.stamp(one))
    assert not environment._is_ready(one, Path(sys.executable))
    front_end.PINNED.target.mkdir()
    assert environment._is_ready(one, Path(sys.executable))
    monkeypatch.setattr(front_end, "PINNED", replace(front_end.PINNED, sha256="another"))
    assert not environment._is_ready(one, Path(sys.executable))


def test_the_tests_are_told_of_the_newest_front_end(monkeypatch):
    told = []
    monkeypatch.setattr(environment, "ensure", lambda: environment.Ready(Path(sys.executable), ROOT))
    monkeypatch.setattr(commands, "run_foreground", lambda _, variables: told.append(variables) or 0)
    monkeypatch.delenv(front_end.VARIABLE, raising=False)
    commands.main(["test"])
    monkeypatch.setenv(front_end.VARIABLE, "another")
    commands.main(["test"])
    assert [variables[front_end.VARIABLE] for variables in told] == [str(front_end.PINNED.target), "another"]


def test_the_stamp_follows_host_and_requirements(tmp_path):
    one, two = comfyui(tmp_path / "one"), comfyui(tmp_path / "two")
    before = environment.stamp(one)
    assert before == environment.stamp(one)
    assert before != environment.stamp(two)
    (one / "requirements.txt").write_text("torch\nnumpy\n")
    assert before != environment.stamp(one)


def test_too_little_space_is_refused_with_both_figures(tmp_path):
    environment.require_space(tmp_path, 1)
    with pytest.raises(SetupError, match=r"1000000 GB.*GB free"):
        environment.require_space(tmp_path, 10**15)


@pytest.mark.parametrize(
    "output, sentence",
    [
        ("error: Failed to fetch: `x`\n  cause: tcp connect error", "cannot be reached: installing failed"),
        ("ERROR: No matching distribution found for uv", "cannot be reached"),
        ("  cause: invalid peer certificate: UnknownIssuer\nerror: Failed to fetch", "certificate is not trusted"),
        ("ERROR: Could not install: [Errno 28] No space left on device", "disk is full"),
        ("Building x\nerror: failed to build `x`\nhint", "installing failed: error: failed to build `x`"),
        ("the virtual environment was not created\n\napt install", "failed: the virtual environment was not created"),
        ("", "installing failed: no output"),
    ],
)
def test_a_failed_step_is_explained_in_one_line(output, sentence):
    explained = explain("installing", output, PLENTY)
    assert sentence in explained
    assert "\n" not in explained
    assert "setup.log" in explained


def test_a_full_disk_is_named_whatever_the_output_says():
    assert "disk is full" in explain("installing", "error: exit status 1", 0)


@pytest.mark.parametrize(
    "rest, full, expected",
    [
        ([], False, ["-m", "not full", *commands.SPREAD, "tests"]),
        (["-x", "-k", "demo"], False, ["-m", "not full", *commands.SPREAD, "tests", "-x", "-k", "demo"]),
        (
            ["tests/unit/test_dev.py::test_x"],
            False,
            ["-m", "not full", *commands.SPREAD, "tests/unit/test_dev.py::test_x"],
        ),
        ([], True, ["-m", "full", "-s", "tests"]),
        (["browser", "-x"], False, ["-s", "tests/browser", "-x"]),
        (["-k", "browser"], False, ["-m", "not full", *commands.SPREAD, "tests", "-k", "browser"]),
    ],
)
def test_pytest_gets_all_tests_or_the_named_ones(rest, full, expected):
    options = argparse.Namespace(rest=rest, full=full)
    assert commands.pytest_arguments(options) == ["-c", "tests/pytest.ini", *expected]


@pytest.mark.parametrize("bad, code", [((), 0), (("ruff",), 1), (("mypy",), 1)])
def test_every_check_runs_and_what_failed_is_named(bad, code, monkeypatch, capfd):
    ran = []
    monkeypatch.setattr(environment, "ensure", lambda: environment.Ready(Path(sys.executable), ROOT))
    monkeypatch.setattr(commands, "run_foreground", lambda line, _: ran.append(line[2:]) or int(line[2] in bad))
    assert commands.main(["check"]) == code
    assert ran == [list(words) for words in commands.CHECKS]
    said = capfd.readouterr().out
    assert all((" ".join(words) in said) == (words[0] in bad) for words in commands.CHECKS)


def test_the_checkers_are_pinned():
    listed = (ROOT / "requirements-dev.txt").read_text().split()
    assert {words[0] for words in commands.CHECKS} == {line.split("==")[0] for line in listed if "==" in line}


@pytest.mark.skipif(os.name == "nt", reason="sends a POSIX signal")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_command_lets_its_child_clean_up(tmp_path, sent):
    child = f"""
import pathlib, time
here = pathlib.Path({str(tmp_path)!r})
try:
    (here / "started").touch()
    time.sleep(3600)
except KeyboardInterrupt:
    (here / "cleaned").touch()
"""
    parent = f"""
import os, signal, sys
from devtools.shell import heed_signals, run_foreground
signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell starts a background job
heed_signals()
try:
    run_foreground([sys.executable, "-c", {child!r}], dict(os.environ))
except KeyboardInterrupt:
    sys.exit(130)
"""
    running = subprocess.Popen([sys.executable, "-c", parent], cwd=ROOT, stdin=subprocess.DEVNULL)
    while not (tmp_path / "started").exists():
        assert running.poll() is None
    running.send_signal(sent)
    assert running.wait(timeout=patience(600)) == 130
    assert (tmp_path / "cleaned").exists()


def test_the_package_asks_for_what_requirements_txt_lists_and_never_for_torch():
    listed = (ROOT / "requirements.txt").read_text().split()
    block = re.search(r"^dependencies = \[(.*?)\]", (ROOT / "pyproject.toml").read_text(), re.S | re.M).group(1)
    assert re.findall(r'"(.+?)"', block) == listed
    assert all(">=" in line and not line.startswith("torch") for line in listed)
