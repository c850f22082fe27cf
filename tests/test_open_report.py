"""The script that opens pages of real lines in a browser."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests_support import script


@pytest.fixture
def arguments(trained: Path, line_folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Ready to run: 12 lines, 300 times repeated, with a picture of the page."""
    pytest.importorskip("playwright.sync_api", reason="skipped: playwright not found; pip install 'crnn[test-browser]'")
    if not any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        pytest.skip("skipped: no Chromium found; apt-get install chromium")
    words = [str(trained / "model.onnx"), str(line_folder / "val"), "--lines", "10", "--repeat", "305"]
    monkeypatch.setattr("sys.argv", ["open_report.py", *words, "--screenshot", str(tmp_path / "page.png")])
    return tmp_path


def test_a_page_is_opened_and_used(arguments: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert script("open_report").main() == 0
    said = capsys.readouterr().out
    assert "val: 305 lines, " in said
    assert "305 of 305 lines" in said
    assert "load event after" in said
    assert "wrong:" not in said
    assert {path.name for path in arguments.iterdir()} == {"page.png", "page-lines.png"}


def test_what_a_page_does_wrong_is_told(
    arguments: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = script("open_report")
    broken = "Object.hasOwn(keys, event.key)"

    def damaged(path: Path, evaluations: list[object]) -> None:
        from crnn.report.page import policy, render_page

        page = render_page(evaluations)  # type: ignore[arg-type]
        code = page.rsplit("<script>", 1)[1].rsplit("</script>", 1)[0]
        other = code.replace(broken, 'event.key !== "k" && ' + broken).replace(
            "  refresh();\n})();", "  refresh();\nconsole.log(7);})();"
        )
        path.write_text(page.replace(code, other).replace(policy(code), policy(other)), encoding="utf-8")

    monkeypatch.setattr(module, "write_page", damaged)
    assert module.main() == 1
    said = capsys.readouterr().out
    assert "wrong: console: 7" in said
    assert "wrong: j and k move, Enter opens" in said
