"""Word's and PowerPoint's equations (Office MathML, ECMA-376 part 1, 22.1) as LaTeX.

What is not here: looks (fonts, spacing, alignment), and rare parts, of which only the text is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

MATHS = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_BIG = {
    "∑": r"\sum",
    "∏": r"\prod",
    "∫": r"\int",
    "∮": r"\oint",
    "⋃": r"\bigcup",
    "⋂": r"\bigcap",
    "": r"\int",
}
_ACCENTS = {"̂": "hat", "̃": "tilde", "̅": "bar", "̄": "bar", "⃗": "vec", "̇": "dot", "̈": "ddot", "": "hat"}


def latex(element: Any) -> str:
    """The LaTeX of an element of Office MathML, without dollar signs; '' for None."""
    if element is None:
        return ""
    tag = element.tag.removeprefix(MATHS) if isinstance(element.tag, str) else ""
    if tag == "t":
        return element.text or ""
    if tag.endswith("Pr") or not tag:
        return ""  # properties
    make = _MADE.get(tag)
    return make(element) if make else "".join(map(latex, element))


def _part(element: Any, name: str) -> str:
    return latex(element.find(MATHS + name))


def _braced(element: Any, name: str) -> str:
    return "{" + _part(element, name) + "}"


def _base(element: Any) -> str:
    base = _part(element, "e")
    return base if len(base) < 2 or base.isalnum() else "{" + base + "}"


def _value(element: Any, properties: str, name: str, otherwise: str) -> str:
    found = element.find(f"{MATHS}{properties}/{MATHS}{name}")
    return otherwise if found is None else str(found.get(MATHS + "val", ""))


def _fraction(element: Any) -> str:
    return rf"\frac{_braced(element, 'num')}{_braced(element, 'den')}"


def _root(element: Any) -> str:
    degree = _part(element, "deg")
    return rf"\sqrt{f'[{degree}]' if degree else ''}{_braced(element, 'e')}"


def _big(element: Any) -> str:
    sign = _value(element, "naryPr", "chr", "")
    under, over = _part(element, "sub"), _part(element, "sup")
    ends = (f"_{{{under}}}" if under else "") + (f"^{{{over}}}" if over else "")
    return f"{_BIG.get(sign, sign)}{ends} {_part(element, 'e')}"


def _delimited(element: Any) -> str:
    begin, end = _value(element, "dPr", "begChr", "("), _value(element, "dPr", "endChr", ")")
    between = _value(element, "dPr", "sepChr", "|")
    return begin + between.join(latex(part) for part in element.findall(MATHS + "e")) + end


def _function(element: Any) -> str:
    name = _part(element, "fName")
    return (
        rf"\{name}" if name in ("sin", "cos", "tan", "log", "ln", "exp", "max", "min", "lim") else name
    ) + (f" {_part(element, 'e')}")


def _accent(element: Any) -> str:
    return rf"\{_ACCENTS.get(_value(element, 'accPr', 'chr', ''), 'hat')}{_braced(element, 'e')}"


def _matrix(element: Any) -> str:
    lines = [" & ".join(map(latex, row.findall(MATHS + "e"))) for row in element.findall(MATHS + "mr")]
    return r"\begin{matrix}" + r" \\ ".join(lines) + r"\end{matrix}"


_MADE: dict[str, Callable[[Any], str]] = {
    "f": _fraction,
    "rad": _root,
    "nary": _big,
    "d": _delimited,
    "func": _function,
    "acc": _accent,
    "bar": lambda e: rf"\overline{_braced(e, 'e')}",
    "m": _matrix,
    "eqArr": lambda e: r" \\ ".join(latex(part) for part in e.findall(MATHS + "e")),
    "sSup": lambda e: f"{_base(e)}^{_braced(e, 'sup')}",
    "sSub": lambda e: f"{_base(e)}_{_braced(e, 'sub')}",
    "sSubSup": lambda e: f"{_base(e)}_{_braced(e, 'sub')}^{_braced(e, 'sup')}",
    "sPre": lambda e: f"{{}}_{_braced(e, 'sub')}^{_braced(e, 'sup')}{_base(e)}",
    "limLow": lambda e: f"{_base(e)}_{_braced(e, 'lim')}",
    "limUpp": lambda e: f"{_base(e)}^{_braced(e, 'lim')}",
}
