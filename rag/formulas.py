"""Formulas in the notes' text: where they stand between their delimiters, and one of them as MathML.

How they are shown is another's work: the chat's in ui/web/text.py, the formats' of a quiz in
rag/export/, the printed page's in ui/web/printed.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Literal

from lxml import etree

Form = Literal["prose", "inline", "display"]
MATHML = "http://www.w3.org/1998/Math/MathML"
LONGEST = 2_000  # characters of LaTeX that are turned into MathML

# As in the notes: a price in dollars is none, and neither is what begins within a word.
MATH = (
    r"\$\$(?P<display>[^$]+?)\$\$"
    r"|\\\[(?P<square>.+?)\\\]"
    r"|\\\((?P<round>.+?)\\\)"
    r"|(?<![\\$\w])\$(?=\S)(?P<inline>[^$\n]+?)(?<=\S)\$(?![\d$])"
)
_FORMULA = re.compile(MATH, re.DOTALL)
_FORMS: dict[str, Form] = {"display": "display", "square": "display", "round": "inline", "inline": "inline"}
_ELEMENTS = frozenset(
    "math mrow mi mn mo mtext mspace ms mfrac msqrt mroot mstyle merror mpadded mphantom menclose msub msup "
    "msubsup munder mover munderover mmultiscripts mprescripts none mtable mtr mtd mlabeledtr".split()
)
_ATTRIBUTES = frozenset(
    "display displaystyle scriptlevel mathvariant mathsize mathcolor mathbackground stretchy fence separator "
    "form accent accentunder linethickness width height depth lspace rspace voffset minsize maxsize "
    "columnalign rowalign columnspacing rowspacing columnlines rowlines frame notation symmetric largeop "
    "movablelimits align bevelled".split()
)


def pieces(text: str) -> Iterator[tuple[Form, str]]:
    """`text` cut into prose and formulas, these without their delimiters; empty prose is left out."""
    at = 0
    for found in _FORMULA.finditer(text):
        name, tex = next((name, tex) for name, tex in found.groupdict().items() if tex is not None)
        # A formula that holds a delimiter would end before its end wherever it is shown.
        if not tex.strip() or re.search(r"\\[()]|(?<!\\)\\[\[\]]", tex):
            continue
        if found.start() > at:
            yield "prose", text[at : found.start()]
        yield _FORMS[name], tex.strip()
        at = found.end()
    if at < len(text):
        yield "prose", text[at:]


def mathml(tex: str, form: Form = "inline") -> Any | None:
    """LaTeX as an lxml element of MathML that keeps its LaTeX in an annotation, or None where that fails.

    latex2mathml passes some of what it reads on as it is, so only elements and attributes that
    show something are let through: no links, styles or scripts.
    """
    source = _converted(tex, form)
    if source is None:
        return None
    math = etree.fromstring(source)
    shown = [*math]
    row = shown[0] if len(shown) == 1 else etree.Element(f"{{{MATHML}}}mrow")
    if len(shown) != 1:
        row.extend(shown)
    semantics = etree.SubElement(math, f"{{{MATHML}}}semantics")
    semantics.append(row)
    note = etree.SubElement(semantics, f"{{{MATHML}}}annotation", encoding="application/x-tex")
    note.text = tex
    return math


@lru_cache(maxsize=1024)
def _converted(tex: str, form: Form) -> str | None:
    """MathML as text, harmless and well formed, or None."""
    if len(tex) > LONGEST:
        return None
    from latex2mathml.converter import convert  # reads a large table of symbols

    try:
        source: str = convert(tex, display="block" if form == "display" else "inline")
        root = etree.fromstring(source, etree.XMLParser(resolve_entities=False, no_network=True))
    except Exception:  # its errors have no common kind, and neither do the mistakes that notes hold
        return None
    for element in root.iter():
        name = etree.QName(element) if isinstance(element.tag, str) else None
        if name is None or name.namespace != MATHML or name.localname not in _ELEMENTS:
            return None
        if not _ATTRIBUTES.issuperset(element.attrib):
            return None
    return source
