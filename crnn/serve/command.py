"""`crnn serve` from its options to an exit code."""

from __future__ import annotations

import asyncio
import ipaddress
import math
from argparse import Namespace
from importlib.util import find_spec

from crnn.errors import ConfigError

NEEDED = ("fastapi", "uvicorn", "python_multipart", "prometheus_client")


def run(args: Namespace) -> int:
    """Serve until told to stop.

    Raises:
        CrnnError: if the extra is missing, or a model, key, limit or address cannot be used.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise ConfigError(f'{missing[0]} is needed to serve and not installed: pip install "crnn[serve]"')
    from crnn.serve.app import make_app
    from crnn.serve.connection import allow_files
    from crnn.serve.keys import read_keys
    from crnn.serve.logs import Log
    from crnn.serve.metrics import Metrics
    from crnn.serve.server import bind, serve
    from crnn.serve.service import Service
    from crnn.serve.settings import Limits
    from crnn.serve.shelf import Shelf, parse_specs

    limits = Limits(
        queue_lines=args.queue,
        body_bytes=math.ceil(args.max_mb * 2**20),
        held_bytes=max(256, 8 * math.ceil(args.max_mb)) * 2**20,
        pictures=_pictures(args.max_pictures, args.queue),
        pixels=math.ceil(args.max_megapixels * 1e6),
        timeout=args.timeout,
        grace=args.grace,
        connections=args.max_connections,
        client_timeout=args.client_timeout,
    )
    keys = read_keys(args.keys_file)
    specs = parse_specs(args.models or ["bundled"])
    allow_files(limits.connections)
    log = Log(args.log_format)
    listening = bind(args.host, args.port)
    with listening:
        metrics = Metrics()
        shelf = Shelf(
            specs,
            metrics.on_batch,
            threads=args.threads,
            device=args.device,
            precision=args.precision,
            batch_size=args.batch_size,
            trim=args.trim,
        )
        service = Service(shelf, limits, metrics)
        for one in shelf.described():
            log.event("serving", model=f"{one['name']}@{one['version']}", characters=one["characters"])
        host = listening.getsockname()[0]
        if not keys and not ipaddress.ip_address(host.partition("%")[0]).is_loopback:
            log.event("anyone who reaches this address may read with it: set --keys-file, or listen on 127.0.0.1")
        asyncio.run(serve(make_app(service, keys, log), service, listening, log, keys=len(keys)))
    return 0


def _pictures(most: int | None, queue: int) -> int:
    if most is None:
        return min(256, queue)
    if most > queue:
        raise ConfigError(f"--max-pictures {most} never fit into --queue {queue}; raise --queue")
    return most
