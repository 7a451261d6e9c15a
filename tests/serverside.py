"""What the server tests share: one real server for all of them, prompts, and what an entry says.

server        session: a HostServer with this pack and tests/tiny_pack, CPU
schemas       session: its /object_info
clip_files    session: a drawn character as reference.png and driving.mp4 in its input folder
"""

import copy
import json
import os
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from demo.character import draw_character
from demo.motion import motion, rest_pose
from demo.server import HostServer

TESTS = Path(__file__).resolve().parent
REPOSITORY = TESTS.parent
WORKFLOW = REPOSITORY / "workflows" / "01_animate_a_person_sd15.json"
API_PROMPT = TESTS / "api" / "animate_sd15.json"
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
    with HostServer(Path(host), tmp_path_factory.mktemp("server"), [REPOSITORY, TESTS / "tiny_pack"]) as running:
        yield running


@pytest.fixture(scope="session")
def schemas(server: HostServer) -> dict[str, dict]:
    """Every node's schema as the editor gets it."""
    return server.get_json("/object_info")


@pytest.fixture(scope="session")
def clip_files(server: HostServer) -> None:
    """The reference picture and the driving clip that the workflow names."""
    folder = server.base_dir / "input"
    picture = draw_character(1, rest_pose(1, HEIGHT, WIDTH), HEIGHT, WIDTH)[0][0]
    Image.fromarray(_bytes(picture)).save(folder / "reference.png")
    write_video(folder / "driving.mp4", draw_character(2, motion("wave", 2, 5, HEIGHT, WIDTH), HEIGHT, WIDTH)[0])


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


def node(class_type: str, **inputs: object) -> dict:
    """One node of an API prompt; a link is [node id, output index]."""
    return {"class_type": class_type, "inputs": inputs}


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


def animate_prompt() -> dict:
    """The first workflow's API prompt on small models and a small clip: see ``shrink``."""
    return shrink(json.loads(API_PROMPT.read_text(encoding="ascii")))


def shrink(prompt: dict) -> dict:
    """A workflow's API prompt, changed in place to small models and a small clip.

    Files are replaced where a model of gigabytes would be needed: the checkpoint and the ControlNet by
    TinyModels, SDPose's checkpoint and detection by the drawn characters' own poses. The rest is as committed.
    """
    tiny = {"layout": "sd15", "seed": 0, "out_scale": 0.05}
    for key, item in list(prompt.items()):
        if item["class_type"] == "CheckpointLoaderSimple":
            prompt[key] = node("TinyModels", **tiny)
        elif item["class_type"] == "ControlNetLoader":
            prompt[key] = node("TinyModels", **tiny)
            relink(prompt, [key, 0], [key, 3])
        elif item["class_type"] == "SDPoseKeypointExtractor":
            _detected(prompt, key)
        elif item["class_type"] == "ImageScale":
            item["inputs"] |= {"width": WIDTH, "height": HEIGHT}
        elif item["class_type"] == "ImageFromBatch":
            item["inputs"]["length"] = LENGTH
        elif item["class_type"] == "FreeAnimateInversion":
            item["inputs"]["steps"] = STEPS
    return prompt


def _detected(prompt: dict, key: str) -> None:
    """Put the drawn character's own poses in a detector's place: of the picture, or of the clip."""
    source = prompt[prompt[key]["inputs"]["image"][0]]["class_type"]
    seed, output = (1, 1) if source == "ImageScale" else (2, 2)
    size = {"frames": LENGTH, "width": WIDTH, "height": HEIGHT}
    prompt[key] = node("FreeAnimateDemoCharacter", seed=seed, motion="wave", **size)
    relink(prompt, [key, 0], [key, output])


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
