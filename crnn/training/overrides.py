"""Settings as words of a command line, ``setting=value``: made fit for Hydra's grammar, and refused in one line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from crnn.errors import ConfigError
from crnn.training.config import BUNDLED_NETWORK, TrainConfig, config_folder, schema

LISTS = ("data.train", "data.val")
"""Settings with several paths."""
TEXTS = ("charset.extra", "charset.symbols")
"""Settings whose values are never numbers, lists or sweeps."""
GROUPS = ("model", "experiment")
"""Folders of the configuration, of which a word chooses a file."""
OPTIONS = (
    "--help", "--hydra-help", "--version", "--cfg", "--resolve", "--package", "--run", "--multirun", "--info",
    "--shell-completion", "--config-path", "--config-name", "--config-dir", "--experimental-rerun",
    "-h", "-c", "-p", "-r", "-m", "-i", "-sc", "-cp", "-cn", "-cd",
)  # fmt: skip
"""Hydra's own."""
_ANY = f"model={BUNDLED_NETWORK}"
_HELP = "(crnn train --cfg job lists all settings)"
_QUOTES = ("'", '"')
_LEFT_OUT = ("See http", "reference_type", "object_type", "full_key", "Error merging override")
"""Beginnings of lines that a user has nothing of."""


def quoted(word: str) -> str:
    """An override that Hydra's grammar takes: a value with ``ï``, brackets or quotes in it becomes a quoted string.

    Of a list of paths each becomes one by itself. A list of characters is text as it stands, spaces at its ends, too.
    """
    key, equals, value = word.partition("=")
    if not equals or word.startswith("-"):
        return word
    if key in TEXTS and value not in ("", "null") and not (len(value) > 1 and value[0] == value[-1] in _QUOTES):
        return f"{key}={_as_text(value)}"
    try:
        OverridesParser.create().parse_override(word)
    except HydraException:
        if key in LISTS and (paths := re.fullmatch(r"\[(.*)\]", value)):
            parts = re.findall(r"""\s*('[^']*'|"[^"]*"|[^,]+?)\s*(?:,|$)""", paths[1])
            return f"{key}=[{','.join(part if part[0] in _QUOTES else _as_text(part) for part in parts)}]"
        return f"{key}={_as_text(value)}"
    return word


def _as_text(value: str) -> str:
    """In single quotes, as Hydra's grammar reads them: a backslash counts double only before a quote or the end."""
    return "'" + re.sub(r"(\\*)('|$)", lambda m: m[1] * 2 + ("\\'" if m[2] else ""), value) + "'"


def refuse_wrong(words: Sequence[str]) -> TrainConfig | None:
    """Refuse what Hydra would refuse, in one line that names the word and what may stand there.

    Torch is not loaded for it, so it takes no time: which network is the machine's own is left open.

    Args:
        words: passed through `quoted`.

    Returns:
        What they come to, not settled; None for words with Hydra's own options or settings among them (``--cfg job``,
        ``hydra.verbose=true``), which are left to Hydra.

    Raises:
        ConfigError: for the first word that is wrong.
    """
    for word in words:
        _refuse_option(word)
    if any(word.lstrip("+~").startswith(("-", "hydra")) for word in words):
        return None
    for word in words:
        _refuse_unknown(word)
    network = [] if any(word.partition("=")[0].lstrip("+~") == "model" for word in words) else [_ANY]
    try:
        with initialize_config_dir(config_folder(), version_base="1.3"):
            found = OmegaConf.to_object(compose("train", [*words, *network]))
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(f"{_guilty(words, error)}{one_line(error)}") from None
    assert isinstance(found, TrainConfig)  # noqa: S101  # for mypy
    return found


def one_line(error: BaseException) -> str:
    """What Hydra or torch says, and its cause, without their lists and links."""
    said = []
    for source in (error, error.__cause__):
        text = str(source or "").split("Config search path")[0].split("Exception raised from")[0]
        lines = [line.strip() for line in text.splitlines()]
        said.append(" ".join(line for line in lines if line.strip("^ ") and not line.startswith(_LEFT_OUT)))
    return "; ".join(filter(None, said))[:300] or type(error).__name__


def _guilty(words: Sequence[str], error: BaseException) -> str:
    """The word whose setting the error names, for the start of a message."""
    name = getattr(error.__cause__, "full_key", None) or getattr(error, "full_key", None)
    named = [word for word in words if name and word.partition("=")[0].lstrip("+~") == name]
    said = [word for word in named if word.partition("=")[2] in str(error)]  # of a setting that comes twice
    return f"{(said or named)[-1]}: " if named else ""


def _refuse_option(word: str) -> None:
    """Refuse an option that is none of Hydra's."""
    option = word.partition("=")[0]
    short = re.match(r"-\w", word)
    if option.startswith("--") and not any(known.startswith(option) for known in OPTIONS):
        setting = next((name for name in _settings() if name.rpartition(".")[2] == option[2:].replace("-", "_")), "")
        meant = f"{setting}=..." if setting else "setting=value, such as trainer.max_epochs=3"
        raise ConfigError(f"{word}: there is no such option; write {meant} {_HELP}")
    if short and not any(word.startswith(known) for known in OPTIONS if not known.startswith("--")):
        raise ConfigError(f"{word}: there is no such option; write setting=value {_HELP}")


def _refuse_unknown(word: str) -> None:
    """Refuse a word that is no ``setting=value``, a setting that is not there, and a file of a group likewise."""
    if word.startswith("~"):
        raise ConfigError(f"{word}: a setting cannot be left out; give it another value, as in {word[1:]}=... {_HELP}")
    setting, equals, value = word.lstrip("+").partition("=")
    if not equals or not setting:
        wanted = f"{word}=..." if word in _settings() else "setting=value, such as data.root=my_lines"
        raise ConfigError(f"{word}: has no {'value' if setting else 'name'}; write {wanted} {_HELP}")
    if re.search("[@/]", setting):
        return
    if setting in GROUPS:
        names = sorted(path.stem for path in Path(config_folder(), setting).glob("*.yaml"))
        if re.fullmatch(r"\w+", value) and value not in names:
            near = difflib.get_close_matches(value, names, 1)
            meant = f"did you mean {setting}={near[0]}? There" if near else "there"
            raise ConfigError(f"{word}: there is no such {setting}; {meant} are {', '.join(names)}")
    elif not _is_known(setting):
        probable = _meant(setting)
        meant = f"; did you mean {probable}?" if probable else ""
        raise ConfigError(f"{word}: there is no setting {setting}{meant} {_HELP}")


def _meant(setting: str) -> str | None:
    """The setting whose name, or whose last part, is nearest to that of one that is not there."""
    every = _settings()
    last = {name.rpartition(".")[2]: name for name in reversed(every)}
    wrong = setting.rpartition(".")[2]
    if wrong in last:
        return last[wrong]
    near = difflib.get_close_matches(setting, every, 1) or [
        last[name] for name in difflib.get_close_matches(wrong, last, 1)
    ]
    return near[0] if near else None


def _is_known(setting: str) -> bool:
    """Whether it is in the schema; names of installed parts are free."""
    node: object = schema()
    for part in setting.split("."):
        if not isinstance(node, DictConfig):
            return False
        if part not in node:
            return OmegaConf.get_type(node) is dict
        node = node._get_node(part)
    return True


def _settings() -> list[str]:
    """All settings, dotted: ``data``, ``data.root`` ..."""
    return list(_walk(schema(), ""))


def _walk(node: DictConfig, before: str) -> Iterator[str]:
    for key in map(str, node):
        name = f"{before}{key}"
        yield name
        child = node._get_node(key)
        if isinstance(child, DictConfig) and not child._is_none():
            yield from _walk(child, f"{name}.")
