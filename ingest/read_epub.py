"""EPUB books: the chapters in reading order, each an HTML page, its title from the table of contents.

The reader is zipfile, lxml and ingest/read_html.py: EbookLib is AGPL. What is not here: books with
copy protection.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urldefrag

from ingest.archive import check_package
from ingest.errors import NotesError
from ingest.read_html import chapter

BROKEN = "not an EPUB book, or damaged: save or download it again"
_TEXTS = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml")


def read_epub(data: bytes) -> Iterator[tuple[None, str]]:
    """A page without number for each chapter; raises NotesError if it is no book that can be read."""
    check_package(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            yield from _chapters(book)
    except (zipfile.BadZipFile, KeyError, SyntaxError, EOFError) as err:  # lxml's errors are SyntaxErrors
        raise NotesError(BROKEN) from err


def _chapters(book: zipfile.ZipFile) -> Iterator[tuple[None, str]]:
    place = _xml(book, "META-INF/container.xml").find(".//{*}rootfile")
    if place is None:
        raise NotesError(BROKEN)
    opf = str(place.get("full-path"))
    package = _xml(book, opf)
    items = {item.get("id"): item for item in package.iterfind("{*}manifest/{*}item")}
    spine = [
        items[ref.get("idref")]
        for ref in package.iterfind("{*}spine/{*}itemref")
        if ref.get("idref") in items
    ]
    files = [_inside(opf, str(item.get("href"))) for item in spine if item.get("media-type") in _TEXTS]
    if not files:
        raise NotesError(BROKEN)
    _not_locked(book, files)
    titles = _titles(book, opf, list(items.values()))
    name = " ".join((package.findtext(".//{*}title") or "").split())
    if name:
        yield None, f"# {name}"
    names = set(book.namelist())
    for file in dict.fromkeys(files):
        if file in names:
            yield None, chapter(book.read(file), titles.get(file, ""))


def _xml(book: zipfile.ZipFile, name: str) -> Any:
    from lxml import etree

    # Entities could be used to read other files, or to blow up a small one.
    safe = etree.XMLParser(resolve_entities=False, no_network=True, recover=True, load_dtd=False)
    root = etree.fromstring(book.read(name), safe)
    if root is None:
        raise NotesError(BROKEN)
    return root


def _inside(base: str, link: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(base), unquote(urldefrag(link)[0])))


def _titles(book: zipfile.ZipFile, opf: str, items: list[Any]) -> dict[str, str]:
    """File of the book: what its table of contents (EPUB 3 or 2) first calls it."""
    found: dict[str, str] = {}
    for item in items:
        kind, place = item.get("media-type"), _inside(opf, str(item.get("href")))
        try:
            if "nav" in (item.get("properties") or "").split():
                links = [
                    (a.get("href"), "".join(a.itertext())) for a in _xml(book, place).iterfind(".//{*}a")
                ]
            elif kind == "application/x-dtbncx+xml":
                points = _xml(book, place).iterfind(".//{*}navPoint")
                links = [
                    (p.find("{*}content").get("src"), p.findtext("{*}navLabel/{*}text") or "") for p in points
                ]
            else:
                continue
        except (KeyError, SyntaxError, AttributeError, NotesError):
            continue  # titles are a help, never worth losing the text for
        for link, text in links:
            if link and text.strip():
                found.setdefault(_inside(place, link), " ".join(text.split()))
    return found


def _not_locked(book: zipfile.ZipFile, files: list[str]) -> None:
    if "META-INF/encryption.xml" not in book.namelist():
        return
    locked = {
        unquote(str(ref.get("URI")))
        for ref in _xml(book, "META-INF/encryption.xml").iter("{*}CipherReference")
    }
    if locked & set(files):  # fonts may be obfuscated in any book
        raise NotesError("the book is copy-protected: use a copy without protection")
