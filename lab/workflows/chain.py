"""The chain, described once: from picture and motion to the finished frames.

Every function adds nodes to a graph and returns sockets. A setting is a value, or a socket where it is a widget
of the subgraph.
"""

from dataclasses import dataclass

from freeanimate_pack.freeanimate_core.presets import PRESETS

from .graph import Graph, Node, Socket

PRESET = "people"
SDPOSE = {
    "name": "sdpose_wholebody_fp16.safetensors",
    "url": "https://huggingface.co/Comfy-Org/SDPose/resolve/main/checkpoints/sdpose_wholebody_fp16.safetensors",
    "directory": "checkpoints",
}
APART = "\n\n"  # between the reports of two nodes


@dataclass(frozen=True)
class Models:
    """What the loaders give."""

    model: Socket
    clip: Socket
    vae: Socket
    control_net: Socket


@dataclass(frozen=True)
class Scene:
    """The reference, one picture, its pose, the motion, and the figure in the reference where it is known."""

    reference: Socket
    reference_pose: Socket
    driving_pose: Socket
    person_mask: Socket | None = None


@dataclass(frozen=True)
class Settings:
    """What the user sets; each a value or the socket of a widget. preset "custom": the nodes' own widgets."""

    prompt: object
    negative: object
    steps: object
    cfg: object = None
    seed: object = None
    preset: object = PRESET


@dataclass(frozen=True)
class Moved:
    """Align Pose and Preview Generation."""

    align: Node
    preview: Node


@dataclass(frozen=True)
class Inverted:
    """The prompts with the poses applied, and the inversion."""

    control: Node
    inversion: Node


def moved(graph: Graph, scene: Scene, preset: object, fit: str = "affine", keep_face: float | None = None) -> Moved:
    """The poses fitted to the figure, and the figure moved into them. fit: Align Pose's mode."""
    align = graph.add(
        "FreeAnimateAlignPose",
        driving_pose=scene.driving_pose,
        reference_pose=scene.reference_pose,
        reference=scene.reference,
        mode=fit,
    )
    preview = graph.add(
        "FreeAnimatePreview",
        reference=scene.reference,
        reference_pose=scene.reference_pose,
        target_pose=align["pose"],
        person_mask=scene.person_mask,
        keep_face=PRESETS[PRESET].keep_face if keep_face is None else keep_face,
        preset=preset,
    )
    return Moved(align, preview)


def checks(graph: Graph, made: Moved) -> Socket:
    """What both nodes say of the poses and the preview, as one text."""
    joined = graph.add(
        "StringConcatenate",
        "Checks in words",
        string_a=made.align["report"],
        string_b=made.preview["report"],
        delimiter=APART,
    )
    return joined["STRING"]


def inverted(
    graph: Graph,
    models: Models,
    settings: Settings,
    preview: Socket,
    reference: Socket,
    skeletons: Socket,
    **widgets: object,
) -> Inverted:
    """Preview and reference as latents, prompts with the skeletons applied, and the preview's way to noise.

    widgets: of DDIM Inversion, beside its steps.
    """
    positive = graph.add("CLIPTextEncode", "Prompt", clip=models.clip, text=settings.prompt)
    negative = graph.add("CLIPTextEncode", "Negative prompt", clip=models.clip, text=settings.negative)
    control = graph.add(
        "ControlNetApplyAdvanced",
        positive=positive["CONDITIONING"],
        negative=negative["CONDITIONING"],
        control_net=models.control_net,
        image=skeletons,
    )
    latents = [
        graph.add("VAEEncode", title, pixels=pixels, vae=models.vae)["LATENT"]
        for title, pixels in (("Encode preview", preview), ("Encode reference", reference))
    ]
    inversion = graph.add(
        "FreeAnimateInversion",
        "DDIM Inversion",
        model=models.model,
        positive=control["positive"],
        preview_latent=latents[0],
        reference_latent=latents[1],
        steps=settings.steps,
        **widgets,
    )
    return Inverted(control, inversion)


def patched(graph: Graph, models: Models, settings: Settings, known: Inverted, redraw_mask: Socket) -> Node:
    """The model that redraws what the mask names, by the preset."""
    widgets = PRESETS[PRESET].patch
    return graph.add(
        "FreeAnimatePatchModel",
        model=models.model,
        inversion=known.inversion["inversion"],
        redraw_mask=redraw_mask,
        release=widgets.release,
        eta=widgets.eta,
        noise_seed=settings.seed,
        preset=settings.preset,
    )


def sampled(graph: Graph, models: Models, settings: Settings, known: Inverted, patch: Node) -> Socket:
    """The frames from noise, decoded."""
    sampler = graph.add("FreeAnimateSampler", **_run(settings, known, patch))
    return graph.add("VAEDecode", samples=sampler["latent"], vae=models.vae)["IMAGE"]


def sampled_in_parts(
    graph: Graph, models: Models, settings: Settings, known: Inverted, patch: Node, **parts: object
) -> Socket:
    """The same part by part. parts: the widgets of Animate Long Clip that say which."""
    return graph.add("FreeAnimateLongClip", vae=models.vae, **_run(settings, known, patch), **parts)["images"]


def _run(settings: Settings, known: Inverted, patch: Node) -> dict[str, object]:
    """What both samplers are given."""
    run = {"model": patch["model"], "inversion": known.inversion["inversion"], "cfg": settings.cfg}
    return run | {name: known.control[name] for name in ("positive", "negative")}


def pasted(graph: Graph, frames: Socket, made: Moved, patch: Node, first_frame: object = None) -> Socket:
    """What was kept of the preview, put back over the decoded frames."""
    paste = graph.add(
        "FreeAnimatePastePreview",
        images=frames,
        preview=made.preview["preview"],
        model=patch["model"],
        first_frame=first_frame,
    )
    return paste["frames"]


def ready(
    graph: Graph, models: Models, scene: Scene, settings: Settings, fit: str = "affine", **widgets: object
) -> tuple[Moved, Inverted, Node]:
    """All that comes before the sampling: preview, inversion with these widgets, patched model."""
    made = moved(graph, scene, settings.preset, fit)
    preview, skeletons = made.preview["preview"], made.align["pose_image"]
    known = inverted(graph, models, settings, preview, scene.reference, skeletons, **widgets)
    return made, known, patched(graph, models, settings, known, made.preview["redraw_mask"])


def animated(
    graph: Graph, models: Models, scene: Scene, settings: Settings, fit: str = "affine"
) -> tuple[Moved, Socket]:
    """The whole chain with Animate Sampler: preview and finished frames."""
    made, known, patch = ready(graph, models, scene, settings, fit)
    return made, pasted(graph, sampled(graph, models, settings, known, patch), made, patch)


@dataclass(frozen=True)
class Size:
    """Of the animation, pixels, and its part of the clip: the first frame and the number of frames."""

    width: object
    height: object
    first_frame: object
    frames: object


def scaled(graph: Graph, picture: Socket, size: Size, title: str = "Size of the animation") -> Socket:
    """A picture, or every picture of a batch, cut to the animation's shape."""
    node = graph.add(
        "ImageScale",
        title,
        image=picture,
        upscale_method="lanczos",
        width=size.width,
        height=size.height,
        crop="center",
    )
    return node["IMAGE"]


def clip(graph: Graph, video: Socket, size: Size) -> tuple[Socket, Socket]:
    """The frames of a video that are used, and its frames per second."""
    components = graph.add("GetVideoComponents", video=video)
    part = graph.add(
        "ImageFromBatch",
        "First frame and length",
        image=components["images"],
        batch_index=size.first_frame,
        length=size.frames,
    )
    return part["IMAGE"], components["fps"]


def detector(graph: Graph, file: object) -> Node:
    """The loader of the pose detector."""
    return graph.add("CheckpointLoaderSimple", "Pose detector (SDPose)", SDPOSE, ckpt_name=file)


def detected(graph: Graph, loader: Node, title: str, pictures: Socket, at_once: int = 16) -> Socket:
    """The poses of pictures, `at_once` in the detector at a time."""
    node = graph.add(
        "SDPoseKeypointExtractor",
        title,
        model=loader["MODEL"],
        vae=loader["VAE"],
        image=pictures,
        batch_size=at_once,
    )
    return node["keypoints"]


def filmed(graph: Graph, scene: dict, size: Size, pose_model: object) -> tuple[Scene, Socket]:
    """Picture and driving clip as a scene, and the clip's frames per second.

    scene: sockets by name: reference, driving_video, and person_mask or None.
    """
    reference = scaled(graph, scene["reference"], size)
    frames, fps = clip(graph, scene["driving_video"], size)
    loader = detector(graph, pose_model)
    reference_pose = detected(graph, loader, "Pose of the picture", reference, at_once=1)
    driving_pose = detected(graph, loader, "Poses of the clip", frames)
    return Scene(reference, reference_pose, driving_pose, scene["person_mask"]), fps


def film(graph: Graph, frames: Socket, fps: object, title: str = "Result as a film") -> Socket:
    """Frames as a video."""
    return graph.add("CreateVideo", title, images=frames, fps=fps)["VIDEO"]
