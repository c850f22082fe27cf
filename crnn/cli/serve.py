"""`crnn serve`: reading over HTTP."""

from __future__ import annotations

import argparse

from crnn.cli.options import NewCommand, above_0, add_reading_options, positive


def add_serve(command: NewCommand) -> None:
    """`crnn serve`."""
    serve = command(
        "serve", _serve, "read lines over HTTP", "crnn serve; then: curl -F images=@a.png 127.0.0.1:8000/recognize"
    )
    serve.add_argument(
        "models", nargs="*", metavar="MODEL", help="model files or run folders, or NAME=PATH (the bundled model)"
    )
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (127.0.0.1: this machine only)")
    serve.add_argument("--port", type=int, default=8000, help="(8000; 0: any free one)")
    serve.add_argument("--keys-file", metavar="FILE", help="API keys, one per line; also in $CRNN_API_KEYS (none)")
    serve.add_argument(
        "--queue", type=positive, default=512, metavar="N", help="pictures waiting, more get a 429 (512)"
    )
    serve.add_argument("--max-pictures", type=positive, metavar="N", help="in a request (256)")
    serve.add_argument("--max-mb", type=above_0, default=32, metavar="MB", help="of a request (32)")
    serve.add_argument("--max-megapixels", type=above_0, default=10, metavar="MP", help="of a picture (10)")
    serve.add_argument("--timeout", type=above_0, default=30, metavar="S", help="seconds for a request (30)")
    serve.add_argument(
        "--max-connections", type=positive, default=512, metavar="N", help="open ones, more get a 503 (512)"
    )
    serve.add_argument(
        "--client-timeout",
        type=above_0,
        default=10,
        metavar="S",
        help="seconds for the head of a request, or without a byte of its body (10)",
    )
    serve.add_argument(
        "--grace", type=above_0, default=30, metavar="S", help="seconds to answer the rest at the end (30)"
    )
    serve.add_argument("--log-format", choices=("text", "json"), help="(text on a terminal, else json)")
    add_reading_options(serve)


def _serve(args: argparse.Namespace) -> int:
    from crnn.serve.command import run

    return run(args)
