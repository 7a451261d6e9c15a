"""Subgraphs of the chain: two that ship as blueprints, and those that single templates hold."""

from . import chain
from .chain import Models, Scene, Settings, Size
from .graph import Socket, Subgraph

PORTRAIT = (512, 768)  # pixels, near what SD1.5 was trained on
FPS = 30.0
CHARACTER = "Animate Character (FreeAnimate)"
FROM_VIDEO = "Animate Character from Video (FreeAnimate)"
SEARCHED = ["FreeAnimate", "animation", "character animation", "pose transfer", "pose to video", "image to video"]


def _models(graph: Subgraph) -> Models:
    return Models(*(graph.socket(name) for name in ("model", "clip", "vae", "control_net")))


def _prompts(graph: Subgraph, prompt: str, negative: str) -> dict[str, Socket]:
    return {"prompt": graph.widget("prompt", prompt), "negative": graph.widget("negative prompt", negative)}


def _size(graph: Subgraph, size: tuple[int, int], frames: int) -> Size:
    width, height = (graph.widget(name, side) for name, side in zip(("width", "height"), size))
    return Size(width, height, graph.widget("first frame", 0), graph.widget("frames", frames))


def _pose_model(graph: Subgraph) -> Socket:
    return graph.widget("pose model", chain.SDPOSE["name"])


def _method(graph: Subgraph, prompts: dict[str, Socket], steps: int, preset: str = chain.PRESET) -> Settings:
    """The widgets of the method: preset, steps, cfg, seed."""
    return Settings(
        **prompts,
        preset=graph.widget("preset", preset),
        steps=graph.widget("steps", steps),
        cfg=graph.widget("cfg", 3.0),
        seed=graph.widget("seed", 0),
    )


def _film_inputs(graph: Subgraph) -> dict[str, Socket]:
    names = {"reference": False, "driving_video": False, "person_mask": True}
    return {name: graph.socket(name, optional=optional) for name, optional in names.items()}


def character(prompt: str = "a photo of a person, full body", negative: str = "blurry, deformed", steps: int = 20):
    """The chain on poses that are there already."""
    graph = Subgraph(CHARACTER, "A picture of a person and the poses of a motion: frames of that person in motion.")
    models = _models(graph)
    names = ("reference", "reference_pose", "driving_pose")
    scene = Scene(*(graph.socket(name) for name in names), graph.socket("person_mask", optional=True))
    settings = _method(graph, _prompts(graph, prompt, negative), steps)
    made, frames = chain.animated(graph, models, scene, settings)
    graph.outputs = {"frames": frames} | _shown(graph, made)
    return graph


def _shown(graph: Subgraph, made: chain.Moved) -> dict[str, Socket]:
    preview, overlay = made.preview["preview"], made.align["overlay"]
    return {"preview": preview, "overlay": overlay, "checks": chain.checks(graph, made)}


def from_video(size: tuple[int, int] = PORTRAIT) -> Subgraph:
    """The chain on a picture and a driving clip, with the host's SDPose."""
    graph = Subgraph(
        FROM_VIDEO, "A picture of a person and a clip of somebody moving: a film of that person moving so."
    )
    models, inputs = _models(graph), _film_inputs(graph)
    prompts = _prompts(graph, "a photo of a person, full body", "blurry, deformed")
    part, pose_model = _size(graph, size, 8), _pose_model(graph)
    settings = _method(graph, prompts, 20)
    scene, fps = chain.filmed(graph, inputs, part, pose_model)
    made, frames = chain.animated(graph, models, scene, settings)
    graph.outputs = {"video": chain.film(graph, frames, fps), "frames": frames} | _shown(graph, made)
    return graph


def from_previews() -> Subgraph:
    """Preview frames that come as a clip, all of them drawn anew."""
    graph = Subgraph("Animate Previews", "A picture of a person and a clip of previews: the previews drawn anew.")
    models, reference, video = _models(graph), graph.socket("reference"), graph.socket("preview_video")
    prompts = _prompts(graph, "a photo of a person, full body", "blurry, deformed")
    size, pose_model = _size(graph, PORTRAIT, 24), _pose_model(graph)
    settings = Settings(**prompts, steps=graph.widget("steps", 20), cfg=graph.widget("cfg", 3.0))
    picture = chain.scaled(graph, reference, size)
    clip, fps = chain.clip(graph, video, size)
    previews = chain.scaled(graph, clip, size, "Previews, the same size")
    loader = chain.detector(graph, pose_model)
    poses = chain.detected(graph, loader, "Poses of the previews", previews)
    pose = chain.detected(graph, loader, "Pose of the picture", picture, at_once=1)
    align = graph.add(
        "FreeAnimateAlignPose", "Align Pose: drawn as is", driving_pose=poses, reference_pose=pose, mode="none"
    )
    known = chain.inverted(graph, models, settings, previews, picture, align["pose_image"])
    patch = graph.add("FreeAnimatePatchModel", model=models.model, inversion=known.inversion["inversion"])
    frames = chain.sampled(graph, models, settings, known, patch)
    film = chain.film(graph, frames, fps)
    graph.outputs = {"video": film, "frames": frames, "previews": previews, "skeletons": align["pose_image"]}
    return graph


def long_clip() -> Subgraph:
    """As from_video, with Animate Long Clip: part by part, kept in a folder."""
    graph = Subgraph("Animate a Long Clip", "A picture of a person and a long clip, sampled part by part.")
    models, inputs = _models(graph), _film_inputs(graph)
    prompts = _prompts(graph, "a photo of a person, full body", "blurry, deformed")
    part, pose_model = _size(graph, PORTRAIT, 16), _pose_model(graph)
    settings = _method(graph, prompts, 20)
    parts = {
        "run_name": graph.widget("run name", ""),
        "frames_per_part": graph.widget("frames per part", 16),
        "again": graph.widget("frames to make again", ""),
    }
    span = {"first_frame": graph.widget("range from frame", 0), "frames": graph.widget("range frames", 0)}
    scene, fps = chain.filmed(graph, inputs, part, pose_model)
    made, known, patch = chain.ready(graph, models, scene, settings, storage="recompute", **span)
    sampled = chain.sampled_in_parts(graph, models, settings, known, patch, **parts, **span)
    frames = chain.pasted(graph, sampled, made, patch, span["first_frame"])
    graph.outputs = {"video": chain.film(graph, frames, fps), "frames": frames} | _shown(graph, made)
    return graph


def prepare() -> Subgraph:
    """All that comes before a sampler of the host."""
    graph = Subgraph("Prepare", "Picture and clip: the patched model, its prompts, and where sampling starts.")
    models, inputs = _models(graph), _film_inputs(graph)
    prompts = _prompts(graph, "a photo of a person, full body", "blurry, deformed")
    part, pose_model = _size(graph, PORTRAIT, 8), _pose_model(graph)
    preset, steps = graph.widget("preset", chain.PRESET), graph.widget("steps", 20)
    settings = Settings(**prompts, preset=preset, steps=steps, seed=graph.widget("seed", 0))
    scene, fps = chain.filmed(graph, inputs, part, pose_model)
    made, known, patch = chain.ready(graph, models, scene, settings)
    side_by_side = graph.add(
        "ImageStitch", "Both checks", image1=made.align["overlay"], image2=made.preview["preview"], spacing_width=4
    )
    graph.outputs = {
        "model": patch["model"],
        "positive": known.control["positive"],
        "negative": known.control["negative"],
        "noise": known.inversion["noise"],
        "sigmas": known.inversion["sigmas"],
        "preview": made.preview["preview"],
        "fps": fps,
        "check_pictures": side_by_side["IMAGE"],
    }
    return graph


def with_the_hosts_nodes() -> Subgraph:
    """The patched model in SamplerCustomAdvanced, decoded and pasted."""
    graph = Subgraph("Sample in ComfyUI", "The patched model in SamplerCustomAdvanced.")
    names = ("model", "positive", "negative", "noise", "sigmas", "preview", "vae")
    given = {name: graph.socket(name) for name in names}
    cfg, sampler, fps = graph.widget("cfg", 3.0), graph.widget("sampler", "euler"), graph.widget("fps", FPS)
    conditioned = {name: given[name] for name in ("model", "positive", "negative")}
    guider = graph.add("CFGGuider", "Guidance in all steps", cfg=cfg, **conditioned)
    sampled = graph.add(
        "SamplerCustomAdvanced",
        noise=graph.add("DisableNoise")["NOISE"],
        guider=guider["GUIDER"],
        sampler=graph.add("KSamplerSelect", sampler_name=sampler)["SAMPLER"],
        sigmas=given["sigmas"],
        latent_image=given["noise"],
    )
    decoded = graph.add("VAEDecode", samples=sampled["output"], vae=given["vae"])
    paste = graph.add(
        "FreeAnimatePastePreview", images=decoded["IMAGE"], preview=given["preview"], model=given["model"]
    )
    graph.outputs = {"video": chain.film(graph, paste["frames"], fps), "frames": paste["frames"]}
    return graph


PARTS = {  # (reference_weight, self_span, cross_span) of Patch Model
    "RA-SA and IBA": (1.0, 1.0, 0.8),
    "RA-SA alone": (1.0, 0.0, 0.0),
    "IBA alone": (0.0, 1.0, 0.8),
    "neither": (0.0, 0.0, 0.0),
}


def four() -> Subgraph:
    """One preview, animated with both parts of the method, with one of them alone, with neither."""
    graph = Subgraph("Four Animations of One Preview", "With RA-SA and IBA, with one of them alone, with neither.")
    models = _models(graph)
    names = ("reference", "reference_pose", "driving_pose", "person_mask")
    scene, prompts = Scene(*map(graph.socket, names)), _prompts(graph, "", "")
    settings = Settings(**prompts, steps=graph.widget("steps", 8), cfg=graph.widget("cfg", 3.0), preset=None)
    made = chain.moved(graph, scene, None, keep_face=0.0)
    preview, skeletons = made.preview["preview"], made.align["pose_image"]
    known = chain.inverted(graph, models, settings, preview, scene.reference, skeletons)
    for title, (weight, self_span, cross_span) in PARTS.items():
        patch = graph.add(
            "FreeAnimatePatchModel",
            f"Patch: {title}",
            model=models.model,
            inversion=known.inversion["inversion"],
            reference_weight=weight,
            self_span=self_span,
            cross_span=cross_span,
        )
        graph.outputs[title] = chain.sampled(graph, models, settings, known, patch)
    return graph


def own_clip() -> Subgraph:
    """A clip's first frame animated by the clip's own poses, beside the clip."""
    graph = Subgraph("Check on a Clip", "A clip made again from its first frame and its poses, and measured.")
    models, video = _models(graph), graph.socket("video")
    prompts = _prompts(graph, "a photo of a person, full body", "blurry, deformed")
    size, pose_model = _size(graph, PORTRAIT, 16), _pose_model(graph)
    settings = _method(graph, prompts, 20)
    part, fps = chain.clip(graph, video, size)
    real = chain.scaled(graph, part, size)
    first = graph.add("ImageFromBatch", "Reference: first frame", image=real, batch_index=0, length=1)["IMAGE"]
    loader = chain.detector(graph, pose_model)
    pose = chain.detected(graph, loader, "Pose of the first frame", first, at_once=1)
    poses = chain.detected(graph, loader, "Poses of all frames", real)
    made, frames = chain.animated(graph, models, Scene(first, pose, poses), settings, fit="none")
    preview = made.preview["preview"]
    compare = graph.add(
        "FreeAnimateCompare",
        video_a=preview,
        video_b=frames,
        truth=real,
        person_mask=made.preview["person_mask"],
        label_a="preview",
        label_b="result",
    )
    film = chain.film(graph, compare["side_by_side"], fps, "Side by side film")
    shown = {"preview": preview, "overlay": made.align["overlay"]}
    graph.outputs = {"video": film, "measures": compare["table"], "plot": compare["plot"]} | shown
    return graph
