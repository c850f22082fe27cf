"""What is left behind after the last step."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from crnn.training.finish import save_example


def test_the_example_needs_no_folder(tmp_path: Path) -> None:
    """Somebody tidied ``samples/`` away before the run was resumed."""
    picture = Image.new("L", (40, 32), 200)
    for _ in range(2):
        path = save_example(tmp_path / "run" / "samples", picture)
        assert path == tmp_path / "run" / "samples" / "line.png"
        assert Image.open(path).size == (40, 32)
