"""SIGTERM, as schedulers and service managers send it, leaves as little behind as Ctrl+C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image
from tests_support import heed_signals

from crnn.signals import Terminated, exit_code, sigterm_like_ctrl_c


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to send")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_half_a_file_goes_away(tmp_path: Path, number: int, code: int) -> None:
    Image.new("L", (400, 32), "white").save(tmp_path / "line.png")
    names = tmp_path / "names.txt"
    names.write_text(f"{tmp_path / 'line.png'}\n" * 200_000)
    out = tmp_path / "out"
    out.mkdir()
    command = [sys.executable, "-m", "crnn.cli", "recognize", "--list", str(names), "-o", str(out / "read.txt")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=heed_signals) as reading:
        until = time.monotonic() + 60
        while not any(out.iterdir()) and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(0.3)
        reading.send_signal(number)
        try:
            _, said = reading.communicate(timeout=60)
        finally:
            reading.kill()
    assert (reading.returncode, said) == (code, "")
    assert list(out.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to send")
def test_only_where_nobody_else_heeds_it() -> None:
    with pytest.raises(Terminated) as stop, sigterm_like_ctrl_c():
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(1)
    assert exit_code(stop.value) == 143
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with sigterm_like_ctrl_c():
            assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes are forked here")
def test_a_forked_process_just_ends() -> None:
    with sigterm_like_ctrl_c():
        child = os.fork()
        if child == 0:
            os.kill(os.getpid(), signal.SIGTERM)
            os._exit(7)
        _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGTERM
