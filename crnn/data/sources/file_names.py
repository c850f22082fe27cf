"""Pictures whose names are their labels: ``name_0001.png`` reads "name"."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from crnn.core.picture import PICTURE_SUFFIXES
from crnn.data.sources.base import ReadOptions, Row
from crnn.data.sources.folder_reader import FolderReader
from crnn.data.sources.place import Place
from crnn.data.sources.trees import is_hidden
from crnn.errors import ConfigError, printable

DEFAULT_PATTERN = "(?P<text>.+)_[0-9]+"
"""What is looked for where no pattern is set."""


class FileNameReader(FolderReader):
    """Lines whose label is in the name of the picture.

    The pattern has to match the whole name without folders and ending. Pictures whose names do not match it are
    unusable lines.

    Raises:
        ConfigError: for a pattern that is no regular expression or has no group ``text``.
    """

    description = "pictures whose names are their labels, name_0001.png; other names with data.name_pattern"

    def __init__(self, path: Path, options: ReadOptions) -> None:
        super().__init__(path, options)
        self.pattern = compiled(options.name_pattern or DEFAULT_PATTERN)

    @staticmethod
    def matches(place: Place) -> bool:
        """Whether there is nothing but pictures, all named TEXT_NUMBER, and no text is on half of them or more, as
        ``page`` is of ``page_1.png``, ``page_2.png``."""
        if not has_only_pictures(place):
            return False
        pictures = [name for name in place.pictures if not is_hidden(name)]
        pattern = compiled(DEFAULT_PATTERN)
        found = [pattern.fullmatch(PurePosixPath(name).stem) for name in pictures]
        texts = Counter(match["text"] for match in found if match)
        return None not in found and len(texts) > 1 and max(texts.values()) * 2 < len(pictures)

    def rows(self) -> Iterator[Row]:
        self.notes = []
        example = ""
        for name in self.tree.names():
            if is_hidden(name) or PurePosixPath(name).suffix.lower() not in PICTURE_SUFFIXES:
                continue
            match = self.pattern.fullmatch(PurePosixPath(name).stem)
            text = match["text"] if match else None
            problem = ""
            if text is None:
                problem = f"the name does not match {self.pattern.pattern!r} (data.name_pattern)"
            elif not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
                problem = "the name is not UTF-8; rename it"
            elif not example:
                example = f"{printable(text)!r} of {printable(name)}"
            yield Row(text or "", printable(self.tree.root / name), name, problem)
        if self.options.name_pattern is None and example:  # nobody asked for it
            self.notes.append(
                f"{self.path}: there are only pictures, so their names are taken for the labels, such as {example}; if "
                "that is not what they say, write the labels to labels.tsv there, rows of picture<TAB>text"
            )


def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern for names.

    Raises:
        ConfigError: if it is no regular expression, or has no group ``text``.
    """
    where = f"data.name_pattern={printable(pattern)!r}"
    try:
        found = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ConfigError(
            f"{where}: is not a regular expression ({printable(error)}); write one such as {DEFAULT_PATTERN!r}"
        ) from None
    if "text" not in found.groupindex:
        raise ConfigError(f"{where}: has no group named text; write one such as {DEFAULT_PATTERN!r}")
    return found


def has_only_pictures(place: Place) -> bool:
    """Whether there are pictures and nothing that could be a label."""
    return place.tree is not None and not place.labels and not all(is_hidden(name) for name in place.pictures)
