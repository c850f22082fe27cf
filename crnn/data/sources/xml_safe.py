"""XML from strangers: no entities, no outside files, no network, bounded size and depth."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import Any
from xml.parsers import expat

from crnn.data.sources.extra import need
from crnn.data.sources.place import HEAD
from crnn.data.sources.trees import Tree
from crnn.data.sources.utf8 import MAX_LABEL_BYTES
from crnn.errors import DataError, printable

_ROOT = re.compile(rb"\]\s*>\s*<([A-Za-z_][\w.:-]*)")
"""Behind a DOCTYPE."""


class _EndError(Exception):
    """Ends the look at a document's beginning."""


def _beginning(head: bytes) -> tuple[str | None, bool]:
    """(name of the root element, whether entities are declared); nothing is expanded, as expat stops before."""
    names: list[str] = []
    entities: list[object] = []

    def doctype(name: str, *_identifiers: object) -> None:
        names.append(name)

    def entity(*declaration: object) -> None:
        entities.append(declaration)
        raise _EndError

    def element(name: str, _attributes: object) -> None:
        names.append(name)
        raise _EndError

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = doctype
    parser.EntityDeclHandler = entity
    parser.StartElementHandler = element
    with suppress(_EndError, expat.ExpatError, LookupError, ValueError):
        parser.Parse(head)
    if entities and (root := _ROOT.search(head)):  # the DOCTYPE may give it another name
        names.append(root[1].decode())
    return (names[-1].rpartition(":")[2] if names else None), bool(entities)


def root_name(head: bytes) -> str | None:
    """Name of the root element, without its namespace, from the first bytes of a document; None if there is none."""
    return _beginning(head)[0]


def parse_xml(raw: bytes, where: str, whole: bool = False) -> Any:
    """The root element (lxml) of a document. Comments and processing instructions are left out, unless it is to be
    `whole`, as what is written again has to be.

    Args:
        raw: the whole file, in the encoding that it declares.
        where: its name, for messages.

    Raises:
        DataError: if it is not well-formed (with line and column), too large, nested too deeply, declares entities,
            or lxml is not installed.
    """
    if len(raw) > MAX_LABEL_BYTES:
        raise DataError(f"{where}: has {len(raw) / 2**20:.0f} MiB; XML of at most 64 MiB is read; divide it by page")
    refusal = f"{where}: declares entities in its DOCTYPE, which are never expanded; remove the DOCTYPE"
    if _beginning(raw)[1]:
        raise DataError(refusal)
    etree = need("lxml.etree")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_comments=not whole,
        remove_pis=not whole,
    )
    try:
        root = etree.fromstring(raw, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        reason = re.sub(r", line \d+, column \d+.*", "", printable(error.msg or "damaged"))
        raise DataError(
            f"{where}:{line}:{column}: is not XML that can be read ({reason}); correct it or export it again"
        ) from None
    except ValueError as error:
        raise DataError(f"{where}: is not XML that can be read ({printable(error)})") from None
    declared = root.getroottree().docinfo.internalDTD
    if declared is not None and next(iter(declared.iterentities()), None) is not None:
        raise DataError(refusal)
    return root


def is_xml(name: str) -> bool:
    """Whether a file's name says that it is XML."""
    return name.lower().endswith(".xml")


def head_of(tree: Tree, name: str) -> bytes:
    """The first bytes of a file in a tree; empty if it cannot be read."""
    try:
        found = tree.content(name)
        if isinstance(found, Path):
            with found.open("rb") as file:
                return file.read(HEAD)
        return found[:HEAD]
    except (OSError, DataError):
        return b""


def whole_of(tree: Tree, name: str) -> bytes:
    """All bytes of a file in a tree.

    Raises:
        DataError: if it cannot be read or is too large for labels.
    """
    found = tree.content(name)
    if isinstance(found, bytes):
        return found
    where = printable(tree.root / name)
    try:
        if found.stat().st_size > MAX_LABEL_BYTES:
            raise DataError(
                f"{where}: has {found.stat().st_size / 2**20:.0f} MiB; XML of at most 64 MiB is read; divide it by page"
            )
        return found.read_bytes()
    except OSError as error:
        raise DataError(f"{where}: cannot be read ({error.strerror})") from None
