"""What the settings of `data` make of lines, before the first step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests_support import settings

from crnn.core.transform import LineTransform
from crnn.data.line_cache import CachedLines
from crnn.errors import DataError
from crnn.training.assemble import Assembled, assemble
from crnn.training.run_folder import RunFolder
from crnn.training.start import Start

LINES = 12


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Lines of 32 x 64; the pixels of the third are cut off."""
    lines = tmp_path / "lines"
    lines.mkdir()
    for i in range(LINES):
        Image.effect_noise((64, 32), 50).save(lines / f"{i:02}.png")
    (lines / "labels.tsv").write_text("".join(f"{i:02}.png\tab\n" for i in range(LINES)))
    whole = (lines / "02.png").read_bytes()
    (lines / "02.png").write_bytes(whole[: len(whole) // 2])
    return lines


def assembled(lines: Path, *words: str) -> Assembled:
    run = lines.parent / "run"
    run.mkdir(exist_ok=True)
    config = settings(f"data.train={lines}", f"data.val={lines}", "data.max_dropped=0.5", "data.trim=false", *words)
    config.runs_dir = str(lines.parent / "runs")
    return assemble(config, LineTransform(32), RunFolder(run))


@pytest.mark.parametrize(("decode", "kept"), [("true", LINES - 1), ("false", LINES)])
def test_decode_check_finds_damaged_pixels_before_the_first_step(labelled: Path, decode: str, kept: int) -> None:
    data = assembled(labelled, f"data.decode_check={decode}")
    assert [len(data.train.source), len(data.val.source)] == [kept, kept]
    assert [len(report.dropped) for report in (*data.train.reports, *data.val.reports)] == [LINES - kept] * 2


@pytest.mark.parametrize("cache", ["memory", "disk"])
def test_a_cache_keeps_as_many_lines_as_cache_mb_has_room_for(labelled: Path, cache: str) -> None:
    for megabytes, kept in ((2048, LINES - 1), (3.5 * 32 * 64 / 2**20, 3)):
        data = assembled(labelled, f"data.cache={cache}", f"data.cache_mb={megabytes}")
        for lines in (data.train, data.val):
            assert isinstance(lines.source, CachedLines)
            assert (lines.source.cache.kept, lines.source.cache.bytes) == (kept, kept * 32 * 64)
    files = list((labelled.parent / "runs" / ".lines").glob("lines-*.bin"))
    assert len(files) == (2 if cache == "disk" else 0)  # the same lines on both sides, two bounds


def test_without_a_cache_there_is_none(labelled: Path) -> None:
    assert not isinstance(assembled(labelled).train.source, CachedLines)


def test_rendered_lines_are_as_long_as_they_become_after_short_epochs(tmp_path: Path) -> None:
    config = settings("data.rendered.lines=8", "data.rendered.val_lines=2", "data.rendered.short_epochs=2")
    train = assemble(config, LineTransform(32), RunFolder(tmp_path)).train
    assert train.widest == 2
    assert train.sizes(2) is train.sizes(2)  # laying them out takes a second or so, and they are asked for three times
    assert not np.array_equal(train.sizes(2), train.sizes(0))


def test_characters_of_dropped_lines_are_none(labelled: Path) -> None:
    """Of lines that cannot be used no class comes, and none counts as seen; but for others the settings still hold."""
    texts = ["ab"] * (LINES - 2) + ["abq", "aæb"]
    texts[2] = "xπ"  # its pixels are cut off
    (labelled / "labels.tsv").write_text("".join(f"{i:02}.png\t{text}\n" for i, text in enumerate(texts)))
    data = assembled(labelled, "data.unknown=drop")
    assert "".join(data.charset.symbols) == "abqæ"
    assert data.seen.labels == {"a": LINES - 1, "b": LINES - 1, "q": 1, "æ": 1}
    assert "note: 2 characters come fewer than 5 times" in (labelled.parent / "run" / "train.log").read_text()
    data = assembled(labelled, "data.unknown=drop", "charset.min_count=2", "charset.extra=Z")
    assert "".join(data.charset.symbols) == "Zab"
    assert data.seen.labels == {"a": LINES - 3, "b": LINES - 3}
    said = (labelled.parent / "run" / "train.log").read_text().splitlines()
    assert (
        "note: charset.min_count=2 leaves out 4 characters: 'q' U+0071 (1), 'x' U+0078 (1), 'æ' U+00E6 (1), 'π' U+03C0 "
        "(1); what becomes of their lines is data.unknown"
    ) in said
    (labelled.parent / "own.txt").write_text("abqxyzæ")
    data = assembled(labelled, f"charset.source={labelled.parent / 'own.txt'}")
    assert "".join(data.charset.symbols) == "abqxyzæ"


def test_characters_of_dropped_lines_beside_those_of_a_model(labelled: Path) -> None:
    texts = ["ab"] * (LINES - 1) + ["aπ"]
    texts[2] = "λ"  # its pixels are cut off
    (labelled / "labels.tsv").write_text("".join(f"{i:02}.png\t{text}\n" for i, text in enumerate(texts)))
    own = Start.read("bundled")
    config = own.settle(settings(f"data.train={labelled}", f"data.val={labelled}", "data.max_dropped=0.5"))
    run = labelled.parent / "run"
    run.mkdir()
    data = assemble(config, LineTransform(32), RunFolder(run))
    assert data.charset.symbols == (*own.card.charset.symbols, "π")


@pytest.mark.parametrize(("row", "reason"), [("{}.gif\tab", "there is no such picture"), ("{}.png\t", "empty label")])
def test_lines_without_any_character_are_refused_with_the_reason(labelled: Path, row: str, reason: str) -> None:
    (labelled / "labels.tsv").write_text("".join(f"{row.format(f'{i:02}')}\n" for i in range(LINES)))
    with pytest.raises(DataError) as caught:
        assembled(labelled)
    said = str(caught.value)
    assert f"0 of {LINES} lines kept" in said
    assert reason in said
    assert "charset" not in said


def test_all_characters_that_the_charset_lacks_are_named_at_once(labelled: Path) -> None:
    texts = ["ab"] * (LINES - 3) + ["aé", "é ß", "λ'"]
    (labelled / "labels.tsv").write_text("".join(f"{i:02}.png\t{text}\n" for i, text in enumerate(texts)))
    with pytest.raises(DataError) as caught:
        assembled(labelled, "charset.symbols=ab", "charset.extra=Z")
    assert str(caught.value) == (
        f"{labelled}/labels.tsv:10 and 2 more lines hold 'é' (U+00E9 LATIN SMALL LETTER E WITH ACUTE), ' ' (U+0020 "
        "SPACE), 'ß' (U+00DF LATIN SMALL LETTER SHARP S), 'λ' (U+03BB GREEK SMALL LETTER LAMDA), \"'\" (U+0027 "
        "APOSTROPHE), not among the 3 characters; add with 'charset.extra=Zé ßλ'\"'\"'', or leave such lines out with "
        "data.unknown=drop"
    )
    (labelled / "labels.tsv").write_text("00.png\tab\n01.png\tabcdefgh\n")
    with pytest.raises(
        DataError, match=r"labels\.tsv:2: holds 'c' .*'g' .* and 1 more, not among the 2 .*extra=cdefgh,"
    ):
        assembled(labelled, "charset.symbols=ab")
    data = assembled(labelled, "charset.symbols=ab", "charset.extra=hgfedc")
    assert len(data.charset) == 8
