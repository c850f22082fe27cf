"""The page of `crnn serve` as text: whole, closed, in two languages, and with enough contrast."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from crnn.serve import page as module
from crnn.serve.page import SCRIPTS, page

ASSETS = Path(module.__file__).parent / "assets"
TEXTS = (
    *(("ink", "paper"), ("ink", "card"), ("ink", "tint"), ("soft", "paper"), ("soft", "card"), ("on", "accent")),
    *(("accent", "card"), ("unsure", "unsure-paper"), ("doubt", "doubt-paper"), ("doubt", "card"), ("paper", "doubt")),
    *(("good", "card"), ("unsure", "paper"), ("soft", "tint")),
)
"""Colours of text, and what it stands on."""
EDGES = (("line", "card"), ("line", "paper"), ("accent", "paper"))


def inside(tag: str) -> str:
    found = re.findall(rf"<{tag}>(.*?)</{tag}>", page()[0], re.DOTALL)
    assert len(found) == 1
    return str(found[0])


@pytest.mark.parametrize("tag", ["script", "style"])
def test_the_policy_names_what_is_inside_by_its_hash(tag: str) -> None:
    digest = base64.b64encode(hashlib.sha256(inside(tag).encode()).digest()).decode()
    assert f"{tag}-src 'sha256-{digest}'" in page()[1]


def test_the_policy_lets_nothing_else_in() -> None:
    rules = dict(rule.strip().split(" ", 1) for rule in page()[1].split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["connect-src"] == "'self'"
    assert rules["img-src"] == "blob: data:"
    assert {rules[name] for name in ("base-uri", "form-action", "frame-ancestors", "trusted-types")} == {"'none'"}
    assert "unsafe" not in page()[1]
    assert "\n" not in page()[1]


def test_nothing_is_loaded_from_elsewhere() -> None:
    text = page()[0]
    assert not re.search(r"https?://|//[\w.]+/|@import|url\(", text)
    assert re.findall(r"(?:href|src|action)=\"?([^\s>\"]+)", text) == ["data:,", "#readings"]
    assert text.count("<script") == text.count("</script") == text.count("<style") == 1
    assert "@script@" not in text
    assert " style=" not in text  # the policy forbids those
    assert "<!--" not in inside("script")


def test_texts_never_become_markup() -> None:
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|Function\(", inside("script")
    )


def test_every_script_stands_in_the_page() -> None:
    assert set(SCRIPTS) == {path.name for path in ASSETS.glob("*.js")}


def test_both_languages_say_the_same_words() -> None:
    english, chinese = (
        re.findall(r"(?:^ {4}|, )(\w+): (?=[\"(])", part, re.MULTILINE)
        for part in re.split(r"\n  zh: {\n", (ASSETS / "words.js").read_text(encoding="utf-8"))
    )
    assert len(english) > 70
    assert english == chinese
    assert len(set(english)) == len(english)
    html = (ASSETS / "page.html").read_text(encoding="utf-8")
    scripts = "".join((ASSETS / name).read_text(encoding="utf-8") for name in SCRIPTS if name != "words.js")
    used = re.findall(r"data-(?:say|label)=(\w+)", html)
    used += re.findall(r"\b(?:announce|Problem|button|say)\(\"(\w+)\"", scripts)
    used += re.findall(r"\btell\([^;\n\"]*, \"(\w+)\"", scripts)
    used += re.findall(r"\b(?:telling|setState)\([\w\"]+, \"[\w ]*\", \"(\w+)\"", scripts)
    assert len(used) > 60
    assert set(used) <= set(english)


def luminance(colour: str) -> float:
    """Of WCAG 2, from ``#rrggbb`` or ``#rgb``."""
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    values = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in values)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_texts_and_edges_have_contrast(scheme: int) -> None:
    blocks = re.findall(r":root\{(.*?)\}", inside("style"), re.DOTALL)[:2]
    colours = dict(re.findall(r"--([\w-]+):(#\w+)", blocks[0]))
    colours.update(re.findall(r"--([\w-]+):(#\w+)", blocks[scheme]))
    for pairs, least in ((TEXTS, 4.5), (EDGES, 3.0)):
        for front, back in pairs:
            low, high = sorted(luminance(colours[name]) for name in (front, back))
            assert (high + 0.05) / (low + 0.05) >= least, (front, back)


KEEP_TWICE = """
const part = () => ({ compareDocumentPosition() {} });
const card = { blob: new Blob(["x"]), reading: { text: "a", model: "m" }, name: "n", undo: {}, problem: {} };
Object.assign(card, { field: { focus() {} }, element: part() });
(async () => {
  const counts = [];
  const count = async () => counts.push(await corrections.count());
  await Promise.all([confirmText(card, "x"), confirmText(card, "x")]).then(count);
  await undo(card).then(count);
  await confirmText(card, "y");
  await confirmText(card, "z").then(count);
  console.log(JSON.stringify([counts, (await corrections.all()).map((one) => one.text)]));
})();
"""
"""Two presses of Enter before the first correction is kept; then it is taken back, and corrected again."""


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_a_correction_that_is_confirmed_twice_is_kept_once() -> None:
    stubs = "const indexedDB = { open() { throw new Error(); } }, Node = {}, cards = new Map();"
    stubs += "const get = () => ({ children: [] });"
    stubs += "".join(f"function {name}() {{}}" for name in ("tell", "announce", "setState", "suffixOf", "percent"))
    parts = "".join((ASSETS / name).read_text(encoding="utf-8") for name in ("store.js", "kept.js"))
    done = subprocess.run(["node", "-e", stubs + parts + KEEP_TWICE], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [[1, 0, 1], ["z"]]
