"""Pages of one file: text, style, script and numbers in it, nothing from elsewhere."""

from __future__ import annotations

import base64
import io
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from crnn.errors import ConfigError, printable, unwritten
from crnn.explain.colours import diverging, sequential
from crnn.files import write_atomic
from crnn.report.inline import data_url, embedded, policy

ASSETS = Path(__file__).parent / "assets"
LANGUAGES = {"en": "English", "zh": "中文"}
SUFFIXES = (".html", ".png")


def pack(
    values: NDArray, low: float, high: float, bits: int = 8, colours: tuple[float, float] | None = None
) -> dict[str, Any]:
    """Numbers as `bits`-bit steps from `low` to `high`, in base64; what lies outside is cut.

    A value comes back to within half a step, (high - low) / (2**bits - 1) / 2. `colours` are the values that have the
    first and the last colour, `low` and `high` if not given.
    """
    most = 2**bits - 1
    steps = np.rint((np.asarray(values, np.float64) - low) / (high - low) * most).clip(0, most)
    data = steps.astype("<u2" if bits == 16 else "u1").tobytes()
    return {
        "shape": list(values.shape),
        "low": round(low, 6),
        "high": round(high, 6),
        "bits": bits,
        "colours": [round(value, 6) for value in colours or (low, high)],
        "b64": base64.b64encode(data).decode("ascii"),
    }


def picture_url(grey: NDArray[np.uint8]) -> str:
    """A grey picture (H, W) as a data URL."""
    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, "PNG", optimize=True)
    return data_url("png", stream.getvalue())


def palettes() -> dict[str, str]:
    """Name -> 256 times red, green, blue, in base64."""
    tables = {"seq": sequential(), "div-light": diverging("light"), "div-dark": diverging("dark")}
    return {name: base64.b64encode(table.tobytes()).decode("ascii") for name, table in tables.items()}


def page(title: str, body: str, data: dict[str, Any], scripts: tuple[str, ...], language: str = "en") -> str:
    """A whole page.

    Args:
        title: of the window.
        body: HTML; everything that comes from outside is escaped already.
        data: for the scripts, which find it as `DATA`; `palettes` are added.
        scripts: files in `assets`, in the order in which they run; ``kit.js`` comes before them.
        language: of the page when it opens.
    """
    code = "\n".join((ASSETS / name).read_text(encoding="utf-8") for name in ("kit.js", *scripts))
    return (
        f"<!doctype html>\n<html lang={language}>\n<head>\n<meta charset=utf-8>\n"
        f'<meta http-equiv=Content-Security-Policy content="{policy(code)}">\n'
        "<meta name=viewport content='width=device-width,initial-scale=1'>\n"
        "<meta name=color-scheme content='light dark'>\n"
        f"<title>{text(title)}</title>\n<style>\n{(ASSETS / 'page.css').read_text(encoding='utf-8')}</style>\n</head>\n"
        f"<body>\n{body}\n"
        f"<script type=application/json id=data>{embedded({**data, 'palettes': palettes()})}</script>\n"
        f"<script>{code}</script>\n</body>\n</html>\n"
    )


def say(pair: tuple[str, str], tag: str = "p", extra: str = "") -> str:
    """HTML of both languages; the style sheet shows that of the page."""
    english, chinese = pair
    return f"<{tag} lang=en{extra}>{english}</{tag}><{tag} lang=zh{extra}>{chinese}</{tag}>"


def switches(language: str) -> str:
    """The bar with the languages and dark or light."""
    buttons = "".join(
        f"<button type=button data-lang={code} aria-pressed={str(code == language).lower()}>{name}</button>"
        for code, name in LANGUAGES.items()
    )
    return (
        f'<div class="bar switch"><button type=button id=theme></button>'
        f'<span class=tabs role=group aria-label="language / 语言">{buttons}</span></div>'
    )


def text(value: object) -> str:
    """Anything as text of a page."""
    return escape(printable(value, 2000))


def visible(symbol: str) -> str:
    """A character that can be seen: the space as an open box."""
    return "␣" if symbol == " " else printable(symbol)


def suffix_of(out: str, allowed: tuple[str, ...] = SUFFIXES) -> str:
    """What kind of file `out` is to be.

    Raises:
        ConfigError: if its name does not end in an allowed suffix, or its folder is not there.
    """
    path = Path(out)
    if path.suffix.lower() not in allowed:
        raise ConfigError(f"--out {printable(out)}: must end in {' or '.join(allowed)}")
    if path.is_dir() or not path.parent.is_dir():
        raise ConfigError(f"--out {printable(out)}: cannot be written; name a file in a folder that is there")
    return path.suffix.lower()


def write(out: str, content: str | bytes) -> None:
    """Write a page or picture, whole or not at all.

    Raises:
        ConfigError: if it cannot be written.
    """
    data = content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content
    try:
        with write_atomic(Path(out)) as temporary:
            temporary.write_bytes(data)
    except OSError as error:
        raise ConfigError(unwritten(f"--out {out}", error)) from None
