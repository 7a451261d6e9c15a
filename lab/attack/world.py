"""Prompts that work: the demo's graph and the nodes that it leaves out, cut to what a node needs."""

import copy

from ..server.graph import input_nodes, method_nodes, node

INPUT_FILE = "attack.json"  # poses in the input folder
FRAMES, SIDE, STEPS = 3, 64, 2
LEFT_OUT = ("decode", "paste")  # the host's own, and what stands behind it
TEXT = "a person with short brown hair"
Prompt = dict[str, dict]


def graph() -> Prompt:
    """The demo's graph up to its sampler, small, with what the demo leaves to the nodes' defaults said."""
    nodes = input_nodes(FRAMES, SIDE, "drawn", "dance", 14) | method_nodes(STEPS, cfg=3.0)
    said = {
        "align": {"reference": ["character", 0]},
        "positive": {"text": TEXT},
        "inversion": {"storage": "recompute"},
        "patch": {"keep_span": 1.0},
        "sampler": {"cfg_start": 0.0, "cfg_end": 1.0},
    }
    kept = {name: of for name, of in nodes.items() if name not in LEFT_OUT}
    return {name: of | {"inputs": of["inputs"] | said.get(name, {})} for name, of in kept.items()}


WORLD: Prompt = graph() | {
    "load": node("FreeAnimateLoadPose", pose_file=INPUT_FILE),
    "save": node("FreeAnimateSavePose", pose=["character", 2], filename_prefix="poses/attack"),
    "detect": node("FreeAnimateDetectPose", images=["character", 4], hands=False, face=False, resolution=64),
    "stock": node(
        "KSamplerAdvanced",
        model=["patch", 0],
        add_noise="disable",
        noise_seed=0,
        steps=STEPS,
        cfg=3.0,
        sampler_name="euler",
        scheduler="ddim_uniform",
        positive=["control", 0],
        negative=["control", 1],
        latent_image=["inversion", 1],
        start_at_step=0,
        end_at_step=10000,
        return_with_leftover_noise="disable",
    ),
    "long": node(
        "FreeAnimateLongClip",
        model=["patch", 0],
        inversion=["inversion", 0],
        positive=["control", 0],
        negative=["control", 1],
        vae=["model", 2],
        cfg=3.0,
        cfg_start=0.0,
        cfg_end=1.0,
        frames_per_part=2,
        first_frame=0,
        frames=0,
        run_name="",
        again="",
    ),
    "refine": node(
        "FreeAnimateRefinePreview",
        model=["model", 0],
        vae=["model", 2],
        positive=["control", 0],
        negative=["control", 1],
        preview=["preview", 0],
        person_mask=["preview", 1],
        hole_mask=["preview", 2],
        background=["preview", 3],
        reference=["character", 0],
        denoise=0.5,
        steps=STEPS,
        cfg=2.0,
        seed=0,
        reference_weight=1.0,
        grow=4,
        frames_per_window=0,
    ),
    "paste": node(
        "FreeAnimatePastePreview",
        images=["character", 4],
        preview=["preview", 0],
        model=["patch", 0],
        feather=4,
        first_frame=0,
    ),
    "compare": node(
        "FreeAnimateCompare",
        video_a=["preview", 0],
        video_b=["character", 4],
        truth=["character", 4],
        person_mask=["character", 6],
        label_a="A",
        label_b="B",
    ),
    "inspect": node(
        "FreeAnimateInspectAttention",
        model=["model", 0],
        inversion=["inversion", 0],
        preview=["preview", 0],
        reference=["character", 0],
        frame=1,
        step=0.5,
        part="up medium",
        layer=0,
        x=0.5,
        y=0.3,
    ),
}
# Where the effect of a node is seen that puts out no values itself
SEEN_AT = {"patch": "sampler"}
# How the stages are drawn: the samplers say the most
TARGETS = {
    "character": 2,
    "load": 1,
    "save": 2,
    "detect": 1,
    "align": 4,
    "preview": 4,
    "inversion": 4,
    "patch": 4,
    "sampler": 3,
    "stock": 3,
    "long": 4,
    "refine": 4,
    "paste": 3,
    "compare": 5,
    "inspect": 3,
}
# Patches that the host itself brings, with what they are asked; a model goes in and comes out
CHAINS: dict[str, dict] = {
    "FreeU_V2": {"b1": 1.3, "b2": 1.4, "s1": 0.9, "s2": 0.2},
    "RescaleCFG": {"multiplier": 0.7},
    "PerturbedAttentionGuidance": {"scale": 2.0},
    "HyperTile": {"tile_size": 64, "swap_size": 2, "max_depth": 0, "scale_depth": False},
    "TomePatchModel": {"ratio": 0.3},
    "PatchModelAddDownscale": {
        "block_number": 1,
        "downscale_factor": 2.0,
        "start_percent": 0.0,
        "end_percent": 0.35,
        "downscale_after_skip": True,
        "downscale_method": "bicubic",
        "upscale_method": "bicubic",
    },
    "ModelSamplingDiscrete": {"sampling": "lcm", "zsnr": False},
    "VideoLinearCFGGuidance": {"min_cfg": 1.0},
    "SelfAttentionGuidance": {"scale": 0.5, "blur_sigma": 2.0},
}
CHAIN_FILES = tuple("freelunch pag hypertile tomesd model_downscale model_advanced video_model sag".split())


def needed(prompt: Prompt, ends: list[str]) -> Prompt:
    """A copy of what the nodes ``ends`` need of a prompt."""
    found: dict[str, None] = {}
    waiting = list(ends)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = None
            links = [value for value in prompt[name]["inputs"].values() if is_link(value, prompt)]
            waiting += [link[0] for link in links]
    return {name: copy.deepcopy(prompt[name]) for name in prompt if name in found}


def is_link(value: object, prompt: Prompt) -> bool:
    """Whether an input reads another node's output."""
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and value[0] in prompt
