"""Measures of results.

Pictures are float, 0-1, [F,H,W,3]; masks [F,H,W]. Errors in "levels" are on the scale 0-255. A
measure that finds nothing to measure (an empty mask, too few frames) is None.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

LEVELS = 255.0
GREY = (0.299, 0.587, 0.114)  # ITU-R BT.601 luma
SSIM_WINDOW, SSIM_SIGMA = 11, 1.5
SSIM_C1, SSIM_C2 = 0.01**2, 0.03**2
STATIC = 1 / LEVELS  # a pixel that moves less than one level between frames stands still


def psnr(image: Tensor, truth: Tensor, peak: float) -> float:
    """Peak signal-to-noise ratio in dB over all values of two equal shapes; inf when equal."""
    error = (image.double() - truth.double()).square().mean().item()
    return math.inf if error == 0 else 10 * math.log10(peak**2 / error)


def latent_psnr(latents: Tensor, truth: Tensor) -> float:
    """PSNR in latent space, dB; the peak is the range (max - min) of the true latents [F,C,h,w]."""
    return psnr(latents, truth, float(truth.max() - truth.min()))


def masked_psnr(images: Tensor, truth: Tensor, mask: Tensor) -> float | None:
    """PSNR in dB over the pixels where the mask exceeds 0.5, pooled over the frames."""
    inside = mask > 0.5
    return psnr(images[inside], truth[inside], 1.0) if inside.any() else None


def l1(images: Tensor, truth: Tensor) -> float:
    """Mean absolute difference in levels."""
    return LEVELS * (images.double() - truth.double()).abs().mean().item()


def ssim(images: Tensor, truth: Tensor) -> float:
    """Structural similarity of the grey pictures (Wang et al. 2004): 11x11 Gaussian window, mean over frames.

    Pictures are at least 11x11; windows that stick out of the picture are left out.
    """
    return sum(_ssim(*pair) for pair in zip(images, truth)) / len(images)


def _ssim(image: Tensor, truth: Tensor) -> float:
    """SSIM of one picture [H,W,3], in double precision because it subtracts squares."""
    x, y = (grey(picture.double())[None, None] for picture in (image, truth))
    mean_x, mean_y = _windowed(x), _windowed(y)
    var_x = _windowed(x * x) - mean_x**2
    var_y = _windowed(y * y) - mean_y**2
    covariance = _windowed(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + SSIM_C1) / (mean_x**2 + mean_y**2 + SSIM_C1)
    structure = (2 * covariance + SSIM_C2) / (var_x + var_y + SSIM_C2)
    return (luminance * structure).mean().item()


def grey(images: Tensor) -> Tensor:
    """Luma [...,H,W] of pictures [...,H,W,3]."""
    return images @ torch.tensor(GREY, dtype=images.dtype, device=images.device)


def _windowed(x: Tensor) -> Tensor:
    """Gaussian means [F,1,H-10,W-10] of [F,1,H,W]."""
    place = torch.arange(SSIM_WINDOW, dtype=x.dtype, device=x.device) - SSIM_WINDOW // 2
    weights = (-(place**2) / (2 * SSIM_SIGMA**2)).exp()
    weights = weights / weights.sum()
    return functional.conv2d(functional.conv2d(x, weights.view(1, 1, -1, 1)), weights.view(1, 1, 1, -1))


def background_drift(images: Tensor, masks: Tensor) -> float | None:
    """Largest mean |I_t - I_0| over t, in levels, where neither frame's mask shows the person at all."""
    outside = (masks == 0) & (masks[:1] == 0)
    drifts = [(images[t] - images[0])[outside[t]].abs().mean().item() for t in range(len(images)) if outside[t].any()]
    return LEVELS * max(drifts) if drifts else None


def flicker(images: Tensor, truth: Tensor) -> float | None:
    """Mean |I_{t+1} - 2 I_t + I_{t-1}| in levels, on pixels that stand still in three true frames."""
    if len(images) < 3:
        return None
    triples = truth.unfold(0, 3, 1)  # [F-2,H,W,3,3], time last
    static = (triples.amax(-1) - triples.amin(-1)).amax(-1) < STATIC
    jerk = (images[2:] - 2 * images[1:-1] + images[:-2]).abs().mean(-1)
    return LEVELS * jerk[static].mean().item() if static.any() else None


def warped(images: Tensor, places: Tensor) -> Tensor:
    """Pictures [F,H,W,C] read at places [F,H,W,2] (x, y in pixels, centres at .5), bilinear, the border repeated."""
    size = torch.tensor([images.shape[2], images.shape[1]], dtype=places.dtype, device=places.device)
    grid = 2 * places / size - 1
    moved = functional.grid_sample(images.movedim(-1, 1), grid, padding_mode="border", align_corners=False)
    return moved.movedim(1, -1)


def warping_error(images: Tensor, places: Tensor, seen: Tensor) -> float | None:
    """Mean |I_{t+1} - warp(I_t)| in levels over the pixels that both frames show (Lai et al. 2018).

    places: [F-1,H,W,2], where each pixel of frame t+1 was in frame t (x, y in pixels, centres at
    .5). seen: [F-1,H,W] bool, False where that spot was hidden or off the canvas.
    """
    if not seen.any():
        return None
    error = (images[1:] - warped(images[:-1], places.to(images))).abs().mean(-1)
    return LEVELS * error[seen].mean().item()


def part_colour_error(images: Tensor, labels: Tensor, colours: dict[int, Tensor], least: int = 12) -> float | None:
    """Mean |mean colour of a part - its wanted colour| in levels, over parts, frames and channels.

    labels: [F,H,W] part numbers. colours: [3] wanted for each part. A part counts in a frame where
    it has at least ``least`` pixels.
    """
    errors = []
    for label, colour in colours.items():
        inside = labels == label
        for frame in torch.nonzero(inside.flatten(1).sum(1) >= least).flatten().tolist():
            errors.append((images[frame][inside[frame]].mean(0) - colour.to(images)).abs().mean().item())
    return LEVELS * sum(errors) / len(errors) if errors else None


def part_colours(image: Tensor, labels: Tensor, parts: range, least: int = 12) -> dict[int, Tensor]:
    """Mean colour [3] of each part that has at least ``least`` pixels in a picture [H,W,3] with labels [H,W]."""
    masks = {part: labels == part for part in parts}
    return {part: image[mask].mean(0) for part, mask in masks.items() if int(mask.sum()) >= least}
