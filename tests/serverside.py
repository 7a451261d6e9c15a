"""What the server tests share: one real server for all of them, prompts, and what an entry says.

server        session: a HostServer with this pack and tests/tiny_pack, CPU
schemas       session: its /object_info
clip_files    session: the picture, the clips and their poses in its input folder
lora_file     session: a LoRA in its models folder
"""

import copy
import json
import os
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from patience import patience
from PIL import Image
from safetensors.torch import save_file

from freeanimate_pack.demo.drawn.character import draw_character
from freeanimate_pack.demo.drawn.motion import motion, rest_pose
from freeanimate_pack.freeanimate_core.pose import PoseSequence, write_poses
from lab.server.client import HostServer
from lab.server.graph import node

TESTS = Path(__file__).resolve().parent
REPOSITORY = TESTS.parent
API_PROMPT = TESTS / "api" / "animate_a_character.json"
LENGTH, WIDTH, HEIGHT = 3, 128, 192  # of the clip that the server tests animate
STEPS = 4
PROMPT = "a person in a red jacket waves"
LONG_PROMPT = "a person in a red jacket waves at the camera in a wide green park, " * 8


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostServer]:
    """The real ComfyUI with this pack and the test pack; COMFYUI_DIR names it."""
    host = os.environ.get("COMFYUI_DIR")
    if not host:
        raise pytest.UsageError("set COMFYUI_DIR to a ComfyUI folder (python dev.py test does)")
    with HostServer(
        Path(host), tmp_path_factory.mktemp("server"), [REPOSITORY, TESTS / "tiny_pack"], start_timeout=patience(600)
    ) as running:
        yield running


@pytest.fixture(scope="session")
def schemas(server: HostServer) -> dict[str, dict]:
    """Every node's schema as the editor gets it."""
    return server.get_json("/object_info")


@pytest.fixture(scope="session")
def clip_files(server: HostServer) -> None:
    """What the templates name in the input folder: a picture, two clips, and each one's poses as a file.

    The picture and the clip of previews show one drawn character, the driving clip shows another.
    """
    folder = server.base_dir / "input"
    picture, driving, preview = rest_pose(1, HEIGHT, WIDTH), *(motion("wave", k, 5, HEIGHT, WIDTH) for k in (2, 1))
    Image.fromarray(_bytes(draw_character(1, picture, HEIGHT, WIDTH)[0][0])).save(folder / "reference.png")
    write_video(folder / "driving.mp4", draw_character(2, driving, HEIGHT, WIDTH)[0])
    write_video(folder / "preview.mp4", draw_character(1, preview, HEIGHT, WIDTH)[0])
    poses = {"reference": picture, "driving": driving[:LENGTH], "first": driving[:1], "preview": preview[:LENGTH]}
    for name, joints in poses.items():
        frames = write_poses(PoseSequence.from_joints(joints, HEIGHT, WIDTH))
        (folder / f"{name}_pose.json").write_text(json.dumps(frames))


@pytest.fixture(scope="session")
def lora_file(server: HostServer) -> None:
    """The LoRA that a template names, of the tiny model's size: it changes one attention layer."""
    layer = "lora_unet_input_blocks_1_1_transformer_blocks_0_attn1_to_q"
    rng, width = torch.Generator().manual_seed(0), 32
    weights = {
        f"{layer}.lora_up.weight": torch.randn(width, 4, generator=rng),
        f"{layer}.lora_down.weight": torch.randn(4, width, generator=rng),
        f"{layer}.alpha": torch.tensor(4.0),
    }
    folder = server.base_dir / "models" / "loras"
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights, folder / "add_detail.safetensors")


def _bytes(picture: np.ndarray) -> np.ndarray:
    """0..1 to 8 bits."""
    return np.rint(picture * 255).clip(0, 255).astype(np.uint8)


def write_video(path: Path, frames: np.ndarray, fps: int = 8) -> None:
    """Frames [F,H,W,3] in 0..1 as an H.264 file."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(_bytes(frame), format="rgb24")))
        container.mux(stream.encode())


def method_prompt() -> dict:
    """The method alone, on drawn latents: inversion, patched model, sampler, in three seconds."""
    size = {"width": 64, "height": 64}
    return {
        "models": node("TinyModels", layout="sd15", seed=0, out_scale=0.05),
        "preview": node("TinyLatent", kind="good", seed=1, channels=4, frames=LENGTH, **size),
        "reference": node("TinyLatent", kind="good", seed=2, channels=4, frames=1, **size),
        "hints": node("TinyPicture", seed=3, frames=LENGTH, **size),
        "positive": node("CLIPTextEncode", text=PROMPT, clip=["models", 1]),
        "negative": node("CLIPTextEncode", text="blurry", clip=["models", 1]),
        "control": control("positive"),
        "inversion": node(
            "FreeAnimateInversion",
            model=["models", 0],
            positive=["control", 0],
            preview_latent=["preview", 0],
            reference_latent=["reference", 0],
            steps=STEPS,
            reference_weight=1.0,
            storage="recompute",
            frames_per_window=0,
            frames_to_check=0,
        ),
        "patch": node(
            "FreeAnimatePatchModel",
            model=["models", 0],
            inversion=["inversion", 0],
            reference_weight=1.0,
            self_span=0.8,
            cross_span=0.8,
            halves="cond",
            frames_per_window=0,
        ),
        "sampler": node(
            "FreeAnimateSampler",
            model=["patch", 0],
            inversion=["inversion", 0],
            positive=["control", 0],
            negative=["control", 1],
            cfg=2.0,
            cfg_start=0.0,
            cfg_end=1.0,
        ),
        "save": node("SaveLatent", samples=["sampler", 0], filename_prefix="test"),
    }


def control(positive: str, hints: str = "hints") -> dict:
    """The ControlNet applied to the prompt node `positive` and to the negative prompt."""
    return node(
        "ControlNetApplyAdvanced",
        positive=[positive, 0],
        negative=["negative", 0],
        control_net=["models", 3],
        image=[hints, 0],
        strength=1.0,
        start_percent=0.0,
        end_percent=1.0,
    )


def stock_sampler(**changes: object) -> dict:
    """KSampler (Advanced) as it follows the patched model, with changes."""
    inputs = {
        "model": ["patch", 0],
        "add_noise": "disable",
        "noise_seed": 0,
        "steps": STEPS,
        "cfg": 2.0,
        "sampler_name": "euler",
        "scheduler": "ddim_uniform",
        "positive": ["control", 0],
        "negative": ["control", 1],
        "latent_image": ["inversion", 1],
        "start_at_step": 0,
        "end_at_step": 10000,
        "return_with_leftover_noise": "disable",
    }
    return node("KSamplerAdvanced", **(inputs | changes))


def shrink(prompt: dict) -> dict:
    """A template's prompt, changed in place to small models and a small clip.

    Files are replaced where a model of gigabytes would be needed: the checkpoint and the ControlNet by
    TinyModels, SDPose's detection by Load Pose with the drawn characters' own poses. The rest is as committed.
    """
    for key, item in list(prompt.items()):
        kind, inputs = item["class_type"], item["inputs"]
        if kind in ("CheckpointLoaderSimple", "ControlNetLoader"):
            layout = "sdxl" if "xl" in str(inputs).lower() else "sd15"
            prompt[key] = node("TinyModels", layout=layout, seed=0, out_scale=0.05)
        if kind == "SDPoseKeypointExtractor":
            prompt[key] = node("FreeAnimateLoadPose", pose_file=f"{_shown(prompt, key)}_pose.json")
        elif kind == "ControlNetLoader":
            relink(prompt, [key, 0], [key, 3])
        elif kind == "ImageScale":
            inputs |= {"width": WIDTH, "height": HEIGHT}
        elif kind == "ImageFromBatch":
            inputs["length"] = min(inputs["length"], LENGTH)
        elif kind == "FreeAnimateDemoCharacter":
            inputs["frames"] = LENGTH
        elif kind == "FreeAnimateInversion":
            inputs["steps"] = STEPS
    return prompt


def _shown(prompt: dict, key: str) -> str:
    """What a node's pictures show: reference, driving or preview after the file that they come from, or first."""
    item = prompt[key]
    if item["class_type"] in ("LoadImage", "LoadVideo"):
        return Path(next(iter(item["inputs"].values()))).stem
    if item["class_type"] == "ImageFromBatch" and item["inputs"]["length"] == 1:
        return "first"
    source = next(value for name, value in item["inputs"].items() if name in ("image", "images", "video"))
    return _shown(prompt, source[0])


def relink(prompt: dict, old: list, new: list) -> None:
    """Let every input that reads the output `old` read `new`."""
    for item in prompt.values():
        for name, value in item["inputs"].items():
            if value == old:
                item["inputs"][name] = new


def changed(prompt: dict, changes: dict[str, dict]) -> dict:
    """A copy of a prompt with nodes replaced or added, or, for an existing node, single inputs changed."""
    prompt = copy.deepcopy(prompt)
    for key, change in changes.items():
        if "class_type" in change:
            prompt[key] = change
        else:
            prompt[key]["inputs"] |= change
    return prompt


def message(entry: dict, kind: str) -> dict:
    """The data of a history entry's message of this kind, {} when there is none."""
    return dict(entry["status"]["messages"]).get(kind, {})


def succeeded(entry: dict) -> bool:
    """Whether a run ended well."""
    return entry["status"]["status_str"] == "success"
