"""Loaders of a training: what of its settings reaches batches, datasets and worker processes."""

from __future__ import annotations

import signal
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import numpy as np
import pytest
from numpy.typing import NDArray
from tests_support import ListSource

from crnn.core.charset import Charset
from crnn.core.transform import LineTransform
from crnn.data import module as module_module
from crnn.data.batching import LineKey
from crnn.data.check import CheckReport
from crnn.data.module import LineDataModule, PreparedLines, cached, concatenated, joined, mixed, prepare
from crnn.data.sources.base import LineEntry
from crnn.data.sources.views import Concatenation
from crnn.data.synth.source import synthetic_pair

CHARSET = Charset.from_texts(["0123456789"])
TRANSFORM = LineTransform(32)


def prepared(count: int, letter: str = "1") -> PreparedLines:
    source = ListSource([LineEntry(letter * 2, f"{letter}:{i}", f"{i}.png") for i in range(count)])
    sizes = np.array([source.size(i) for i in range(count)], dtype=np.int32)
    return PreparedLines(source, lambda _: sizes, [])


def made(workers: int = 0, batch_size: int = 4, batch_pixels: int = 10**6, seed: int = 3) -> LineDataModule:
    return LineDataModule(
        prepared(12), prepared(8, "2"), CHARSET, TRANSFORM, None, batch_size, batch_pixels, workers, seed
    )


def test_only_training_lines_are_shuffled_and_widened() -> None:
    module = made()
    assert [len(batch) for batch in module.batches("train").plan(0)] == [4, 4, 4]
    assert all(key.width > 0 for batch in module.batches("train").plan(0) for key in batch)
    assert [[key[1:] for key in batch] for batch in module.batches("val").plan(0)] == [
        [(0, 0), (1, 0), (2, 0), (3, 0)],
        [(4, 0), (5, 0), (6, 0), (7, 0)],
    ]
    train, other = ([batch for batch in made(seed=s).batches("train").plan(0)] for s in (3, 4))
    assert train != other
    assert module.datasets["train"].seed == 3
    assert [module.datasets[side][LineKey(0, 0, 0)].text for side in ("train", "val")] == ["11", "22"]


def test_what_epochs_cost() -> None:
    """Rendered lines are shorter in the first ones; lines that are the same in each need one figure."""
    widths = [TRANSFORM.scaled_width(*made().datasets["train"].source.size(i)) for i in range(12)]
    assert made().efforts() == [pytest.approx(np.mean(widths))]
    source, _ = synthetic_pair(600, 10, fonts="bundled", max_length=24, short_epochs=2)
    module = LineDataModule(
        PreparedLines(source, lambda _: np.ones((600, 2), np.int32), [], widest=3),
        prepared(2),
        CHARSET,
        TRANSFORM,
        None,
        4,
        10**6,
        0,
        3,
    )
    short, longer, whole, same = module.efforts()
    assert short < 0.7 * longer < 0.7 * whole
    assert same == pytest.approx(whole, rel=0.15)


def test_batches_are_planned_for_the_widest_epoch() -> None:
    """Planned for the first, shortest one, later batches would take a multiple of their bound."""
    lines = prepared(12)

    def growing(epoch: int) -> np.ndarray:
        return np.full((12, 2), (32 * min(epoch + 1, 3), 32), dtype=np.int32)

    bound = 4 * 96 * 32
    train = PreparedLines(lines.source, growing, [], widest=2)
    module = LineDataModule(train, prepared(2), CHARSET, TRANSFORM, None, 12, bound, 0, 3)
    for epoch in range(4):
        assert [len(batch) for batch in module.batches("train").plan(epoch)] == [4, 4, 4]


def test_a_mixture_is_widest_when_its_rendered_lines_are() -> None:
    source = synthetic_pair(8, 2, fonts="bundled")[0]
    parts = [prepared(4), PreparedLines(source, lambda _: np.ones((8, 2), np.int32), [], widest=3)]
    assert [mixed(parts, [1.0, weight], 1).widest for weight in (0.5, 1.0, 2.0, 3.0)] == [6, 3, 2, 1]
    assert concatenated(parts[1], Mock()).widest == 3


def test_bounds_of_batches_and_processes() -> None:
    assert [len(b) for b in made(batch_size=5).batches("val").plan(0)] == [5, 3]
    widest = TRANSFORM.scaled_width(27, 16)
    assert [len(b) for b in made(batch_size=50, batch_pixels=8 * widest * 32).batches("val").plan(0)] == [8]
    assert len(list(made(batch_size=50, batch_pixels=8 * widest * 32 - 1).batches("val").plan(0))) == 2
    assert len(made().batches("train", processes=3)) == 1
    module = made()
    module.trainer = SimpleNamespace(global_rank=1, world_size=2)  # type: ignore[assignment]
    one = module.batches("val")
    assert [[key.line for key in batch] for batch in one] == [[4, 5, 6, 7]]


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
@pytest.mark.parametrize(("workers", "train", "val"), [(0, 0, 0), (1, 1, 1), (2, 2, 2), (3, 3, 2)])
def test_workers(workers: int, train: int, val: int) -> None:
    module = made(workers)
    loaders = module.train_dataloader(), module.val_dataloader()
    assert [loader.num_workers for loader in loaders] == [train, val]
    assert [loader.persistent_workers for loader in loaders] == [workers > 0] * 2
    assert not any(loader.pin_memory for loader in loaders)
    assert all(loader.worker_init_fn is module_module._ignore_signals for loader in loaders)


def test_pictures_are_pinned_for_a_graphics_card_alone() -> None:
    for kind in ("cuda", "cpu"):
        module = made()
        device = SimpleNamespace(root_device=SimpleNamespace(type=kind))
        module.trainer = SimpleNamespace(global_rank=0, world_size=1, strategy=device)  # type: ignore[assignment]
        assert module.val_dataloader().pin_memory is (kind == "cuda")


def test_workers_leave_signals_to_the_main_process(monkeypatch: pytest.MonkeyPatch) -> None:
    set_to: dict[int, object] = {}
    monkeypatch.setattr(signal, "signal", set_to.__setitem__)
    module_module._ignore_signals(0)
    assert set_to == {signal.SIGINT: signal.SIG_IGN, signal.SIGTERM: signal.SIG_IGN}


def test_goes_on_in_the_epoch_and_at_the_batch() -> None:
    module = made()
    module.load_state_dict({"epoch": 2, "batches": 1})
    wanted = list(module.batches("train").plan(2))[1:]
    assert list(module.train_dataloader().batch_sampler) == wanted  # type: ignore[arg-type]
    assert len(list(module.val_dataloader())) == 2


def test_a_training_begins_at_the_first_batch() -> None:
    module = made()
    wanted = list(module.batches("train").plan(0))
    assert list(module.train_dataloader().batch_sampler) == wanted  # type: ignore[arg-type]


def test_where_a_training_is() -> None:
    module = made()

    def at(epoch: int, batches: int, of: int) -> dict[str, int]:
        def done(count: int) -> SimpleNamespace:
            return SimpleNamespace(current=SimpleNamespace(processed=count))

        loop = SimpleNamespace(epoch_progress=done(epoch), epoch_loop=SimpleNamespace(batch_progress=done(batches)))
        module.trainer = SimpleNamespace(fit_loop=loop, num_training_batches=of)  # type: ignore[assignment]
        return module.state_dict()

    assert at(3, 4, 10) == {"epoch": 3, "batches": 4, "of": 10}
    assert at(3, 10, 10) == {"epoch": 3, "batches": 0, "of": 10}  # at the end of an epoch the next one begins
    assert at(3, 11, 10) == {"epoch": 3, "batches": 1, "of": 10}
    assert at(0, 0, 0) == {"epoch": 0, "batches": 0, "of": 1}


def test_sources_one_after_the_other() -> None:
    one, two = prepared(3), prepared(5, "2")
    assert joined([one]) is one
    both = joined([one, two])
    assert isinstance(both.source, Concatenation)
    assert [both.source.entry(i).text for i in range(8)] == ["11"] * 3 + ["22"] * 5
    assert both.sizes(7).tolist() == [*one.sizes(0).tolist(), *two.sizes(0).tolist()]


def test_endless_sources_have_no_cache() -> None:
    lines = prepared(3)
    assert cached(lines, TRANSFORM, 10**6, None).source.picture(1).size == (TRANSFORM.scaled_width(21, 16), 32)
    lines.source.endless = True  # type: ignore[misc]
    assert cached(lines, TRANSFORM, 10**6, None) is lines


def test_lines_are_checked_before_a_training() -> None:
    source = ListSource([LineEntry(text, f"l:{i}", f"{i}.png") for i, text in enumerate(("1", "", "x", "22", "3"))])
    seen: list[int] = []

    def watch(positions):  # type: ignore[no-untyped-def]
        for position in positions:
            seen.append(position)
            yield position

    lines = prepare(source, TRANSFORM, CHARSET, True, watch)
    assert [lines.source.entry(i).text for i in range(len(lines.source))] == ["1", "22", "3"]
    assert lines.sizes(0).tolist() == lines.sizes(5).tolist() == [[20, 16], [23, 16], [24, 16]]
    [report] = lines.reports
    assert [dropped.where for dropped in report.dropped] == ["l:1", "l:2"]
    assert sorted(source.opened) == seen == [0, 1, 2, 3, 4]
    assert report.hashes.all()
    source.opened.clear()
    headers = prepare(source, TRANSFORM, None, False, iter, max_width=TRANSFORM.scaled_width(22, 16))
    assert [headers.source.entry(i).text for i in range(len(headers.source))] == ["1", "x"]
    assert source.opened == []


@pytest.mark.parametrize(("cores", "threads"), [(None, 1), (1, 1), (3, 3), (8, 8), (64, 8)])
def test_pictures_are_looked_at_on_all_cores_up_to_eight(
    cores: int | None, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[object, ...]] = []
    report = CheckReport("x", np.array([1]), np.array([[9, 16]], dtype=np.int32))
    monkeypatch.setattr(module_module, "check_lines", lambda *given: asked.append(given) or report)
    monkeypatch.setattr(module_module.os, "cpu_count", lambda: cores)
    source = prepared(3).source
    lines = prepare(source, TRANSFORM, CHARSET, False, iter, 99)
    assert asked == [(source, TRANSFORM, CHARSET, False, 99, threads, iter, None, False, False)]
    assert (len(lines.source), lines.source.entry(0).where, lines.reports) == (1, "1:1", [report])


def test_lines_that_stay_have_the_sizes_of_the_first_epoch() -> None:
    def first(count: int) -> PreparedLines:
        lines = prepared(count)
        return PreparedLines(lines.source, {0: lines.sizes(0)}.__getitem__, [])

    assert len(joined([first(3), first(2)]).sizes(4)) == 5
    assert len(mixed([first(3), first(2)], [1, 1], seed=1).sizes(4)) == 5
    assert len(cached(first(3), TRANSFORM, 10**6, None).source) == 3


def test_processes_share_the_checking() -> None:
    class Alone:
        rank = local_rank = 0
        world = 2

        def exchange(self, mine: bytes) -> list[bytes]:
            return [mine, mine]

    source = prepared(6).source
    lines = prepare(source, TRANSFORM, None, True, iter, None, Alone())  # type: ignore[arg-type]
    assert sorted(source.opened) == [0, 1, 2]  # type: ignore[attr-defined]
    assert lines.sizes(0).tolist() == [[20, 16], [21, 16], [22, 16]] * 2


class Endless(ListSource):
    """A new line for every position."""

    endless = True

    def entry(self, position: int) -> LineEntry:
        return LineEntry("77", f"e:{position}", f"{position}.png")

    def size(self, position: int) -> tuple[int, int]:
        return 100 + position, 16


def endless(count: int) -> PreparedLines:
    source = Endless([LineEntry("", "", "")] * count)

    def sizes(epoch: int) -> NDArray[np.int32]:
        return np.array([source.size(epoch * count + i) for i in range(count)], dtype=np.int32)

    return PreparedLines(source, sizes, [])


@pytest.mark.parametrize("weights", [(1, 1, 1), (0.5, 2.4, 1), (3, 0.25, 2.5), (1, 1, 0.3)])
def test_sizes_of_a_mixture_are_those_of_its_lines(weights: tuple[float, ...]) -> None:
    lines = mixed([prepared(4), prepared(7, "2"), endless(5)], weights, seed=2)
    for epoch in range(5):
        start = epoch * len(lines.source)
        wanted = [lines.source.size(start + i) for i in range(len(lines.source))]
        assert list(map(tuple, lines.sizes(epoch).tolist())) == wanted
    texts = [lines.source.entry(i).text for i in range(len(lines.source))]
    assert [texts.count(text) for text in ("11", "22", "77")] == [
        round(w * n) for w, n in zip(weights, (4, 7, 5), strict=True)
    ]
    assert [len(part.reports) for part in (lines, prepared(3))] == [0, 0]


def test_reports_of_all_parts_are_kept() -> None:
    parts = [
        PreparedLines(lines.source, lines.sizes, [CheckReport(str(i))])
        for i, lines in enumerate((prepared(3), prepared(2)))
    ]
    for both in (joined(parts), mixed(parts, [1, 1], 0)):
        assert [report.source for report in both.reports] == ["0", "1"]
    view = SimpleNamespace(sizes=lambda epoch, sizes: sizes[::-1] + epoch)
    side_by_side = concatenated(joined(parts), view)  # type: ignore[arg-type]
    assert side_by_side.source is view
    assert side_by_side.sizes(3).tolist() == (joined(parts).sizes(0)[::-1] + 3).tolist()
    assert [report.source for report in side_by_side.reports] == ["0", "1"]
    again = cached(joined(parts), TRANSFORM, 10**6, None)
    assert [report.source for report in again.reports] == ["0", "1"]
    assert again.sizes(0).tolist() == joined(parts).sizes(0).tolist()


def test_caches_of_other_lines_are_others(tmp_path: Path) -> None:
    reports = [CheckReport("a"), CheckReport("b")]
    for fingerprints, files in ((("1", "2"), 1), (("1", "2"), 1), (("12", ""), 2), (("2", "1"), 3)):
        for report, fingerprint in zip(reports, fingerprints, strict=True):
            report.fingerprint = fingerprint
        cached(PreparedLines(prepared(3).source, prepared(3).sizes, reports), TRANSFORM, 10**6, tmp_path)
        assert len(list(tmp_path.iterdir())) == files


def test_lines_of_unknown_pixels_are_kept_in_memory(tmp_path: Path) -> None:
    """Nothing tells whether a file on disk is of these pictures, if they were not decoded."""
    lines = prepared(3)
    for hashes, files in (([1, 0, 1], 0), ([1, 2, 1], 1)):
        report = CheckReport("a", fingerprint="1", hashes=np.array(hashes, dtype=np.uint64))
        view = cached(PreparedLines(lines.source, lines.sizes, [report]), TRANSFORM, 10**6, tmp_path).source
        assert [view.picture(i).height for i in range(3)] == [32] * 3
        assert len(list(tmp_path.iterdir())) == files
