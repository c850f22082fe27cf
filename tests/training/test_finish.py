"""What is left behind after the last step."""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from tests_support import settings

from crnn.cli import main
from crnn.loader import read_card
from crnn.training.config import to_config
from crnn.training.finish import save_example
from crnn.training.run import train
from crnn.training.run_folder import config_of_run


def test_the_example_needs_no_folder(tmp_path: Path) -> None:
    """Somebody tidied ``samples/`` away before the run was resumed."""
    picture = Image.new("L", (40, 32), 200)
    for _ in range(2):
        path = save_example(tmp_path / "run" / "samples", picture)
        assert path == tmp_path / "run" / "samples" / "line.png"
        assert Image.open(path).size == (40, 32)


def test_a_resumed_run_keeps_what_export_wrote_unless_it_learns_more(line_folder: Path, tmp_path: Path) -> None:
    words = ["model=crnn_tiny", f"data.root={line_folder}", f"runs_dir={tmp_path}", "name=mine", "trainer.threads=1"]
    words += ["data.workers=0", "trainer.max_epochs=2", "trainer.progress=false", "init=null"]
    run = train(settings(*words)).folder
    log = run / "train.log"
    assert main(["export", str(run), "--beam", "3"]) == 0
    exported = (run / "model.onnx").read_bytes()

    done = train(to_config(config_of_run(str(run), [])))
    assert (run / "model.onnx").read_bytes() == exported
    assert done.result["model"] == "model.onnx"
    assert "nothing was left to do" in log.read_text()
    assert "left as it is" in log.read_text()
    assert "is now written anew" not in log.read_text()

    train(to_config(config_of_run(str(run), ["trainer.max_epochs=3"])))
    assert read_card(run / "model.onnx").decoder == {"name": "greedy"}
    said = log.read_text()
    assert "model.onnx had a decoder of its own (beam), and is now written anew without it" in said
    assert "goes on where it was: 2 epochs of 3 done, " in said
    assert " minutes since it was resumed: best epoch" in said
    (run / "model.onnx").unlink()
    train(to_config(config_of_run(str(run), [])))
    assert (run / "model.onnx").is_file()
