"""Two processes against one: no rendered line twice."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from tests_support import settings

from crnn.core.image import LineTransform
from crnn.data.module import LineDataModule
from crnn.training.assemble import assemble
from crnn.training.run_folder import RunFolder


def rendered_on(rank: int, folder: Path) -> list[list[tuple[str, bytes]]]:
    """Of two epochs the (text, pixels) of the lines that one of two processes trains on, which knows its rank alone."""
    config = settings(
        "model=crnn_tiny",
        "seed=5",
        "data.rendered.lines=21",
        "data.rendered.val_lines=2",
        "data.rendered.fonts=bundled",
    )
    folder.mkdir()
    transform = LineTransform(32)
    lines = assemble(config, transform, RunFolder(folder))
    module = LineDataModule(lines.train, lines.val, lines.charset, transform, None, 4, 2**20, 0, config.seed)
    module.trainer = SimpleNamespace(global_rank=rank, world_size=2)  # type: ignore[assignment]
    batches = module.batches("train")
    epochs = []
    for epoch in range(2):
        batches.set_epoch(epoch)
        made = [module.datasets["train"][key] for batch in batches for key in batch]
        epochs.append([(line.text, line.image.numpy().tobytes()) for line in made])
    return epochs


def test_a_rendered_line_comes_once_on_all_processes_and_in_all_epochs(tmp_path: Path) -> None:
    ranks = [rendered_on(rank, tmp_path / str(rank)) for rank in range(2)]
    for epoch in range(2):
        assert len(ranks[0][epoch]) + len(ranks[1][epoch]) == 21
        assert min(len(ranks[rank][epoch]) for rank in range(2)) > 6
    together = [line for rank in ranks for epoch in rank for line in epoch]
    assert len({pixels for _, pixels in together}) == len(together) == 42
    assert ranks == [rendered_on(rank, tmp_path / f"again-{rank}") for rank in range(2)]
