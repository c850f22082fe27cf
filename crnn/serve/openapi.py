"""What /openapi.json says beyond the routes themselves: bodies, answers and errors, with examples."""

from __future__ import annotations

from typing import Any

from crnn.serve.forms import PICTURE_FIELD
from crnn.serve.options import MAX_NBEST

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAAAAADhZOFXAAAAEElEQVR4nGP8zwABTAwUMQBJQQEPeWDz+AAAAABJRU5ErkJggg=="
"""A PNG of 8 x 8 white pixels in base64."""
PICTURE_TYPES = ("image/png", "image/jpeg", "image/tiff", "image/webp", "image/gif", "image/bmp")

TEXT = {"type": "string"}
SHARE = {"type": "number", "minimum": 0, "maximum": 1}
CHARACTER = {
    "type": "object",
    "required": ["text", "confidence", "start", "end"],
    "properties": {
        "text": TEXT,
        "confidence": SHARE,
        "start": {"type": "number", "description": "left edge in pixels of the picture"},
        "end": {"type": "number", "description": "right edge"},
    },
}
READING = {
    "type": "object",
    "required": ["text", "confidence"],
    "properties": {
        "text": TEXT,
        "confidence": SHARE,
        "characters": {"type": "array", "items": CHARACTER},
        "alternatives": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["text", "confidence"],
                "properties": {"text": TEXT, "confidence": SHARE},
            },
        },
    },
}
UNREAD = {"type": "object", "required": ["error"], "properties": {"error": TEXT}, "additionalProperties": False}
ANSWER = {
    "type": "object",
    "required": ["model", "version", "results"],
    "properties": {
        "model": TEXT,
        "version": TEXT,
        "results": {
            "type": "array",
            "description": "in the order of the pictures",
            "items": {"anyOf": [UNREAD, READING]},
        },
    },
}
ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {"code": TEXT, "message": TEXT},
        }
    },
}
MODELS = {
    "type": "object",
    "required": ["models"],
    "properties": {
        "models": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "version", "default", "characters", "format"],
                "properties": {
                    "name": TEXT,
                    "version": TEXT,
                    "default": {"type": "boolean"},
                    "characters": {"type": "integer"},
                    "height": {"type": "integer"},
                    "format": TEXT,
                    "decoder": TEXT,
                },
            },
        }
    },
}
READ_EXAMPLE = {
    "model": "latin",
    "version": "0123456789ab",
    "results": [
        {
            "text": "Hi",
            "confidence": 0.981234,
            "characters": [
                {"text": "H", "confidence": 0.99, "start": 3.0, "end": 14.0},
                {"text": "i", "confidence": 0.99, "start": 16.0, "end": 20.0},
            ],
        },
        {"error": "picture 2: is not a picture that can be read (PNG, JPEG, TIFF, WebP ...)"},
    ],
}
ERRORS = {
    400: "the request is not well formed; the message says what is allowed",
    401: "no or wrong API key; send Authorization: Bearer KEY",
    404: "no such model or path",
    405: "this path has another method",
    408: "the body did not come in time",
    413: "too large, or too many pictures",
    415: "content type is not taken",
    429: "the queue is full; send it again after Retry-After seconds",
    503: "shutting down, or all connections are taken",
    504: "not done in time",
}


def _json(schema: dict[str, Any], example: object = None) -> dict[str, Any]:
    return {"application/json": {"schema": schema} | ({} if example is None else {"example": example})}


def errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Descriptions of error answers."""
    described: dict[int | str, dict[str, Any]] = {}
    for status in statuses:
        described[status] = {"description": ERRORS[status], "content": _json(ERROR)}
    if 429 in described:
        described[429]["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "seconds"}}
    return described


def recognize_body(pictures: int) -> dict[str, Any]:
    """The request body of POST /recognize."""
    binary = {"type": "string", "format": "binary"}
    # not as maxItems: more are refused with 413, not as a malformed request
    several = {"type": "array", "minItems": 1, "description": f"1 to {pictures} pictures"}
    content: dict[str, Any] = {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": [PICTURE_FIELD],
                "properties": {PICTURE_FIELD: several | {"items": binary}},
                "additionalProperties": False,
            }
        },
        "application/json": {
            "schema": {
                "type": "object",
                "required": ["images"],
                "properties": {
                    "images": several | {"items": {"type": "string", "format": "byte", "contentEncoding": "base64"}},
                    "model": {"type": "string", "minLength": 1, "maxLength": 200},
                    "nbest": {"type": "integer", "minimum": 1, "maximum": MAX_NBEST},
                    "spans": {"type": "boolean"},
                },
                "additionalProperties": False,
            },
            "examples": {"one": {"summary": "one picture, three texts", "value": {"images": [PIXEL], "nbest": 3}}},
        },
        "application/octet-stream": {"schema": binary},
    }
    content |= {kind: {"schema": binary} for kind in PICTURE_TYPES}
    return {"required": True, "content": content}


PARAMETERS: list[dict[str, Any]] = [
    {
        "name": "model",
        "in": "query",
        "description": "NAME or NAME@VERSION; the default is the first that is served",
        "schema": {"type": "string", "minLength": 1, "maxLength": 200},
        "example": "latin",
    },
    {
        "name": "nbest",
        "in": "query",
        "description": "texts per line; more than one adds alternatives",
        "schema": {"type": "integer", "minimum": 1, "maximum": MAX_NBEST, "default": 1},
    },
    {
        "name": "spans",
        "in": "query",
        "description": "characters with their places",
        "schema": {"type": "boolean", "default": True},
    },
]
RECOGNIZE_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "readings, one per picture", "content": _json(ANSWER, READ_EXAMPLE)},
    422: {"description": "no picture could be read; each says why", "content": _json(ANSWER)},
    **errors(400, 401, 404, 408, 413, 415, 429, 503, 504),
}
MODELS_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "what is served", "content": _json(MODELS)},
    **errors(401),
}
STATE = {"type": "object", "required": ["status"], "properties": {"status": TEXT}}
HEALTH_RESPONSES: dict[int | str, dict[str, Any]] = {200: {"description": "it runs", "content": _json(STATE)}}
READY_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "it takes requests", "content": _json(STATE)},
    **errors(503),
}
METRICS_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"description": "Prometheus text", "content": {"text/plain": {"schema": TEXT}}},
    **errors(401),
}
