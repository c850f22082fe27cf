"""The same recogniser behind LitServe, for `bench_serve.py`: python scripts/bench/litserve_reader.py MODEL THREADS."""

from __future__ import annotations

import base64
import socket
import sys
from typing import Any

import litserve as ls

import crnn


class Reading(ls.LitAPI):
    """Batches of up to 8 requests, or of what came within 10 ms."""

    def setup(self, device: str) -> None:
        self.reader = crnn.load(sys.argv[1] or None, threads=int(sys.argv[2]))

    def decode_request(self, request) -> bytes:  # type: ignore[no-untyped-def]  # it looks at the annotation
        return base64.b64decode(request["image"])

    def batch(self, inputs: list[bytes]) -> list[bytes]:
        return inputs

    def predict(self, pictures: list[bytes]) -> list[dict[str, Any]]:
        return [reading.to_dict() for reading in self.reader.recognize(pictures)]

    def unbatch(self, output: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return output

    def encode_response(self, output: dict[str, Any]) -> dict[str, Any]:
        return {"results": [output]}


if __name__ == "__main__":
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    print(f"listening on http://127.0.0.1:{port}", file=sys.stderr, flush=True)
    server = ls.LitServer(Reading(max_batch_size=8, batch_timeout=0.01), accelerator="cpu", workers_per_device=1)
    server.run(port=port, host="127.0.0.1", generate_client_file=False, log_level="error")
