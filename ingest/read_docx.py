"""Word documents: headings, lists, tables, footnotes and equations in the document's order.

What is not here: pictures, headers and footers, comments, and text that a tracked change deletes.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ingest.archive import check_package
from ingest.errors import NotesError
from ingest.omml import MATHS, latex
from ingest.rows import rows

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_SKIPPED = frozenset({_W + "del", _W + "moveFrom", _W + "pPr", _W + "rPr", _W + "instrText", _FALLBACK})
_CODE = ("code", "preformatted", "macro", "plain text", "verbatim", "listing")


def read_docx(data: bytes) -> Iterator[tuple[None, str]]:
    """One page without number: where pages break is for a printer to say. Raises NotesError."""
    import docx
    from docx.opc.exceptions import PackageNotFoundError

    check_package(data)
    try:
        document = docx.Document(io.BytesIO(data))
    except (PackageNotFoundError, KeyError, ValueError) as err:
        raise NotesError("not a Word document, or damaged: save it again as .docx") from err
    yield None, _Reader(document).text()


@dataclass(frozen=True, slots=True)
class _Style:
    """What a paragraph's style says of it."""

    name: str = ""  # in lower case
    level: int = 0  # of a heading, 1 to 6
    items: str = ""  # the id of the list whose item it is


class _Reader:
    """One document: how its lists count, and the footnotes it has come by."""

    def __init__(self, document: Any) -> None:
        self.document = document
        self.counts: Counter[tuple[str, int]] = Counter()
        self.notes = _footnotes(document)
        self.formats = _list_formats(document)
        self.styles = _styles(document)
        self.titled = 0  # 1 below the document's title

    def text(self) -> str:
        out: list[str] = []
        before = ""
        for kind, text in self.blocks(self.document.element.body):
            if not text.strip():
                before = before if kind == "code" else ""
            elif kind == before == "item":
                out[-1] += "\n" + text
            elif kind == before == "code":
                out[-1] = out[-1].removesuffix("\n```") + f"\n{text}\n```"
            else:
                out.append(f"```\n{text}\n```" if kind == "code" else text)
            before = kind if text.strip() else before
        return "\n\n".join(out)

    def blocks(self, parent: Any) -> Iterator[tuple[str, str]]:
        """Kind and text of each paragraph and table in `parent`."""
        for child in parent:
            if child.tag == _W + "p":
                yield from self.paragraph(child)
            elif child.tag == _W + "tbl":
                yield "table", rows(self.table(child))
            elif child.tag in (_W + "sdt", _W + "sdtContent", _W + "ins", _W + "customXml"):
                yield from self.blocks(child)  # a table of contents, a form's field

    def paragraph(self, element: Any) -> Iterator[tuple[str, str]]:
        met: list[str] = []
        text = "".join(self.pieces(element, met))
        style = self.styles.get(_val(element.find(f"{_W}pPr/{_W}pStyle")), _Style())
        name, level = style.name, _outline(element) or style.level
        if any(word in name for word in _CODE):
            yield "code", text.replace("```", "'''").replace("~~~", "---")
            return
        lines = [" ".join(line.split()) for line in text.split("\n")]
        plain = "\n\n".join(filter(None, lines))
        if not plain:
            return
        if name.startswith("toc"):
            return  # the headings say it again
        if level:
            level = 1 if name == "title" else min(level + self.titled, 6)
            self.titled |= name == "title"
            yield "heading", "#" * level + " " + " ".join(plain.split())
        elif mark := self.mark(element, style):
            yield "item", mark + " ".join(plain.split())
        else:
            yield "para", plain
        for key in met:
            if self.notes.get(key):
                yield "note", f"Note: {self.notes[key]}"

    def pieces(self, element: Any, met: list[str]) -> Iterator[str]:
        """The text in `element` with equations as LaTeX; the keys of its footnotes go into `met`."""
        for child in element:
            tag = child.tag
            if tag in _SKIPPED:
                continue
            if tag == _W + "t":
                yield child.text or ""
            elif tag in (_W + "br", _W + "cr"):
                yield "\n"
            elif tag == _W + "tab":
                yield "\t"
            elif tag == _W + "noBreakHyphen":
                yield "-"
            elif tag == MATHS + "oMathPara":
                yield "".join(f"$${latex(part)}$$" for part in child.iter(MATHS + "oMath"))
            elif tag == MATHS + "oMath":
                yield f"${latex(child)}$"
            elif tag in (_W + "footnoteReference", _W + "endnoteReference"):
                met.append(f"{tag.removeprefix(_W)[:-9]} {child.get(_W + 'id')}")
            elif tag == _W + "txbxContent":
                yield "\n" + "\n".join(text for _, text in self.blocks(child)) + "\n"
            else:
                yield from self.pieces(child, met)

    def table(self, table: Any) -> Iterator[list[str]]:
        above: dict[int, str] = {}  # by column: the cell that goes on below
        for row in table.iter(_W + "tr"):
            if next(row.iterancestors(_W + "tbl")) is not table:
                continue  # of a table within a cell, whose text stands there
            cells: list[str] = []
            for cell in row.iterchildren(_W + "tc"):
                merge = cell.find(f"{_W}tcPr/{_W}vMerge")
                text = " ".join(text for _, text in self.blocks(cell))
                if merge is not None and merge.get(_W + "val") != "restart":
                    text = above.get(len(cells), text)
                above[len(cells)] = text
                span = cell.find(f"{_W}tcPr/{_W}gridSpan")
                width = span.get(_W + "val", "1") if span is not None else "1"
                cells += [text, *[""] * (min(int(width), 50) - 1 if width.isdecimal() else 0)]
            yield cells

    def mark(self, element: Any, style: _Style) -> str:
        """What a list's item begins with: two spaces a level and '- ' or '1. '; '' for other paragraphs."""
        number, name = element.find(f"{_W}pPr/{_W}numPr"), style.name
        key, level = style.items, 0
        if number is not None:
            key = _val(number.find(_W + "numId"))
            depth = _val(number.find(_W + "ilvl"))
            level = min(int(depth), 8) if depth.isdecimal() else 0
            if key == "0":
                return ""  # taken off the list
        elif name.startswith("list bullet") or name.startswith("list number"):
            key, level = name, int(name[-1]) - 1 if name[-1:].isdecimal() else 0
        elif not key:
            return ""
        ordered = self.formats.get((key, level), "decimal" if "number" in key else "bullet") != "bullet"
        for deeper in range(level + 1, 9):
            self.counts.pop((key, deeper), None)
        self.counts[key, level] += 1
        return "  " * min(level, 4) + (f"{self.counts[key, level]}. " if ordered else "- ")


def _val(element: Any) -> str:
    return "" if element is None else str(element.get(_W + "val") or "")


def _styles(document: Any) -> dict[str, _Style]:
    """The paragraph styles by their ids."""
    found: dict[str, _Style] = {}
    for style in document.styles.element.iter(_W + "style"):
        name = _val(style.find(_W + "name")).lower()
        level = min(int(name[8:]), 6) if name.startswith("heading ") and name[8:].isdecimal() else 0
        numbers = _val(style.find(f"{_W}pPr/{_W}numPr/{_W}numId"))
        level = 1 if name == "title" else level or _outline(style)
        found[str(style.get(_W + "styleId"))] = _Style(name, level, numbers)
    return found


def _outline(element: Any) -> int:
    """1 to 6 if a paragraph or style is a heading by its place in the outline, else 0."""
    level = _val(element.find(f"{_W}pPr/{_W}outlineLvl"))
    return int(level) + 1 if level.isdecimal() and int(level) < 6 else 0


def _list_formats(document: Any) -> dict[tuple[str, int], str]:
    """(list, level): 'bullet', 'decimal' and the like."""
    try:
        root = document.part.numbering_part.element
    except (KeyError, NotImplementedError, AttributeError):
        return {}
    kinds = {
        (one.get(_W + "abstractNumId"), _level(level)): _val(level.find(_W + "numFmt"))
        for one in root.iter(_W + "abstractNum")
        for level in one.iter(_W + "lvl")
    }
    return {
        (str(number.get(_W + "numId")), level): kind
        for number in root.iter(_W + "num")
        for (key, level), kind in kinds.items()
        if key == _val(number.find(_W + "abstractNumId"))
    }


def _level(element: Any) -> int:
    level = element.get(_W + "ilvl") or "0"
    return int(level) if level.isdecimal() else 0


def _footnotes(document: Any) -> dict[str, str]:
    """'footnote 2': its text, on one line."""
    from lxml import etree

    found: dict[str, str] = {}
    for relation in document.part.rels.values():
        kind = relation.reltype.rsplit("/", 1)[-1]
        if kind not in ("footnotes", "endnotes") or relation.is_external:
            continue
        try:
            safe = etree.XMLParser(resolve_entities=False, no_network=True)
            root = etree.fromstring(relation.target_part.blob, safe)
        except etree.XMLSyntaxError:
            continue  # the text is worth having without them
        for note in root.iter(f"{_W}{kind[:-1]}"):
            text = " ".join("".join(t.text or "" for t in note.iter(_W + "t")).split())
            if text:
                found[f"{kind[:-1]} {note.get(_W + 'id')}"] = text
    return found
