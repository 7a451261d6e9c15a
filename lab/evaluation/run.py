"""Every method on every character, with what is already known taken from the store. Needs the host."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch

from ..hosting import Host
from .drawing import make_cases
from .measures import measure, measure_by_class
from .models import Models
from .recipes import Method
from .renderer import Renderer
from .results import merged
from .settings import Settings
from .store import Result, Results, Store, case_digest, code_digest, digest_of


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
        cases = make_cases(seed, settings)
        first = [(Renderer(models, case, settings), digest_of(environment, case_digest(case))) for case in cases]
        for cfg, table in zip(guidance, results):
            renderers = [(renderer.at(cfg), known) for renderer, known in first]
            about = f"seed {seed}, {cases[0].motion}, guidance {cfg:g}"
            print(f"[evaluate] character {number + 1}/{len(seeds)}: {about}", flush=True)
            for name, method in methods.items():
                table[name].append(_result(renderers, name, method, store, pace))
    return results


def _result(renderers: Sequence[tuple[Renderer, str]], name: str, method: Method, store: Store, pace: Pace) -> Result:
    """One cell of the table, of all cases of a character, each with the digest of what it follows from."""
    parts = [_part(renderer, method, known, store) for renderer, known in renderers]
    result, cached = merged([part for part, _ in parts]), all(kept for _, kept in parts)
    if not cached:
        pace.seconds.append(result.seconds)
    pace.done += 1
    took = "kept" if cached else f"{result.seconds:.1f} s"
    shown = f"person {result.measures['person_psnr']:.2f} dB, identity {result.measures['identity_error']:.1f}"
    print(f"[evaluate]   {name}: {shown} ({took}; {pace.left()})", flush=True)
    return result


def _part(renderer: Renderer, method: Method, known: str, store: Store) -> tuple[Result, bool]:
    """The result on one case, from the store or made now, and whether it was kept."""
    settings = renderer.settings
    facts = known, str(settings.noise_seed), settings.words, repr(renderer.complete(method.how))
    key = f"{renderer.case.seed:05d}-{digest_of(*facts)}"
    kept = store.load(key)
    return (kept, True) if kept else (_made(renderer, method, key, store), False)


def _made(renderer: Renderer, method: Method, key: str, store: Store) -> Result:
    start = time.monotonic()
    frames = renderer.frames(method.how)
    seconds = time.monotonic() - start
    measures = measure(renderer.case, frames, renderer.reconstructed)
    classes = measure_by_class(renderer.case, frames, renderer.reconstructed)
    about = {"seed": renderer.case.seed, "motion": renderer.case.motion, "how": repr(renderer.complete(method.how))}
    return store.save(key, about, measures, seconds, frames, classes)
