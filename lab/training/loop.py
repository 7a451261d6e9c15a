"""One training stage: AdamW, averaged weights, and checkpoints that a later run continues from.

Each step draws from a generator of its own, made from the seed and the step's number, so that a run that
was stopped goes on exactly as if it had not been. Under torch.distributed every worker draws its own
batch, and the gradients are averaged.
"""

import json
import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, distributed, nn

MOMENTS = ("exp_avg", "exp_avg_sq", "step")
WARM_UP = 100  # steps over which the rate rises
RECENT = 50


@dataclass(frozen=True)
class Schedule:
    """What one stage trains for.

    rate, last_rate: learning rate at its height and at the end; it falls over the last ``cooling`` share.
    averaging: how much of the averaged weights stays at each step.
    """

    name: str
    steps: int
    rate: float
    last_rate: float
    weight_decay: float = 0.01
    averaging: float = 0.999
    seed: int = 0
    save_every: float = 180.0  # seconds
    cooling: float = 1.0
    betas: tuple[float, float] = (0.9, 0.99)


def learning_rate(schedule: Schedule, step: int) -> float:
    """Linear warm-up, then ``rate``, then half a cosine down to ``last_rate``."""
    left = 1 - min(step / schedule.steps, 1.0)
    share = max(1 - left / schedule.cooling, 0.0)
    cosine = schedule.last_rate + (schedule.rate - schedule.last_rate) * 0.5 * (1 + math.cos(math.pi * share))
    return cosine * min((step + 1) / WARM_UP, 1.0)


def worker() -> int:
    """The number of this worker, 0 when there is only one."""
    return distributed.get_rank() if distributed.is_initialized() else 0


class Stage:
    """A module on its way through its schedule, with its averaged copy and its place on disk."""

    def __init__(self, schedule: Schedule, module: nn.Module, folder: Path):
        self.schedule, self.module = schedule, module
        self.parameters = {name: p for name, p in module.named_parameters() if p.requires_grad}
        self.average = {name: p.detach().clone() for name, p in self.parameters.items()}
        self.optimiser = torch.optim.AdamW(
            self.parameters.values(),
            lr=schedule.rate,
            betas=schedule.betas,
            weight_decay=schedule.weight_decay,
            fused=True,
        )
        self.done = 0
        self.recent = math.nan  # loss, averaged over the last steps
        self.file = folder / f"{schedule.name}.safetensors"
        self.log = folder / f"{schedule.name}.jsonl"
        folder.mkdir(parents=True, exist_ok=True)
        if self.file.exists():
            self._restore()
        elif not worker():
            self.log.unlink(missing_ok=True)

    def run(self, loss_of: Callable[[torch.Generator], Tensor], seconds: float = math.inf) -> Iterator[int]:
        """Train until the schedule's end or for ``seconds``; yields after every step the number of steps done."""
        started = saved = time.monotonic()
        try:
            while self.done < self.schedule.steps and time.monotonic() - started < seconds:
                loss = self._step(loss_of)
                self.recent = loss if math.isnan(self.recent) else self.recent + (loss - self.recent) / RECENT
                self._note(loss, time.monotonic() - started)
                if time.monotonic() - saved > self.schedule.save_every:
                    self.save()
                    saved = time.monotonic()
                yield self.done
        finally:
            self.save()

    def _step(self, loss_of: Callable[[torch.Generator], Tensor]) -> float:
        rng = torch.Generator().manual_seed(self.schedule.seed * 1_000_003 + self.done + 500_009 * worker())
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(self.schedule, self.done)
        loss = loss_of(rng)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self._share_gradients()
        nn.utils.clip_grad_norm_(self.parameters.values(), 1.0)
        self.optimiser.step()
        self.done += 1
        decay = min(self.schedule.averaging, (1 + self.done) / (10 + self.done))
        torch._foreach_lerp_(list(self.average.values()), [p.detach() for p in self.parameters.values()], 1 - decay)
        return float(loss.detach())

    def _share_gradients(self) -> None:
        """The mean of the workers' gradients, in one message."""
        if not distributed.is_initialized():
            return
        gradients = [p.grad for p in self.parameters.values()]
        flat = torch.cat([g.flatten() for g in gradients])
        distributed.all_reduce(flat)
        flat /= distributed.get_world_size()
        for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients])):
            gradient.copy_(mean.view_as(gradient))

    def _note(self, loss: float, seconds: float) -> None:
        if worker():
            return
        with self.log.open("a", encoding="utf-8") as log:
            log.write(json.dumps({"step": self.done, "loss": loss, "seconds": round(seconds, 1)}) + "\n")

    def averaged(self) -> dict[str, Tensor]:
        """The module's state with its parameters averaged over the last steps."""
        return {**self.module.state_dict(), **self.average}

    def save(self) -> None:
        """Write weights, average and the optimiser's moments; a reader never sees half a file."""
        if worker():
            return
        tensors = {f"weights.{name}": p.detach() for name, p in self.parameters.items()}
        tensors |= {f"average.{name}": value for name, value in self.average.items()}
        for name, p in self.parameters.items():
            tensors |= {
                f"{kind}.{name}": self.optimiser.state[p][kind] for kind in MOMENTS if p in self.optimiser.state
            }
        tensors["done"] = torch.tensor(self.done)
        partial = self.file.with_suffix(".part")
        save_file({name: value.contiguous() for name, value in tensors.items()}, partial)
        os.replace(partial, self.file)

    def _restore(self) -> None:
        tensors = load_file(self.file)
        self.done = int(tensors["done"])
        noted = self.log.read_text(encoding="utf-8").splitlines(keepends=True)
        self.log.write_text("".join(noted[: self.done]), encoding="utf-8")  # steps after the checkpoint come again
        with torch.no_grad():
            for name, p in self.parameters.items():
                p.copy_(tensors[f"weights.{name}"])
                self.average[name].copy_(tensors[f"average.{name}"])
                kinds = {kind: tensors[f"{kind}.{name}"] for kind in MOMENTS if f"{kind}.{name}" in tensors}
                if kinds:
                    self.optimiser.state[p] = {k: v.to(p.device) if k != "step" else v for k, v in kinds.items()}
