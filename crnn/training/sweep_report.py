"""What a sweep came to: its trials, the best one, and how to train it again."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from crnn.loader import model_file

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

IMPORTANT_FROM = 6
"""Trials that have come to an end, before it is said which settings matter."""


def report(study: Study, runs: Path) -> str:
    """A table of all trials, the best with its command and model, and how much each setting matters.

    Args:
        study: as opened.
        runs: folder of all runs.
    """
    trials = [trial for trial in study.get_trials(deepcopy=False) if not trial.user_attrs.get("left")]
    names = sorted({name for trial in trials for name in trial.params})
    rows = [["trial", "state", "val CER", "epochs", "minutes", *names]]
    rows += [_row(trial, names) for trial in trials]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    text = [f"study {study.study_name}: {len(trials)} trials"]
    text += ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    for trial in trials:
        if reason := trial.user_attrs.get("reason"):
            text.append(f"trial {_name(trial)} failed: {reason}")
    done = [trial for trial in trials if trial.state.name == "COMPLETE"]
    if not done:
        return "\n".join([*text, f"no trial has come to its end yet; settings: {_settings(study)}"])
    if important := _importances(study, len(done)):
        text.append(f"what matters: {important}")
    best = min(done, key=lambda trial: (trial.value, trial.number))
    folder = runs / study.study_name / _name(best)
    text += [
        f"best: trial {_name(best)}, val CER {best.value:.2%}, model {model_file(folder)}",
        f"train it again:\n  crnn train {shlex.join(best.user_attrs['settings'])}",
    ]
    return "\n".join(text)


def _settings(study: Study) -> str:
    return shlex.join(f"{name}={value}" for name, value in study.user_attrs.get("settings", {}).items())


def _name(trial: FrozenTrial) -> str:
    return str(trial.user_attrs.get("folder", f"{trial.number:03d}"))


def _row(trial: FrozenTrial, names: list[str]) -> list[str]:
    state = {"COMPLETE": "done", "PRUNED": "ended early", "FAIL": "failed"}.get(trial.state.name, "open")
    values = trial.intermediate_values
    cer = trial.value if trial.state.name == "COMPLETE" else values[max(values)] if values else None
    settings = [trial.params.get(name, "") for name in names]
    return [
        _name(trial),
        state,
        "" if cer is None else f"{cer:.2%}",
        str(trial.user_attrs.get("epochs", len(values))),
        f"{trial.user_attrs['minutes']:.1f}" if "minutes" in trial.user_attrs else "",
        *(f"{value:.4g}" if isinstance(value, float) else str(value) for value in settings),
    ]


def _importances(study: Study, done: int) -> str:
    """Share of each setting in what the trials differ by, if that can be told."""
    if done < IMPORTANT_FROM:
        return ""
    import optuna

    try:
        shares = optuna.importance.get_param_importances(
            study, evaluator=optuna.importance.PedAnovaImportanceEvaluator()
        )
    except (ImportError, RuntimeError, ValueError):
        return ""
    return ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
