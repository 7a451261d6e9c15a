"""The demo model's weights on disk: one safetensors file, and a card whose hash it must have.

Stored as trained: half precision, the autoencoder with its narrow layers, the text encoder with the rows
of the words it knows. What the host's classes want beyond that is filled with zeros here.
"""

import hashlib
import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

FOLDER = Path(__file__).parent.parent / "trained"
FILE, CARD = FOLDER / "demo_model.safetensors", FOLDER / "card.json"
COMPONENTS = ("unet", "control", "text", "encoder", "decoder")
TABLES = ("rows", "colours")  # token numbers that the text encoder knows; what latent cells look like in live previews
TAESD_WIDTH = 64  # channels of every inner layer of the host's TAESD


class DemoWeightsError(RuntimeError):
    """The weights are missing or are not those of the card; the message says what to do."""


def digest(file: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def load_weights(file: Path = FILE, card: Path = CARD) -> dict[str, dict[str, Tensor]]:
    """State dicts of COMPONENTS in float32, and TABLES, each under its own name.

    Raises DemoWeightsError when the file is missing or its hash is not the card's.
    """
    if not file.exists() or not card.exists():
        raise DemoWeightsError(
            f"Load Demo Model: {file.name} or {card.name} is missing from the folder demo/trained of this node pack; "
            "install the node pack again (with git: git checkout demo/trained)."
        )
    expected = json.loads(card.read_text(encoding="utf-8"))["sha256"]
    if digest(file) != expected:
        raise DemoWeightsError(
            f"Load Demo Model: {file.name} is not the file that {card.name} describes (its hash differs); install the "
            "node pack again (with git: git checkout demo/trained)."
        )
    return split(load_file(file))


def split(tensors: dict[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Tensors named ``component.key`` as one float32 state dict per component; each of TABLES as one of its own."""
    components: dict[str, dict[str, Tensor]] = {name: {} for name in COMPONENTS}
    for name, value in tensors.items():
        if name not in TABLES:
            component, key = name.split(".", 1)
            components[component][key] = value.float()
    return components | {name: {name: tensors[name]} for name in TABLES}


def save_weights(
    components: dict[str, dict[str, Tensor]], tables: dict[str, Tensor], facts: dict, folder: Path = FOLDER
) -> None:
    """Write the file in half precision and its card, the hash beside ``facts``, into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / FILE.name
    tensors = {f"{name}.{key}": v.half().contiguous() for name, state in components.items() for key, v in state.items()}
    save_file(tensors | tables, file)
    card = {"sha256": digest(file), "bytes": file.stat().st_size} | facts
    (folder / CARD.name).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def taesd(encoder: dict[str, Tensor], decoder: dict[str, Tensor], scale: float) -> dict[str, Tensor]:
    """A TAESD state dict for ``comfy.sd.VAE`` of a narrow encoder and decoder; ``scale``: the latent format's."""
    wide = {f"taesd_encoder.{key}": value for key, value in _widened(encoder, "0.", "14.").items()}
    wide |= {f"taesd_decoder.{key}": value for key, value in _widened(decoder, "1.", "19.").items()}
    for side, blocks in (
        ("encoder", (1, 3, 4, 5, 7, 8, 9, 11, 12, 13)),
        ("decoder", (3, 4, 5, 8, 9, 10, 13, 14, 15, 18)),
    ):
        for name in (f"taesd_{side}.{block}.conv.{k}" for block in blocks for k in (0, 2, 4)):
            # A block that was not trained hands its input on
            wide.setdefault(f"{name}.weight", torch.zeros(TAESD_WIDTH, TAESD_WIDTH, 3, 3))
            wide.setdefault(f"{name}.bias", torch.zeros(TAESD_WIDTH))
    return wide | {"vae_scale": torch.tensor(scale), "vae_shift": torch.tensor(0.0)}


def _widened(weights: dict[str, Tensor], first: str, last: str) -> dict[str, Tensor]:
    """A narrow net's weights padded with zeros to 64 channels: a channel of zeros stays zero throughout.

    The layer ``first`` reads a picture or latents, and ``last`` gives them: their channels are as many as they are.
    """
    wide = {}
    for name, value in weights.items():
        outputs = value.shape[0] if name.startswith(last) else TAESD_WIDTH
        padding = (0, outputs - value.shape[0])
        if value.ndim == 4:
            inputs = value.shape[1] if name.startswith(first) else TAESD_WIDTH
            padding = (0, 0, 0, 0, 0, inputs - value.shape[1], *padding)
        wide[name] = functional.pad(value, padding)
    return wide
