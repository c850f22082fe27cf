"""The page at ``/``: one file of HTML with its style and scripts in it, and the policy that lets nothing else run."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from crnn.report.inline import hash_source

_ASSETS = Path(__file__).parent / "assets"
SCRIPTS = ("words.js", "store.js", "zip.js", "picture.js", "crop.js", "reading.js", "card.js", "kept.js", "page.js")
"""In the order in which they stand in the page, as one script."""


@cache
def page() -> tuple[str, str]:
    """The page, and the Content-Security-Policy to send it with.

    By the policy only this script and this style run, pictures are those that the user brings, nothing is sent but to
    the server itself, no other site may frame the page, and text never becomes markup (trusted types).
    """
    style = _asset("page.css")
    script = '"use strict";\n(() => {\n' + "".join(map(_asset, SCRIPTS)) + "})();\n"
    text = _asset("page.html").replace("@style@", style).replace("@script@", script)
    policy = (
        "default-src 'none'; connect-src 'self'; img-src blob: data:; "
        f"script-src {hash_source(script)}; style-src {hash_source(style)}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    return text, policy


def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")
