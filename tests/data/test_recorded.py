"""Which lines a model's note leads back to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests_support import texts_of

from crnn.data import recorded
from crnn.data.recorded import REPEATED, open_all, recorded_lines, recorded_texts
from crnn.data.sources import ReadOptions, open_source
from crnn.errors import ConfigError, CrnnError, DataError


def lines(folder: Path, *texts: str) -> str:
    folder.mkdir(parents=True)
    (folder / "labels.tsv").write_text("".join(f"{i}.png\t{text}\n" for i, text in enumerate(texts)))
    return str(folder)


def note(train: Any, **more: Any) -> dict[str, Any]:
    rendered = more.pop("rendered", None)
    return {"data": {"paths": {"train": train, **more}, "rendered": rendered}}


@pytest.fixture
def model(tmp_path: Path) -> Path:
    (tmp_path / "run" / "export").mkdir(parents=True)
    return tmp_path / "run" / "export" / "m.onnx"


def test_several_paths_are_one(tmp_path: Path) -> None:
    one, two = lines(tmp_path / "one", "a", "b"), lines(tmp_path / "two", "c")
    assert texts_of(open_all([one])) == ["a", "b"]
    assert texts_of(open_all([two, one])) == ["c", "a", "b"]


def test_options_of_the_run_are_used_again(tmp_path: Path, model: Path) -> None:
    (tmp_path / "t.csv").write_text("file,said,text\n0.png,x,y\n")
    training = note([str(tmp_path / "t.csv")])
    assert texts_of(recorded_lines(training, "train", model)) == ["y"]
    with pytest.raises(DataError, match="may each be the text"):
        (tmp_path / "u.csv").write_text("file,words,text\n0.png,x,y\n")
        open_all([str(tmp_path / "u.csv")])
    assert texts_of(open_all([str(tmp_path / "u.csv")], ReadOptions(text_column="words"))) == ["x"]
    training["data"]["options"] = {"text_column": "said"}
    assert texts_of(recorded_lines(training, "train", model)) == ["x"]
    training = note([], test=[str(tmp_path / "t.csv")])
    training["data"]["options"] = {"text_column": "said"}
    assert texts_of(recorded_lines(training, "test", model)) == ["x"]
    training["data"]["options"] = {"of a later version": "said"}
    with pytest.raises(DataError, match=r"m\.onnx: how its lines were read is not understood .*; name the lines$"):
        recorded_lines(training, "test", model)


def test_sides_that_have_paths_of_their_own(tmp_path: Path, model: Path) -> None:
    a, b, c = (lines(tmp_path / name, name) for name in "abc")
    training = note([a, b], val=[c], test=None)
    assert texts_of(recorded_lines(training, "train", model)) == ["a", "b"]
    assert texts_of(recorded_lines(training, "val", model)) == ["c"]
    with pytest.raises(DataError) as caught:
        recorded_lines(training, "test", model)
    assert str(caught.value) == (
        f"{model}: its run kept no test lines apart; name the lines"  # it was given all it had
    )
    lines(tmp_path / "test", "d")
    with pytest.raises(DataError, match=f"its run kept no test lines apart; name them: {tmp_path}/test$"):
        recorded_lines(training, "test", model)
    with pytest.raises(DataError, match="its test lines are recorded in its run's folder splits/, which is not beside"):
        recorded_lines(note([a], val=None), "test", model)
    with pytest.raises(DataError, match="its train lines are recorded in its run's folder splits/, which is not besi"):
        recorded_lines(note([a], val=None), "train", model)  # some of them were held out
    training["data"]["paths"]["train"] = [a, "rendered"]  # what was rendered is no path
    assert texts_of(recorded_lines(training, "train", model)) == ["a"]


def test_lines_that_have_moved(tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Are asked for; those that the run went on with are found, if they are the same."""
    monkeypatch.chdir(tmp_path)
    training = note(["a"], val=[f"{tmp_path}/b"])
    training["data"] |= {"train": {"fingerprint": "1"}, "val": {"fingerprint": "2"}}
    for side, said in {"train": f"a (looked for in {tmp_path})", "val": f"{tmp_path}/b"}.items():
        with pytest.raises(DataError) as caught:
            recorded_lines(training, side, model)
        assert str(caught.value) == f"{model}: its lines are not at {said}; name them where they are now"
    moved, other = lines(tmp_path / "moved", "a"), lines(tmp_path / "other", "b")
    newer = {**training["data"], "paths": {"train": [moved], "val": [other]}}
    (tmp_path / "run" / "data.json").write_text(json.dumps(newer))
    assert texts_of(recorded_lines(training, "train", model)) == ["a"]
    assert texts_of(recorded_lines(training, "val", model)) == ["b"]
    assert recorded_texts(training, model) == ["a"]
    for changed in ({"val": {"fingerprint": "3"}}, {"train": {}}, {"train": None}):
        (tmp_path / "run" / "data.json").write_text(json.dumps({**newer, **changed}))
        with pytest.raises(DataError, match="its lines are not at a "):
            recorded_lines(training, "train", model)
    for damaged in ("[" * 100_000, "[]", json.dumps({**newer, "paths": {"train": [3], "val": None}})):
        (tmp_path / "run" / "data.json").write_text(damaged)
        with pytest.raises(DataError, match="its lines are not at a "):
            recorded_lines(training, "train", model)
    (tmp_path / "run" / "data.json").write_text("[")
    with pytest.raises(DataError, match="its lines are not at a "):
        recorded_lines(training, "train", model)


def test_a_split_without_lines_of_a_side(tmp_path: Path, model: Path) -> None:
    whole = lines(tmp_path / "whole", "a")
    (model.parent / "splits").mkdir()
    (model.parent / "splits" / "test.tsv").write_text("position\tpicture\twhere\n")
    with pytest.raises(DataError, match=r"m\.onnx: its run kept no test lines apart; name the lines$"):
        recorded_lines(note([whole], val=None), "test", model)


@pytest.mark.parametrize("place", [".", ".."])
def test_sides_that_were_divided(place: str, tmp_path: Path, model: Path) -> None:
    """Beside the model, or one folder up; the same file of positions for the training lines, too."""
    whole = lines(tmp_path / "whole", "a", "b", "c", "d")
    other = lines(tmp_path / "other", "e")
    splits = model.parent / place / "splits"
    splits.mkdir()
    for side, positions in {"train": (0, 3), "val": (1,), "test": (4,)}.items():
        rows = "".join(f"{i}\t{0 if i == 4 else i}.png\tx\n" for i in positions)
        (splits / f"{side}.tsv").write_text(f"position\tpicture\twhere\n{rows}")
    training = note([whole, "rendered", other], val=None)
    assert texts_of(recorded_lines(training, "train", model)) == ["a", "d"]
    assert texts_of(recorded_lines(training, "val", model)) == ["b"]
    assert texts_of(recorded_lines(training, "test", model)) == ["e"]
    training = note([whole, other], val=[other])  # paths of its own come first
    assert texts_of(recorded_lines(training, "val", model)) == ["e"]


def test_the_splits_beside_the_model_come_before_those_above(tmp_path: Path, model: Path) -> None:
    whole = lines(tmp_path / "whole", "a", "b")
    for number, folder in enumerate((model.parent, model.parent.parent)):
        (folder / "splits").mkdir()
        (folder / "splits" / "val.tsv").write_text(f"position\tpicture\twhere\n{number}\t{number}.png\tx\n")
    assert texts_of(recorded_lines(note([whole]), "val", model)) == ["a"]


@pytest.mark.parametrize(
    "training",
    [
        {},
        {"data": None},
        {"data": []},
        {"data": {}},
        {"data": {"paths": None}},
        {"data": {"paths": ["x"]}},
        {"data": {"paths": {}}},
        {"data": {"paths": {"train": None}}},
        {"data": {"paths": {"train": "x"}}},
        {"data": {"paths": {"val": ["x"]}}},
    ],
)
def test_notes_that_say_nothing(training: dict[str, Any], model: Path) -> None:
    for side in recorded.SIDES:
        with pytest.raises(DataError) as caught:
            recorded_lines(training, side, model)
        assert str(caught.value) == f"{model}: does not say what it was trained on; name the lines"


def test_rendered_lines(tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a run whose training lines were all rendered, the validation lines are rendered again."""
    a, b = (open_source(lines(tmp_path / name, name)) for name in "ab")
    asked: list[Any] = []

    def pair(**options: Any) -> tuple[Any, Any]:
        asked.append(options)
        if "raise" in options:
            raise options["raise"]
        return a, b

    monkeypatch.setattr(recorded, "synthetic_pair", pair)
    training = note(["rendered"], val=None, rendered={"seed": 3})
    assert recorded_lines(training, "val", model) is b
    assert asked == [{"seed": 3}]
    for side in ("train", "test"):
        with pytest.raises(DataError) as caught:
            recorded_lines(training, side, model)
        assert str(caught.value) == f"{model}: its {side} lines were rendered on the fly; name lines"
    with pytest.raises(DataError, match="its val lines were rendered on the fly"):
        recorded_lines(note(["rendered"], rendered=None), "val", model)
    with pytest.raises(DataError, match="its val lines are recorded in its run's folder"):  # the real ones were divided
        recorded_lines(note([str(tmp_path / "a"), "rendered"], rendered={"seed": 3}), "val", model)
    assert texts_of(recorded_lines(note(["rendered"], val=[str(tmp_path / "a")], rendered={}), "val", model)) == ["a"]
    assert len(asked) == 1
    for error in (ConfigError("c"), TypeError("t"), ValueError("v"), OSError("o")):
        with pytest.raises(DataError) as caught:
            recorded_lines(note(["rendered"], rendered={"raise": error}), "val", model)
        assert str(caught.value) == f"{model}: its rendered validation lines cannot be rendered again ({error})"
    with pytest.raises(CrnnError, match="too few fonts"):  # says itself what to do
        recorded_lines(note(["rendered"], rendered={"raise": DataError("too few fonts")}), "val", model)


def test_what_training_lines_said(tmp_path: Path, model: Path) -> None:
    """Labels once; beside the texts of rendered lines five times."""
    a = lines(tmp_path / "a", "x1", "x2")
    options = {"characters": "0123", "min_length": 3, "max_length": 5, "seed": 3, "val_lines": 7, "wear": 0.5}
    assert recorded_texts(note([a]), model) == ["x1", "x2"]
    assert recorded_texts(note([a], rendered=options), model) == ["x1", "x2"]
    alone = recorded_texts(note(["rendered"], val=None, rendered=options), model, 40)
    assert len(alone) == 40
    assert all(3 <= len(text) <= 5 and set(text) <= set("0123") for text in alone)
    assert recorded_texts(note(["rendered"], rendered=options), model, 30) == alone[:30]
    both = recorded_texts(note([a, "rendered"], rendered=options), model, 40)
    assert both == ["x1", "x2"] * REPEATED + alone
    assert REPEATED == 5
    again = note([a, "rendered"], rendered=None)  # labels were rendered anew: they are all there is
    assert recorded_texts(again, model) == ["x1", "x2"]
    own = tmp_path / "own.txt"
    own.write_text("one line\nand two\nand three\n" * 3)
    written = recorded_texts(note(["rendered"], rendered={**options, "characters": "adehilnortw ", "max_length": 20,
                                                          "text_file": str(own)}), model, 20)  # fmt: skip
    assert set(written) <= {"one line", "and two", "and three"}
    own.unlink()
    with pytest.raises(DataError, match=r"own\.txt: cannot be read"):
        recorded_texts(note(["rendered"], rendered={**options, "text_file": str(own)}), model, 5)
    for wrong in ({"characters": 5}, {"min_length": 9, "max_length": 3}):
        with pytest.raises(DataError, match=r"m\.onnx: the texts of its rendered lines cannot be written again"):
            recorded_texts(note(["rendered"], rendered=wrong), model, 5)
    with pytest.raises(DataError, match="does not say what it was trained on; name the lines"):
        recorded_texts({}, model)


def test_relative_places_are_those_of_the_folder_the_run_began_in(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines(tmp_path / "home" / "t", "of train")
    lines(tmp_path / "home" / "v", "of val")
    training = note(["../t"], val=["../v"])
    training["data"] |= {side: {"fingerprint": side} for side in ("train", "val")}
    began = tmp_path / "home" / "work"
    began.mkdir()
    record = model.parent.parent / "data.json"
    record.write_text(json.dumps(training["data"] | {"folder": str(began)}))
    (tmp_path / "elsewhere" / "work").mkdir(parents=True)
    for place in (began, tmp_path / "elsewhere" / "work"):
        monkeypatch.chdir(place)
        assert texts_of(recorded_lines(training, "val", model)) == ["of val"]
        assert texts_of(recorded_lines(training, "train", model)) == ["of train"]
    lines(tmp_path / "elsewhere" / "v", "here")  # what stands where one is comes first
    assert texts_of(recorded_lines(training, "val", model)) == ["here"]
    record.write_text(json.dumps(training["data"]))  # of an older run
    with pytest.raises(DataError, match=r"its lines are not at \.\./t \(looked for in "):
        recorded_lines(training, "train", model)
