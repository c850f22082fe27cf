"""Decoded pages, for lines that are cut from them one by one.

Lines come in page order when a source is looked through: the last pages stay in memory. A training asks for them in
random order, and decoding a page for each line would cost 50-200 ms: a page that is asked for again after it left the
memory is kept decoded in a file of the temporary folder, mapped by all processes, where a line costs well below 1 ms.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import tempfile
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from crnn.files import write_atomic

MEMORY_BYTES = 64 * 2**20
"""Most bytes of decoded pages in the memory of a process (seven A4 pages at 300 dpi); one page is always kept."""
DISK_BYTES = 4 * 2**30
"""Most bytes of decoded pages in the temporary folder, for each source; pages beyond are decoded for every line."""
FREE_BYTES = 2**30
"""That many bytes of the temporary folder's disk are left free."""
_FORGOTTEN = 3 * 86_400
"""A folder that so many seconds passed by is removed."""

Page = NDArray[np.uint8]
"""(H, W) grey."""


class _Held:
    """What one process holds; its threads share it."""

    def __init__(self, seen: frozenset[str] = frozenset()) -> None:
        self.pid = os.getpid()
        self.lock = threading.Lock()
        self.pages: OrderedDict[str, Page] = OrderedDict()
        self.decoding: dict[str, threading.Lock] = {}
        self.seen = set(seen)


class PageCache:
    """Pages by name. Pickled, it is the name of its folder, so that worker processes share the files in it.

    The folder is made when first needed, and removed with the cache in the process that made the cache; one that a
    killed process left is removed days later, by the next one.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.gettempdir()) / f"crnn-pages-{os.getpid()}-{secrets.token_hex(8)}"
        self._held = _Held()
        weakref.finalize(self, _remove, self.folder, os.getpid())

    def __getstate__(self) -> dict[str, object]:
        return {"folder": self.folder}

    def __setstate__(self, state: dict[str, Path]) -> None:
        self.folder = state["folder"]
        self._held = _Held()

    def get(self, name: str, decode: Callable[[], Image.Image]) -> Page:
        """The page, decoded if it has to be; errors of `decode` pass through."""
        if self._held.pid != os.getpid():  # forked: a lock may have been held by a thread that is not here
            self._held = _Held(frozenset(self._held.seen))
        held = self._held
        with held.lock:
            if name in held.pages:
                held.pages.move_to_end(name)
                return held.pages[name]
            turn = held.decoding.setdefault(name, threading.Lock())
        try:
            with turn:  # one thread decodes a page, the others wait for it
                return self._look_up(held, name, decode)
        finally:
            with held.lock:
                held.decoding.pop(name, None)

    def release(self) -> None:
        """Let go of the pages in memory."""
        with self._held.lock:
            self._held.pages.clear()

    def _look_up(self, held: _Held, name: str, decode: Callable[[], Image.Image]) -> Page:
        with held.lock:
            if name in held.pages:
                return held.pages[name]
        page = self._mapped(name)
        if page is not None:
            return page
        page = np.asarray(decode())
        with held.lock:
            again = name in held.seen
            held.seen.add(name)
            held.pages[name] = page
            while len(held.pages) > 1 and sum(p.nbytes for p in held.pages.values()) > MEMORY_BYTES:
                held.pages.popitem(last=False)
        if again:
            self._keep(name, page)
        return page

    def _file(self, name: str) -> Path:
        return self.folder / f"{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}.npy"

    def _mapped(self, name: str) -> Page | None:
        try:
            return np.asarray(np.load(self._file(name), mmap_mode="r", allow_pickle=False))
        except (OSError, ValueError):
            return None

    def _keep(self, name: str, page: Page) -> None:
        """Write a page to the folder if there is room; without room or rights it is not kept."""
        try:
            if not self.folder.is_dir():
                _remove_old(self.folder.parent)
                self.folder.mkdir(mode=0o700, exist_ok=True)
            used = sum(entry.stat().st_size for entry in os.scandir(self.folder))
            free = shutil.disk_usage(self.folder).free - FREE_BYTES
            if used + page.nbytes <= DISK_BYTES and page.nbytes <= free:
                with write_atomic(self._file(name)) as temporary:
                    np.save(temporary, page)
        except OSError:
            return


def _remove(folder: Path, pid: int) -> None:
    if os.getpid() == pid:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_old(temporary: Path) -> None:
    """Folders that killed processes left: those that nothing was added to for days."""
    for folder in temporary.glob("crnn-pages-*"):
        try:
            if time.time() - folder.stat().st_mtime > _FORGOTTEN:
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue
