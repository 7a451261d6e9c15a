"""The demo's graph in the API's format, and the stage that each of its nodes belongs to."""

from freeanimate_pack.demo.model import SIDE

PRESET = "people"
FPS = 8.0
SAVED_IN = "demo"  # a folder in the server's output folder
STAGES = ("model", "character", "align", "preview", "encode", "inversion", "patch", "sampling", "decode", "save")

# The node that gives each file of the demo.
VIDEO, PSNR = "save_video", "show_psnr"
PICTURES = {
    "reference": "save_reference",
    "poses": "save_poses",
    "preview": "save_preview",
    "result": "save_result",
}

STAGE_OF = {
    "encode_preview": "encode",
    "encode_reference": "encode",
    "positive": "encode",
    "negative": "encode",
    "control": "encode",
    "sampler": "sampling",
    "paste": "decode",
}


def stage(node_id: str) -> str:
    """The stage of a node of the graph, one of STAGES."""
    return STAGE_OF.get(node_id) or (node_id if node_id in STAGES else "save")


def demo_prompt(frames: int = 24, size: int = SIDE, steps: int = 12, cfg: float = 3.0) -> dict:
    """Character to video in the API's format; size is the width and height in pixels."""
    return input_nodes(frames, size, "people", "wave", 10_012) | method_nodes(steps, cfg) | _output_nodes()


def node(class_type: str, **inputs: object) -> dict:
    """One node of an API prompt; a link is [node id, output index]."""
    return {"class_type": class_type, "inputs": inputs}


def input_nodes(frames: int, size: int, style: str, motion: str, seed: int) -> dict:
    """Model, character, alignment and preview."""
    return {
        "model": node("FreeAnimateDemoModel"),
        "character": node(
            "FreeAnimateDemoCharacter",
            seed=seed,
            motion=motion,
            frames=frames,
            width=size,
            height=size,
            style=style,
        ),
        "align": node(
            "FreeAnimateAlignPose",
            driving_pose=["character", 2],
            reference_pose=["character", 1],
            mode="affine",
        ),
        "preview": node(
            "FreeAnimatePreview",
            reference=["character", 0],
            reference_pose=["character", 1],
            target_pose=["align", 0],
            person_mask=["character", 5],
            preset=PRESET,
        ),
    }


def method_nodes(steps: int, cfg: float) -> dict:
    """From the encoded preview to the finished frames."""
    return _encoded_nodes() | {
        "inversion": node(
            "FreeAnimateInversion",
            model=["model", 0],
            positive=["control", 0],
            preview_latent=["encode_preview", 0],
            reference_latent=["encode_reference", 0],
            steps=steps,
            reference_weight=1.0,
            storage="auto",
            frames_per_window=0,
            frames_to_check=1,
        ),
        "patch": node(
            "FreeAnimatePatchModel",
            model=["model", 0],
            inversion=["inversion", 0],
            reference_weight=1.0,
            self_span=1.0,
            cross_span=0.8,
            halves="cond",
            frames_per_window=0,
            redraw_mask=["preview", 6],
            preset=PRESET,
        ),
        "sampler": node(
            "FreeAnimateSampler",
            model=["patch", 0],
            inversion=["inversion", 0],
            positive=["control", 0],
            negative=["control", 1],
            cfg=cfg,
        ),
        "decode": node("VAEDecode", samples=["sampler", 0], vae=["model", 2]),
        "paste": node(
            "FreeAnimatePastePreview", images=["decode", 0], preview=["preview", 0], model=["patch", 0], feather=4
        ),
    }


def _encoded_nodes() -> dict:
    """Preview, reference and prompts as the model reads them, with the poses applied."""
    return {
        "encode_preview": node("VAEEncode", pixels=["preview", 0], vae=["model", 2]),
        "encode_reference": node("VAEEncode", pixels=["character", 0], vae=["model", 2]),
        "positive": node("CLIPTextEncode", text=["character", 7], clip=["model", 1]),
        "negative": node("CLIPTextEncode", text="", clip=["model", 1]),
        "control": node(
            "ControlNetApplyAdvanced",
            positive=["positive", 0],
            negative=["negative", 0],
            control_net=["model", 3],
            image=["align", 1],
            strength=1.0,
            start_percent=0.0,
            end_percent=1.0,
        ),
    }


def _output_nodes() -> dict:
    sources = {"reference": ["character", 0], "poses": ["align", 1], "preview": ["preview", 0], "result": ["paste", 0]}
    saved = {
        node_id: node("SaveImage", images=sources[row], filename_prefix=f"{SAVED_IN}/{row}")
        for row, node_id in PICTURES.items()
    }
    return saved | {
        "video": node("CreateVideo", images=["paste", 0], fps=FPS),
        VIDEO: node(
            "SaveVideo", video=["video", 0], filename_prefix=f"{SAVED_IN}/animation", format="mp4", codec="h264"
        ),
        PSNR: node("PreviewAny", source=["inversion", 4]),
    }
