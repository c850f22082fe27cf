"""What Prometheus is told; every service has a registry of its own."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from crnn import __version__
from crnn.serve.shelf import Shelf

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
LINES = (1, 2, 4, 8, 16, 32, 64)
CONFIDENCES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)


class Metrics:
    """Counters and histograms of a service."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        r = self.registry
        ProcessCollector(registry=r)
        self.requests = Counter("crnn_requests", "Requests by path and status", ["path", "status"], registry=r)
        self.seconds = Histogram(
            "crnn_request_seconds",
            "From the first byte of a reading request to its answer",
            buckets=SECONDS,
            registry=r,
        )
        self.lines = Counter("crnn_lines", "Lines read; their rate is lines/s", ["model"], registry=r)
        self.failed = Counter("crnn_pictures_failed", "Pictures that could not be read", ["model"], registry=r)
        self.batch_lines = Histogram(
            "crnn_batch_lines", "Lines that ran together", ["model"], buckets=LINES, registry=r
        )
        self.batch_seconds = Histogram(
            "crnn_batch_seconds", "Network and decoding of a batch", ["model"], buckets=SECONDS, registry=r
        )
        self.confidence = Histogram(
            "crnn_confidence", "Confidence of lines", ["model"], buckets=CONFIDENCES, registry=r
        )
        self.reloads = Counter("crnn_reloads", "Model files that were replaced", ["model", "outcome"], registry=r)
        self.ended = Counter(
            "crnn_connections_ended", "Connections that were ended for the sake of others", ["reason"], registry=r
        )
        self._queue = Gauge("crnn_queue_lines", "Pictures accepted and not answered yet", ["model"], registry=r)
        self._held = Gauge("crnn_held_bytes", "Bytes of all bodies together", registry=r)
        self._served = Gauge("crnn_model", "Models that are served", ["model", "version"], registry=r)
        Gauge("crnn_build", "Version of crnn", ["version"], registry=r).labels(__version__).set(1)

    def on_batch(self, model: str, lines: int, seconds: float) -> None:
        """A batch has run."""
        self.batch_lines.labels(model).observe(lines)
        self.batch_seconds.labels(model).observe(seconds)

    def text(self, shelf: Shelf, held_bytes: int) -> bytes:
        """All of it, as Prometheus wants it."""
        held: dict[str, int] = {}
        self._served.clear()
        for slot in shelf.slots:
            held[slot.spec.name] = held.get(slot.spec.name, 0) + slot.held
            self._served.labels(slot.spec.name, slot.loaded.version).set(1)
        for name, count in held.items():
            self._queue.labels(name).set(count)
        self._held.set(held_bytes)
        return generate_latest(self.registry)
