"""Two lines as one: both texts and pictures, the width that was planned, the same again in any process."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from tests_support import ListSource, settings

from crnn.core.charset import Charset, required_steps
from crnn.core.transform import LineTransform
from crnn.data.batching import LineKey, WidthBatches
from crnn.data.dataset import LineDataset
from crnn.data.join import JOINING, Joined
from crnn.data.module import PreparedLines, concatenated, mixed
from crnn.data.sources.base import LineEntry, LineSource
from crnn.errors import ConfigError

LINES = 60
TRANSFORM = LineTransform(32)
CHARSET = Charset.from_texts(["0123456789 "])


def source() -> ListSource:
    return ListSource([LineEntry(f"{i:02d}", f"labels.tsv:{i}", f"{i}.png") for i in range(LINES)])


def sizes(lines: LineSource) -> np.ndarray:
    return np.array([lines.size(i) for i in range(len(lines))], dtype=np.int32)


def join(
    lines: LineSource, share: float = 0.5, charset: Charset = CHARSET, max_width: int = 4096, epochs: int = 8
) -> Joined:
    return Joined(lines, charset, TRANSFORM, share, max_width, 7, epochs)


def texts(view: Joined, epoch: int) -> list[str]:
    return [view.entry(epoch * LINES + line).text for line in range(LINES)]


def test_every_line_comes_once_and_some_have_another_behind() -> None:
    view = join(source())
    assert isinstance(view, LineSource)
    assert len(view) == LINES
    seen = []
    for epoch in range(6):
        found = texts(view, epoch)
        assert [text[:2] for text in found] == [f"{i:02d}" for i in range(LINES)]
        longer = [text for text in found if len(text) > 2]
        assert 15 < len(longer) < 45
        assert all(text[2] == " " and len(text) == 5 for text in longer)
        seen.append(found)
    assert len({tuple(found) for found in seen}) == 6
    assert texts(join(source(), 1.0), 0) != texts(join(source(), 1.0), 1)
    assert all(len(text) == 5 for text in texts(join(source(), 1.0), 0))


def test_the_picture_holds_both_and_its_width_is_the_planned_one() -> None:
    plain, view = source(), join(source())
    for epoch in (0, 3):
        planned = TRANSFORM.scaled_widths(view.sizes(epoch, sizes(plain)))
        for line in range(LINES):
            position = epoch * LINES + line
            entry, picture = view.entry(position), view.picture(position)
            assert TRANSFORM.scaled_width(*picture.size) == planned[line]
            assert picture.size == view.size(position)
            parts = [int(text) for text in entry.text.split()]
            assert parts[0] == line
            if len(parts) == 1:
                assert picture.size == plain.size(line)
                continue
            pixels = np.asarray(picture)
            own = [
                np.asarray(TRANSFORM.resize(plain.picture(i), TRANSFORM.scaled_width(*plain.size(i)))) for i in parts
            ]
            assert np.array_equal(pixels[:, : own[0].shape[1]], own[0])
            assert np.array_equal(pixels[:, -own[1].shape[1] :], own[1])
            gap = pixels.shape[1] - own[0].shape[1] - own[1].shape[1]
            assert 12 <= gap <= 24
            assert gap % 4 == 0
            papers = [float(np.median(part[[0, -1]])) for part in own]
            between = pixels[:, own[0].shape[1] : -own[1].shape[1]]
            assert np.array_equal(between, np.tile(np.rint(np.linspace(*papers, gap)).astype(np.uint8), (32, 1)))
            assert entry.where == f"labels.tsv:{parts[0]} + labels.tsv:{parts[1]}"


@pytest.mark.parametrize(
    ("height", "text", "gaps"),
    [
        (64, "0123456789 ", [16, 32, 48]),  # a quarter to three quarters of the height
        (64, "0123456789", [8, 12, 16]),  # an eighth to a quarter
        (32, "0123456789 ", [12, 16, 24]),  # three columns at least
        (16, "0123456789", [4, 4, 4]),
    ],
)
def test_widths_of_gaps(height: int, text: str, gaps: list[int]) -> None:
    view = Joined(source(), Charset.from_texts([text]), LineTransform(height), 0.5, 4096, 7, 8)
    assert view._gaps(np.array([0.0, 0.5, 1.0])).tolist() == gaps


def test_without_a_space_in_the_charset_nothing_is_put_between() -> None:
    digits = Charset.from_texts(["0123456789"])
    found = texts(join(source(), 1.0, digits), 2)
    assert all(len(text) == 4 for text in found)
    assert not digits.unknown("".join(found))


def test_what_would_be_too_wide_or_cannot_be_written_stays_apart() -> None:
    plain, view = source(), join(source(), 1.0, max_width=160)
    planned = TRANSFORM.scaled_widths(view.sizes(0, sizes(plain)))
    found = texts(view, 0)
    assert planned.max() <= 160
    assert {len(text) for text in found} == {2, 5}
    for line, text in enumerate(found):
        assert TRANSFORM.scaled_width(*view.picture(line).size) == planned[line]
        assert (len(text) == 5) == (planned[line] > TRANSFORM.scaled_width(*plain.size(line)))
    marked = Charset.from_texts(["e", "\u0301"])  # together they would be another character
    assert marked.unknown("e\u0301")
    lines = ListSource([LineEntry(text, "x:1", "x") for text in ["e", "\u0301"] * 10])
    assert all(not marked.unknown(entry.text) for entry in map(join(lines, 1.0, marked).entry, range(20)))


def test_lines_that_are_as_tight_as_can_be_still_fit() -> None:
    charset = Charset.from_texts(["ab "])
    lines = ListSource([LineEntry(" a ", "x", "x")] * LINES)
    lines.size = lambda position: (12, 32)  # type: ignore[method-assign]  # 3 steps for 3 characters
    data = LineDataset(join(lines, 1.0, charset), charset, TRANSFORM)
    for line in range(LINES):
        made = data[LineKey(0, line, 0)]
        assert charset.decode(made.labels) == " a   a "
        assert required_steps(made.labels) <= made.image.shape[2] // 4


def test_no_more_after_the_last_epochs_begin() -> None:
    view = join(source(), 1.0, epochs=3)
    assert [max(map(len, texts(view, epoch))) for epoch in range(5)] == [5, 5, 5, 2, 2]
    assert np.array_equal(view.sizes(3, sizes(source())), sizes(source()))


def test_the_same_in_another_process_and_order() -> None:
    one = LineDataset(join(source()), CHARSET, TRANSFORM)
    two = pickle.loads(pickle.dumps(one))
    keys = [LineKey(epoch, line, 0) for epoch in range(5) for line in range(0, LINES, 7)]
    first = [one[key] for key in keys]
    second = [two[key] for key in reversed(keys)][::-1]
    for a, b in zip(first, second, strict=True):
        assert torch.equal(a.image, b.image)
        assert a[1:] == b[1:]


@pytest.mark.parametrize("weighted", [False, True])
def test_batches_keep_their_number_and_know_the_widths(weighted: bool) -> None:
    plain = source()
    lines = PreparedLines(plain, lambda _: sizes(plain), [])
    if weighted:
        lines = mixed([lines], [0.5], 3)
    prepared = concatenated(lines, join(lines.source, epochs=3))
    data = LineDataset(prepared.source, CHARSET, TRANSFORM)
    batches = WidthBatches(lambda epoch: TRANSFORM.scaled_widths(prepared.sizes(epoch)), 32, 8, 40_000, True, 5)
    counts = []
    for epoch in range(5):
        plan = list(batches.plan(epoch))
        counts.append(len(plan))
        for keys in plan:
            made = data.__getitems__(keys)
            assert max(line.image.shape[2] for line in made) == keys[0].width
            assert all(CHARSET.decode(line.labels) == line.text for line in made)
    assert set(counts) == {len(batches)}


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (("image.width=64",), r"augment\.concat=0\.3: image\.width=64 would squeeze"),
        (("charset.direction=rtl",), r"augment\.concat=0\.3: joins lines that run from left to right"),
    ],
)
def test_where_it_has_no_meaning_it_is_refused(overrides: tuple[str, ...], words: str) -> None:
    settings(*overrides)
    with pytest.raises(ConfigError, match=words):
        settings("augment.concat=0.3", *overrides)


def test_a_pair_just_as_wide_as_allowed_is_joined() -> None:
    plain = source()
    wide = join(plain, 1.0)
    left, right, gap = wide._parts(17)
    assert right is not None
    widths = [TRANSFORM.scaled_width(*plain.size(part)) for part in (left, right)]
    whole = sum(widths) + gap
    assert wide.size(17) == (whole, 32)
    for limit, joined in ((whole, True), (whole - 1, False), (whole + 1, True)):
        view = join(plain, 1.0, max_width=limit)
        assert len(view.entry(17).text) == (5 if joined else 2)
        assert view.size(17) == ((whole, 32) if joined else plain.size(17))
        planned = view.sizes(0, sizes(plain))[17].tolist()
        assert planned == ([whole, 32] if joined else list(plain.size(17)))
        assert view._parts(17) == ((left, right, gap) if joined else (17, None, 0))


def test_who_is_joined_follows_from_seed_and_epoch() -> None:
    view = join(source(), 0.5)
    for epoch in (0, 5):
        rng = np.random.default_rng([7, epoch, *JOINING])
        assert rng.bit_generator.state != np.random.default_rng([7, epoch]).bit_generator.state  # that of batches
        plan = view._plan(epoch)
        assert plan.joined.tolist() == (rng.random(LINES) < 0.5).tolist()
        assert plan.partners.tolist() == rng.permutation(LINES).tolist()
        assert plan.gaps.tolist() == rng.random(LINES).tolist()
        for line in range(0, LINES, 9):
            parts = view._parts(epoch * LINES + line)
            wanted = int(plan.partners[line]), int(view._gaps(plan.gaps)[line])
            assert parts == ((line, *wanted) if plan.joined[line] else (line, None, 0))
    assert not join(source(), 0.0)._plan(0).joined.any()
    assert not join(source(), 1.0, epochs=2)._plan(2).joined.any()
    assert join(source(), 1.0, epochs=2)._plan(1).joined.all()


def test_plans_of_two_epochs_are_kept() -> None:
    view = join(source())
    first, second = view._plan(0), view._plan(1)
    assert view._plan(0) is first
    assert view._plan(1) is second
    assert sorted(view._plans) == [0, 1]
    view._plan(2)
    assert sorted(view._plans) == [1, 2]
    view._plan(1)
    assert view._plan(1) is second
    assert pickle.loads(pickle.dumps(view))._plans == {}


def test_parts_are_of_the_same_epoch() -> None:
    """Of a source that goes on to new lines, those of the epoch; else the same lines again."""
    plain = source()
    assert join(plain).find(LINES + 3) == (plain, 3)
    assert join(plain).name == plain.name
    endless = source()
    endless.endless = True
    endless.entry = lambda position: LineEntry("1", "", "")  # type: ignore[method-assign]
    assert join(endless).find(LINES + 3) == (endless, LINES + 3)
    left, right, _ = join(endless, 1.0)._parts(4 * LINES + 3)
    assert left == 4 * LINES + 3
    assert right is not None
    assert 4 * LINES <= right < 5 * LINES
    entry = join(plain, 1.0).entry(3)
    assert entry.picture == f"3.png + {int(entry.text[3:])}.png"
    assert join(plain, 0.0).entry(3) == plain.entry(3)
    view = join(plain, 1.0)
    assert view.content(3).size == view.size(3)
    assert view.content(3).tobytes() == view.picture(3).tobytes()


def test_sizes_of_lines_alone_are_their_own() -> None:
    plain = source()
    own = sizes(plain)
    planned = join(plain, 0.5).sizes(0, own)
    plan = join(plain, 0.5)._plan(0)
    assert planned.dtype == np.int32
    assert np.array_equal(planned[~plan.joined], own[~plan.joined])
    assert (planned[plan.joined, 1] == 32).all()
    scaled = TRANSFORM.scaled_widths(own)
    wanted = scaled + join(plain)._gaps(plan.gaps) + scaled[plan.partners]
    assert np.array_equal(planned[plan.joined, 0], wanted[plan.joined])
