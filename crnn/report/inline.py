"""What stands inside a page that is one file: pictures, numbers that cannot end it, scripts that alone may run."""

from __future__ import annotations

import base64
import hashlib
import json
import re

_SURROGATES = re.compile("[\ud800-\udfff]")


def hash_source(text: str) -> str:
    """How a Content-Security-Policy names the inline script or style that is `text`."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"


def data_url(kind: str, content: bytes) -> str:
    """A picture as an address that holds it; `kind`: ``png``, ``webp`` ..."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"


def policy(script: str) -> str:
    """A Content-Security-Policy by which nothing is loaded from elsewhere, and no other script than this one runs."""
    return f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {hash_source(script)}"


def embedded(data: object) -> str:
    """JSON that can stand within a ``<script>``: nothing in it ends the element or opens a comment."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return _SURROGATES.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
