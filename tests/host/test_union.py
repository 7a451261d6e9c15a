"""A Union ControlNet in a file of the published layout, by the host's loader and type node, in whole runs."""

from dataclasses import replace

import comfy.cldm.cldm
import comfy.controlnet
import comfy.model_detection
import comfy.ops
import comfy.utils
import hostside
import layouts
import pytest
import torch
from comfy.cldm.control_types import UNION_CONTROLNET_TYPES
from comfy_extras.nodes_controlnet import SetUnionControlNetType
from oracle import oracle
from runs import Clip, animate
from safetensors.torch import save_file

from freeanimate_pack.demo.model.layout import generator, host_config, initialise

CFG, SAME, EFFECT = 4.0, 1e-4, 1e-3
FRAMES, SIDE = 3, 8
# The host makes a union's own layers 320 wide, so that the U-Net has SDXL's true width, and little else of its size
WIDE = replace(
    layouts.SDXL_TINY,
    model_channels=320,
    channel_mult=(1, 1),
    depth=(0, 1),
    depth_middle=1,
    depth_output=(0, 0, 1, 1),
    res_blocks=1,
    head_channels=64,
)
LEFT_OUT = "out_channels", "transformer_depth_output", "use_temporal_attention", "use_temporal_resblock"


def config(without: tuple[str, ...] = ()) -> dict:
    """The host's U-Net configuration of the layout."""
    return {key: value for key, value in host_config(WIDE).unet_config.items() if key not in without}


def published(net: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The weights under the names of diffusers, as Union ControlNets are published."""
    names = {own: name for name, own in comfy.utils.unet_to_diffusers(config()).items()}
    blocks = [name.split(".")[1] for name in net.state_dict() if name.startswith("input_hint_block.")][::2]
    hints = ["conv_in", *(f"blocks.{i}" for i in range(len(blocks) - 2)), "conv_out"]
    renamed = {f"input_hint_block.{block}.": f"controlnet_cond_embedding.{hint}." for block, hint in zip(blocks, hints)}
    renamed["middle_block_out.0."] = "controlnet_mid_block."
    renamed |= {f"zero_convs.{i}.0.": f"controlnet_down_blocks.{i}." for i in range(len(net.zero_convs))}
    weights = {}
    for own, weight in net.state_dict().items():
        name = names.get(own, own).replace(".attn.in_proj.", ".attn.in_proj_")
        for start, other in renamed.items():
            name = name.replace(start, other) if own.startswith(start) else name
        weights[name] = weight.contiguous()
    return weights


@pytest.fixture(scope="module")
def wide():
    """Models of the layout, random weights."""
    return hostside.build(WIDE, 0, hostside.OUT_SCALE)


@pytest.fixture(scope="module", params=[6, 8], ids=["union", "promax"])
def union(request, tmp_path_factory):
    """A Union ControlNet of six or, as the promax file, eight types, saved and read again, and what was saved."""
    with torch.inference_mode(), pytest.MonkeyPatch.context() as patched:
        made = comfy.cldm.cldm.ControlNet(
            hint_channels=3,
            union_controlnet_num_control_type=request.param,
            device="cpu",
            operations=comfy.ops.disable_weight_init,
            **config(LEFT_OUT),
        )
        initialise(made, generator(4)).requires_grad_(False).eval()
        file = tmp_path_factory.mktemp("controlnet") / "union.safetensors"
        save_file(published(made), file)
        # The one thing that the host cannot tell of it: it knows the sizes of published models by heart
        patched.setattr(comfy.model_detection, "unet_config_from_diffusers_unet", lambda *_: config())
        return comfy.controlnet.load_controlnet(str(file)), made.state_dict(), request.param


def of_type(wide: hostside.Tiny, net, name: str | None) -> Clip:
    """A clip with one pose image per frame, through the union of that type; None: no type node."""
    clip = Clip(wide, frames=FRAMES, h=SIDE, w=SIDE, steps=3, control=False)
    typed = replace(wide, control_net=net if name is None else SetUnionControlNetType.execute(net, name).args[0])
    clip.positive, clip.negative = typed.controlled(clip.positive, clip.negative, hostside.hint(FRAMES, SIDE, SIDE))
    return clip


def test_the_file_is_read_as_a_union(union):
    net, saved, types = union
    read = net.control_model.state_dict()
    assert net.control_model.num_control_type == types and len(saved) == len(read)
    assert all(torch.equal(read[name], weight) for name, weight in saved.items())


def test_a_run_is_the_literal_method_in_windows_of_any_size(wide, union):
    clip = of_type(wide, union[0], "openpose")
    record = clip.invert(window=FRAMES)[0]
    expected = oracle(clip, record, CFG)
    for window in (1, FRAMES):
        result = animate(clip, clip.invert(window=window)[0], CFG, window=window)
        assert hostside.relative(result, expected) <= SAME


def test_another_type_gives_another_video(wide, union):
    """No type, which is what auto sets, is one more: the poses are then read as no kind of picture."""
    net, _, types = union
    names = ["openpose", "depth", list(UNION_CONTROLNET_TYPES)[types - 1], "auto"]
    results = []
    for name in names:
        clip = of_type(wide, net, name)
        results.append(animate(clip, clip.invert()[0], CFG))
    for i, one in enumerate(results):
        assert all(hostside.relative(one, other) > EFFECT for other in results[:i])
    clip = of_type(wide, net, None)
    assert hostside.relative(animate(clip, clip.invert()[0], CFG), results[-1]) <= SAME


def test_the_poses_matter_frame_by_frame(wide, union):
    """Frame 1 follows its own pose image: another one there changes it and no other frame."""
    clip, other = (of_type(wide, union[0], "openpose") for _ in range(2))
    hint = hostside.hint(FRAMES, SIDE, SIDE)
    hint[1] = hostside.hint(FRAMES, SIDE, SIDE, 7)[2].flip(1)
    typed = replace(wide, control_net=SetUnionControlNetType.execute(union[0], "openpose").args[0])
    other.positive, other.negative = typed.controlled(wide.positive(), wide.negative(), hint)
    one, two = (animate(c, c.invert()[0], CFG) for c in (clip, other))
    assert hostside.relative(two[1], one[1]) > EFFECT
    assert hostside.relative(two[::2], one[::2]) <= SAME
