"""From checkpoints to the files in demo/trained: weights, card, sample sheet."""

import json
from pathlib import Path

from torch import Tensor

from freeanimate_pack.demo.model.loading import assemble
from freeanimate_pack.demo.model.weights import FOLDER, load_weights, save_weights

from . import autoencoder, reader
from .denoiser import Denoiser
from .hint import part_map
from .loop import Stage
from .samples import GUIDANCES, Sampler, sample_sheet
from .training_pictures import TrainingPictures

SHOWN, JUDGED = 8, 48  # characters on the sheet, and those whose samples are measured
FIRST_LOSSES = 20


def state_of(vae: Stage, denoiser: Stage) -> dict[str, dict[str, Tensor]]:
    """The COMPONENTS of demo.model.weights with averaged weights."""
    pair, whole = vae.averaged(), denoiser.averaged()
    components = {name: _under(pair, f"{name}.") for name in ("encoder", "decoder")}
    components |= {name: _under(whole, f"{name}.") for name in ("unet", "control")}
    text = _under(whole, "text.clip.")
    return components | {
        "text": {f"text_model.{key.removeprefix('text_model.')}": value for key, value in text.items()}
    }


def _under(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}


def export(vae: Stage, denoiser: Stage, seeing: reader.PartReader, held_out: TrainingPictures, facts: dict) -> dict:
    """Write weights, card and sheet; returns the card's measurements."""
    module: Denoiser = denoiser.module
    components = state_of(vae, denoiser)
    save_weights(components, module.text.rows, facts)
    sampler = Sampler(assemble(load_weights()), held_out, JUDGED)
    measured, rows = _measured(sampler, seeing, held_out)
    vae.module.load_state_dict(vae.averaged())
    psnr, inside = autoencoder.quality(vae.module, *held_out.whole(0, len(held_out)))
    measured |= {"vae_psnr": round(psnr, 2), "vae_figure_psnr": round(inside, 2)}
    save_weights(components, module.text.rows, facts | {"measured": measured})
    sample_sheet({name: batch[:SHOWN] for name, batch in rows.items()}).save(FOLDER / "samples.jpg", quality=88)
    return measured


def _measured(
    sampler: Sampler, seeing: reader.PartReader, held_out: TrainingPictures
) -> tuple[dict, dict[str, Tensor]]:
    """Part agreement of truth and samples, and the sheet's rows."""
    truth = part_map(held_out.labels[:JUDGED])
    measured = {"part_agreement_truth_through_vae": round(reader.agreement(seeing, sampler.latents(), truth), 4)}
    rows = {"truth": sampler.truth, "through VAE": sampler.through_vae()}
    for guidance in GUIDANCES:
        rows[f"cfg {guidance:g}"], latents = sampler.sample(guidance)
        measured[f"part_agreement_cfg_{guidance:g}"] = round(reader.agreement(seeing, latents, truth), 4)
    return measured, rows


def facts_of(stages: list[Stage], pictures: int, device: str) -> dict:
    """What the card says of the training: data, seeds, steps and losses."""
    return {
        "pictures": pictures,
        "device": device,
        "stages": {
            stage.schedule.name: {
                "seed": stage.schedule.seed,
                "steps": stage.done,
                "planned_steps": stage.schedule.steps,
                "first_losses": [round(loss, 5) for loss in losses(stage.log)[:FIRST_LOSSES]],
                "last_loss": round(sum(losses(stage.log)[-200:]) / max(len(losses(stage.log)[-200:]), 1), 5),
            }
            for stage in stages
        },
    }


def losses(log: Path) -> list[float]:
    """The losses of a stage's log, one per step; none of a stage that has not begun."""
    if not log.exists():
        return []
    return [json.loads(line)["loss"] for line in log.read_text(encoding="utf-8").splitlines()]
