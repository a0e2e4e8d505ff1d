"""Formulas in web pages as LaTeX: MathML, by preference what it says of its own LaTeX, and MathJax's scripts.

What is not here: rare parts of MathML (W3C MathML Core), of which only the text is kept.
"""

from __future__ import annotations

from typing import Any

MATHML = "{http://www.w3.org/1998/Math/MathML}"
DEEPEST = 200  # parts within parts; what lies deeper is kept as text


def formula(element: Any, tag: str) -> str:
    """LaTeX between dollar signs where an element is a formula that tells its own."""
    if tag == "script":
        kind = element.get("type") or ""
        code = (element.text or "").strip()
        if not kind.startswith("math/tex") or not code:
            return ""
        return f"$${code}$$" if "display" in kind else f"${code}$"
    if tag != "math":
        return ""
    code = element.get("alttext") or ""
    for note in element.iter("annotation", MATHML + "annotation"):
        if "tex" in (note.get("encoding") or "").lower():
            code = note.text or code
    code = " ".join(code.split()) or _plain(element)
    if not code:
        return ""
    return f"$${code}$$" if element.get("display") == "block" else f"${code}$"


def _plain(element: Any, depth: int = 0) -> str:
    """MathML without LaTeX of its own, the commonest parts of it."""
    if depth > DEEPEST:
        return "".join(element.itertext())
    tag = element.tag.removeprefix(MATHML) if isinstance(element.tag, str) else ""
    parts = [_plain(child, depth + 1) for child in element if isinstance(child.tag, str)]
    if tag in ("annotation", "annotation-xml"):
        return ""
    if tag == "mfrac" and len(parts) == 2:
        return rf"\frac{{{parts[0]}}}{{{parts[1]}}}"
    if tag in ("msup", "mover") and len(parts) == 2:
        return f"{parts[0]}^{{{parts[1]}}}"
    if tag in ("msub", "munder") and len(parts) == 2:
        return f"{parts[0]}_{{{parts[1]}}}"
    if tag in ("msubsup", "munderover") and len(parts) == 3:
        return f"{parts[0]}_{{{parts[1]}}}^{{{parts[2]}}}"
    if tag == "msqrt":
        return rf"\sqrt{{{''.join(parts)}}}"
    return "".join(parts) or " ".join((element.text or "").split())
