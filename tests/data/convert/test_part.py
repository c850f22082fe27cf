"""``DST.part``: one process at a time, only what belongs together, and nothing left behind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from given_lines import given, into, save_often

from crnn.data.convert import convert
from crnn.data.convert.part import Part, State
from crnn.errors import DataError

JOB = {"source files": "abc", "--to": "tar"}


def stopped(target: Path, to: str = "tar") -> Path:
    """The folder of a conversion that was stopped at line 33."""
    with pytest.raises(KeyboardInterrupt):
        into(given(50, stop_at=33), target, to)
    return target.with_name(f"{target.name}.part")


def test_one_process_at_a_time(tmp_path: Path) -> None:
    """Whether it is in this process or another; the lock goes with its process, however that ends."""
    with Part(tmp_path / "out", JOB).held():
        for _ in range(2):
            with pytest.raises(DataError, match="out: another process is writing it; wait for it, or stop it"):
                into(given(5), tmp_path / "out", "gt")
        code = (
            "import sys; from pathlib import Path; from crnn.data.convert.part import Part\n"
            f"with Part(Path({str(tmp_path / 'out')!r}), {JOB}).held(): print('held')"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert "another process is writing it" in done.stderr
    with Part(tmp_path / "out", JOB).held() as state:
        assert state.next == 0


def test_a_target_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert into(given(5), tmp_path / "out", "gt").lines == 5
    for target, to in ((tmp_path / "out", "gt"), (tmp_path / "x.tar", None)):
        (tmp_path / "x.tar").write_text("mine")
        with pytest.raises(DataError, match=r": is there already; name another place, or delete it$"):
            into(given(5), target, to)
    assert (tmp_path / "x.tar").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "x.tar"]


def test_a_target_that_came_in_between(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_often(monkeypatch)
    stopped(tmp_path / "out")
    (tmp_path / "out").write_text("mine")
    with pytest.raises(DataError, match="out: is there already"):
        into(given(50), tmp_path / "out", "tar")
    (tmp_path / "out").unlink()
    assert into(given(50), tmp_path / "out", "tar").resumed_at > 0


def test_other_options_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_often(monkeypatch)
    part = stopped(tmp_path / "out")
    with pytest.raises(
        DataError, match=r"out\.part: holds a conversion that was stopped after 32 lines and had other --to;"
    ):
        into(given(50), tmp_path / "out", "gt")
    with pytest.raises(DataError, match="other --shard-size and lines; to begin anew, delete it"):
        convert(lambda _: given(50), tmp_path / "out", "tar", {"lines": "others"}, 1234)
    assert into(given(50), tmp_path / "out", "tar").resumed_at > 0
    assert not part.exists()


@pytest.mark.parametrize("state", [None, "", "{}", "[]", '{"format": 1, "what": 2}', '{"format": 99, "job": {}}'])
def test_some_other_folder(state: str | None, tmp_path: Path) -> None:
    (tmp_path / "out.part").mkdir()
    (tmp_path / "out.part" / ("notes.txt" if state is None else "state.json")).write_text(state or "")
    with pytest.raises(
        DataError, match=r"out\.part: is no conversion that this version can go on with; delete or move"
    ):
        into(given(5), tmp_path / "out", "gt")
    assert len(list((tmp_path / "out.part").iterdir())) == 2  # and the lock


def test_killed_before_anything_was_noted(tmp_path: Path) -> None:
    (tmp_path / "out.part").mkdir()
    (tmp_path / "out.part" / "lock").touch()
    (tmp_path / "out.part" / ".state.json.x7").touch()
    assert into(given(5), tmp_path / "out", "gt").lines == 5


def test_a_failure_before_the_first_line_leaves_nothing(tmp_path: Path) -> None:
    def refuse(cache: Path) -> None:
        assert cache.parent.is_dir()
        raise DataError("is damaged")

    with pytest.raises(DataError, match="is damaged"):
        convert(refuse, tmp_path / "out", "gt")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_the_table_of_an_earlier_result_goes(tmp_path: Path) -> None:
    done = into(given(30), tmp_path / "a.tar")
    assert done.skipped
    done.target.unlink()
    into(given(5), tmp_path / "a.tar")
    assert not done.skipped.exists()


def test_a_table_that_is_not_ours_stays(tmp_path: Path) -> None:
    """Said before the first line, not after the last."""
    (tmp_path / "b.tar.skipped.tsv").write_text("mine")
    with pytest.raises(
        DataError, match=r"b\.tar\.skipped\.tsv: is there already and would be the table of lines left out"
    ):
        into(given(30, stop_at=0), tmp_path / "b.tar")
    assert (tmp_path / "b.tar.skipped.tsv").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_name_too_long_for_its_table(tmp_path: Path) -> None:
    """Some systems take 255 bytes: the target's name fits, that of the table does not."""
    with pytest.raises(DataError, match=r"n…: cannot be written \(File name too long\)"):
        into(given(30, stop_at=0), tmp_path / ("n" * 250), "gt")
    assert list(tmp_path.iterdir()) == []


def test_the_state_is_plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_often(monkeypatch)
    state = json.loads((stopped(tmp_path / "out") / "state.json").read_text())
    assert state["format"] == 1  # of a released version: its conversions are gone on with
    assert (state["next"], state["written"], sorted(state["writer"])) == (32, 30, ["shard", "size"])
    assert state["left_out"] == {"unusable row": 1, "unreadable picture": 1}


def test_stopped_while_the_result_was_put_in_place(tmp_path: Path) -> None:
    """The result is where it belongs and only the folder beside it is left; or both are there, which are not one."""
    part = Part(tmp_path / "out", {"a": "1"})
    with part.held() as state:
        state.fingerprint, state.next, state.written = "f" * 16, 3, 3
        part.save()
    (tmp_path / "out").write_text("the result")
    part.result.parent.mkdir()
    part.result.write_text("another")
    with pytest.raises(DataError, match=r"out: is there already; name another place, or delete it"):
        enter(Part(tmp_path / "out", {"a": "1"}))
    part.result.unlink()
    again = Part(tmp_path / "out", {"a": "1"})
    with again.held() as state:
        assert (state.fingerprint, state.next, state.written, state.job) == ("f" * 16, 3, 3, {"a": "1"})
        again.finish()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out").read_text() == "the result"


def test_a_target_without_a_finished_conversion_is_taken(tmp_path: Path) -> None:
    part = Part(tmp_path / "out", {})
    with part.held() as state:
        state.next = 3
        part.save()
    (tmp_path / "out").mkdir()
    enter(Part(tmp_path / "out", {}))  # an empty folder is no result
    (tmp_path / "out" / "x").write_text("")
    with pytest.raises(DataError, match="is there already"):
        enter(Part(tmp_path / "out", {}))


def test_what_waits_lets_go_of_the_lock(tmp_path: Path) -> None:
    one, two = Part(tmp_path / "out", {}), Part(tmp_path / "out", {})
    with one.held():
        with pytest.raises(DataError, match=r"out: another process is writing it; wait for it, or stop it"):
            enter(two)
        assert two._lock is None
    assert one._lock is None
    enter(two)


def enter(part: Part) -> None:
    with part.held():
        pass


def test_a_folder_that_is_gone_is_no_error(tmp_path: Path) -> None:
    part = Part(tmp_path / "out", {})
    with part.held():
        part.remove()
        part.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_conversion_begins_with_nothing_done(tmp_path: Path) -> None:
    with Part(tmp_path / "out", JOB).held() as state:
        assert state == State(dict(JOB), 0, 0, {}, 0, None, "", {})
