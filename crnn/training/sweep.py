"""`crnn sweep`: many trainings with other settings, chosen by Optuna; in parallel, and gone on with after any end.

A study lives in an SQL database, its trainings in ``runs/STUDY/000`` and so on. Whoever trains holds a lock beside the
folder, and so does the training itself: a trial is left over when its lock is free, and the next command takes it up.
"""

from __future__ import annotations

import argparse
import hashlib
import platform
import random
import re
import signal
import sys
import threading
import time
import uuid
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from crnn.errors import ConfigError
from crnn.training.sweep_space import Space
from crnn.training.sweep_study import open_study, settings_of, told, try_out
from crnn.training.sweep_trial import POLL, Training, held, lock_of

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.trial import FrozenTrial

BEAT = 30.0
"""Seconds between signs of life in the database, for other machines."""
SILENT = 900.0
"""Seconds without one, after which a trial of another machine is left over."""
ALIKE = 3
"""So many first trials that fail for one reason end the sweep."""


def run(args: argparse.Namespace) -> int:
    """Run ``crnn sweep``.

    Returns:
        0; 1 if no trial came to an end; 130 or 143 after a signal.

    Raises:
        ConfigError: for settings, a study or a storage that cannot be used.
    """
    from crnn.training.sweep_report import report

    if sys.platform == "win32":
        raise ConfigError("crnn sweep needs the file locks of Linux or macOS; start it in WSL")
    if re.search(r"[\\/\0]|^\.|^$", args.study):
        raise ConfigError(f"--study {args.study!r}: is no folder name")
    if args.report:
        print(report(open_study(args, None), Path(args.runs)))
        return 0
    space = Space.parse([word for word in args.settings if word != "--"])
    space = try_out(space)
    sweep = Sweep(open_study(args, space), space, Path(args.runs), args.trials, args.minutes)
    number = sweep.run(args.jobs)
    print(report(sweep.study, Path(args.runs)))
    if number:
        print("stopped; the same command goes on", file=sys.stderr)
        return 128 + number
    return 0 if any(trial.value is not None for trial in sweep.study.get_trials(deepcopy=False)) else 1


class Sweep:
    """Trials of a study until there are enough, or time is up, or a signal comes.

    Args:
        study: as opened.
        space: its settings.
        runs: folder of all runs.
        trials: of the whole study, those that failed included.
        minutes: of this command.
    """

    def __init__(self, study: Study, space: Space, runs: Path, trials: int, minutes: float | None) -> None:
        self.study = study
        self.space = space
        self.folder = runs / study.study_name
        self._trials = trials
        self._until = time.monotonic() + minutes * 60 if minutes else None
        self._signal = 0
        self._ending = threading.Event()
        self._errors: list[BaseException] = []
        self._asking = threading.Lock()
        self._said: set[str] = set()
        self._machine = hashlib.sha256(f"{platform.node()} {uuid.getnode()}".encode()).hexdigest()[:12]

    def run(self, jobs: int) -> int:
        """Train in so many threads, each of which starts one training after the other.

        Returns:
            The signal that ended it, or 0.
        """

        def end(number: int, frame: object) -> None:
            self._signal = number
            self._ending.set()

        before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
        threads = [threading.Thread(target=self._work) for _ in range(jobs)]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                while thread.is_alive():
                    thread.join(0.5)  # so that signals are heard
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        if self._errors:
            raise self._errors[0]
        return self._signal

    def _over(self) -> bool:
        return self._ending.is_set() or (self._until is not None and time.monotonic() > self._until)

    def _work(self) -> None:
        try:
            while not self._over():
                with ExitStack() as kept:
                    with self._asking, held(self.folder / ".lock"):
                        trial = self._next()
                        training = self._prepare(trial) if trial else None
                        lock = kept.enter_context(held(training.lock)) if training else None
                    if trial and training and lock is not None:
                        self._train(trial, training, lock)
                        continue
                if not self._others():
                    return
                self._ending.wait(POLL)  # somebody else's last trials: they may be left over yet
        except BaseException as error:
            self._errors.append(told(error))
            self._ending.set()

    def _others(self) -> list[FrozenTrial]:
        from optuna.trial import TrialState

        return self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))

    def _next(self) -> Trial | None:
        """A trial to train: one that was left over first; None if there are enough."""
        from optuna.trial import TrialState

        for running in self._others():
            if self._left_over(running):
                attributes = {"folder": running.user_attrs.get("folder", f"{running.number:03d}")}
                self.study._storage.set_trial_user_attr(running._trial_id, "left", True)
                self.study.tell(running.number, state=TrialState.FAIL)
                if running.params:
                    self.study.enqueue_trial(running.params, user_attrs=attributes)
        every = self.study.get_trials(deepcopy=False)
        counted = [t for t in every if not t.user_attrs.get("left")]
        if any(t.state == TrialState.WAITING for t in counted):
            return self.study.ask()
        if len(counted) >= self._trials:
            return None
        self._refuse_old(f"{len(every):03d}")  # before the study has such a trial
        return self._new(counted)

    def _new(self, before: Sequence[FrozenTrial]) -> Trial | None:
        """A trial of what no other one tries; None where all there is has been tried."""
        from optuna.trial import TrialState

        listed = self.space.combinations()
        tried = {self.space.written(other.params) for other in before}
        untried = [some for some in listed or () if self.space.written(some) not in tried]
        if listed and not untried:
            self._say_once(f"all {len(listed)} combinations of these values are tried")
            return None
        trial = self.study.ask()
        values = {one.setting: one.suggest(trial) for one in self.space.swept}
        if not listed or self.space.written(values) not in tried:
            return trial
        trial.set_user_attr("left", True)  # it counts for nothing
        self.study.tell(trial, state=TrialState.FAIL)
        self.study.enqueue_trial(random.choice(untried))  # noqa: S311
        return self.study.ask()

    def _say_once(self, message: str) -> None:
        if message not in self._said:
            self._said.add(message)
            print(message, file=sys.stderr, flush=True)

    def _refuse_old(self, name: str) -> None:
        """Nobody wants to lose it, or to have it counted.

        Raises:
            ConfigError: if there is a folder for a trial that has not begun.
        """
        folder = self.folder / name
        if folder.exists():
            raise ConfigError(
                f"{folder}: is there already, and no trial of this study wrote it; give another --study or --runs, or "
                "remove it"
            )

    def _left_over(self, trial: FrozenTrial) -> bool:
        """Whether nobody trains it any more."""
        attributes = trial.user_attrs
        lock = lock_of(self.folder / attributes.get("folder", f"{trial.number:03d}"))
        mine = attributes.get("machine", self._machine) == self._machine
        if lock.exists():
            with held(lock, wait=False) as handle:
                if handle is None:
                    return False
        if self.study._storage.get_trial(trial._trial_id).state.is_finished():  # since it was listed, and let go
            return False
        return mine or time.time() - attributes.get("beat", 0.0) > SILENT

    def _prepare(self, trial: Trial) -> Training:
        """Settings and folder of a trial, written down before anybody else looks."""
        name = trial.user_attrs.get("folder")
        if name is None:
            name = f"{trial.number:03d}"
            self._refuse_old(name)
        for key, value in {"folder": name, "machine": self._machine, "beat": time.time()}.items():
            trial.set_user_attr(key, value)
        values = {one.setting: one.suggest(trial) for one in self.space.swept}
        settings = settings_of(self.space, values)
        trial.set_user_attr("settings", settings)
        return Training(self.folder / name, settings)

    def _train(self, trial: Trial, training: Training, lock: int) -> None:
        from optuna.trial import TrialState

        beaten = time.monotonic()

        def seen(epoch: int, cer: float) -> bool:
            trial.report(cer, epoch)
            return trial.should_prune()

        def beat() -> bool:
            nonlocal beaten
            if time.monotonic() - beaten > BEAT:
                beaten = time.monotonic()
                trial.set_user_attr("beat", time.time())
            return self._over()

        label = f"trial {training.folder.name}"
        changed = " ".join(f"{name}={value}" for name, value in _shown(self.space, trial).items())
        print(f"{label}: begins with {changed}; see {training.folder / 'train.log'}", file=sys.stderr, flush=True)
        try:
            training.start(lock)
            state = training.follow(seen, beat)
        finally:
            training.stop()
        epochs = training.epochs()
        trial.set_user_attr("epochs", len(epochs))
        if state == "done":
            result = training.result() or {}
            trial.set_user_attr("minutes", round((training.seconds or result["seconds"]) / 60, 2))
            self.study.tell(trial, result["val/cer"])
            print(f"{label}: val CER {result['val/cer']:.2%} with {changed}", flush=True)
        elif state == "pruned":
            self.study.tell(trial, state=TrialState.PRUNED)
            told = f"ended after epoch {max(epochs)}, val CER {epochs[max(epochs)]:.2%}: others were better by then"
            print(f"{label}: {told}, with {changed}", flush=True)
        elif state == "failed":
            reason = training.why_failed()
            trial.set_user_attr("reason", reason)
            self.study.tell(trial, state=TrialState.FAIL)
            print(f"{label}: failed with {changed}: {reason}", flush=True)
            self._stop_if_all_fail()
        # stopped: it stays as it is, for the next command

    def _stop_if_all_fail(self) -> None:
        """Not all night long for a folder that is not there.

        Raises:
            ConfigError: if the first trials failed for one reason.
        """
        trials = [t for t in self.study.get_trials(deepcopy=False) if t.state.is_finished()]
        trials = [t for t in trials if not t.user_attrs.get("left")]
        reasons = {t.user_attrs.get("reason") for t in trials}
        if len(trials) >= ALIKE and len(reasons) == 1 and None not in reasons:
            raise ConfigError(
                f"the first {len(trials)} trials failed alike: {reasons.pop()}; mend it, and take another --study"
            )


def _shown(space: Space, trial: Trial) -> dict[str, str]:
    return {one.setting: one.suggest(trial) for one in space.swept}
