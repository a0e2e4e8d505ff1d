"""Where sentences end."""

from __future__ import annotations

import re

_ABBREVIATIONS = frozenset(
    "e.g i.e etc al et dr mr mrs ms prof fig figs eq eqs sec ch chap vol nos vs cf approx dept univ inc ltd"
    " jr sr resp ref refs tab eds pp p incl def thm jan feb mar apr jun jul aug sep sept oct nov"
    " dec u.s u.k a.m p.m ph.d b.sc m.sc viz v".split()
)
# A full stop that is followed by space and something that may begin a sentence.
_END = re.compile(
    r"([.!?…]+[\"'”’)\]]*)\s+(?=[\"'“‘(\[$]*[A-Z0-9À-ÖØ-Þ\u0400-\u042f\"“‘$(\[#•-])|([。！？]+[」』”]*)"
)
_NUMBERED = re.compile(r"^\s*(?:[-*•]\s+)?\(?(?:\d{1,3}|[A-Za-z]|[ivxIVX]{1,4})$")
LONGEST = 40  # letters of a word that can be an abbreviation; no further is looked for its beginning
_WORD = re.compile(r"([^\s(\[\"'“‘]+)$")


def sentences(text: str) -> list[str]:
    """The sentences of running text or of light Markdown, in order, each a stretch of `text`.

    List items and table rows stand for themselves: an item without its bullet, a row as it is.
    """
    found: list[str] = []
    for line in text.split("\n"):
        line = re.sub(r"^\s*(?:[-*•]\s+|#{1,6}\s+)", "", line).strip()
        if not line:
            continue
        found += [line] if is_row(line) or line.startswith("$$") else _split(line)
    return found


def is_row(line: str) -> bool:
    """Whether a line is cells joined by ' | '; the bar in 'p(x | y)' is none, those in '1) a | b' are."""
    return " | " in line and all(cell.count("(") <= cell.count(")") for cell in line.split(" | ")[:-1])


def _split(line: str) -> list[str]:
    parts, start = [], 0
    for end in _END.finditer(line):
        if end[1] and (_abbreviated(line[start : end.start()], end[1]) or _inside_math(line, end.start())):
            continue
        parts.append(line[start : end.end()].strip())
        start = end.end()
    parts.append(line[start:].strip())
    return [part for part in parts if part]


def _abbreviated(before: str, stop: str) -> bool:
    if stop[0] != "." or stop.startswith(".."):
        return False
    if _NUMBERED.match(before):  # '1.' at the beginning of a list item
        return True
    word = _WORD.search(before[-LONGEST:])
    if not word:
        return False
    last = word[1].casefold()
    initial = len(last) == 1 and last.isalpha() and word[1].isupper() and last != "i"
    return last in _ABBREVIATIONS or (last.rsplit(".", 1)[-1] in ("e", "g") and "." in last) or initial


def _inside_math(line: str, at: int) -> bool:
    return line.count("$", 0, at) % 2 == 1
