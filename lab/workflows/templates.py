"""The templates: few nodes each, around subgraphs of the chain."""

from dataclasses import dataclass, field

from . import blueprints
from .graph import Graph, Node, Socket, Subgraph
from .layout import columns
from .notes import note
from .prompt import NOTE

REPOSITORIES = "https://huggingface.co/"
NOTE_WIDTH, WIDTH, WIDE, CHECK_WIDTH = 310, 240, 310, 250  # pixels of the columns
LOADER, NARROW, PICTURE, CLIP = 130, 90, 360, 340  # pixels of height: two kinds of loaders, pickers of a file
CHECK, SAVE, WORDS = 230, 260, 200  # pixels of height: what shows
DEMO_FPS = 8.0


@dataclass(frozen=True)
class Files:
    """The model files that a template's loaders name, each as the editor wants it: name, url, directory."""

    checkpoint: dict[str, str]
    control_net: dict[str, str]
    titles: tuple[str, str]


def _model(directory: str, path: str) -> dict[str, str]:
    return {"name": path.split("/")[-1], "url": REPOSITORIES + path, "directory": directory}


SD15 = Files(
    _model(
        "checkpoints",
        "Comfy-Org/stable-diffusion-v1-5-archive/resolve/main/v1-5-pruned-emaonly-fp16.safetensors",
    ),
    _model(
        "controlnet",
        "comfyanonymous/ControlNet-v1-1_fp16_safetensors/resolve/main/control_v11p_sd15_openpose_fp16.safetensors",
    ),
    ("Your SD1.5 checkpoint", "Openpose ControlNet"),
)
SDXL = Files(
    _model("checkpoints", "stabilityai/stable-diffusion-xl-base-1.0/resolve/main/sd_xl_base_1.0.safetensors"),
    _model("controlnet", "thibaud/controlnet-openpose-sdxl-1.0/resolve/main/OpenPoseXL2.safetensors"),
    ("Your SDXL checkpoint", "Openpose ControlNet (SDXL)"),
)
LORA = _model("loras", "OedoSoldier/detail-tweaker-lora/resolve/main/add_detail.safetensors")


@dataclass(frozen=True)
class Template:
    """A graph and the file's name without its end; extra: what the editor keeps beside the graph."""

    name: str
    graph: Graph
    extra: dict = field(default_factory=dict)


def templates() -> list[Template]:
    """All of them, in their order."""
    return [
        first(),
        from_video("02 animate a character", SD15, blueprints.from_video(), "video/FreeAnimate"),
        from_video("03 SDXL", SDXL, blueprints.from_video((832, 1216)), "video/FreeAnimate SDXL"),
        previews(),
        from_video("05 long clip", SD15, blueprints.long_clip(), "video/FreeAnimate long clip"),
        in_the_hosts_sampler(),
        compared(),
        own_video(),
        app(),
    ]


def _title(subgraph: Subgraph) -> str:
    """A blueprint's name without the pack's, which the graph need not say."""
    return subgraph.name.removesuffix(" (FreeAnimate)")


def _note(graph: Graph, number: str) -> Node:
    return graph.add(NOTE, "Read this first", text=note(number))


def _check(graph: Graph, title: str, pictures: Socket) -> Node:
    return graph.add("PreviewImage", title, images=pictures)


def _checks(graph: Graph, made: Node) -> list[tuple[Node, int]]:
    titles = {"overlay": "Check: the skeleton fits", "preview": "Check: cut out and moved"}
    return [(_check(graph, title, made[name]), CHECK) for name, title in titles.items()]


def _save(graph: Graph, video: Socket, prefix: str, title: str = "") -> tuple[Node, int]:
    return graph.add("SaveVideo", title, video=video, filename_prefix=prefix), SAVE


def _demo(graph: Graph, seed: int, frames: int) -> tuple[dict, Node, Node]:
    """What a subgraph is given by the pack's own model and drawing, and those two nodes."""
    model = graph.add("FreeAnimateDemoModel")
    drawn = graph.add("FreeAnimateDemoCharacter", seed=seed, frames=frames, style="people")
    models = {name.lower(): model[name] for name in ("MODEL", "CLIP", "VAE", "CONTROL_NET")}
    scene = {name: drawn[name] for name in ("reference", "reference_pose", "driving_pose", "person_mask")}
    return models | scene | {"prompt": drawn["caption"]}, model, drawn


def _loaders(graph: Graph, files: Files) -> tuple[dict, list[tuple[Node, int]]]:
    """What a subgraph is given by the two loaders, and the two nodes."""
    checkpoint = graph.add(
        "CheckpointLoaderSimple", files.titles[0], files.checkpoint, ckpt_name=files.checkpoint["name"]
    )
    control_net = graph.add(
        "ControlNetLoader", files.titles[1], files.control_net, control_net_name=files.control_net["name"]
    )
    given = {name.lower(): checkpoint[name] for name in ("MODEL", "CLIP", "VAE")}
    return given | {"control_net": control_net["CONTROL_NET"]}, [(checkpoint, LOADER), (control_net, NARROW)]


def _picture(graph: Graph) -> Node:
    return graph.add("LoadImage", "Reference picture", image="reference.png")


def _clip(graph: Graph, title: str = "Driving clip", file: str = "driving.mp4") -> Node:
    return graph.add("LoadVideo", title, file=file)


def first() -> Template:
    """The pack's own model and drawing: nothing to load."""
    graph = Graph()
    about = _note(graph, "01")
    given, model, drawn = _demo(graph, 10012, 16)
    subgraph = blueprints.character(prompt="a person", negative="", steps=12)
    made = graph.add(subgraph, _title(subgraph), **given)
    checks = _checks(graph, made)
    video = graph.add("CreateVideo", "Result as a film", images=made["frames"], fps=DEMO_FPS)
    saved = _save(graph, video["VIDEO"], "video/FreeAnimate demo")
    columns(
        [
            (NOTE_WIDTH, [(about, 570)]),
            (WIDTH, [(model, 120), (drawn, 400)]),
            (WIDE, [(made, 570)]),
            (CHECK_WIDTH, [(node, 260) for node, _ in checks]),
            (CHECK_WIDTH, [(video, 120), (saved[0], 400)]),
        ]
    )
    return Template("01 try it now", graph)


def app() -> Template:
    """The first as an app: three widgets and the film."""
    graph = first().graph
    ids = {node.kind: number for number, node in enumerate(graph.nodes, 1) if isinstance(node.kind, str)}
    instance = next(number for number, node in enumerate(graph.nodes, 1) if isinstance(node.kind, Subgraph))
    drawn = ids["FreeAnimateDemoCharacter"]
    inputs = [[drawn, "motion"], [drawn, "seed"], [instance, "preset"]]
    linear = {"linearMode": True, "linearData": {"inputs": inputs, "outputs": [ids["SaveVideo"]]}}
    return Template("try it now.app", graph, linear)


def from_video(name: str, files: Files, subgraph: Subgraph, prefix: str) -> Template:
    """A picture and a driving clip into a film."""
    graph = Graph()
    about = _note(graph, name[:2])
    given, loaders = _loaders(graph, files)
    picture, clip = _picture(graph), _clip(graph)
    made = graph.add(subgraph, _title(subgraph), reference=picture["IMAGE"], driving_video=clip["VIDEO"], **given)
    checks = _checks(graph, made)
    words = graph.add("PreviewAny", "Checks in words", source=made["checks"])
    saved = _save(graph, made["video"], prefix)
    columns(
        [
            (NOTE_WIDTH, [(about, 780)]),
            (WIDTH, [*loaders, (words, WORDS)]),
            (WIDTH, [(picture, PICTURE), (clip, CLIP)]),
            (WIDE, [(made, 780)]),
            (CHECK_WIDTH, [*checks, saved]),
        ]
    )
    return Template(name, graph)


def previews() -> Template:
    """Previews that another tool made."""
    graph = Graph()
    about = _note(graph, "04")
    given, loaders = _loaders(graph, SD15)
    picture, clip = _picture(graph), _clip(graph, "Clip of previews", "preview.mp4")
    made = graph.add(blueprints.from_previews(), reference=picture["IMAGE"], preview_video=clip["VIDEO"], **given)
    checks = [
        (_check(graph, "Check: the previews", made["previews"]), CHECK),
        (_check(graph, "Check: the skeletons", made["skeletons"]), CHECK),
    ]
    saved = _save(graph, made["video"], "video/FreeAnimate")
    columns(
        [
            (NOTE_WIDTH, [(about, 780)]),
            (WIDTH, loaders),
            (WIDTH, [(picture, PICTURE), (clip, CLIP)]),
            (WIDE, [(made, 720)]),
            (CHECK_WIDTH, [*checks, saved]),
        ]
    )
    return Template("04 previews from another tool", graph)


def in_the_hosts_sampler() -> Template:
    """After a LoRA, in SamplerCustomAdvanced."""
    graph = Graph()
    about = _note(graph, "06")
    given, loaders = _loaders(graph, SD15)
    lora = graph.add(
        "LoraLoaderModelOnly", "Your LoRA", LORA, model=given["model"], lora_name=LORA["name"], strength_model=0.7
    )
    picture, clip = _picture(graph), _clip(graph)
    given |= {"model": lora["MODEL"], "reference": picture["IMAGE"], "driving_video": clip["VIDEO"]}
    made = graph.add(blueprints.prepare(), **given)
    names = ("model", "positive", "negative", "noise", "sigmas", "preview", "fps")
    sampled = graph.add(blueprints.with_the_hosts_nodes(), vae=given["vae"], **{name: made[name] for name in names})
    check = _check(graph, "Check: skeleton, preview", made["check_pictures"])
    saved = _save(graph, sampled["video"], "video/FreeAnimate LoRA")
    columns(
        [
            (NOTE_WIDTH, [(about, 780)]),
            (WIDTH, [*loaders, (lora, 120)]),
            (WIDTH, [(picture, PICTURE), (clip, CLIP)]),
            (WIDE, [(made, 760)]),
            (CHECK_WIDTH, [(check, 170), (sampled, 300), (saved[0], 230)]),
        ]
    )
    return Template("06 use the patched model with SamplerCustomAdvanced and a LoRA", graph)


def compared() -> Template:
    """One preview with both parts of the method, with one of them, with neither."""
    graph = Graph()
    about = _note(graph, "07")
    given, model, drawn = _demo(graph, 10020, 12)
    made = graph.add(blueprints.four(), **given)
    letters = dict(zip("abcd", blueprints.PARTS))
    compare = graph.add(
        "FreeAnimateCompare",
        **{f"video_{letter}": made[title] for letter, title in letters.items()},
        **{f"label_{letter}": title for letter, title in letters.items()},
        truth=drawn["true_frames"],
        person_mask=drawn["masks"],
    )
    video = graph.add("CreateVideo", "Side by side film", images=compare["side_by_side"], fps=DEMO_FPS)
    table = graph.add("PreviewAny", "The measures", source=compare["table"])
    plot = _check(graph, "The measures over time", compare["plot"])
    saved = _save(graph, video["VIDEO"], "video/FreeAnimate compare side by side", "Save Video: side by side")
    columns(
        [
            (NOTE_WIDTH, [(about, 780)]),
            (WIDTH, [(model, 120), (drawn, 400)]),
            (WIDE, [(made, 570)]),
            (WIDTH, [(compare, 380), (video, 120)]),
            (360, [(table, 220), (plot, 220), (saved[0], 230)]),
        ]
    )
    return Template("07 compare with and without RA-SA and IBA", graph)


def own_video() -> Template:
    """A clip against itself."""
    graph = Graph()
    about = _note(graph, "08")
    given, loaders = _loaders(graph, SD15)
    clip = _clip(graph, "Your clip")
    made = graph.add(blueprints.own_clip(), video=clip["VIDEO"], **given)
    checks = _checks(graph, made)
    table = graph.add("PreviewAny", "The measures", source=made["measures"])
    plot = _check(graph, "The measures over time", made["plot"])
    prefix = "video/FreeAnimate check side by side"
    saved = _save(graph, made["video"], prefix, "Save Video: side by side")
    columns(
        [
            (NOTE_WIDTH, [(about, 780)]),
            (WIDTH, [*loaders, (clip, CLIP)]),
            (WIDE, [(made, 780)]),
            (CHECK_WIDTH, [(node, 360) for node, _ in checks]),
            (360, [(table, 220), (plot, 220), (saved[0], 230)]),
        ]
    )
    return Template("08 check on your own video", graph)
