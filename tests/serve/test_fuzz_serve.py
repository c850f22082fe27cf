"""Mutated pictures and requests, some hundreds of the thousands that scripts/fuzz_serve.py sends."""

from __future__ import annotations

import asyncio
import io
import os

import httpx
import pytest
from PIL import Image
from tests_support import script

from crnn.core.transform import LineTransform

RUNS = int(os.environ.get("CRNN_FUZZ_RUNS", "300"))


@pytest.mark.filterwarnings("ignore")
def test_no_request_makes_it_fail() -> None:
    statuses, problems, _, _ = asyncio.run(script("fuzz_serve").fuzz(RUNS, seed=3))
    assert problems == []
    assert sum(statuses.values()) == RUNS
    assert {200, 400, 404, 405, 415, 422} <= set(statuses)
    assert statuses[200] > RUNS // 20


def test_a_fault_would_be_seen() -> None:
    problem = script("fuzz_serve").problem
    assert problem(httpx.Response(500, json={}), "POST", "/recognize") == "status 500"
    assert problem(httpx.Response(200, json={"results": []}), "POST", "/recognize") == "not the promised results"
    assert problem(httpx.Response(400, json={"error": {"code": "x"}}), "POST", "/recognize") == "not the promised error"
    assert not problem(httpx.Response(200, json={"results": [{"error": "x"}]}), "POST", "/recognize")
    assert not problem(httpx.Response(504, json={"error": {"code": "x", "message": "y"}}), "POST", "/recognize")


def test_mutations_are_many_and_repeat() -> None:
    import random

    fuzz = script("fuzz_serve")
    pictures = fuzz.seeds()
    assert len(pictures) > 60
    made = {fuzz.mutated(pictures[0], random.Random(number)) for number in range(100)}
    assert len(made) > 50
    assert fuzz.mutated(pictures[0], random.Random(1)) == fuzz.mutated(pictures[0], random.Random(1))


def test_the_widest_line_is_read() -> None:
    fuzz = script("fuzz_serve")
    transform = LineTransform(32, max_width=1024)
    with Image.open(io.BytesIO(fuzz.a_widest_line(transform))) as line:
        assert transform.check_width(line.size, "here") == 1024
