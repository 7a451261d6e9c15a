"""Every method on every character, with what is already known taken from the store."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch

from ..hosting import Host
from .cases import make_case
from .measures import measure
from .recipes import Given, Method
from .renderer import Bench, Models, Settings
from .store import Result, Store, case_digest, code_digest, digest_of

RECONSTRUCTED = Given("preview", True)
Results = dict[str, list[Result]]  # by method, in the order of the characters


@dataclass
class Pace:
    """How long each method took so far, for a rough time left."""

    cells: int
    done: int = 0
    seconds: list[float] = field(default_factory=list)

    def left(self) -> str:
        """Time left in words: the made cells' mean for those that are still to come."""
        if not self.seconds:
            return "time left unknown"
        left = sum(self.seconds) / len(self.seconds) * (self.cells - self.done)
        return f"about {left / 60:.0f} min left" if left >= 90 else f"about {left:.0f} s left"


def evaluate(
    host: Host,
    models: Models,
    methods: Mapping[str, Method],
    seeds: Sequence[int],
    settings: Settings,
    guidance: Sequence[float],
    store: Store,
) -> list[Results]:
    """Run all methods on the characters ``seeds`` at each guidance; prints a line per character and method.

    Guidance is the innermost loop, so that a record serves all of it.
    """
    pace = Pace(len(guidance) * len(methods) * len(seeds))
    environment = digest_of(models.digest, code_digest(), host.version, host.device, torch.__version__)
    results: list[Results] = [{name: [] for name in methods} for _ in guidance]
    for number, seed in enumerate(seeds):
        case = make_case(host, seed, settings.frames)
        first = Bench(host, models, case, settings)
        values = case_digest(case)
        for cfg, table in zip(guidance, results):
            bench = first.at(cfg)
            about = f"seed {seed}, {case.motion}, guidance {cfg:g}"
            print(f"[evaluate] character {number + 1}/{len(seeds)}: {about}", flush=True)
            for name, method in methods.items():
                parts = environment, values, str(settings.noise_seed), repr(bench.complete(method.how))
                table[name].append(_result(bench, name, method, f"{seed:05d}-{digest_of(*parts)}", store, pace))
    return results


def _result(bench: Bench, name: str, method: Method, key: str, store: Store, pace: Pace) -> Result:
    """One cell of the table, from the store or made now."""
    result, cached = store.load(key), True
    if result is None:
        result, cached = _made(bench, method, key, store), False
        pace.seconds.append(result.seconds)
    pace.done += 1
    took = "kept" if cached else f"{result.seconds:.1f} s"
    shown = f"person {result.measures['person_psnr']:.2f} dB, identity {result.measures['identity_error']:.1f}"
    print(f"[evaluate]   {name}: {shown} ({took}; {pace.left()})", flush=True)
    return result


def _made(bench: Bench, method: Method, key: str, store: Store) -> Result:
    start = time.monotonic()
    frames = bench.frames(method.how)
    seconds = time.monotonic() - start
    measures = measure(bench.case, frames, bench.frames(RECONSTRUCTED))
    about = {"seed": bench.case.seed, "motion": bench.case.motion, "how": repr(bench.complete(method.how))}
    return store.save(key, about, measures, seconds, frames)
