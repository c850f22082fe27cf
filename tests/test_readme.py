"""The READMEs: commands that the parsers take, settings that exist, links and files that lead somewhere."""

from __future__ import annotations

import argparse
import random
import re
import shlex
from collections.abc import Iterator
from dataclasses import is_dataclass
from functools import cache
from pathlib import Path

import pytest
from tests_support import settings

from crnn.cli import make_parser
from crnn.core.transform import LineTransform
from crnn.training.config import TrainConfig

ROOT = Path(__file__).resolve().parents[1]
ROOMS = [*(ROOT / room for room in ("configs", "data", "scripts")), *(ROOT / "crnn").iterdir()]
PAGES = sorted(folder / "README.md" for folder in (ROOT, *ROOMS) if (folder / "README.md").is_file())
LINK = re.compile(r"\]\(([^)]+)\)")
NAMED_FILE = re.compile(r"`((?:crnn|scripts|tests|configs)/[\w/.\-]+)`")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
PLACEHOLDER = {"...", "--help"}
PROGRAMS = ("crnn", "python", "torchrun", "srun")


def prose(page: Path) -> str:
    """What is left of it without blocks of code."""
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def commands(page: Path) -> Iterator[list[str]]:
    """Every shell command of it in words: of the blocks of code, and within backticks."""
    text = page.read_text(encoding="utf-8")
    lines = [
        line for kind, block in FENCE.findall(text) if not kind for line in block.replace("\\\n", " ").splitlines()
    ]
    lines += [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose(page))]
    for line in lines:
        if not line.startswith(("crnn ", "python ", "torchrun ", "srun ", "unzip ", "pip install -e . ")):
            continue
        for part in re.split(r" && | \| ", line):
            words = shlex.split(part, comments=True)
            if words and words[0] in PROGRAMS:
                yield words


ALL = [(page.relative_to(ROOT).as_posix(), words) for page in PAGES for words in commands(page)]
OURS = [(page, words[1:]) for page, words in ALL if words[0] == "crnn" and len(words) > 2]
SCRIPTS = [(page, words) for page, words in ALL if any(word.startswith("scripts/") for word in words)]


def test_there_is_something_to_look_at() -> None:
    assert len(PAGES) >= 8
    assert len(OURS) >= 50
    assert len(SCRIPTS) >= 20


@pytest.mark.parametrize(
    ("page", "words"), OURS, ids=lambda value: value if isinstance(value, str) else " ".join(value)
)
def test_the_program_takes_it(page: str, words: list[str]) -> None:
    command, *rest = [word for word in words if word not in PLACEHOLDER]
    if command == "train":
        takes(rest)
        return
    parser = make_parser()[1][command]  # a KeyError names a command that does not exist
    if "..." in words:  # the rest of the sentence is left to the reader: options must exist, nothing more
        assert {word.split("=")[0] for word in rest if word.startswith("--")} <= options(parser)
        return
    args = parser.parse_intermixed_args(rest)
    if command == "sweep":
        takes([word for word in args.settings if ".." not in word and "," not in word])


@cache
def defaults() -> TrainConfig:
    """The settings as they are."""
    return settings()


def takes(words: list[str]) -> None:
    """Settings of a training: composed and checked against the schema."""
    settings(*(word for word in words if not word.startswith("-")))


def options(parser: argparse.ArgumentParser) -> set[str]:
    return {name for action in parser._actions for name in action.option_strings}


@pytest.mark.parametrize(
    ("page", "words"), SCRIPTS, ids=lambda value: value if isinstance(value, str) else " ".join(value)
)
def test_the_script_is_there_and_has_the_options(page: str, words: list[str]) -> None:
    at = next(i for i, word in enumerate(words) if word.startswith("scripts/"))
    script = ROOT / words[at]
    assert script.is_file()
    if script.name == "train.py":
        takes([word for word in words[at + 1 :] if "=" in word])
        return
    if script.name == "recognize.py":
        return
    source = "".join(file.read_text() for file in (script, *(ROOT / "scripts" / "bench").glob("*.py")))
    for word in words[at + 1 :]:
        if word.startswith("--"):
            assert f'"{word}"' in source, word


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_settings_exist(page: Path) -> None:
    """`loss.shortcut`, `augment.concat=0.3`: each dotted name with a group of the configuration in front."""
    plain = defaults()
    groups = {name for name, value in vars(plain).items() if is_dataclass(value)}
    found = 0
    for span in re.findall(r"`([^`\n]+)`", prose(page)):
        name = re.split(r"[=\s]", span)[0]
        first, *rest = name.split(".")
        if first not in groups or not rest or not all(part.isidentifier() for part in rest):
            continue
        if rest[-1] in ("png", "jsonl", "html", "py", "csv", "json", "tsv", "onnx", "mdb", "yaml"):
            continue
        value = getattr(plain, first)
        for part in rest:
            if isinstance(value, dict):  # the parts of other packages
                break
            value = getattr(value, part)  # an AttributeError names it
        found += 1
    assert found or page.parent.name in ("reading", "serve", "report", "explain")


def heading_links(page: Path) -> set[str]:
    """The anchors of its headings, as GitHub makes them."""
    found = re.findall(r"^#+ (.+)$", prose(page), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def test_there_are_links_and_files_to_look_for() -> None:
    """Else the next two tests would pass for want of any."""
    pages = [page.read_text(encoding="utf-8") for page in PAGES]
    assert sum(len(LINK.findall(page)) for page in pages) > 20
    assert sum(len(NAMED_FILE.findall(page)) for page in pages) > 20


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(prose(page)):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in heading_links(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_files_it_names_exist(page: Path) -> None:
    for span in NAMED_FILE.findall(page.read_text(encoding="utf-8")):
        assert (ROOT / span).exists(), span


def test_the_readme_takes_ten_minutes() -> None:
    """200 words a minute, tables and pictures included; commands apart."""
    assert len(re.findall(r"[A-Za-z]{2,}", prose(ROOT / "README.md"))) < 2000


def test_the_width_of_a_picture_is_as_written() -> None:
    """What programs of others have to compute before they can use a model file."""
    formula = re.search(r"`W = ([^`]+)`", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert formula
    rng = random.Random(0)
    for _ in range(300):
        w, h, H, m = rng.randint(1, 3000), rng.randint(1, 200), rng.randint(8, 64), rng.randint(1, 8)
        assert eval(formula[1], {}, {"w": w, "h": h, "H": H, "m": m}) == LineTransform(H, multiple=m).scaled_width(w, h)
