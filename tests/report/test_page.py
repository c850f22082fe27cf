"""The page: what it holds, what it escapes, how large it gets."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fake_reader import Lines, reader

from crnn.errors import DataError
from crnn.report import page_data as packing
from crnn.report.evaluate import evaluate
from crnn.report.evaluation import Evaluation
from crnn.report.inline import embedded
from crnn.report.page import START, render_page, report, write_page
from crnn.report.page_data import columns, page_data
from crnn.report.table import table
from crnn.report.target import check_target

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)> & \"'\u2028"


class Elements(HTMLParser):
    """All elements with their attributes, and what the data block holds."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.blocks: list[str] = []
        self.in_script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self.in_script = tag == "script"

    def handle_endtag(self, tag: str) -> None:
        self.in_script = False

    def handle_data(self, data: str) -> None:
        if self.in_script:
            self.blocks.append(data)


def judged(pairs: list[tuple[str, str]], name: str = "lines") -> Evaluation:
    """(reading, label) of each line."""
    evaluation = Evaluation(name, reader="someone", pictures=Lines([label for _, label in pairs]))  # type: ignore[arg-type]
    for reading, label in pairs:
        evaluation.add(reading, label, 0.5)
    return evaluation


def data_of(page: str) -> dict:
    return json.loads(Elements(page).blocks[0])


def test_the_page_holds_lines_figures_and_pictures(tmp_path: Path) -> None:
    texts = ["abc", "abd", "xyz"]
    lines = Lines(["abc", "abc", "xz"])
    evaluation = report(tmp_path / "r.html", reader(texts, 0.9), lines, reader="someone")  # type: ignore[arg-type]
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    data = data_of(page)
    assert len(data["lines"]) == 3
    where, picture, source, label, reading, errors, confidence, doubt, parts, image, marks, *logs = data["lines"][1]
    assert (where, picture, source, label, reading, errors) == ("labels.tsv:2", "images/1.png", 0, "abc", "abd", 1)
    assert confidence == round(evaluation.lines[1].confidence or 0, 4)
    assert doubt == round(evaluation.lines[1].doubt or 0, 2)
    assert parts == ["ab", ["c", "d"]]
    assert image[0].startswith(("data:image/webp;base64,", "data:image/jpeg;base64,"))
    assert image[1] == 64 * 40 // 8
    assert [mark[0] for mark in marks] == ["a", "b", "d"]
    assert marks[1][1] == 0.9
    assert 0 < marks[1][2] < marks[2][2] <= 100 - marks[2][3]
    assert None not in logs
    assert data["lines"][0][8] is None  # read right: nothing to align
    assert [tuple(pair) for pair in data["confusions"]] == [("", "y"), ("c", "d")]
    assert f"{evaluation.counts.cer:.2%}" in page
    assert "<b>someone</b> on" in page
    assert "Reliability curve" in page
    assert "confidence of the line (%)" in page


def test_nothing_from_outside_becomes_markup() -> None:
    evaluation = judged([(HOSTILE, "a" + HOSTILE), ("x", HOSTILE)], name=HOSTILE)
    evaluation.reader = HOSTILE
    evaluation.left_out = [HOSTILE]
    evaluation.unknown = {"<b>": 2}
    evaluation.lines[0].where = evaluation.lines[0].picture = HOSTILE
    page = render_page([evaluation, judged([("a", "b")], name=HOSTILE)])
    elements = Elements(page)
    assert [tag for tag, _ in elements.found].count("script") == 2
    assert not {"img", "b>"} & {tag for tag, _ in elements.found}
    assert not [name for _, attributes in elements.found for name in attributes if name.startswith("on")]
    assert data_of(page)["lines"][1][3] == HOSTILE
    assert "\u2028" not in elements.blocks[0]
    assert "<!--" not in embedded("<!--<script>")


def test_only_its_own_script_may_run() -> None:
    page = render_page([judged([("a", "b")])])
    elements = Elements(page)
    policy = next(a["content"] for tag, a in elements.found if a.get("http-equiv") == "Content-Security-Policy")
    script = page.rsplit("<script>", 1)[1].rsplit("</script>", 1)[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy == f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    assert not re.search(r"https?://", page)
    assert not [a for tag, a in elements.found if tag in ("link", "iframe") or "src" in a]


def test_lone_surrogates_and_undecodable_names_can_be_written(tmp_path: Path) -> None:
    evaluation = judged([("\ud800", "a")])
    evaluation.lines[0].picture = "b\udcff.png"
    write_page(tmp_path / "r.html", [evaluation])
    assert "\\ud800" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_columns() -> None:
    assert columns("abxd", "abcde") == ["ab", ["c", "x"], "d", ["e", ""]]
    assert columns("", "") == []
    assert columns("a", "") == [["", "a"]]


def test_a_page_is_bounded_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    evaluation = judged([("a", "a")] * 20 + [("b" * i, "c" * i) for i in range(1, 11)])
    monkeypatch.setattr(packing, "MOST_LINES", 12)
    monkeypatch.setattr(packing, "MOST_PICTURES", 5)
    monkeypatch.setattr(packing, "DOUBTED_PICTURES", 2)
    evaluation.lines[22].log_reading, evaluation.lines[22].log_label = -0.1, -50.0
    data = page_data([evaluation], evaluation)
    assert len(data.lines) == 12
    assert sum(line[3].startswith("c") for line in data.lines) == 10  # all with errors
    assert [line[3] for line in data.lines if line[9]] == ["ccc", *["c" * i for i in (7, 8, 9, 10)]]
    assert (data.pictures, data.doubted) == (5, 1)
    page = render_page([evaluation])
    assert "5 lines come with their picture" in page
    assert "The page lists 12 of 30 lines" in page
    monkeypatch.setattr(packing, "PICTURE_BYTES", 1)
    assert page_data([evaluation], evaluation).pictures == 1


def test_pictures_that_are_gone_are_left_out() -> None:
    evaluation = judged([("a", "b"), ("a", "c")])

    class Gone(Lines):
        def picture(self, position: int):
            if position == 0:
                raise DataError("gone")
            return super().picture(position)

    evaluation.pictures = Gone(["b", "c"])  # type: ignore[assignment]
    assert [bool(line[9]) for line in page_data([evaluation], evaluation).lines] == [False, True]


def test_several_sources_stand_side_by_side() -> None:
    first, second = judged([("a", "b")], "first"), judged([("cd", "cd"), ("ee", "ef")], "second")
    second.pictures = Lines(["cd", "ef"])  # type: ignore[assignment]
    page = render_page([first, second])
    assert data_of(page)["sources"] == ["first", "second"]
    assert [line[2] for line in data_of(page)["lines"]] == [0, 1, 1]
    assert "By source" in page
    assert f"{2 / 5:.2%}" in page  # of all: two errors in five characters
    assert "By source" not in render_page([first])


def test_readings_without_confidence_or_lines() -> None:
    evaluation = Evaluation("lines", reader="a.jsonl")
    evaluation.add("ab", "ac")
    page = render_page([evaluation])
    assert "Reliability" not in page
    assert "least sure first" not in page
    assert "probable label errors</option>" not in page
    assert render_page([Evaluation("nothing")])


def test_pages_that_cannot_be_written_are_refused_at_once(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none" / "a.html"):
        with pytest.raises(DataError, match=r"name a file( in a folder that is there)?$"):
            check_target(path, START)
    check_target(tmp_path / "a.html", START)


def test_characters_are_kept_for_pages_alone() -> None:
    recognizer, lines = reader(["ab"], 0.9), Lines(["ab"])
    assert evaluate(recognizer, lines).lines[0].symbols == ()  # type: ignore[arg-type]
    kept = evaluate(recognizer, lines, keep_characters=True).lines[0]  # type: ignore[arg-type]
    assert kept.symbols == ("a", "b")
    assert len(kept.marks) == 6


def test_kinds_that_no_label_holds_have_no_rate() -> None:
    evaluation = judged([("12 a", "123"), ("45x", "456")])
    assert "errors by character: digits 33.33% of 6" in table([evaluation]).splitlines()[-3]
    kinds = render_page([evaluation]).split("By kind of character")[1].split("</table>")[0]
    assert re.findall("<th scope=row>([^<]*)", kinds) == ["digits"]
    assert evaluation.to_dict()["by_class"]["space"]["extra"] == 1


@pytest.mark.parametrize(
    ("wrong", "said", "shown"),
    [(1, "checking the 50.0% of lines", "check 50.0% to get"), (2, "all lines have to be checked", "check all lines")],
)
def test_lines_to_check_for_ninety_nine_right(wrong: int, said: str, shown: str, tmp_path: Path) -> None:
    evaluation = Evaluation("lines")
    for i in range(2):
        evaluation.add("b" if i < wrong else "a", "a", 0.2 + i / 2)
    assert said in table([evaluation])
    write_page(tmp_path / "page.html", [evaluation])
    assert shown in (tmp_path / "page.html").read_text(encoding="utf-8")
