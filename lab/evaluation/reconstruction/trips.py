"""Inversion and the way back, by one solver each. Needs the host."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count

import comfy.k_diffusion.sampling as samplers
import nodes as host_nodes
import torch
from comfy.extra_samplers.uni_pc import sample_unipc
from torch import Tensor

from freeanimate_pack.freeanimate_core.config import PatchConfig
from freeanimate_pack.freeanimate_core.host.clones import with_attention_patches
from freeanimate_pack.freeanimate_core.host.models import ddim_uniform, to_model_space
from freeanimate_pack.freeanimate_core.host.sampling import Loaded, evaluation, inside_sampling
from freeanimate_pack.freeanimate_core.measures import latent_psnr
from freeanimate_pack.freeanimate_core.method.bank import AttentionBank
from freeanimate_pack.freeanimate_core.method.conditioning import without_control
from freeanimate_pack.freeanimate_core.method.ddim_inversion import Inverted, Pair, invert, invert_implicitly
from freeanimate_pack.freeanimate_core.method.denoiser import Chunks, Denoiser
from freeanimate_pack.freeanimate_core.method.evaluations import Evaluations, LevelPasses
from freeanimate_pack.freeanimate_core.method.passes import AttentionPass
from freeanimate_pack.freeanimate_core.method.record import Inversion
from freeanimate_pack.freeanimate_core.method.schedule import inversion_levels
from freeanimate_pack.freeanimate_core.method.windows import Windower

from ..case import Previewed
from ..drawing import make_case
from ..models import Models, load_models
from ..results import mean_and_error

TRAINED, DISTILLED = 1000, 50  # noise levels of a model, and those of them between which LCM and TCD jump
CORRECTED = "correction_"
Climb = Callable[[Callable, Tensor, Tensor, Tensor], Inverted]


@dataclass(frozen=True)
class Way:
    """Up by a solver, down by a sampler of the host, over ddim_uniform's levels or those of LCM and TCD."""

    up: str
    down: str
    lcm: bool = False


WAYS = {
    "ddim": Way("ddim", "euler"),
    "dpmpp_2m": Way("dpmpp_2m", "dpmpp_2m"),
    "uni_pc": Way("uni_pc", "uni_pc"),
    "correction_1": Way("correction_1", "euler"),
    "correction_2": Way("correction_2", "euler"),
    "correction_4": Way("correction_4", "euler"),
    "ddim, LCM's levels": Way("ddim", "euler", lcm=True),
    "correction_1, LCM's levels": Way("correction_1", "euler", lcm=True),
    "ddim, down by dpmpp_2m": Way("ddim", "dpmpp_2m"),
    "correction_1, down by dpmpp_2m": Way("correction_1", "dpmpp_2m"),
}


def solver(name: str) -> Callable:
    """A deterministic sampler of the host as function(model, x, sigmas); it runs upwards as well as downwards."""
    function = sample_unipc if name == "uni_pc" else getattr(samplers, f"sample_{name}")
    return lambda model, x, sigmas: function(model, x, sigmas.clone(), extra_args={}, disable=True)


def climb(name: str) -> Climb:
    """The way up as function(denoise, preview, reference, levels)."""
    if name == "ddim":
        return invert
    if name.startswith(CORRECTED):
        return partial(invert_implicitly, corrections=int(name.removeprefix(CORRECTED)))
    return partial(_by_solver, solver(name))


def _by_solver(run: Callable, denoise: Callable, preview: Tensor, reference: Tensor, levels: Tensor) -> Inverted:
    """Both streams by a solver that asks the model once at every level but the last."""
    passed: list[Tensor] = []

    def model(x: Tensor, sigma: Tensor) -> Tensor:
        passed.append(x)
        return torch.cat(denoise(len(passed) - 1, float(sigma[0]), x[:-1], x[-1:]))

    passed.append(run(model, torch.cat([preview, reference]), levels))
    trajectory = torch.stack(passed).cpu()
    return Inverted(trajectory[:, :-1], trajectory[:, :-1], trajectory[:, -1:])


def levels_of(model, steps: int, lcm: bool) -> tuple[Tensor, Tensor]:
    """Descending sigmas [S+1] that end in 0, and ascending ones [S+1] for the inversion."""
    descending, sigma_min = ddim_uniform(model, steps)
    if lcm:
        number, stride = len(descending) - 1, TRAINED // DISTILLED
        times = [TRAINED - 1 - stride * (step * DISTILLED // number) for step in range(number)]
        sigmas = model.get_model_object("model_sampling").sigmas
        descending = torch.tensor([*(float(sigmas[time]) for time in times), 0.0])
    return descending, inversion_levels(descending, sigma_min)


@dataclass(frozen=True)
class InversionInputs:
    """What is inverted: one conditioning with its poses, latents of preview and reference."""

    positive: list
    preview: Tensor
    reference: Tensor


def inputs_of(models: Models, case: Previewed) -> InversionInputs:
    """The frames of a case, as DDIM Inversion takes them."""
    words = host_nodes.CLIPTextEncode().encode(models.clip, case.prompts["true"])[0]
    apply = host_nodes.ControlNetApplyAdvanced().apply_controlnet
    controlled = apply(words, words, models.control_net, case.poses, 1.0, 0.0, 1.0)[0]
    encode = host_nodes.VAEEncode().encode
    preview, reference = (encode(models.vae, images)[0]["samples"] for images in (case.preview, case.reference))
    return InversionInputs(controlled, preview, reference)


def there_and_back(model, inputs: InversionInputs, way: Way, steps: int) -> tuple[float, int]:
    """PSNR in latent space, dB, and the evaluations of each frame that it took."""
    trip = Trip(inputs, way, *levels_of(model, steps, way.lcm))
    reference = to_model_space(model, inputs.reference)

    def run(loaded: Loaded) -> tuple[float, int]:
        return trip(loaded, reference.to(loaded.x))

    clone = with_attention_patches(model)
    return inside_sampling(clone, inputs.preview.float(), trip.levels, inputs.positive, trip.reference_positive, run)


class Trip:
    """One way there and back, called while the host has the model loaded."""

    def __init__(self, inputs: InversionInputs, way: Way, descending: Tensor, levels: Tensor):
        self.inputs, self.way = inputs, way
        self.descending, self.levels = descending, levels
        self.reference_positive = without_control(inputs.positive)
        self.windower = Windower(len(inputs.preview))

    def __call__(self, loaded: Loaded, reference: Tensor) -> tuple[float, int]:
        x = loaded.x
        evaluate = evaluation(loaded.base_model, loaded.options)
        evaluations = Evaluations(evaluate, loaded.reference, loaded.positive, len(x))
        record, ups = self._up(evaluations, x, reference, loaded.options)
        text = loaded.positive["model_conds"]["c_crossattn"].cond
        denoiser = Denoiser(record, PatchConfig(1.0, 1.0, 1.0), evaluations, self.windower, text)
        downs = count()

        def replayed(x: Tensor, sigma: Tensor) -> Tensor:
            def target(attention: AttentionPass, x: Tensor, window: range) -> list[Tensor]:
                return [evaluations.preview(attention, x, window, float(sigma[0]))]

            next(downs)
            return denoiser(target, x, float(sigma[0]), Chunks(1, frozenset({0}), frozenset({0})))[0]

        back = solver(self.way.down)(replayed, record.top.to(x), self.descending)
        return latent_psnr(back, x), ups + next(downs)

    def _up(self, evaluations: Evaluations, x: Tensor, reference: Tensor, options: dict) -> tuple[Inversion, int]:
        """The record, and the evaluations that it took."""
        bank, calls = AttentionBank(), count()
        lowest = len(self.levels) - (len(self.descending) - 1)  # the last level that denoising visits

        def predict(level: int, sigma: float, preview: Tensor, reference: Tensor, last: bool = True) -> Pair:
            next(calls)
            passes = LevelPasses(evaluations, sigma, reference, weight=1.0)
            return passes.capture(preview, self.windower, level, bank if last and level >= lowest else None)

        inverted = climb(self.way.up)(predict, x, reference, self.levels)
        if not self.way.up.startswith(CORRECTED):  # the others reach the top and do not evaluate it
            top = len(self.levels) - 1
            predict(top, float(self.levels[top]), inverted.preview[top].to(x), inverted.reference[top].to(x))
        record = Inversion(
            self.levels,
            inverted.preview,
            inverted.reference,
            descending=self.descending,
            steps=len(self.descending) - 1,
            positive=self.inputs.positive,
            reference_positive=self.reference_positive,
            reference_weight=1.0,
            fingerprint=None,
            options=options,
            bank=bank,
            seen=inverted.seen,
        )
        return record, next(calls)


@torch.inference_mode()
def entries(characters: int, frames: int, asked: Sequence[int]) -> Iterator[dict]:
    """One entry per way and number of steps of ``asked``; its differences are to plain DDIM over the same steps."""
    models = load_models()
    every = [inputs_of(models, make_case(seed, frames)) for seed in range(characters)]
    for steps in asked:
        plain: list[float] = []
        for name, way in WAYS.items():
            trips = [there_and_back(models.model, inputs, way, steps) for inputs in every]
            values = [psnr for psnr, _ in trips]
            plain = plain or values
            mean, error = mean_and_error(values)
            gain, gain_error = mean_and_error([v - p for v, p in zip(values, plain)])
            print(f"[evaluate] {steps} steps, {name}: {mean:.2f} dB", flush=True)
            yield {
                "way": name,
                "steps": steps,
                "evaluations": trips[0][1],
                "psnr": mean,
                "error": error,
                "to_ddim": gain,
                "to_ddim_error": gain_error,
            }
