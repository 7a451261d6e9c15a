"""The reader of pictures, masks and latents: twins give the same, and what means nothing is refused by name."""

import logging

import pytest
import torch

from freeanimate_pack.freeanimate_core import pictures
from freeanimate_pack.freeanimate_core.errors import FreeAnimateError
from freeanimate_pack.freeanimate_core.pictures import read_latents, read_mask, read_masks, read_picture, read_pictures

WHERE = "A Node: its input"
INFINITE = float("inf")


def levels(*shape: int) -> torch.Tensor:
    """Values 0-1 that 8 bits hold exactly, 0 and 1 among them."""
    drawn = torch.randint(0, 256, shape, generator=torch.Generator().manual_seed(0))
    drawn.flatten()[:2] = torch.tensor([0, 255])
    return drawn / 255


CLIP = levels(2, 5, 7, 3)
MASKS = (levels(2, 5, 7) > 0.5).float()
OVERSHOT = 1.7 * CLIP - 0.2
PICTURE_TWINS = {
    "8 bits": ((255 * CLIP).round().to(torch.uint8), CLIP),
    "float64": (CLIP.double(), CLIP),
    "float16": (CLIP.half(), CLIP.half().float()),
    "bfloat16": (CLIP.bfloat16(), CLIP.bfloat16().float()),
    "bool": (CLIP > 0.5, (CLIP > 0.5).float()),
    "not contiguous": (CLIP.flip(0).transpose(1, 2).contiguous().transpose(1, 2).flip(0), CLIP),
    "overshoot": (OVERSHOT, OVERSHOT.clamp(0, 1)),
    "grey": (CLIP[..., :1], CLIP[..., :1].repeat(1, 1, 1, 3)),
    "opaque": (torch.cat([CLIP, torch.ones(2, 5, 7, 1)], -1), CLIP),
    "half clear": (torch.cat([CLIP, torch.full((2, 5, 7, 1), 0.25)], -1), 0.25 * CLIP),
    "clear in 8 bits": (torch.cat([255 * CLIP, torch.zeros(2, 5, 7, 1)], -1).round().to(torch.uint8), 0 * CLIP),
}
MASK_TWINS = {
    "frames of one channel first": MASKS[:, None],
    "frames of one channel last": MASKS[..., None],
    "bool": MASKS > 0.5,
    "8 bits": (255 * MASKS).to(torch.uint8),
    "0 and 1 in 8 bits": MASKS.to(torch.uint8),
    "float16": MASKS.half(),
    "float64": MASKS.double(),
    "overshoot": 1.4 * MASKS - 0.2,
}
BAD_PICTURES = {
    "nothing": (None, "is empty and no picture"),
    "a text": ("picture", "is a str and no picture"),
    "a dict": ({"samples": CLIP}, "is a dict"),
    "no channels": (CLIP[..., 0], "has the shape 2x5x7"),
    "one picture without frames": (CLIP[0], "has the shape 5x7x3"),
    "five ranks": (CLIP[None], "has the shape 1x2x5x7x3"),
    "two channels": (CLIP[..., :2], "has the shape 2x5x7x2"),
    "five channels": (CLIP[..., [0, 1, 2, 0, 1]], "has the shape 2x5x7x5"),
    "channels first": (CLIP.movedim(-1, 1), "has the shape 2x3x5x7"),
    "no channel": (CLIP[..., :0], "has the shape 2x5x7x0"),
    "no frames": (CLIP[:0], "is empty .0x5x7x3"),
    "no height": (CLIP[:, :0], "is empty .2x0x7x3"),
    "no width in grey": (CLIP[:, :, :0, :1], "is empty .2x5x0x1"),
    "whole numbers": ((255 * CLIP).long(), "holds int64 values"),
    "complex": (CLIP.to(torch.complex64), "holds complex64 values"),
    "0-255": (255 * CLIP, "holds values from 0 to 255"),
    "-1 to 1": (2 * CLIP - 1, "holds values from -1 to 1"),
    "beyond float32": (1e300 * CLIP.double(), "holds NaN or infinite"),
}
BAD_MASKS = {
    "nothing": (None, "is empty and no mask"),
    "a list": ([MASKS], "is a list and no mask"),
    "a row": (MASKS[0, 0], "has the shape 7"),
    "a number": (MASKS[0, 0, 0], "has the shape of one number"),
    "a picture": (CLIP, "has the shape 2x5x7x3"),
    "five ranks": (MASKS[:, None, None], "has the shape 2x1x1x5x7"),
    "no frames": (MASKS[:0], "is empty .0x5x7"),
    "no width in 8 bits": (MASKS[..., :0].to(torch.uint8), "is empty .2x5x0"),
    "0-255": (255 * MASKS, "holds values from 0 to 255"),
    "whole numbers": (MASKS.int(), "holds int32 values"),
}


@pytest.mark.parametrize("name", PICTURE_TWINS)
def test_pictures_of_one_meaning_are_read_as_one(name):
    given, wanted = PICTURE_TWINS[name]
    before = given.clone()
    read = read_pictures(given, WHERE)
    assert read.dtype == torch.float32 and torch.allclose(read, wanted, atol=1e-7)
    assert torch.equal(given, before)


def test_what_is_right_is_not_copied():
    assert read_pictures(CLIP, WHERE) is CLIP and read_masks(MASKS, WHERE) is MASKS


@pytest.mark.parametrize("name", MASK_TWINS)
def test_masks_of_one_meaning_are_read_as_one(name):
    read = read_masks(MASK_TWINS[name], WHERE)
    assert read.dtype == torch.float32 and torch.equal(read, MASKS)


def test_a_mask_without_frames_is_one():
    assert torch.equal(read_mask(MASKS[0], WHERE), MASKS[:1])


@pytest.mark.parametrize("bad", (float("nan"), INFINITE, -INFINITE))
@pytest.mark.parametrize("kind", (torch.float32, torch.float16, torch.float64))
def test_one_value_that_is_no_number_is_found_anywhere(bad, kind):
    for read, values in ((read_pictures, CLIP), (read_pictures, CLIP[..., :1]), (read_masks, MASKS)):
        spoiled = values.clone().to(kind)
        spoiled[-1, 2, 3] = bad
        with pytest.raises(FreeAnimateError, match=f"^{WHERE} holds NaN or infinite values; check"):
            read(spoiled, WHERE)


def test_alpha_that_is_no_number_is_found():
    with pytest.raises(FreeAnimateError, match="NaN or infinite"):
        read_pictures(torch.cat([CLIP, torch.full((2, 5, 7, 1), float("nan"))], -1), WHERE)


@pytest.mark.parametrize("name", BAD_PICTURES)
def test_what_is_no_picture_is_refused_in_one_sentence(name):
    value, words = BAD_PICTURES[name]
    with pytest.raises(FreeAnimateError, match=f"^{WHERE} {words}.*[.]$"):
        read_pictures(value, WHERE)


@pytest.mark.parametrize("name", BAD_MASKS)
def test_what_is_no_mask_is_refused_in_one_sentence(name):
    value, words = BAD_MASKS[name]
    with pytest.raises(FreeAnimateError, match=f"^{WHERE} {words}.*[.]$"):
        read_masks(value, WHERE)


def test_one_is_one():
    assert read_picture(CLIP[:1], WHERE).shape == (1, 5, 7, 3)
    with pytest.raises(FreeAnimateError, match="holds 2 images, but exactly one is expected; pick one"):
        read_picture(CLIP, WHERE)
    with pytest.raises(FreeAnimateError, match="holds 2 masks, but exactly one is expected"):
        read_mask(MASKS, WHERE)


def test_another_count_of_channels_is_said_once(caplog):
    pictures._say_once.cache_clear()
    with caplog.at_level(logging.INFO, logger="freeanimate"):
        for _ in range(2):
            read_pictures(CLIP[..., :1], WHERE)
            read_pictures(CLIP[..., [0, 1, 2, 0]], WHERE)
            read_pictures(CLIP, WHERE)
    assert [message.split(":")[1].split()[:4] for message in caplog.messages] == [
        ["its", "input", "is", "grey"],
        ["its", "input", "is", "RGBA"],
    ]


LATENTS = levels(3, 4, 6, 5)
BAD_LATENTS = {
    "no dict": (LATENTS, "holds no latents"),
    "without samples": ({}, "holds no latents"),
    "of another kind": ({"samples": None}, "holds no latents"),
    "video": ({"samples": LATENTS[:, :, None]}, "has shape .3, 4, 1, 6, 5. and the model works on .frames, 4,"),
    "one rank less": ({"samples": LATENTS[0]}, "has shape .4, 6, 5."),
    "other channels": ({"samples": LATENTS[:, :3]}, "has shape .3, 3, 6, 5."),
    "no frames": ({"samples": LATENTS[:0]}, "is empty"),
    "no width": ({"samples": LATENTS[..., :0]}, "is empty"),
    "whole numbers": ({"samples": LATENTS.int()}, "holds int32 values"),
    "nan": ({"samples": LATENTS * float("nan")}, "holds NaN or infinite"),
    "blank": ({"samples": 0 * LATENTS}, "is blank"),
}


@pytest.mark.parametrize("name", BAD_LATENTS)
def test_what_is_no_latent_is_refused_in_one_sentence(name):
    value, words = BAD_LATENTS[name]
    with pytest.raises(FreeAnimateError, match=f"^{WHERE} {words}.*[.]$"):
        read_latents(value, WHERE, 4)


def test_latents_are_read_as_they_came():
    assert read_latents({"samples": LATENTS, "noise_mask": None}, WHERE, 4) is LATENTS
