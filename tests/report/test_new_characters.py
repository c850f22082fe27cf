"""Characters that the model hardly or never saw in training, apart from those that it cannot know."""

from __future__ import annotations

import json
from pathlib import Path

from fake_reader import Answers, Lines

import crnn
from crnn.core.recognizer import Recognizer
from crnn.core.seen import NOTE, SeenCharacters
from crnn.report.evaluate import evaluate
from crnn.report.evaluation import NOT_RECORDED, Evaluation
from crnn.report.page import render_page
from crnn.report.table import table

LABELS = ["aab", "acd", "de?"]


def judged(seen: SeenCharacters | None, labels: list[str] = LABELS) -> Evaluation:
    answers = Answers(["aab", "acx", "dxx"], 0.99, "abcdex")
    if seen is not None:
        answers.card = answers.card.with_training(**{NOTE: seen.note()})
    return evaluate(Recognizer(answers), Lines(labels))  # type: ignore[arg-type]


def test_text_json_and_page_name_them_apart() -> None:
    evaluation = judged(SeenCharacters({"a": 70, "b": 5, "d": 2}, ("a", "b", "c")))
    said = table([evaluation])
    assert "1 character of the labels not among the model's: '?'" in said
    assert "characters never seen in training: 1: 'e' (U+0065 LATIN SMALL LETTER E) 1 of 1 wrong" in said
    assert "characters seen in rendered lines alone: 1: 'c' (U+0063 LATIN SMALL LETTER C) 0 of 1 wrong" in said
    assert "seen fewer than 5 times in training: 1: 'd' (U+0064 LATIN SMALL LETTER D) 1 of 2 wrong" in said
    assert NOT_RECORDED not in said
    data = json.loads(json.dumps(evaluation.to_dict()))
    assert data["training_counts"] == "recorded"
    assert data["seldom_in_training"] == [
        {"character": "e", "training": 0, "rendered": False, "count": 1, "wrong": 1},
        {"character": "c", "training": 0, "rendered": True, "count": 1, "wrong": 0},
        {"character": "d", "training": 2, "rendered": False, "count": 2, "wrong": 1},
    ]
    page = render_page([evaluation])
    section = page[page.index("Characters new to the model") :].split("</section>")[0]
    assert [row.split("<bdi>")[1].split("<td class=n>")[0] for row in section.split("<tr>")[2:]] == [
        "?</bdi><td>the model does not have it",
        "e</bdi><td>never",
        "c</bdi><td>in rendered lines alone",
        "d</bdi><td>2 times",
    ]


def test_models_that_do_not_say() -> None:
    old = judged(None)
    assert (old.seldom, old.training_counts) == ({}, NOT_RECORDED)
    assert "how often each character came in training is not recorded" in table([old])
    part = judged(SeenCharacters({"a": 70}, (), "bundled"))
    assert "how often each character came in training is not recorded of bundled, where it began" in table([part])
    assert "Characters new to the model" not in render_page([judged(None, ["aab"])])
    assert NOT_RECORDED not in table([Evaluation("x")])  # of a file of readings


def test_sources_together() -> None:
    seen = SeenCharacters({"a": 70, "b": 2})
    parts = [judged(seen, ["aab"]), judged(seen, ["acd"])]
    parts[0].confidence_is = parts[1].confidence_is = "of another decoder"
    whole = Evaluation.joined(parts)
    assert whole.confidence_is == "of another decoder"
    assert list(whole.seldom) == ["c", "d", "b"]
    assert whole.training_counts == "recorded"


def test_a_training_writes_them_down(trained: Path, line_folder: Path) -> None:
    rows = (line_folder / "train" / "labels.tsv").read_text().splitlines()
    texts = [row.split("\t")[1] for row in rows]
    card = crnn.load(trained / "model.onnx").card
    seen = SeenCharacters.of_note(card.training)
    assert seen is not None
    assert seen.labels == {c: sum(text.count(c) for text in texts) for c in sorted(set("".join(texts)))}
    assert (seen.rendered, seen.earlier) == ((), "")
