"""XML files, and ZIP archives of files, that are the same bytes each time for the same content."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterable
from typing import Any

from lxml import etree

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a ZIP can hold
SCHEMA = "{http://www.w3.org/2001/XMLSchema-instance}schemaLocation"


def add(parent: Any, name: str, text: str | None = None, /, **attributes: str) -> Any:
    """A new last element of `parent`, in its namespace, with `text` in it."""
    element = etree.SubElement(parent, etree.QName(etree.QName(parent).namespace, name), attributes)
    element.text = text
    return element


def xml(root: Any) -> bytes:
    """An element as a file."""
    made: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return made + b"\n"


def zipped(files: Iterable[tuple[str, bytes]]) -> bytes:
    """Files as a ZIP archive, in their order: (path in it, content)."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # whatever system it is made on
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return made.getvalue()


def identifier(*parts: str) -> str:
    """An XML name made of `parts`: the same each time."""
    return "u" + hashlib.sha256("\x1f".join(parts).encode("utf-8", "replace")).hexdigest()[:16]
