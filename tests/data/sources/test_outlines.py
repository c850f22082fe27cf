"""Cutting: masks, paper, slants, quarter turns, bands along baselines."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from page_files import drawn, page_line, page_xml, pixels, saved
from PIL import Image, ImageDraw

from crnn.data.sources import bands as bands_module
from crnn.data.sources import open_source
from crnn.data.sources.bands import bands
from crnn.data.sources.outlines import (
    Points,
    UnusableOutlineError,
    angle_of,
    box,
    clipped,
    cut,
    cut_size,
    read_points,
    stretch_of,
    turns_of,
)


def points(*pairs: tuple[float, float]) -> Points:
    return np.array(pairs, dtype=np.float64)


@pytest.mark.parametrize("text", ["1,2 3.5,4", "1 2 3.5 4", " 1, 2\n3.5 ,4 ", "(1,2) (3.5,4)", "1,2,3.5,4e0"])
def test_points_in_any_notation(text: str) -> None:
    assert read_points(text).tolist() == [[1, 2], [3.5, 4]]
    assert read_points(" ").shape == (0, 2)


@pytest.mark.parametrize("text", ["1,2 3", "x", "1,inf", "nan nan", "1;2", "2e6,1"])
def test_what_are_no_points(text: str) -> None:
    with pytest.raises(UnusableOutlineError, match="pairs of numbers"):
        read_points(text)


def test_limits_of_points() -> None:
    assert len(read_points("1000000,-1000000 " * 10_000)) == 10_000
    for text, words in (("1 2 " * 10_001, "has 10,001 points; at most 10,000 are read"), ("0,1000001", "pairs")):
        with pytest.raises(UnusableOutlineError, match=words):
            read_points(text)


def test_an_outline_has_an_area() -> None:
    for least in (points((0, 0), (9, 0), (9, 1)), box(3, 3, 1, 1), points((0, 0), (50, 50), (25.4, 24.6))):
        assert np.array_equal(clipped(least, 100, 50), least)
    for few in (points((0, 0), (9, 9)), points()):
        with pytest.raises(UnusableOutlineError, match=f"has an outline of {len(few)} points; three or more make"):
            clipped(few.reshape(-1, 2), 100, 50)
    for line in (box(3, 3, 0.9, 9), box(3, 3, 9, 0.9), points((0, 0), (50, 50), (25.3, 24.7))):
        with pytest.raises(UnusableOutlineError, match="without area"):
            clipped(line, 100, 50)


def test_outlines_are_clipped_to_the_page() -> None:
    assert sorted(clipped(box(-5, -7, 20, 20), 100, 50).tolist()) == [[0, 0], [0, 13], [15, 0], [15, 13]]
    beyond = clipped(points((50, 10), (500, 10), (500, 20), (50, 20)), 100, 50)
    assert (beyond.min(0).tolist(), beyond.max(0).tolist()) == ([50, 10], [100, 20])
    around = clipped(box(-10, -10, 500, 500), 100, 50)
    assert (around.min(0).tolist(), around.max(0).tolist()) == ([0, 0], [100, 50])
    corner = clipped(points((-10, 5), (5, -10), (40, 40)), 100, 50)
    assert corner.min() == 0
    for outside in (box(100, 0, 5, 5), box(-9, 0, 9, 9), box(0, -20, 9, 9), box(0, 50, 9, 9), box(-0.5, 0, 1, 9)):
        with pytest.raises(UnusableOutlineError, match="lies outside its page of 100 x 50 pixels"):
            clipped(outside, 100, 50)


def test_directions() -> None:
    """Right to left is a script, not upside down; down and up are different quarter turns."""
    angles = {(10, 0): 0, (10, 1): 5.71, (0, 10): 90, (0, -10): -90, (-10, 0): 0, (-10, 1): -5.71, (-10, -1): 5.71}
    for (x, y), wanted in angles.items():
        assert angle_of(points((5, 5), (5 + x, 5 + y))) == pytest.approx(wanted, abs=0.01)
    assert angle_of(None) == angle_of(points((1, 1))) == 0
    assert [turns_of(a) for a in (5, -5, 95, 5.1)] == [(0, 0), (0, 0), (1, 0), (0, 5.1)]
    for x, wanted in ((-9.9, 134.71), (-10, 135), (-10.1, -44.71)):  # left and down, up to 45 degrees from upright
        assert angle_of(points((0, 0), (x, 10))) == pytest.approx(wanted, abs=0.01)
    assert [turns_of(a) for a in (4.9, -4.9, 6, 46, 87, -95, -80)] == [
        (0, 0), (0, 0), (0, 6), (1, -44), (1, 0), (-1, 0), (-1, 10)
    ]  # fmt: skip


def gradient(height: int = 120, width: int = 400) -> NDArray[np.uint8]:
    """Paper that darkens from 240 at the left to 140 at the right."""
    return np.tile(np.rint(np.linspace(240, 140, width)).astype(np.uint8), (height, 1))


def test_what_lies_around_is_painted_like_the_paper_beside_it() -> None:
    """The strokes of the next line vanish, the line's own stay, and there is no edge where the outline runs."""
    page = gradient()
    page[50:60, 30:370:4] = 10  # the line
    page[36:39, 30:190] = 0  # of the line above, within the bounding box
    page[78:84, 30:370] = 0  # of the line below
    outline = points((20, 40), (200, 40), (200, 36), (380, 36), (380, 70), (200, 70), (200, 75), (20, 75))
    outline = np.concatenate([outline, points((20, 84))])  # a corner down to the next line
    line = pixels(cut(page, outline, 0.0))
    assert line.shape == (48, 360)
    painted = line[42:48, 200:]
    assert np.abs(painted.astype(int) - gradient()[0, 220:380]).max() <= 10
    assert (line[14:24, 10:350:4] == 10).all()
    assert line[:14].min() >= 130
    assert np.abs(np.diff(line[:8].astype(int), axis=0)).max() <= 10
    assert np.abs(np.diff(line[36:].astype(int), axis=0)).max() <= 10


@pytest.mark.parametrize("paper", [250, 40])
def test_dark_paper_stays_dark(paper: int) -> None:
    page = np.full((60, 200), paper, dtype=np.uint8)
    page[20:40, 20:180:7] = 255 - paper
    page[10:13, 150:] = page[47:50, :50] = 255 - paper  # of other lines
    line = pixels(cut(page, points((10, 10), (190, 16), (190, 50), (10, 44)), 0.0))
    assert line[0, -1] == line[-1, 0] == line[-1, 20] == paper


def test_a_slanted_line_becomes_level() -> None:
    """Drawn level, turned by 20 degrees on a page, and cut: the same line again, with the size that was promised."""
    level = drawn(400, 400, lines=7)
    for degrees in (20, -20, 40, -40):
        page = pixels(level.rotate(-degrees, Image.Resampling.BICUBIC, fillcolor=230))
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        turned = (box(130, 195, 140, 30) - 200) @ np.array([(cos, sin), (-sin, cos)]) + 200
        baseline = (points((130, 219), (270, 219)) - 200) @ np.array([(cos, sin), (-sin, cos)]) + 200
        outline = clipped(turned, 400, 400)
        angle = angle_of(baseline)
        assert angle == pytest.approx(degrees)
        line = cut(page, outline, angle)
        assert line.size == cut_size(outline, angle)
        assert abs(line.width - 140) <= 1
        assert abs(line.height - 30) <= 1
        found = pixels(line)[:29, :139].ravel()
        alike = [  # the frame begins up to a pixel earlier
            np.corrcoef(found, pixels(level)[195 - y :, 130 - x :][:29, :139].ravel())[0, 1]
            for x in (0, 1)
            for y in (0, 1)
        ]
        assert max(alike) > 0.9


def test_vertical_lines_are_turned_by_a_quarter() -> None:
    """Downwards and upwards, pixel by pixel; a line that is nearly vertical is turned the rest of the way."""
    level = drawn()
    line = pixels(level)[45:75, 45:355]
    for rotate, left, ends in ((-1, 300 - 75, ((0, 0), (0, 300))), (1, 45, ((0, 300), (0, 0)))):
        page = np.ascontiguousarray(np.rot90(pixels(level), rotate))
        outline = box(left, 45, 30, 310)
        angle = angle_of(points(*ends))
        assert cut_size(outline, angle) == (310, 30)
        assert np.array_equal(pixels(cut(page, outline, angle)), line)
    assert cut_size(box(0, 0, 30, 310), 80.0)[0] > 300


def test_a_slanted_line_at_the_edge_of_the_page_has_no_dark_rim() -> None:
    page = np.full((100, 200), 220, dtype=np.uint8)
    outline = clipped(points((-30, -20), (250, 60), (240, 110), (-40, 30)), 200, 100)
    line = pixels(cut(page, outline, 16.0))
    assert line.min() == line.max() == 220


def test_any_outline_gives_what_was_promised() -> None:
    """Slivers, stars, outlines across the edge, at any angle: the size is right, and white paper stays white."""
    rng = np.random.default_rng(0)
    page = np.full((60, 90), 255, dtype=np.uint8)
    cuts = 0
    for _ in range(600):
        spread = rng.choice([2, 10, 80])
        outline = np.round(
            rng.uniform(-20, 100, 2) + rng.uniform(0, spread, (rng.integers(3, 9), 2)), rng.integers(0, 3)
        )
        try:
            outline = clipped(outline, 90, 60)
        except UnusableOutlineError:
            continue
        angle = float(rng.choice([0, 3, 90, -90, rng.uniform(-135, 135)]))
        line = cut(page, outline, angle)
        assert line.size == cut_size(outline, angle)
        assert line.getextrema() == (255, 255)
        cuts += 1
    assert cuts > 200


def test_bands_follow_the_distance_of_lines() -> None:
    baselines: list[Points | None] = [points((50, y), (350, y)) for y in (100, 140, 180, 260)]
    baselines += [None, points((5, 5)), points((500, 200), (600, 200))]  # the last stands beside them
    found = bands(baselines, [10] * 7, 1000)
    heights = [None if b is None else round(float(np.ptp(b[:, 1])), 3) for b in found]
    assert heights == [40, 40, 40, 60, None, None, 40]  # 80 is more than one and a half of the usual
    first = found[0]
    assert first is not None
    assert (first.min(0).tolist(), first.max(0).tolist()) == ([44, 70], [356, 110])
    turned = bands([points((350, 100), (50, 100))], [10], 1000)[0]  # right to left, alone: 30 a character, 72 high
    assert turned is not None
    assert [*turned.min(0).tolist(), *turned.max(0).tolist()] == pytest.approx([39.2, 46, 360.8, 118])
    assert bands([], [], 100) == []
    vertical = bands([points((100, 50), (100, 350)), points((160, 50), (160, 350))], [9, 9], 1000)[1]
    assert vertical is not None  # 60 wide: three quarters of it to the right, where downward text has its tops
    assert (vertical.min(0)[0], vertical.max(0)[0]) == pytest.approx((145, 205))


def height_of(baselines: list[Points | None], lengths: list[int], page_height: float) -> float:
    band = bands(baselines, lengths, page_height)[0]
    assert band is not None
    return round(float(np.ptp(band[:, 1])), 3)


def test_bands_of_few_lines_have_a_height_within_bounds() -> None:
    alone = points((0, 100), (100, 100))
    assert [height_of([alone], [n], 400) for n in (100, 10, 1, 0)] == [8, 24, 100, 100]  # 8 .. a quarter of the page
    for apart, height in ((3.9, 24), (4, 4)):  # nearer ones are the same line
        assert height_of([alone, points((0, 100 + apart), (100, 100 + apart))], [10, 10], 400) == height
    for left, height in ((50, 30), (51, 24)):  # a neighbour begins or ends beside its half
        assert height_of([alone, points((left, 130), (100 + left, 130))], [10, 10], 400) == height
    rows: list[Points | None] = [points((0, 1000 + y), (100, 1000 + y)) for y in (0, 100, 120, 140, 160)]
    assert height_of(rows, [10] * 5, 4000) == 30  # one and a half of the usual 20
    near: list[Points | None] = [points((0, y), (100, y)) for y in (100, 105, 200, 300, 400, 500, 600)]
    assert height_of(near, [10] * 7, 4000) == 50  # half of the usual 100
    for length, usable in ((1, True), (0.9, False)):
        assert (bands([points((100, 5), (100 + length, 5))], [1], 400)[0] is not None) == usable


def test_neighbours_are_looked_for_nearby_in_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    far = points((900, 500), (901.5, 500))  # stands beside nothing
    rows: list[Points | None] = [points((0, 100), (100, 100)), far, points((0, 140), (100, 140)), far]
    for near, heights in ((2, [40, 40, 40, 40]), (1, [24, 3.6, 24, 3.6])):
        monkeypatch.setattr(bands_module, "_NEAR", near)
        found = [round(float(np.ptp(b[:, 1])), 3) for b in bands(rows, [10] * 4, 4000) if b is not None]
        assert found == [max(height, 8) for height in heights]


def test_a_curved_baseline_is_followed() -> None:
    band = bands([points((0, 100), (100, 120), (200, 100)), points((0, 140), (200, 140))], [9, 9], 500)[0]
    assert band is not None
    assert [round(y, 1) for y in band[:, 1].tolist()] == [70, 90, 70, 110, 130, 110]


def test_slants_in_files(tmp_path: Path) -> None:
    """From the XML to the picture: the size is known without decoding."""
    page = Image.new("L", (400, 300), 230)
    draw = ImageDraw.Draw(page)
    for x in range(60, 340, 8):
        y = 100 + (x - 60) * math.tan(math.radians(10))
        draw.rectangle((x, y, x + 3, y + 15), fill=20)
    slope = 280 * math.tan(math.radians(10))
    coords = f"50,90 345,{90 + slope:.0f} 345,{125 + slope:.0f} 50,125"
    baseline = f"60,116 340,{116 + slope:.1f}"
    source = open_source(saved(tmp_path, page_xml(page_line(0, "x", coords, baseline)), page))
    (tmp_path / "p1.png").rename(tmp_path / "hidden")
    size = source.size(0)
    (tmp_path / "hidden").rename(tmp_path / "p1.png")
    line = source.picture(0)
    assert line.size == size
    ink = np.nonzero((pixels(line) < 100).any(1))[0]
    assert np.ptp(ink) <= 19  # 16 high, and level


def test_frames_of_pixels() -> None:
    """Every pixel that an outline touches; a quarter turn swaps width and height, a slant does not."""
    outline = points((10.2, 5.5), (30.0, 5.5), (30.1, 12.0), (10.2, 12.0))
    assert cut_size(outline, 0) == cut_size(outline, 180) == (21, 7)
    assert cut_size(outline, 90) == cut_size(outline, -90) == cut_size(outline, 94) == (7, 21)
    assert cut_size(box(0, 0, 100, 10), 45) == (78, 79)
    assert cut_size(box(0, 0, 100, 10), 6) == (101, 21)  # along the line, and down from it
    assert cut_size(box(0, 0, 100, 10), 96) == (21, 101)


def test_an_upright_line_is_cut_pixel_by_pixel() -> None:
    page = np.arange(40 * 60, dtype=np.uint8).reshape(40, 60)
    line = pixels(cut(page, box(10, 5, 20, 8), 0.0))
    assert np.array_equal(line, page[5:13, 10:30])
    assert np.array_equal(pixels(cut(page, box(10, 5, 20, 8), 90.0)), np.rot90(page[5:13, 10:30], 1))
    assert np.array_equal(pixels(cut(page, box(10, 5, 20, 8), -90.0)), np.rot90(page[5:13, 10:30], -1))
    assert np.array_equal(pixels(cut(page, box(10, 5, 20, 8), 5.0)), page[5:13, 10:30])  # not worth a resampling


def test_paper_is_taken_in_pieces_along_the_line() -> None:
    """Left half of the paper 200, right half 100: each side is painted like its own, blended in between."""
    page = np.full((40, 256), 200, dtype=np.uint8)
    page[:, 128:] = 100
    outline = points((0, 20), (256, 20), (256, 40), (0, 40), (0, 0))  # a spike at the left up to the top
    line = pixels(cut(page, clipped(np.concatenate([outline, points((1, 20))]), 256, 40), 0.0))
    top = line[0, 4:].astype(int)
    assert set(top[:84].tolist()) == {200}
    assert set(top[160:].tolist()) == {100}
    assert (np.diff(top) <= 0).all()
    assert np.array_equal(line[24:, :], page[24:, :])


def test_points_may_stand_in_brackets_or_alone() -> None:
    with pytest.raises(UnusableOutlineError) as caught:
        read_points("1,2 3,x" + " 4" * 50)
    assert (
        str(caught.value)
        == f"has coordinates that are not pairs of numbers ({('1,2 3,x' + ' 4' * 50)[:40]!r}); x,y x,y ..."
    )
    assert box(1, 2, 3, 4).tolist() == [[1, 2], [4, 2], [4, 6], [1, 6]]
    assert angle_of(points((0, 0), (5, 9), (10, 0))) == 0  # from the first to the last point


def test_neighbours_are_told_by_their_middles_and_across_the_line() -> None:
    alone = points((0, 100), (100, 100))
    for left, right, height in ((60, 80, 30), (-20, 0, 24), (-10, 10, 30), (90, 110, 30), (92, 112, 24)):
        assert height_of([alone, points((left, 130), (right, 130))], [10, 10], 400) == height
    for down in (40.0, -40.0):  # at 45 degrees
        other = points((0, 0), (100, 100)) + np.array((-down, down)) / math.sqrt(2)
        band = bands([points((0, 0), (100, 100)), other], [10, 10], 4000)[0]
        assert band is not None
        assert math.dist(band[0], band[3]) == pytest.approx(40)
        assert np.allclose(band[0] + band[1], np.array((100, 100)) + np.array((30, -30)) * math.sqrt(2))


@pytest.mark.parametrize("angle", [0.0, 3.0, 20.0, -20.0, 90.0, -90.0, 70.0, -100.0])
def test_a_stretch_of_a_line_is_where_its_columns_come_from(angle: float) -> None:
    """A mark drawn there is all that these columns show."""
    radians = math.radians(angle if turns_of(angle)[1] else 90 * turns_of(angle)[0])
    along, down = np.array([math.cos(radians), math.sin(radians)]), np.array([-math.sin(radians), math.cos(radians)])
    middle = np.array([150.0, 150.0])
    outline = np.array([middle + along * x + down * y for x, y in ((-100, -20), (100, -20), (100, 20), (-100, 20))])
    outline = clipped(outline, 300, 300)
    part = stretch_of(outline, angle, 50, 80)
    page = Image.new("L", (300, 300), 230)
    ImageDraw.Draw(page).polygon([(x, y) for x, y in part.tolist()], fill=20)
    dark = pixels(cut(pixels(page), outline, angle)).min(0) < 125
    columns = np.nonzero(dark)[0]
    assert abs(columns.min() - 50) <= 2
    assert abs(columns.max() - 80) <= 2
    whole = stretch_of(outline, angle, 0, cut_size(outline, angle)[0])
    assert np.abs(np.sort(whole, 0) - np.sort(outline, 0)).max() < 0.2
    assert len(stretch_of(outline, angle, 900, 950)) == 0
