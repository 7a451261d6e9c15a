"""What a run's messages tell: one progress bar, and the seconds of each stage."""

import time
from collections.abc import Callable, Mapping
from typing import TextIO

BAR = 30  # characters


class StageClock:
    """Seconds per stage, from the server's "executing" messages: a node lasts until the next one starts."""

    def __init__(
        self, stages: tuple[str, ...], stage_of: Callable[[str], str], now: Callable[[], float] = time.monotonic
    ):
        self.seconds = dict.fromkeys(stages, 0.0)
        self._stage_of = stage_of
        self._now = now
        self._node: str | None = None
        self._since = 0.0

    def __call__(self, kind: str, data: dict) -> None:
        """Take one message."""
        if kind != "executing":
            return
        moment = self._now()
        if self._node is not None:
            self.seconds[self._stage_of(self._node)] += moment - self._since
        self._node, self._since = data["node"], moment


class ProgressBar:
    """One line: the share of nodes done, and the running node's name and step.

    names: node id to display name, for every node of the prompt. On a terminal the line is
    drawn over itself; elsewhere (a log) each node gets one line.
    """

    def __init__(self, names: Mapping[str, str], stream: TextIO):
        self._names = names
        self._stream = stream
        self._live = stream.isatty()
        self._started = 0
        self._label = ""
        self._width = 0

    def __call__(self, kind: str, data: dict) -> None:
        """Take one message."""
        if kind == "executing" and data["node"] in self._names:
            self._started += 1
            self._label = self._names[data["node"]]
            self._draw(self._started - 1, self._label)
        elif kind == "progress" and self._live:
            step = data["value"] / max(data["max"], 1)
            self._draw(self._started - 1 + step, f"{self._label} {data['value']}/{data['max']}")
        elif kind == "execution_success":
            self._draw(len(self._names), "done")
        if kind in ("execution_success", "execution_error", "execution_interrupted") and self._live:
            self._stream.write("\n")

    def _draw(self, done: float, label: str) -> None:
        share = min(max(done, 0) / len(self._names), 1)
        line = f"[{'#' * round(BAR * share):-<{BAR}}] {share:4.0%} {label}"
        if self._live:
            self._stream.write("\r" + line.ljust(self._width))
            self._width = len(line)
        else:
            self._stream.write(line + "\n")
        self._stream.flush()
