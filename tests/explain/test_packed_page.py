"""What all pages share: numbers that come back, text that stays text, files that are whole."""

from __future__ import annotations

import base64
import io
import os
from pathlib import Path

import numpy as np
import pytest
from explain_support import Page, unpack
from PIL import Image

from crnn.errors import ConfigError
from crnn.explain.colours import diverging, sequential
from crnn.explain.page import pack, page, palettes, picture_url, suffix_of, visible, write


@pytest.mark.parametrize("bits", [8, 16])
def test_numbers_come_back_to_half_a_step(bits: int) -> None:
    values = np.random.default_rng(0).uniform(-3, 5, (7, 11))
    packed = pack(values, -3, 5, bits)
    assert np.abs(unpack(packed) - values).max() <= 8 / (2**bits - 1) / 2 + 1e-9
    assert unpack(packed).shape == (7, 11)
    assert packed["colours"] == [-3, 5]
    assert unpack(pack(values, -1, 1)).min() == -1  # cut
    assert pack(values, -3, 5, colours=(-1, 1))["colours"] == [-1, 1]


def test_a_picture_is_in_the_page() -> None:
    grey = np.arange(200, dtype=np.uint8).reshape(10, 20)
    head, data = picture_url(grey).split(",")
    assert head == "data:image/png;base64"
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))), grey)


def test_a_page_is_whole_and_loads_nothing() -> None:
    made = page("a <title>", "<main>x</main>", {"label": "</script><script>alert(1)</script>"}, ("line.js",), "zh")
    seen = Page(made)
    assert seen.data["label"] == "</script><script>alert(1)</script>"
    assert set(seen.data["palettes"]) == set(palettes())
    assert seen.tags.count("script") == 2
    assert "a <title>" in seen.text
    assert "default-src 'none'" in made
    assert seen.addresses == []
    assert not any(word in made.replace("http://www.w3.org/2000/svg", "") for word in ("http:", "https:", "@import"))


def test_colours_have_a_neutral_middle_and_rise() -> None:
    for theme, middle in (("light", 240), ("dark", 40)):
        table = diverging(theme).astype(int)
        assert table.shape == (256, 3)
        assert np.ptp(table[127]) < 12
        assert abs(int(table[127].mean()) - middle) < 15
        assert table[:100, 2].mean() > table[:100, 0].mean()  # blue below
        assert table[-100:, 0].mean() > table[-100:, 2].mean()  # orange above
    grey = sequential().astype(float) @ [0.299, 0.587, 0.114]
    assert (np.diff(grey) > -0.51).all()


def test_spaces_can_be_seen() -> None:
    assert visible(" ") == "␣"
    assert visible("\u200b") == "\\u200b"


@pytest.mark.parametrize("name", ["x.pdf", "x", "x.html.gz"])
def test_other_kinds_of_files_are_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"must end in \.html or \.png"):
        suffix_of(name)


def test_files_are_written_whole_or_refused(tmp_path: Path) -> None:
    assert suffix_of(str(tmp_path / "x.HTML")) == ".html"
    write(str(tmp_path / "x.html"), "ü")
    assert (tmp_path / "x.html").read_text(encoding="utf-8") == "ü"
    (tmp_path / "folder.png").mkdir()
    for bad in (tmp_path / "none" / "x.png", tmp_path / "folder.png"):
        with pytest.raises(ConfigError, match="name a file in a folder that is there"):
            suffix_of(str(bad))
    with pytest.raises(ConfigError, match="cannot be written"):
        write(str(tmp_path / "folder.png"), b"x")
    assert sorted(os.listdir(tmp_path)) == ["folder.png", "x.html"]
