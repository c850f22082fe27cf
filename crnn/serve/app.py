"""The ASGI application: routes, and around them one gate for keys, log and metrics."""

from __future__ import annotations

import traceback
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from crnn import __version__
from crnn.serve import openapi
from crnn.serve.errors import CLOSED_BY_CLIENT, STATUS, Disconnected, Refused, error_body
from crnn.serve.gate import Gate
from crnn.serve.keys import Keys
from crnn.serve.logs import Log
from crnn.serve.metrics import CONTENT_TYPE
from crnn.serve.options import query_options
from crnn.serve.page import page
from crnn.serve.service import Note, Service

_CODES = {404: "not_found", 405: "method_not_allowed"}


def make_app(service: Service, keys: Keys, log: Log) -> ASGIApp:
    """The whole service as an ASGI application."""
    app = FastAPI(
        title="crnn",
        version=__version__,
        description="Reads pictures of text lines.",
        docs_url=None,  # those pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )

    @app.exception_handler(Refused)
    async def refused(request: Request, error: Refused) -> JSONResponse:
        return JSONResponse(error.body(), error.status, error.headers)

    @app.exception_handler(HTTPException)
    async def not_routed(request: Request, error: HTTPException) -> JSONResponse:
        code = _CODES.get(error.status_code, "bad_request")
        message = "there is no such path" if code == "not_found" else "this path has another method"
        return JSONResponse(error_body(code, f"{message}; see /openapi.json"), STATUS[code], dict(error.headers or {}))

    @app.exception_handler(Disconnected)
    async def disconnected(request: Request, error: Disconnected) -> Response:
        return Response(status_code=CLOSED_BY_CLIENT)

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse(error_body("internal", "a fault of the service; its log says more"), STATUS["internal"])

    @app.post(
        "/recognize",
        summary="Read pictures of text lines",
        responses=openapi.RECOGNIZE_RESPONSES,
        response_model=None,
        openapi_extra={
            "requestBody": openapi.recognize_body(service.limits.pictures),
            "parameters": openapi.PARAMETERS,
        },
    )
    async def recognize(request: Request) -> JSONResponse:
        note = request.scope["state"].setdefault("note", Note())
        options = query_options(request.query_params.multi_items())
        headers = request.headers
        try:
            status, answer = await service.recognize(
                request.receive, headers.get("content-type"), headers.get("content-length"), options, note
            )
        except (Refused, Disconnected):
            raise
        except Exception as error:
            log.event("a fault of the service", kind=type(error).__name__, where=_where(error))
            raise
        return JSONResponse(answer, status)

    @app.get("/models", summary="Models and versions", responses=openapi.MODELS_RESPONSES, response_model=None)
    async def models() -> JSONResponse:
        return JSONResponse({"models": service.shelf.described()})

    @app.get("/healthz", summary="Does it run?", responses=openapi.HEALTH_RESPONSES, response_model=None)
    async def healthz() -> JSONResponse:
        return JSONResponse({"status": "ok"})

    @app.get("/readyz", summary="Does it take requests?", responses=openapi.READY_RESPONSES, response_model=None)
    async def readyz() -> JSONResponse:
        if service.draining:
            raise Refused("shutting_down", "the service is shutting down")
        return JSONResponse({"status": "ready"})

    @app.get("/metrics", summary="For Prometheus", responses=openapi.METRICS_RESPONSES, response_model=None)
    async def metrics() -> Response:
        text = service.metrics.text(service.shelf, service.budget.held)
        return Response(text, media_type=CONTENT_TYPE)

    @app.get("/", include_in_schema=False, response_model=None)
    async def root() -> HTMLResponse:
        text, policy = page()
        return HTMLResponse(text, headers={"Content-Security-Policy": policy, "Cache-Control": "no-cache"})

    paths = frozenset(str(getattr(route, "path", "")) for route in app.routes)
    return Gate(app, keys, log, service.metrics, paths)


def _where(error: BaseException) -> str:
    """Files and lines of a traceback, without values."""
    frames: list[Any] = traceback.extract_tb(error.__traceback__)[-4:]
    return " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames))
