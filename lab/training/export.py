"""From checkpoints to the files of demo/trained: weights, card, sample sheet."""

import json
from pathlib import Path

import torch
from einops import rearrange
from torch import Tensor

from freeanimate_pack.demo.model.loading import assemble
from freeanimate_pack.demo.model.weights import CARD, FILE, load_weights, save_weights

from . import autoencoder, reader
from .drawing import SIZE
from .hint import part_map
from .loop import Stage
from .samples import GUIDANCES, Sampler, sample_sheet
from .training_pictures import TrainingPictures

SHOWN, JUDGED = 8, 24  # people on the sheet, and those whose samples are measured
FIRST_LOSSES = 20
UNTOLD = "a person"  # words that tell nothing of the picture


def state_of(pair: dict[str, Tensor], whole: dict[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """The COMPONENTS of demo.model.weights, of an autoencoder's and a denoiser's averaged weights."""
    components = {name: _under(pair, f"{name}.") for name in ("encoder", "decoder")}
    components |= {name: _under(whole, f"{name}.") for name in ("unet", "control")}
    text = _under(whole, "text.clip.")
    return components | {
        "text": {f"text_model.{key.removeprefix('text_model.')}": value for key, value in text.items()}
    }


def _under(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value.cpu() for name, value in state.items() if name.startswith(prefix)}


def export(
    components: dict[str, dict[str, Tensor]],
    tables: dict[str, Tensor],
    seeing: reader.PartReader,
    held_out: TrainingPictures,
    facts: dict,
    folder: Path,
) -> dict:
    """Write weights, card and sheet into ``folder``; returns the card's measurements."""
    save_weights(components, tables, facts, folder)
    sampler = Sampler(assemble(load_weights(folder / FILE.name, folder / CARD.name)), held_out, held_out.people())
    vae, measured = judged_vae(sampler)
    followed, rows = _measured(sampler, seeing)
    save_weights(components, tables, facts | {"vae": vae, "measured": measured | followed}, folder)
    sample_sheet({name: batch[:SHOWN] for name, batch in rows.items()}).save(folder / "samples.jpg", quality=90)
    return vae | measured | followed


def judged_vae(sampler: Sampler) -> tuple[dict, dict]:
    """The card's figures of the host's VAE on held-out people: of the persons, and of whole pictures."""
    truth, shown = (rearrange(x, "b h w rgb -> b rgb h w") for x in (sampler.truth, sampler.through_vae()))
    figures = torch.from_numpy(sampler.labels > 0)[:, None].float()
    found = autoencoder.compared(shown, truth, figures)
    vae = {"person_psnr": round(found.person_psnr, 2), "detail": round(found.detail, 3), "pixels": SIZE}
    return vae, {"vae_psnr": round(found.psnr, 2), "vae_sharp": round(found.sharp, 3), "people": len(truth)}


def _measured(sampler: Sampler, seeing: reader.PartReader) -> tuple[dict, dict[str, Tensor]]:
    """Part agreement of truth and samples, and the sheet's rows."""
    truth = part_map(sampler.labels[:JUDGED])
    own = sampler.latents()[:JUDGED]
    measured = {"part_agreement_truth_through_vae": round(reader.agreement(seeing, own, truth), 4)}
    rows = {"truth": sampler.truth, "through VAE": sampler.through_vae()[:SHOWN]}
    for guidance in GUIDANCES:
        rows[f"cfg {guidance:g}"], latents = sampler.sample(guidance, JUDGED)
        measured[f"part_agreement_cfg_{guidance:g}"] = round(reader.agreement(seeing, latents, truth), 4)
    for guidance in GUIDANCES:
        rows[f'"{UNTOLD}" {guidance:g}'], _ = sampler.sample(guidance, SHOWN, UNTOLD)
    return measured, rows


def facts_of(stages: list[Stage], pictures: int, device: str, notes: dict) -> dict:
    """What the card says of the training: data, seeds, steps and losses, and ``notes``."""
    return {
        "pictures": pictures,
        "device": device,
        **notes,
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
