"""The settings of augmentation; without torch, so that a wrong one is refused at once."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class AugmentConfig:
    """Probability (0..1) of each change, per line and epoch."""

    affine: float = 0.5
    """Rotate up to 1.5 degrees, shear up to 10, scale 0.9..1.05, move up to 5 % of the height."""
    contrast: float = 0.4
    """Brightness and contrast by a factor of 0.6..1.4."""
    blur: float = 0.15
    """Gaussian blur, sigma 0.3..1 pixel."""
    stroke: float = 0.15
    """Thinner or thicker strokes: maximum or minimum of neighbours, mixed with the original."""
    noise: float = 0.2
    """Gaussian noise, sigma up to 12 of 255."""
    invert: float = 0.0
    """Light text on dark ground and back."""
    slant: float = 0.0
    """Lean by 10..30 degrees to either side; the line is squeezed by as much, so that its ends stay in the picture."""
    perspective: float = 0.0
    """Corners move inwards: up to 12 % of the height down or up, and up to 30 % along the line."""
    loose: float = 0.0
    """A looser crop: the line shrunk to 0.45..0.9 of its size, with plain paper around it."""
    elastic: float = 0.0
    """Parts of a letter move apart: points half a height from each other, each by up to 8 % of the height."""
    downscale: float = 0.0
    """A picture of lower resolution: shrunk to 0.4..0.8 of its size and grown again."""
    jpeg: float = 0.0
    """What JPEG leaves of it, quality 20..70."""
    cutout: float = 0.0
    """1..3 spans of columns, each up to half a height wide, become plain paper."""
    concat: float = 0.0
    """Another line of the same epoch on the right, after a space (see `crnn.data.join`)."""
    until: float = 1.0
    """Share of the epochs after which lines are left as they are; 1 for never (as in Calamari)."""
    extra: dict[str, float] = field(default_factory=dict)
    """Name -> probability of changes that installed packages add; applied after the others, in this order."""
