"""The Inspect Attention node's side of the host.

Reference and one preview frame are evaluated at one level, as the inversion did it.
"""

from dataclasses import dataclass

import torch
from einops import rearrange
from torch import Tensor
from torch.nn import functional

from ..compare.side_by_side import side_by_side
from ..config import InspectConfig
from ..errors import INSPECT, FreeAnimateError
from ..host import models
from ..host.clones import placed, with_attention_patches
from ..host.digests import model_digests
from ..host.sampling import Loaded, evaluation, inside_sampling
from ..method.cells import fits
from ..method.evaluations import Evaluations
from ..method.passes import RecordingPass
from ..method.record import Inversion, find_level
from ..pictures import read_pictures
from .attention_row import Row, attention_row, cell_at, chosen_layer, grid_of, in_words, self_attention
from .checks import check_record
from .heat_map import heated, marked

ALL = slice(None)


@dataclass(frozen=True)
class Outcome:
    """What the node puts out: both pictures with their heat maps [1,H,W,3] 0-1, and the finding in words."""

    picture: Tensor
    text: str


def run_inspect(model, record: Inversion, preview: Tensor, reference: Tensor, config: InspectConfig) -> Outcome:
    """Where a point of a preview frame looks, in the frame and in the reference.

    preview [F,H,W,3], reference [1,H,W,3]: the pictures that were inverted, to draw over. Raises
    FreeAnimateError for another model than the record's and for pictures that do not fit it.
    """
    preview = read_pictures(preview, f"{INSPECT}: preview")
    reference = read_pictures(reference, f"{INSPECT}: reference")
    models.require_unet(model, INSPECT)
    check_record(record, model_digests(model), INSPECT)
    check_pictures(record, preview, reference, config.frame)
    step = round(config.step * (len(record.descending) - 2))
    sigma = float(record.descending[step])
    row, layer = _evaluated(model, record.part(range(config.frame, config.frame + 1)), sigma, config)
    where = f"Step {step + 1} of {len(record.descending) - 1} (noise level {sigma:.3g}), {config.section}, {layer}."
    return Outcome(_drawn(row, preview[config.frame], reference[0], config), in_words(row, config, where))


def check_pictures(record: Inversion, preview: Tensor, reference: Tensor, frame: int) -> None:
    """FreeAnimateError unless the pictures are those of the record, by count and aspect, and have the frame."""
    height, width = cells = tuple(record.top.shape[-2:])
    own = record.clip_range
    if frame not in own:
        raise FreeAnimateError(
            f"{INSPECT}: frame is {frame} and inversion has frames {own.start} to {own.stop - 1}; set it to one of "
            "them."
        )
    for name, pictures, count in (("preview", preview, record.clip_frames), ("reference", reference, 1)):
        found, rows, columns = pictures.shape[:3]
        if found != count or not fits((rows, columns), cells):
            raise FreeAnimateError(
                f"{INSPECT}: {name} is {found} of {columns}x{rows} and inversion has {count} of latent size "
                f"{width}x{height}; connect the pictures that were encoded for it."
            )


def _evaluated(model, record: Inversion, sigma: float, config: InspectConfig) -> tuple[Row, str]:
    """The row of a record of one frame, and its layer in words, found inside the host's sampling."""

    def run(loaded: Loaded) -> tuple[Row, str]:
        evaluate = evaluation(loaded.base_model, placed(record.options, loaded.patcher))
        evaluations = Evaluations(evaluate, loaded.reference, loaded.positive, 1)
        return _row(loaded.base_model.diffusion_model, evaluations, record, loaded.x, sigma, config)

    start = models.to_latent(model, record.top)["samples"]
    model = with_attention_patches(model)
    return inside_sampling(model, start, record.levels, record.positive, record.reference_positive, run)


def _row(
    unet, evaluations: Evaluations, record: Inversion, x: Tensor, sigma: float, config: InspectConfig
) -> tuple[Row, str]:
    """The row of the record's one frame at a level, and its layer in words."""
    level = find_level(record.levels, sigma)
    weight = record.reference_weight
    anchor = RecordingPass(cross=False)
    if weight > 0:
        evaluations.reference(anchor, level.of(record.reference, ALL).to(x), sigma)
    frame = RecordingPass(anchor.features, weight, cross=False)
    evaluations.preview(frame, level.of(record.seen, ALL).to(x), range(1), sigma)
    sites = {name.removesuffix(".self"): inputs.shape[1] for name, inputs in frame.features.items()}
    site = chosen_layer(config, sites)
    grid = grid_of(sites[site], *x.shape[-2:])
    cell = cell_at(config.x, config.y, grid)
    attn = self_attention(unet, site)
    own, reference = frame.features[f"{site}.self"], anchor.features.get(f"{site}.self")
    row = attention_row(attn.to_q, attn.to_k, attn.heads, own, reference, cell[0] * grid[1] + cell[1], weight)
    maps = row.cpu().split(sites[site])
    heat = [part.view(grid) for part in maps] + [torch.zeros(grid)]
    return Row(heat[0], heat[1], attn.heads), f"layer {config.layer}: {site}, {grid[1]}x{grid[0]} tokens"


def _drawn(row: Row, frame: Tensor, reference: Tensor, config: InspectConfig) -> Tensor:
    """Both pictures [1,H',W',3] under one scale of heat, of the frame's size, labelled with their shares."""
    if reference.shape != frame.shape:
        planes = rearrange(reference, "h w c -> 1 c h w")
        planes = functional.interpolate(planes, frame.shape[:2], mode="bilinear", antialias=True)
        reference = rearrange(planes, "1 c h w -> h w c").clamp(0, 1)
    most = max(row.own.max().item(), row.reference.max().item())
    own, other = heated(frame, row.own, most), heated(reference, row.reference, most)
    share = row.reference_share
    return side_by_side(
        {
            f"frame {config.frame}: {1 - share:.0%} of its attention": marked(own, config.x, config.y)[None],
            f"reference: {share:.0%}": other[None],
        }
    )
