"""One run at a time in a folder, across processes, and none once its process is dead."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.freeanimate_core.runs import claim
from freeanimate_pack.freeanimate_core.runs.claim import CLAIM, claimed

ROOT = Path(__file__).resolve().parents[2]
WHERE = "Animate Long Clip: run_name 'walk'"
HOLD = """
import sys
from pathlib import Path
from freeanimate_core.runs.claim import claimed
with claimed(Path(sys.argv[1]), "x"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_process_is_named_and_its_death_ends_the_claim(tmp_path):
    line = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(line, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(FreeAnimateError, match=f"'walk' is being rendered by process {other.pid} on .+ since 2"):
            with claimed(tmp_path, WHERE):
                raise AssertionError("two runs hold the folder")
        other.kill()
        other.wait()
    with claimed(tmp_path, WHERE):
        assert f"process {other.pid} " not in (tmp_path / CLAIM).read_text()


def test_a_claim_ends_with_its_run_however_that_ends(tmp_path):
    with pytest.raises(RuntimeError), claimed(tmp_path, WHERE):
        with pytest.raises(FreeAnimateError, match="is being rendered by process"), claimed(tmp_path, WHERE):
            pass
        raise RuntimeError
    for _ in range(2):
        with claimed(tmp_path, WHERE):
            pass


def test_a_folder_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FreeAnimateError, match="'walk' cannot be written to .*make ComfyUI's output folder writable"):
        with claimed(tmp_path / "file", WHERE):
            pass


def test_a_disk_without_locks_is_logged(tmp_path, monkeypatch, caplog):
    fcntl = pytest.importorskip("fcntl")

    def refuse(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with claimed(tmp_path, WHERE):
        assert "knows no locks" in caplog.text and "only one ComfyUI" in caplog.text


def test_a_full_disk_leaves_the_holder_unsaid(tmp_path, monkeypatch, caplog):
    def refuse(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(claim.os, "write", refuse)
    with claimed(tmp_path, WHERE):
        assert "could not be signed" in caplog.text
        with pytest.raises(FreeAnimateError, match="is being rendered by another run;"), claimed(tmp_path, WHERE):
            pass
