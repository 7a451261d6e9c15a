"""Heat maps over pictures."""

import torch
from torch import Tensor
from torch.nn import functional

HEIGHT = 512  # pixels that a picture is enlarged to, so that marks and cells can be told apart
STOPS = ((0.10, 0.06, 0.30), (0.55, 0.10, 0.45), (0.93, 0.35, 0.15), (1.0, 0.95, 0.55))  # from no heat to most
DIMMED = 0.7  # what is left of the picture's brightness under the heat
MARK, RIM = (0.0, 1.0, 1.0), (0.0, 0.0, 0.0)


def heated(picture: Tensor, heat: Tensor, most: float) -> Tensor:
    """A picture [H,W,3] 0-1 in grey under a heat map [h,w], enlarged; ``most``: the value of the hottest colour.

    Colours follow the square root, so that what is weak can be seen beside what is strong.
    """
    scale = max(1, round(HEIGHT / picture.shape[0]))
    size = [scale * side for side in picture.shape[:2]]
    share = functional.interpolate(heat[None, None].div(most).clamp(0, 1).sqrt(), size=size, mode="nearest-exact")[0, 0]
    grey = functional.interpolate(picture.mean(-1)[None, None], size=size, mode="bicubic").clamp(0, 1)[0, 0]
    return torch.lerp(DIMMED * grey[..., None].expand(-1, -1, 3), _colours(share), share[..., None])


def marked(picture: Tensor, x: float, y: float) -> Tensor:
    """The picture [H,W,3] with a ring around a point, 0-1."""
    height, width = picture.shape[:2]
    rows, columns = torch.arange(height) + 0.5, torch.arange(width) + 0.5
    away = torch.hypot(rows[:, None] - y * height, columns[None] - x * width) / height
    picture = picture.clone()
    for colour, thickness in ((RIM, 0.009), (MARK, 0.005)):
        picture[(away - 0.03).abs() < thickness] = torch.tensor(colour)
    return picture


def _colours(share: Tensor) -> Tensor:
    """Colours [H,W,3] of values 0-1 [H,W], between STOPS."""
    stops = torch.tensor(STOPS)
    place = share * (len(STOPS) - 1)
    lower = place.floor().long().clamp(max=len(STOPS) - 2)
    return torch.lerp(stops[lower], stops[lower + 1], (place - lower)[..., None])
