"""python -m lab.help_pictures --host DIR: makes web/docs/<node id>.jpg, the templates' thumbnails and what the README
shows in media/ anew.

Every picture is a result of the node that it explains, on the demo's model and a rendered person; Detect
Pose alone shows known poses, because its weights are not the pack's.
"""

import argparse
from pathlib import Path

import torch

from .. import REPOSITORY, hosting
from ..server.graph import FPS
from .strips import pictures, save_animation, save_columns, save_strip

ICON = 400  # pixels; the registry shows squares


def main() -> None:
    """Run the nodes once and write all pictures."""
    parser = argparse.ArgumentParser(prog="lab.help_pictures", description=__doc__)
    parser.add_argument("--host", type=Path, required=True, help="a ComfyUI folder")
    parser.add_argument("--root", type=Path, default=REPOSITORY, help="where web/docs and media are")
    options = parser.parse_args()
    hosting.start(options.host)
    from . import readme
    from .scenes import before_the_model, icon, load, prepare, with_the_model  # they import the host
    from .thumbnails import save_thumbnails, thumbnails

    docs, media = options.root / "web" / "docs", options.root / "media"
    for folder in (docs, media):
        folder.mkdir(parents=True, exist_ok=True)
    with torch.inference_mode():
        prepared = prepare()
        write(before_the_model(prepared), docs)
        pictures(icon(), (ICON, ICON))[0].save(media / "icon.png", optimize=True)
        loaded = load(prepared)
        scenes = with_the_model(prepared, loaded)
        write(scenes, docs)
        for name, columns in (readme.without_the_model(prepared) | readme.with_the_model(prepared, loaded)).items():
            save_columns(columns, media / f"{name}.jpg")
        rows = thumbnails(prepared, loaded, scenes["Sampler"]["result"])
        save_thumbnails(rows, options.root / "workflows")
    columns = {"reference": prepared.reference, "pose": prepared.poses, "result": scenes["Sampler"]["result"]}
    save_animation(columns, media / "animation.webp", FPS)


def write(scenes: dict, docs: Path) -> None:
    """A picture for each node."""
    for name, rows in scenes.items():
        save_strip(rows, docs / f"FreeAnimate{name}.jpg")


if __name__ == "__main__":
    main()
