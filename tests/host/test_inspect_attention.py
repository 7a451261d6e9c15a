"""Inspect Attention: its heat maps are the layer's softmax row, and what it refuses."""

import hostside
import pytest
import torch
from runs import Clip

from freeanimate_pack.freeanimate_core.config import SECTIONS, InspectConfig
from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.freeanimate_core.runs import inspect_attention as run_inspect
from freeanimate_pack.nodes.inspect_attention import FreeAnimateInspectAttention
from lab.benchmark.literal import Layers, installed, record_level, recorded_conds, sampled

FRAMES, H, W = 3, 6, 10


@pytest.fixture(scope="module")
def clip(sd15):
    return Clip(sd15, frames=FRAMES, h=H, w=W, steps=6)


@pytest.fixture(scope="module")
def records(clip):
    """Records by their reference weight."""
    with torch.inference_mode():
        return {weight: clip.invert(weight=weight)[0] for weight in (0.0, 0.5, 1.0)}


def maps_of(clip, record, step: int, weight: float) -> dict:
    """The preview's softmax maps [F,heads,n,n+m] by site, in double precision, built in full."""
    layers = Layers(recorded_weight=weight)
    sigma = float(record.descending[step])
    model = installed(clip.tiny.model, layers.attn1, layers.attn2)
    sampled(
        model,
        recorded_conds(record),
        record,
        lambda guider, x, options: (record_level(guider, layers, record, sigma, options), x)[1],
    )
    return {site: layers.maps[kind, site] for kind, site in layers.maps if kind == "self"}


def row_of(clip, record, **asked):
    """The row that the node draws, and its layer in words."""
    config = InspectConfig(**asked)
    sigma = float(record.descending[round(config.step * (len(record.descending) - 2))])
    part = record.part(range(config.frame, config.frame + 1))
    return run_inspect._evaluated(clip.tiny.model, part, sigma, config)


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("weight", (0.5, 1.0))
def test_the_heat_is_the_row_of_the_layers_map(clip, records, section, weight):
    record = records[weight]
    row, words = row_of(clip, record, frame=2, step=0.0, section=section, x=0.72, y=0.4)
    block, number, index = words.split(": ")[1].split(",")[0].split(".")
    attention = maps_of(clip, record, 0, weight)[block, int(number), int(index)][2].mean(0)
    rows, columns = row.own.shape
    token = int(0.4 * rows) * columns + int(0.72 * columns)
    found = torch.cat([row.own.flatten(), row.reference.flatten()])
    assert (found - attention[token]).abs().max() < 1e-5
    assert found.sum() == pytest.approx(1.0, abs=1e-5)
    assert 0 < row.reference_share < 1


def test_an_unread_reference_has_no_share(clip, records):
    row, _ = row_of(clip, records[0.0], frame=1)
    assert row.reference_share == 0 and row.own.sum() == pytest.approx(1.0, abs=1e-5)


def inputs(clip, records, **changed):
    """What the node is given."""
    pictures = hostside.hint(FRAMES, H, W)
    given = dict(model=clip.tiny.model, inversion=records[1.0], preview=pictures, reference=pictures[:1])
    asked = dict(frame=1, step=0.5, part="up fine", layer=2, x=0.5, y=0.5)
    return given | asked | changed


def test_the_node_draws_and_tells(clip, records):
    seen = FreeAnimateInspectAttention.execute(**inputs(clip, records))
    picture, text = seen.args
    assert picture.shape[0] == 1 and 0 <= picture.min() and picture.max() <= 1
    assert "output.11.0, 10x6 tokens" in text and "goes to the reference" in text
    assert seen.ui.as_dict() == {"text": (text,)}


REFUSED = {
    "frame": (dict(frame=3), "frame is 3 and inversion has frames 0 to 2"),
    "layer": (dict(layer=3), "part 'up fine' of this model has 3 of them; set layer to at most 2"),
    "count": (dict(preview=torch.zeros(2, 48, 80, 3)), "preview is 2 of 80x48 and inversion has 3"),
    "aspect": (dict(reference=torch.zeros(1, 80, 80, 3)), "reference is 1 of 80x80"),
    "x": (dict(x=1.5), "x is 1.5; set it between"),
}


@pytest.mark.parametrize("changed, message", REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused(clip, records, changed, message):
    with pytest.raises(FreeAnimateError, match=f"Inspect Attention: .*{message}"):
        FreeAnimateInspectAttention.execute(**inputs(clip, records, **changed))


def test_another_model_is_refused(clip, records):
    with pytest.raises(FreeAnimateError, match="model is not the one of the inversion"):
        FreeAnimateInspectAttention.execute(**inputs(clip, records, model=hostside.fresh("sd15", seed=9).model))
