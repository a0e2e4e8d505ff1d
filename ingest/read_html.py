"""Web pages as light Markdown: headings, lists, tables, code and formulas; scripts and menus left out.

What is not here: pictures (their descriptions are kept) and what a page's scripts would show.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ingest.errors import NotesError
from ingest.mathml import MATHML, formula
from ingest.read_text import decoded
from ingest.rows import rows

DEEPEST = 200  # elements within elements; what lies deeper is read as plain text
SPAN = 50  # columns or rows that one cell may cover
_DROPPED = frozenset(
    "script style noscript template svg canvas nav iframe object embed button select input textarea"
    " dialog head audio video map".split()
)
_INLINE = frozenset(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i img ins kbd label mark math q rp rt ruby s"
    " samp small span strike strong sub sup time tt u var wbr".split()
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}


def read_html(data: bytes) -> Iterator[tuple[None, str]]:
    """One page without number; raises NotesError if it holds no HTML."""
    declared = re.search(rb"<meta[^>]+charset\s*=\s*[\"']?\s*([\w-]+)", data[:4096], re.I)
    text = ""
    if declared:
        try:
            text = data.decode(declared[1].decode("ascii"))
        except (LookupError, UnicodeError):
            text = ""  # it says one thing and is another
    yield None, markdown(text or decoded(data), title=True)


def chapter(data: bytes, title: str) -> str:
    """A chapter of a book as light Markdown, below the book's own title; `title` where it has no heading."""
    text = markdown(decoded(data))
    if title and not re.search(r"^#", text, re.M) and text.strip():
        text = f"# {title}\n\n{text}"
    return re.sub(r"^(#{1,5}) ", r"#\1 ", text, flags=re.M)


def markdown(html: str, title: bool = False) -> str:
    """A page or a part of one as light Markdown; with `title`, its own where it has no heading.

    Raises NotesError if nothing in it can be read as HTML.
    """
    from lxml import etree
    from lxml import html as parser

    # A declaration of how bytes were encoded means nothing in decoded text, and lxml refuses it.
    html = re.sub(r"^\s*<\?xml[^>]*\?>", "", html)
    try:
        root = parser.document_fromstring(
            html, parser=parser.HTMLParser(no_network=True, remove_pis=True, huge_tree=True)
        )
    except (etree.ParserError, etree.ParseError, ValueError) as err:
        raise NotesError("not a web page, or damaged: save it again") from err
    writer = _Writer()
    body = root.find("body")
    writer.flow(root if body is None else body, 0)
    writer.end()
    name = " ".join((root.findtext(".//title") or "").split())
    if title and name and not any(block.startswith("#") for block in writer.blocks):
        writer.blocks.insert(0, f"# {name}")
    return "\n\n".join(writer.blocks)


class _Writer:
    """Blocks of light Markdown, and the line that is being written."""

    def __init__(self) -> None:
        self.blocks: list[str] = []
        self.line = ""
        self.mark = ""  # what the next line begins with: '- ' or '# '
        self.joins = False  # whether the next line is an item right below another

    def end(self) -> None:
        """Ends the line."""
        text, self.line = " ".join(self.line.split()), ""
        if not text:
            return
        if self.joins and self.blocks:
            self.blocks[-1] += "\n" + self.mark + text
        else:
            self.blocks.append(self.mark + text)
        self.mark, self.joins = "", False

    def block(self, text: str) -> None:
        self.end()
        if text.strip():
            self.blocks.append(text)

    def flow(self, element: Any, depth: int, indent: int = 0) -> None:
        """All that is in an element, in order."""
        self.line += element.text or ""
        for child in element:
            if isinstance(child.tag, str):
                self.element(child, depth + 1, indent)
            self.line += child.tail or ""

    def element(self, element: Any, depth: int, indent: int) -> None:
        tag = element.tag.removeprefix(MATHML)
        code = formula(element, tag)
        if code.startswith("$$"):
            self.block(code)
        elif code:
            self.line += code
        elif depth > DEEPEST:
            self.line += " " + "".join(element.itertext()) + " "
        elif _left_out(element, tag):
            return
        elif tag in _HEADINGS:
            self.end()
            self.mark = "#" * _HEADINGS[tag] + " "
            self.line = "".join(_words(element))
            self.end()
            self.mark = ""
        elif tag in ("ul", "ol"):
            self.list(element, depth, indent)
        elif tag == "dl":
            self.terms(element, depth)
        elif tag == "table":
            self.table(element, depth)
        elif tag in ("pre", "listing", "xmp"):
            self.block(_fenced("".join(element.itertext())))
        elif tag in ("br", "hr"):
            self.end()
        elif tag in ("caption", "figcaption"):
            self.block(" ".join("".join(_words(element)).split()))
        elif tag in _INLINE:
            self.inline(element, tag, depth)
        else:
            self.end()
            self.flow(element, depth, indent)
            self.end()

    def inline(self, element: Any, tag: str, depth: int) -> None:
        if tag == "img":
            words = " ".join((element.get("alt") or "").split())
            if len(words.split()) > 1:
                self.block(f"![{words}](image)")
        elif tag == "code" and not len(element):
            self.line += f"`{element.text}`" if (element.text or "").strip() else ""
        elif tag == "sup" and re.fullmatch(r"[\w+−-]{1,8}", element.text or "") and self.line[-1:].isalnum():
            self.line += f"^{element.text}"
        else:
            self.flow(element, depth)

    def list(self, element: Any, depth: int, indent: int) -> None:
        self.end()
        number = int(start) if (start := element.get("start") or "1").isdigit() and len(start) < 4 else 1
        first = not indent
        for child in element:
            if not isinstance(child.tag, str) or _left_out(child, child.tag):
                continue
            if child.tag in ("ul", "ol"):  # a list right in a list, as some programs write them
                self.list(child, depth + 1, indent + 1)
                continue
            self.mark = "  " * min(indent, 4) + (f"{number}. " if element.tag == "ol" else "- ")
            self.joins = not first and bool(self.blocks)
            self.flow(child, depth + 1, indent + 1)
            self.end()
            self.mark, self.joins = "", False
            number, first = number + 1, False

    def terms(self, element: Any, depth: int) -> None:
        self.end()
        term = ""
        for child in element.iter("dt", "dd"):
            words = " ".join("".join(_words(child)).split())
            if child.tag == "dt":
                term = f"{term}, {words}" if term else words
            elif words:
                self.block(f"- {term.rstrip(':')}: {words}" if term else f"- {words}")
                term = ""
        if term:
            self.block(f"- {term}")

    def table(self, element: Any, depth: int) -> None:
        self.end()
        grid = _grid(element)
        nested = next(element.iterdescendants("table", "h1", "h2", "h3", "ul", "ol", "pre"), None)
        if nested is not None or max(map(len, grid), default=0) < 2:
            self.flow(element, depth)  # a table that only lays out the page
            self.end()
            return
        for caption in element.iterchildren("caption"):
            self.block(" ".join("".join(_words(caption)).split()).rstrip(":.") + ":")
        self.block(rows(grid))


def _left_out(element: Any, tag: str) -> bool:
    if tag in _DROPPED or element.get("hidden") is not None or element.get("aria-hidden") == "true":
        return True
    if element.get("role") in ("navigation", "search", "menu", "menubar"):
        return True
    # The foot of a page is no part of its text; that of an article or a quotation may be.
    return (
        tag == "footer"
        and next(element.iterancestors("article", "main", "section", "blockquote"), None) is None
    )


def _words(element: Any, depth: int = 0) -> Iterator[str]:
    """The text in an element, formulas as LaTeX, without what is left out."""
    if depth > DEEPEST:
        yield "".join(element.itertext())
        return
    yield element.text or ""
    for child in element:
        if isinstance(child.tag, str):
            tag = child.tag.removeprefix(MATHML)
            code = formula(child, tag)
            if code:
                yield code
            elif tag == "br":
                yield " "
            elif tag == "img":
                yield f" {child.get('alt') or ''} "
            elif not _left_out(child, tag):
                apart = "" if tag in _INLINE else " "
                yield apart
                yield from _words(child, depth + 1)
                yield apart
        yield child.tail or ""


def _grid(table: Any) -> list[list[str]]:
    """The cells of a table, one that covers several rows in each of them."""
    grid: list[list[str]] = []
    covered: dict[int, tuple[int, str]] = {}  # column: rows to come, text
    for row in table.iter("tr"):
        cells: list[str] = []

        def fill(cells: list[str] = cells) -> None:
            while len(cells) in covered:
                left, text = covered.pop(len(cells))
                if left > 1:
                    covered[len(cells)] = (left - 1, text)
                cells.append(text)

        for one in row.iterchildren("td", "th"):
            fill()
            text = " ".join("".join(_words(one)).split())
            across, down = _span(one, "colspan"), _span(one, "rowspan")
            for at in range(across):
                if down > 1:
                    covered[len(cells)] = (down - 1, text if not at else "")
                cells.append(text if not at else "")
        fill()
        grid.append(cells)
    return grid


def _span(element: Any, name: str) -> int:
    value = element.get(name) or "1"
    return max(1, min(int(value), SPAN)) if value.isdecimal() and len(value) < 6 else 1


def _fenced(code: str) -> str:
    body = code.strip("\n").replace("```", "'''").replace("~~~", "---")
    return f"```\n{body}\n```" if body.strip() else ""
