"""ControlNets and their kin beside a record: shared residuals, what tells them apart, and hints that cannot be."""

import comfy.cldm.cldm
import comfy.controlnet
import comfy.ops
import comfy.t2i_adapter.adapter as t2i
import folder_paths
import hostside
import nodes as host_nodes
import pytest
import torch
from comfy_extras.nodes_controlnet import SetUnionControlNetType
from oracle import oracle
from runs import Clip, animate, patch, sample

from freeanimate_pack.demo.model.layout import generator, host_config, initialise
from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.freeanimate_core.method.conditioning import FirstRows
from freeanimate_pack.freeanimate_core.runs.checks import control_digest
from freeanimate_pack.nodes.long_clip import FreeAnimateLongClip

CFG, SAME, EFFECT = 4.0, 1e-4, 1e-3
FRAMES, SIDE = 3, 8


def adapter(seed: int = 3) -> comfy.controlnet.T2IAdapter:
    """A T2I adapter of SD1.5's layout for the small U-Net's channels."""
    net = t2i.Adapter(channels=[32, 64, 64, 64], nums_rb=2, cin=192, ksize=1, sk=True, use_conv=False, xl=False)
    initialise(net, generator(seed)).requires_grad_(False).eval()
    return comfy.controlnet.T2IAdapter(net, 3, 8, "nearest-exact")


def union(tiny: hostside.Tiny) -> comfy.controlnet.ControlNet:
    """A Union ControlNet with tasks that differ."""
    config = host_config(tiny.layout).unet_config
    for key in ("out_channels", "transformer_depth_output", "use_temporal_attention", "use_temporal_resblock"):
        config.pop(key)
    operations = comfy.ops.disable_weight_init
    net = comfy.cldm.cldm.ControlNet(
        hint_channels=3, union_controlnet_num_control_type=6, device="cpu", operations=operations, **config
    )
    width = tiny.layout.model_channels  # the host's own layers, which it makes for SDXL's true width alone
    net.task_embedding = torch.nn.Parameter(torch.empty(6, width))
    block = comfy.cldm.cldm.ResBlockUnionControlnet(width, 8, device="cpu", operations=operations)
    net.transformer_layes, net.spatial_ch_projs = torch.nn.Sequential(block), operations.Linear(width, width)
    initialise(net, generator(4)).requires_grad_(False).eval()
    return comfy.controlnet.ControlNet(net, load_device=torch.device("cpu"), manual_cast_dtype=None)


def lora(tiny: hostside.Tiny) -> comfy.controlnet.ControlLora:
    """A Control-LoRA that replaces every weight which it names."""
    return comfy.controlnet.ControlLora(dict(tiny.control_net.control_model.state_dict()))


def controlled(clip: Clip, net, hint: torch.Tensor, before: tuple | None = None) -> tuple:
    """(positive, negative) of the clip's texts with another control applied by the host's node."""
    positive, negative = before or (clip.tiny.positive(), clip.tiny.negative())
    return host_nodes.ControlNetApplyAdvanced().apply_controlnet(positive, negative, net, hint, 1.0, 0.0, 1.0)


def with_control(tiny: hostside.Tiny, net, hint: torch.Tensor, chained: bool = False) -> Clip:
    clip = Clip(tiny, frames=FRAMES, h=SIDE, w=SIDE, steps=4, control=False)
    before = None
    if chained:
        of_poses = hostside.hint(FRAMES, SIDE, SIDE, 5)
        before = tiny.controlled(tiny.positive(), tiny.negative(), of_poses)
    clip.positive, clip.negative = controlled(clip, net, hint, before)
    return clip


@pytest.mark.parametrize("chained", [False, True], ids=["alone", "behind a ControlNet"])
def test_one_hint_for_all_frames_is_that_hint_for_each(sd15, chained):
    """A T2I adapter returns one row for it, which serves frames and not the reference, whatever the windows."""
    one = hostside.hint(1, SIDE, SIDE)
    results = {}
    for name, hint in {"one": one, "each": one.repeat(FRAMES, 1, 1, 1)}.items():
        clip = with_control(sd15, adapter(), hint, chained)
        for window in (1, FRAMES):
            results[name, window] = animate(clip, clip.invert(window=window)[0], CFG, window=window)
    truth = results["each", FRAMES]
    assert all(hostside.relative(result, truth) <= SAME for result in results.values())
    without = with_control(sd15, sd15.control_net, hostside.hint(FRAMES, SIDE, SIDE, 5))
    assert hostside.relative(animate(without, without.invert()[0], CFG), truth) > EFFECT


def test_an_adapter_is_the_literal_method(sd15):
    clip = with_control(sd15, adapter(), hostside.hint(1, SIDE, SIDE))
    record = clip.invert()[0]
    assert hostside.relative(animate(clip, record, CFG), oracle(clip, record, CFG)) <= SAME


def test_residuals_of_one_row_are_given_to_all_frames_and_not_to_the_reference():
    class OneRow:
        def get_control(self, x, t, cond, batched_number, transformer_options):
            return {"input": [torch.full((1, 2, 1, 1), 3.0), None]}

    made = FirstRows(OneRow(), 2).get_control(torch.zeros(3, 4, 1, 1), torch.zeros(3), {}, 1, {})
    assert made["input"][0][:, 0, 0, 0].tolist() == [3.0, 3.0, 0.0] and made["input"][1] is None


def test_the_union_type_is_part_of_the_control(sd15, tmp_path, monkeypatch):
    monkeypatch.setattr(folder_paths, "output_directory", str(tmp_path))
    net, hint = union(sd15), hostside.hint(FRAMES, SIDE, SIDE)
    of_type = {
        name: with_control(sd15, SetUnionControlNetType.execute(net, name).args[0], hint)
        for name in ("openpose", "depth")
    }
    clip, other = of_type["openpose"], of_type["depth"]
    record = clip.invert()[0]
    model = patch(sd15.model, record)
    result = sample(clip, record, model, CFG)
    with pytest.raises(FreeAnimateError, match="another ControlNet, strength or pose batch"):
        sample(clip, record, model, CFG, other.positive)
    clip.negative, kept = other.negative, clip.negative
    assert hostside.relative(sample(clip, record, model, CFG), result) > EFFECT  # it matters

    def render(negative):
        inputs = {"positive": clip.positive, "vae": sd15.vae, "cfg": CFG, "run_name": "union"}
        return FreeAnimateLongClip.execute(model, record, negative=negative, **inputs, frames_per_part=2)

    render(kept)
    with pytest.raises(FreeAnimateError, match="run with other negative"):
        render(other.negative)


def test_a_control_lora_is_the_same_before_and_after_it_ran(sd15):
    """It has a model of its own only while it runs."""
    clip = with_control(sd15, lora(sd15), hostside.hint(FRAMES, SIDE, SIDE))
    record = clip.invert()[0]
    assert torch.isfinite(animate(clip, record, CFG)).all()
    weaker = lora(sd15)
    weaker.control_weights = {name: 0.5 * weight for name, weight in weaker.control_weights.items()}
    other = with_control(sd15, weaker, hostside.hint(FRAMES, SIDE, SIDE))
    with pytest.raises(FreeAnimateError, match="another ControlNet"):
        sample(clip, record, patch(sd15.model, record), CFG, other.positive)


def test_a_cast_adapter_is_the_same_and_another_is_not(sd15):
    """The host casts an adapter's weights in place when it runs."""
    hint, cast = hostside.hint(1, SIDE, SIDE), adapter()
    cast.t2i_model.to(torch.bfloat16)
    made = [with_control(sd15, net, hint).positive[0] for net in (adapter(), cast, adapter(seed=9))]
    told = [control_digest(entry) for entry in made]
    assert told[0] == told[1] != told[2]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("name", ["positive", "negative"])
def test_hints_that_are_not_finite_are_named(sd15, value, name):
    """Before the run, by the node that took them, not by the model that would return NaN."""
    hint = hostside.hint(FRAMES, SIDE, SIDE)
    clip = with_control(sd15, sd15.control_net, hint)
    record = clip.invert()[0]
    holed = hint.clone()
    holed[1, 3, 3, 0] = value
    spoiled = with_control(sd15, sd15.control_net, holed)
    says = f"{name} has pose images that hold NaN or infinite values; check the image that goes into Apply ControlNet"
    if name == "positive":
        with pytest.raises(FreeAnimateError, match=f"DDIM Inversion.*{says}"):
            spoiled.invert()
    setattr(clip, name, getattr(spoiled, name))
    with pytest.raises(FreeAnimateError, match=f"Animate Sampler: {says}"):
        sample(clip, record, patch(sd15.model, record), CFG)
