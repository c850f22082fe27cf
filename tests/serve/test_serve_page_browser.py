"""The page of `crnn serve` in a real browser, against a real service with the bundled model."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import crnn
from crnn.cli import main
from crnn.data.sources import ReadOptions, open_source
from crnn.data.synth.source import synthetic_pair
from crnn.serve.page import page

for needed in ("fastapi", "uvicorn", "python_multipart", "prometheus_client", "httpx"):
    pytest.importorskip(needed, reason="skipped: needs pip install 'crnn[serve]'")
from serve_support import process  # noqa: E402

KEY = "a-key-of-the-tests-0123456789"
HOSTILE = "<img src=x onerror='window.broken=1'><script>window.broken=1</script>"
FIELDS = "#cards>li .edit input"
KEEP_SENT = """
const real = fetch;
window.sent = [];
window.fetch = (path, options) => {
    if (options.body) sent.push(options.body);
    return real(path, options);
};
"""
"""Playwright does not show bodies that are blobs."""


@pytest.fixture(scope="module")
def address(browser: Any) -> Iterator[str]:
    with process() as service:
        yield f"{service.url}/"


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Rendered lines as PNG files."""
    source = synthetic_pair(1, 8, seed=7, languages=["en"], fonts="bundled", wear=1.0)[1]
    folder = tmp_path_factory.mktemp("lines")
    for i in range(len(source)):
        source.picture(i).save(folder / f"line{i}.png")
    return [folder / f"line{i}.png" for i in (6, 1, 5, 7)]


@pytest.fixture(scope="module")
def readings(lines: list[Path]) -> list[Any]:
    return crnn.load(threads=1).recognize(lines)


@dataclass
class Opened:
    """A page, what it said on the console, and what it asked for."""

    page: Any
    address: str
    said: list[str] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)

    def read(self, *files: Path) -> None:
        """Choose pictures and wait until they are read."""
        before = self.page.locator(FIELDS).count()
        self.page.set_input_files("#files", [str(file) for file in files])
        self.page.locator(FIELDS).nth(before + len(files) - 1).wait_for()

    def texts(self) -> list[str]:
        return [one.input_value() for one in self.page.locator(FIELDS).all()]

    def answer(self, *answers: dict[str, Any] | None) -> None:
        """Answers to the next pictures in place of the service's; None: no answer. Then the service again."""
        left = list(answers)

        def handle(route: Any) -> None:
            if not left:
                route.continue_()
            elif (now := left.pop(0)) is None:
                route.abort()
            else:
                route.fulfill(**now)

        self.page.route("**/recognize?*", handle)


def refusal(status: int, message: str, **headers: str) -> dict[str, Any]:
    body = json.dumps({"error": {"code": "a_code", "message": message}})
    return {"status": status, "body": body, "headers": {"content-type": "application/json", **headers}}


def reading(text: str, characters: list[tuple[str, float, float, float]]) -> dict[str, Any]:
    named = [dict(zip(("text", "confidence", "start", "end"), one, strict=True)) for one in characters]
    result = {"text": text, "confidence": 0.5, "characters": named}
    return {"status": 200, "json": {"model": "m", "version": "v", "results": [result]}}


@pytest.fixture
def open_page(browser: Any, address: str) -> Iterator[Callable[..., Opened]]:
    """Opens the page; in the end it must have asked its own service alone, and complained of refusals at most."""
    contexts, pages = [], []
    policy = page()[1]

    def open_it(where: str = address, **options: Any) -> Opened:
        context = browser.new_context(**({"color_scheme": "light", "locale": "en-GB"} | options))
        opened = Opened(context.new_page(), where)
        opened.page.add_init_script(KEEP_SENT)
        opened.page.on("console", lambda message: opened.said.append(message.text))
        opened.page.on("pageerror", lambda error: opened.said.append(str(error)))
        opened.page.on("request", lambda request: opened.asked.append(request))
        contexts.append(context)
        pages.append(opened)
        answer = opened.page.goto(where)
        assert answer.headers["content-security-policy"] == policy
        return opened

    yield open_it
    for opened in pages:
        assert [text for text in opened.said if not text.startswith("Failed to load resource")] == []
        urls = [request.url for request in opened.asked]
        assert opened.address in urls
        local = ("blob:", "data:")
        assert [url for url in urls if not url.startswith((opened.address, *local))] == []
    for context in contexts:
        context.close()


@pytest.fixture
def opened(open_page: Callable[..., Opened]) -> Opened:
    return open_page()


def test_chosen_pictures_are_read_as_crnn_reads_them(opened: Opened, lines: list[Path], readings: list[Any]) -> None:
    opened.page.select_option("#nbest", "3")
    opened.read(*lines)
    assert opened.texts() == [reading.text for reading in readings]
    letters = opened.page.locator("#cards>li").first.locator("[role=option]")
    assert letters.all_inner_texts() == [character.text for character in readings[0].characters]
    assert opened.page.locator("#cards>li").first.locator(".others button").count() == 2
    assert opened.page.locator("#cards h3").all_inner_texts() == [line.name for line in lines]
    assert re.fullmatch(r"confidence [\d.]+ %", opened.page.inner_text("#cards>li:first-child .state"))
    assert re.fullmatch(r"latin@\w+ · \d+\.\d\d s", opened.page.inner_text("#cards>li:first-child .facts"))
    assert opened.page.input_value("#model") == "latin"
    unsure = [character.confidence < 0.9 for character in readings[0].characters]
    assert [bool(one.get_attribute("class")) for one in letters.all()] == unsure
    assert opened.said == []


def test_characters_are_coloured_by_confidence(opened: Opened, lines: list[Path]) -> None:
    sure = [1.0, 0.9, 0.89, 0.6, 0.59, 0.0]
    spans = [
        (text, each, 10.0 * at, 10.0 * at + 10) for at, (text, each) in enumerate(zip("abcdef", sure, strict=True))
    ]
    opened.answer(reading("abcdef", spans))
    opened.read(lines[0])
    grades = [one.get_attribute("class") or "" for one in opened.page.locator("[role=option]").all()]
    assert grades == ["", "", "unsure", "unsure", "doubtful", "doubtful"]


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_pictures_can_be_dropped_and_pasted(opened: Opened, lines: list[Path], readings: list[Any], event: str) -> None:
    make = """([bytes, event]) => {
        const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(bytes)], "one.png", { type: "image/png" }));
        const target = document.querySelector(event === "drop" ? "#add" : "body");
        target.dispatchEvent(event === "drop" ? new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })
            : new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
    }"""
    opened.page.evaluate(make, [list(lines[0].read_bytes()), event])
    opened.page.wait_for_selector(FIELDS)
    assert opened.texts() == [readings[0].text]


def test_a_character_and_its_place_show_each_other(opened: Opened, lines: list[Path], readings: list[Any]) -> None:
    opened.read(lines[0])
    page = opened.page
    character = readings[0].characters[4]
    width = Image.open(lines[0]).width
    lit = page.locator(".pic b.on")
    assert lit.count() == 0
    page.locator("[role=option]").nth(4).hover()
    picture, box = page.locator(".pic img").bounding_box(), lit.bounding_box()
    assert (box["x"] - picture["x"]) / picture["width"] == pytest.approx(character.start / width, abs=0.01)
    assert box["width"] / picture["width"] == pytest.approx((character.end - character.start) / width, abs=0.01)
    assert re.search(r"\d %$", page.locator("[role=option]").nth(4).get_attribute("title"))
    middle = (readings[0].characters[7].start + readings[0].characters[7].end) / 2 / width
    page.mouse.move(picture["x"] + middle * picture["width"], picture["y"] + picture["height"] / 2)
    assert page.locator("[role=option].on").all_inner_texts() == [readings[0].characters[7].text]
    page.mouse.move(1, 1)
    assert lit.count() == 0
    page.locator("[role=option]").first.focus()
    for key, place in (("ArrowRight", 1), ("End", len(readings[0].characters) - 1), ("Home", 0), ("ArrowLeft", 0)):
        page.keyboard.press(key)
        assert page.locator("[role=option]").nth(place).evaluate("one => one === document.activeElement")
        assert page.locator("[role=option].on").count() == lit.count() == 1
        assert page.locator("[role=option]").nth(place).get_attribute("aria-selected") == "true"


def tab_to(page: Any, selector: str) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"the Tab key does not lead to {selector}")


def test_correcting_needs_no_mouse(opened: Opened, lines: list[Path], readings: list[Any]) -> None:
    page = opened.page
    opened.read(*lines[:3])
    tab_to(page, FIELDS)
    page.keyboard.press("End")
    page.keyboard.type("!")
    page.keyboard.press("Enter")
    page.wait_for_selector("#cards>li:nth-child(2) .edit input:focus")
    assert page.inner_text("#kept") == "1 correction kept"
    assert page.inner_text("#status") == f"kept: {readings[0].text}!"
    page.keyboard.press("Enter")
    page.wait_for_selector("#cards>li:nth-child(3) .edit input:focus")
    page.keyboard.press("Control+A")
    page.keyboard.type(" ")
    page.keyboard.press("Enter")
    page.wait_for_selector("#cards>li:nth-child(3) .problem:has-text('without text')")
    assert page.inner_text("#kept") == "2 corrections kept"
    page.keyboard.press("Escape")
    assert opened.texts()[2] == readings[2].text
    page.keyboard.press("Shift+Tab")
    tab_to(page, "#cards>li:nth-child(3) .row button:nth-child(2)")
    page.keyboard.press("Enter")  # as read is right
    page.wait_for_selector("#status:has-text('All readings are confirmed.')")
    assert page.inner_text("#kept") == "3 corrections kept"
    page.locator(FIELDS).first.focus()
    tab_to(page, "#cards>li:first-child .row button:nth-child(3)")
    page.keyboard.press("Enter")  # undo
    page.wait_for_selector("#kept:has-text('2 corrections kept')")
    assert opened.texts()[0] == readings[0].text
    assert page.locator("#cards>li.kept").count() == 2


def test_corrections_survive_a_reload_and_can_be_trained_on(
    opened: Opened, lines: list[Path], readings: list[Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = opened.page
    opened.read(*lines[:3])
    page.locator(FIELDS).nth(0).fill("")
    page.locator(FIELDS).nth(0).evaluate("one => { one.value = ' a\\tb\\u2028cafe\\u0301 ' }")
    page.locator(FIELDS).nth(0).press("Enter")
    page.wait_for_selector("#kept:has-text('1 correction kept')")
    page.locator(FIELDS).nth(1).fill("another")
    page.locator("#cards>li:nth-child(2)").get_by_role("button", name="As read is right").click()
    page.wait_for_selector("#kept:has-text('2 corrections kept')")
    page.locator(FIELDS).nth(1).fill("אב <b>\\")
    page.locator("#cards>li:nth-child(2)").get_by_role("button", name="Save correction").click()
    page.wait_for_selector("#status:has-text('kept: אב')")
    page.reload()
    page.wait_for_selector("#kept:has-text('2 corrections kept')")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download corrections").click()
    assert re.fullmatch(r"corrections-\d{8}T\d{4}\.zip", waiting.value.suggested_filename)
    said, model = page.inner_text("#status"), page.locator("#model").input_value()
    assert said.endswith(f"crnn train init=MODEL data.root=FOLDER (MODEL: file or run of {model})")
    archive, folder = tmp_path / "corrections.zip", tmp_path / "corrections"
    waiting.value.save_as(archive)
    with zipfile.ZipFile(archive) as opened_zip:
        assert opened_zip.testzip() is None
        assert opened_zip.namelist() == ["labels.tsv", "images/0001.png", "images/0002.png"]
        opened_zip.extractall(folder)
    wanted = ["a b café", "אב <b>\\"]
    assert (folder / "labels.tsv").read_text("utf-8") == f"images/0001.png\t{wanted[0]}\nimages/0002.png\t{wanted[1]}\n"
    for place in (archive, folder):
        source = open_source(place, ReadOptions())
        assert [source.entry(i).text for i in range(len(source))] == wanted
    assert [(folder / f"images/000{i + 1}.png").read_bytes() for i in (0, 1)] == [
        line.read_bytes() for line in lines[:2]
    ]
    assert main(["check", str(folder)]) == 0
    assert "2 lines" in capsys.readouterr().out
    page.get_by_role("button", name="Forget all").click()
    page.get_by_role("button", name="Keep them").click()
    assert page.inner_text("#kept") == "2 corrections kept"
    page.get_by_role("button", name="Forget all").click()
    page.locator("#forget-yes").click()
    page.wait_for_selector("#kept:has-text('No corrections yet')")
    assert page.locator("#download").is_disabled()
    page.reload()
    page.wait_for_selector("#kept:has-text('No corrections yet')")


def test_what_is_kept_is_listed_and_can_be_taken_back(opened: Opened, lines: list[Path], readings: list[Any]) -> None:
    page = opened.page
    opened.read(*lines[:2])
    assert page.locator("#kept-all").is_hidden()
    page.locator(FIELDS).first.press("Enter")
    page.wait_for_selector("#kept:has-text('1 correction kept')")
    page.reload()
    opened.read(lines[1])
    page.locator(FIELDS).first.fill(HOSTILE)
    page.locator(FIELDS).first.press("Enter")
    page.wait_for_selector("#kept:has-text('2 corrections kept')")
    page.locator("summary").press("Enter")
    entries = page.locator("#kept-list li")
    entries.nth(1).wait_for()
    assert entries.locator("span").all_inner_texts() == [HOSTILE, readings[0].text]
    pictures = "all => Promise.all(all.map(one => one.decode().then(() => one.naturalWidth)))"
    assert entries.locator("img").evaluate_all(pictures) == [Image.open(line).width for line in (lines[1], lines[0])]
    page.get_by_role("button", name=f"Remove {HOSTILE}").press("Enter")
    page.wait_for_selector("#kept:has-text('1 correction kept')")
    assert opened.texts() == [readings[1].text]
    assert page.locator("#cards>li.kept").count() == 0
    assert entries.locator("span").all_inner_texts() == [readings[0].text]
    page.get_by_role("button", name=f"Remove {readings[0].text}").press("Enter")
    page.wait_for_selector("#kept:has-text('No corrections yet')")
    assert page.locator("#kept-all").is_hidden()


def test_a_busy_server_is_asked_again(opened: Opened, lines: list[Path], readings: list[Any]) -> None:
    opened.answer(refusal(429, "full", **{"Retry-After": "2"}))
    opened.page.set_input_files("#files", str(lines[0]))
    opened.page.wait_for_selector(".state:has-text('the server is busy; again in')")
    opened.page.wait_for_selector(FIELDS)
    assert opened.texts() == [readings[0].text]
    assert len([one for one in opened.asked if "/recognize" in one.url]) == 2


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (refusal(413, "at most 7 bytes"), "The picture is too large for this server: at most 7 bytes"),
        (refusal(504, "not done within 30 s"), "Reading took too long: not done within 30 s"),
        (refusal(503, "shutting down"), "The server is not ready: shutting down"),
        (refusal(400, "a reason"), "The server refused: a reason"),
        ({"status": 502, "body": "<html>"}, "The server answered with something else than a reading (status 502)."),
        (None, "The server cannot be reached. Is it running? The picture is still here."),
    ],
)
def test_what_goes_wrong_is_said_and_can_be_tried_again(
    opened: Opened, lines: list[Path], readings: list[Any], answer: dict[str, Any] | None, words: str
) -> None:
    opened.answer(answer)
    opened.page.set_input_files("#files", str(lines[0]))
    retry = opened.page.get_by_role("button", name="Try again")
    retry.wait_for()
    assert opened.page.locator("[role=alert]").all_inner_texts() == [words]
    retry.press("Enter")
    opened.page.wait_for_selector(FIELDS)
    assert opened.texts() == [readings[0].text]
    assert opened.page.locator("[role=alert]").inner_text() == ""
    assert opened.page.locator(FIELDS).evaluate("one => one === document.activeElement")


def test_what_is_no_picture_is_named(opened: Opened, lines: list[Path], tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture at all")
    opened.page.set_input_files("#files", str(tmp_path / "broken.png"))
    opened.page.wait_for_selector(".problem:has-text('The picture cannot be read: picture 1: is not a picture')")
    (tmp_path / "notes.txt").write_text("text")
    opened.page.set_input_files("#files", str(tmp_path / "notes.txt"))
    opened.page.wait_for_selector("#status:has-text('notes.txt is not a picture.')")
    assert opened.page.locator("#cards>li").count() == 1
    opened.page.set_input_files("#files", str(lines[0]))
    opened.page.wait_for_selector("#status:empty", state="attached")


@pytest.fixture(scope="module")
def photograph(lines: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two lines on a sheet of 600 x 800."""
    sheet = Image.new("L", (600, 800), 220)
    for y, line in ((160, lines[1]), (400, lines[0])):
        sheet.paste(Image.open(line).convert("L"), (80, y))
    path = tmp_path_factory.mktemp("photograph") / "sheet.png"
    sheet.save(path)
    return path


def sent(opened: Opened) -> Image.Image:
    """The last picture as it was sent."""
    return Image.open(
        io.BytesIO(bytes(opened.page.evaluate("async () => [...new Uint8Array(await sent.at(-1).arrayBuffer())]")))
    )


def test_a_line_of_a_photograph_is_chosen_with_the_mouse(opened: Opened, photograph: Path, readings: list[Any]) -> None:
    page = opened.page
    page.set_input_files("#files", str(photograph))
    page.wait_for_selector("#crop[open]")
    area = page.locator("#crop-picture").bounding_box()
    scale = area["width"] / 600
    line = (80, 400, 80 + 387, 400 + 32)
    page.mouse.move(area["x"] + (line[0] - 2) * scale, area["y"] + (line[1] - 1) * scale)
    page.mouse.down()
    page.mouse.move(area["x"] + 300 * scale, area["y"] + 420 * scale)
    page.mouse.move(area["x"] + (line[2] + 2) * scale, area["y"] + (line[3] + 1) * scale)
    page.mouse.up()
    page.get_by_role("button", name="Read this part").click()
    page.get_by_role("button", name="Done").click()
    page.wait_for_selector(FIELDS)
    picture = sent(opened)
    assert picture.format == "PNG"
    assert picture.size == pytest.approx((line[2] - line[0] + 4, line[3] - line[1] + 2), abs=4)
    assert opened.texts() == [crnn.load(threads=1).recognize(picture)[0].text]
    assert len(set(opened.texts()[0].split()) & set(readings[0].text.split())) >= 3
    assert page.locator("#cards h3").all_inner_texts() == ["sheet.png, part 1", "sheet.png"]
    page.get_by_role("button", name="Read the whole picture").last.click()
    page.locator(FIELDS).nth(1).wait_for()
    assert sent(opened).size == (600, 800)


def test_a_line_of_a_photograph_is_chosen_with_keys(opened: Opened, photograph: Path) -> None:
    page = opened.page
    page.set_input_files("#files", str(photograph))
    page.wait_for_selector("#crop-box:focus")

    def place() -> list[int]:
        return [int(word) for word in re.findall(r"\d+", page.inner_text("#crop-place"))]

    left, top, width, height = place()
    steps = (("ArrowDown", 0, 6, 0, 0), ("ArrowRight", 6, 0, 0, 0), ("Shift+ArrowDown", 0, 0, 0, 6))
    steps += (("Control+ArrowUp", 0, -1, 0, 0), ("Control+Shift+ArrowLeft", 0, 0, -1, 0), ("ArrowLeft", -6, 0, 0, 0))
    for key, *change in steps:
        page.keyboard.press(key)
        left, top, width, height = (a + b for a, b in zip((left, top, width, height), change, strict=True))
        assert place() == [left, top, width, height], key
    for _ in range(10):
        page.keyboard.press("ArrowLeft")
    left = 0
    assert place() == [left, top, width, height]
    page.keyboard.press("Enter")
    page.locator(FIELDS).wait_for(state="attached")
    assert sent(opened).size == (width, height)
    with Image.open(photograph) as whole:
        part = whole.crop((left, top, left + width, top + height))
        assert list(sent(opened).convert("L").getdata()) == list(part.getdata())
    assert page.inner_text("#crop-place").startswith("Being read")
    page.keyboard.press("Control+ArrowRight")
    assert place() == [1, top + height, width, height]
    page.keyboard.press("Escape")
    assert page.locator("#crop").is_hidden()


def test_a_picture_taken_sideways_stands_upright(
    opened: Opened, lines: list[Path], readings: list[Any], tmp_path: Path
) -> None:
    upright = Image.open(lines[0]).convert("L")
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.jpg", exif=exif, quality=98)
    opened.read(tmp_path / "turned.jpg")
    assert opened.texts() == [readings[0].text]
    box = opened.page.locator(".pic img").bounding_box()
    assert box["width"] / box["height"] == pytest.approx(upright.width / upright.height, rel=0.05)
    last = opened.page.locator(".pic b").last.bounding_box()
    assert box["x"] + box["width"] * 0.8 < last["x"] < box["x"] + box["width"]
    opened.page.get_by_role("button", name="Choose lines").click()
    opened.page.wait_for_selector("#crop-box:focus")
    opened.page.keyboard.press("Enter")
    opened.page.locator(FIELDS).nth(1).wait_for(state="attached")
    assert sent(opened).width > 5 * sent(opened).height


def test_a_picture_that_the_browser_cannot_show_is_read_all_the_same(
    opened: Opened, lines: list[Path], readings: list[Any], tmp_path: Path
) -> None:
    Image.open(lines[0]).save(tmp_path / "line.tif")
    opened.read(tmp_path / "line.tif")
    assert opened.texts() == [readings[0].text]
    assert opened.page.inner_text(".view").startswith("This browser cannot show the picture")
    opened.page.locator("[role=option]").first.hover()
    opened.page.locator(FIELDS).press("Enter")
    opened.page.wait_for_selector("#kept:has-text('1 correction kept')")
    with opened.page.expect_download() as waiting:
        opened.page.locator("#download").click()
    with zipfile.ZipFile(waiting.value.path()) as archive:
        assert archive.read("images/0001.tif") == (tmp_path / "line.tif").read_bytes()


def test_large_pictures_are_scaled_before_they_are_sent(opened: Opened, lines: list[Path], tmp_path: Path) -> None:
    Image.open(lines[0]).resize((6192, 512)).save(tmp_path / "large.png")
    opened.read(tmp_path / "large.png")
    assert sent(opened).size == (4096, 339)
    last = opened.page.locator(".pic b").last.bounding_box()
    picture = opened.page.locator(".pic img").bounding_box()
    assert picture["x"] + picture["width"] * 0.9 < last["x"] + last["width"] < picture["x"] + picture["width"] + 1


def test_a_phone_shows_it_without_sideways_scrolling(
    open_page: Callable[..., Opened], lines: list[Path], photograph: Path
) -> None:
    opened = open_page(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    page = opened.page

    def overflow() -> int:
        return int(page.evaluate("document.documentElement.scrollWidth - 360"))

    assert page.get_by_label("Take a photograph").get_attribute("capture") == "environment"
    assert page.locator("label[for=camera]").is_visible()
    assert overflow() == 0
    page.select_option("#nbest", "10")
    opened.read(*lines)
    page.locator(FIELDS).first.press("Enter")
    page.wait_for_selector("#kept:has-text('1 correction kept')")
    assert overflow() == 0
    page.set_input_files("#camera", str(photograph))
    page.wait_for_selector("#crop[open]")
    assert overflow() == 0
    box = page.locator("#crop").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360


def test_a_key_is_asked_for_and_forgotten_with_the_tab(
    open_page: Callable[..., Opened], lines: list[Path], readings: list[Any]
) -> None:
    with process(CRNN_API_KEYS=KEY) as service:
        opened = open_page(f"{service.url}/")
        page = opened.page
        page.wait_for_selector("#status:has-text('This server wants an API key.')")
        page.set_input_files("#files", str(lines[0]))
        page.wait_for_selector(".problem:has-text('An API key is needed')")
        page.get_by_label("API key").fill("wrong-key-0123456789")
        page.keyboard.press("Enter")
        page.wait_for_selector("#status:has-text('The server does not know this key.')")
        page.get_by_label("API key").fill(KEY)
        page.keyboard.press("Enter")
        page.wait_for_selector(FIELDS)
        assert opened.texts() == [readings[0].text]
        assert page.locator("#key-form").is_hidden()
        assert page.evaluate("sessionStorage.getItem('crnn-key')") == KEY
        assert KEY not in page.evaluate("JSON.stringify(localStorage) + document.cookie")
        page.goto("about:blank")
        second = open_page(f"{service.url}/")
        second.page.wait_for_selector("#key-form:not([hidden])")


def test_texts_are_text_whatever_they_hold(opened: Opened, lines: list[Path]) -> None:
    opened.answer(reading(HOSTILE, [(HOSTILE, 0.5, 0, 100)]))
    opened.read(lines[0])
    assert opened.texts() == [HOSTILE]
    assert opened.page.locator("[role=option]").all_inner_texts() == [HOSTILE]
    opened.page.locator(FIELDS).press("Enter")
    opened.page.wait_for_selector("#kept:has-text('1 correction kept')")
    assert opened.page.evaluate("window.broken") is None
    assert opened.page.locator("#cards img").count() == 1


def test_lines_from_right_to_left_keep_the_order_of_the_picture(opened: Opened, lines: list[Path]) -> None:
    opened.answer(reading("אבג", [("ג", 0.9, 0, 100), ("ב", 0.7, 100, 200), ("א", 0.95, 200, 300)]))
    opened.read(lines[0])
    letters = opened.page.locator("[role=option]")
    assert letters.all_inner_texts() == ["ג", "ב", "א"]
    places = [one.bounding_box()["x"] for one in letters.all()]
    assert places == sorted(places)
    assert opened.page.locator(FIELDS).evaluate("one => getComputedStyle(one).direction") == "rtl"


def test_a_page_in_chinese_remembers_it(open_page: Callable[..., Opened], lines: list[Path]) -> None:
    opened = open_page()
    page = opened.page
    opened.read(lines[0])
    page.get_by_role("button", name="中文").click()
    assert page.locator("html").get_attribute("lang") == "zh-Hans"
    assert page.inner_text("h1") == "识别文本行"
    assert page.inner_text("#cards .state").startswith("置信度")
    assert page.get_by_role("button", name="保存校正").count() == 1
    page.reload()
    assert page.inner_text("h1") == "识别文本行"
    page.get_by_role("button", name="English").click()
    assert page.inner_text("h1") == "Read lines of text"


def test_every_control_has_a_name_and_every_part_its_role(opened: Opened, lines: list[Path], photograph: Path) -> None:
    page = opened.page
    page.select_option("#nbest", "3")
    opened.read(*lines[:2])
    nameless = page.eval_on_selector_all(
        "button:not([hidden], dialog *), select, input, [role=option], [role=listbox], [role=application]",
        "all => all.filter(one => !(one.labels?.[0]?.innerText || one.ariaLabel || one.matches('button') && one.innerText))"
        ".map(one => one.outerHTML)",
    )
    assert nameless == []
    for role, count in (("banner", 1), ("main", 1), ("heading", 5), ("status", 1), ("region", 3), ("listbox", 2)):
        assert page.get_by_role(role).count() == count, role
    assert page.get_by_role("listitem", name="line6.png").count() == 1
    assert page.get_by_role("img", name="picture line6.png").count() == 1
    assert page.locator("html").get_attribute("lang") == "en"
