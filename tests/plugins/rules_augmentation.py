"""An augmentation: a dark rule under the line, as in forms."""

from PIL import ImageDraw


def rule(picture, rng):
    ruled, y = picture.copy(), picture.height - 1 - int(rng.integers(0, 3))
    ImageDraw.Draw(ruled).line((0, y, picture.width, y), fill=40)
    return ruled
