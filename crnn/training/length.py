"""How many lines a step has and how many epochs a training, where the settings leave it open.

What a network learns follows the number of steps more than that of epochs: CTC alone takes some hundred before the
first characters come, so few lines are taken in smaller batches and more often. The numbers are those of the committed
experiments, whose good trainings took 2,000 to 8,000 steps. Of the same 32,768 rendered lines, in batches of 32, 16 and
8, `crnn_small` came to a validation CER of 8.99, 5.65 and 4.63 % (scripts/README.md).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from crnn.training.config import TrainConfig

EPOCHS = 16
"""At least."""
EPOCHS_RENDERED = 8
"""Of rendered lines alone, which are new in each."""
MOST_EPOCHS = 100
STEPS = 4000
"""At least, unless that takes more epochs than `MOST_EPOCHS`."""
BATCHES = ((4000, 32), (1000, 16), (0, 8))
"""From so many lines in an epoch on, so many in a batch."""


@dataclass(frozen=True)
class Length:
    """How long a training is.

    Args:
        batch_size: most lines in a batch of one process.
        epochs: at most.
    """

    batch_size: int
    epochs: int

    def into(self, config: TrainConfig) -> TrainConfig:
        """The settings with these numbers in them, as the run folder keeps them."""
        data, trainer = config.data, config.trainer
        return replace(
            config,
            data=replace(data, batch_size=self.batch_size),
            trainer=replace(trainer, max_epochs=self.epochs),
        )


def length_for(config: TrainConfig, lines: int, processes: int = 1, endless: bool = False) -> Length:
    """What the settings say, or what suits so many lines.

    Args:
        config: `data.batch_size` and `trainer.max_epochs`, each a number or None.
        lines: of an epoch, in all processes.
        processes: that share them.
        endless: each epoch has new lines.
    """
    mine = max(1, lines // processes)
    if endless:  # each line comes once, so the smaller the batches are, the more is learnt of it
        sizes = [size for _, size in BATCHES if EPOCHS_RENDERED * mine // size >= STEPS]
        batch = config.data.batch_size or (sizes or [BATCHES[-1][1]])[0]
        return Length(batch, config.trainer.max_epochs or EPOCHS_RENDERED)
    batch = config.data.batch_size or next(size for least, size in BATCHES if mine >= least)
    steps = -(-mine // batch)
    epochs = config.trainer.max_epochs or min(MOST_EPOCHS, max(EPOCHS, -(-STEPS // steps)))
    return Length(batch, epochs)
