"""Lines to blocks: a paragraph, list item or table row each on one line, however its file broke it.

What is not here: which paragraphs are headings that do not say so (ingest/headings.py).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ingest.removed import Tell, unheard
from ingest.sentences import is_row, sentences

Kind = Literal["heading", "para", "item", "row", "math", "code"]

FULL = 0.6  # share of the usual line length from which a line was broken by its margin
CONNECTORS = frozenset(
    "a an and are as at be but by for from has have in into is it its of on or our that the their this to was"
    " were which while with your".split()
)

_HEADING = re.compile(r"\s{0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_RULE = re.compile(r"\s*([-*_=])(?:\s*\1){2,}\s*$")
_UNDERLINE = re.compile(r"\s{0,3}(=+|-+)\s*$")
_FENCE = re.compile(r"\s*(```|~~~)")
_ROW_RULE = re.compile(r"[\s|:+-]+")
_BULLET = re.compile(r"(\s*)(?:[-*+•◦▪▫●○‣⁃∙·–—]|o|\$\\(?:circ|bullet|cdot)\$)(?:\s+|$)(.*)")
_NUMBER = re.compile(r"(\s*)(?:[-*•]\s+)?(\(?(?:\d{1,3}|[a-zA-Z]|[ivx]{2,4})[.)])(?:\s+|$)(.*)")
_ENTRY = re.compile(r"(\S(?:[^|]{0,28}?\S)?) {2,}([^\s|].*)$")
_TERM = re.compile(r"[A-Z][\w()/' -]{0,40}: \S")
_LABEL = re.compile(r"(?:answers?|ans|correct answer|q(?:uestion)?\s*\d+)\b[^.?!]{0,12}[:.]", re.I)
_TERMINAL = (".", "!", "?", ":", ";", "…", '."', ".)", "!)", "?)")


@dataclass(frozen=True, slots=True)
class Block:
    """One thing that stands on its own; `page` indexes the file's pages, `indent` counts list levels."""

    kind: Kind
    text: str  # one line, but for code; without its '#' or '- '
    page: int
    level: int = 0  # of a heading, 1 to 6
    indent: int = 0
    number: str = ""  # of an ordered item, as written: '2.' or 'b)'
    raw: int = 0  # length of its last line in the file


def blocks(texts: Sequence[str], wraps: bool, tell: Tell = unheard) -> list[Block]:
    """The blocks of one file's pages. `wraps` is False where every line break is meant (slides).

    `tell` hears of bullets that are letters and of words that were broken over two lines.
    """
    known = Counter(re.findall(r"[a-z]+(?:-[a-z]+)*", " ".join(texts).lower()))
    found: list[Block] = []
    for page, text in enumerate(texts):
        found += _of_page(text, page, wraps, known, tell)
    return _rejoined(found, known, tell)


def _of_page(text: str, page: int, wraps: bool, known: Counter[str], tell: Tell) -> list[Block]:
    lines = text.expandtabs(0).split("\n") if "\t" not in text else text.split("\n")
    lengths = sorted(len(line) for line in lines if line.strip())
    usual = lengths[int(0.9 * (len(lengths) - 1))] if lengths else 0
    out: list[Block] = []
    open_ = False  # whether the last block may go on in the next line
    fence: list[str] | None = None
    math: list[str] | None = None
    indents: list[int] = []
    column = 0  # where the second column of a list in two columns begins
    for at, line in enumerate(lines):
        bare = line.strip()
        column = column if bare else 0
        if fence is not None or _FENCE.match(line):
            fence = [*(fence or []), line]
            if len(fence) > 1 and _FENCE.match(line):
                out.append(Block("code", "\n".join(fence), page))
                fence = None
            open_ = False
        elif math is not None or (bare.startswith("$$") and bare.count("$$") % 2):
            math = [*(math or []), bare]
            if len(math) > 1 and "$$" in bare:
                out.append(Block("math", " ".join(math), page))
                math = None
            open_ = False
        elif not bare:
            open_ = False
        elif (found := _UNDERLINE.match(line)) and _underlines(out, lines, at):
            out[-1] = Block("heading", lines[at - 1].strip(), page, level=1 if "=" in found[1] else 2)
            open_ = False
        elif _RULE.match(line) or ("|" in line and "--" in line and _ROW_RULE.fullmatch(line)):
            open_ = False
        elif heading := _HEADING.match(line):
            if heading[2]:
                out.append(Block("heading", heading[2], page, level=len(heading[1])))
            open_, indents = False, []
        elif wraps and (entry := _entry(lines, at, column)):
            column, text = entry
            out.append(Block("item", text, page, raw=len(line)))
            open_ = True
        elif open_ and column and len(line) - len(line.lstrip()) >= column - 1:
            out[-1] = replace(out[-1], text=_joined(out[-1], bare, known, tell), raw=len(line))
        elif cells := _cells(line):
            out.append(Block("row", cells, page))
            open_ = False
        elif item := _item(line, page, indents, out, open_ and _runs_on(out[-1], usual), tell):
            if item.text or item.number:
                out.append(item)
                open_ = bool(item.text)
        elif bare.startswith("$$") or re.match(r"\\(begin|end|\[)", bare):
            out.append(Block("math", bare, page))
            open_ = False
        elif open_ and wraps and _goes_on(out[-1], bare, usual):
            out[-1] = replace(out[-1], text=_joined(out[-1], bare, known, tell), raw=len(line))
        else:
            out.append(Block("para", bare, page, raw=len(line)))
            open_ = True
    if fence or math:
        out.append(Block("code", "\n".join(fence or math or []), page))
    return out


def _underlines(out: list[Block], lines: list[str], at: int) -> bool:
    above = lines[at - 1].strip() if at else ""
    if not out or not above or len(above) > 90 or above.startswith(("-", "•", "*")):
        return False
    last = out[-1]
    said = f"{last.number} {last.text}" if last.number else last.text
    return last.kind in ("para", "item") and said == above


def _entry(lines: list[str], at: int, column: int) -> tuple[int, str] | None:
    """A line of two columns (a year, a name; what is said of it), seen by its neighbours' column."""
    found = _ENTRY.match(lines[at])
    if not found or len(found[1].split()) > 4 or found[1].endswith((".", ",", ";", ":", "-", "•")):
        return None
    here = found.start(2)
    below = lines[at + 1] if at + 1 < len(lines) else ""
    again = _ENTRY.match(below)
    hangs = below.strip() and len(below) - len(below.lstrip()) == here
    if not (column == here or hangs or (again and again.start(2) == here)):
        return None
    return here, f"{found[1]}: {found[2].strip()}"


def _cells(line: str) -> str:
    text = line.strip(" ")
    if "\t" in text.strip():
        cells = [" ".join(cell.split()) for cell in text.split("\t")]
        if _BULLET.match(text.split("\t")[0] + " ") or _NUMBER.fullmatch(cells[0] + " "):
            return ""  # a tab behind a bullet
    elif text.startswith("|") and text.endswith("|") and len(text) > 2:
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", text[1:-1])]
    elif is_row(text):
        cells = [cell.strip() for cell in text.split(" | ")]
    else:
        return ""
    while cells and not cells[-1]:
        cells.pop()
    # An empty cell keeps its place, so that the others stay under their columns.
    return " | ".join(cell or "–" for cell in cells) if len(cells) > 1 else ""


def _runs_on(last: Block, usual: int) -> bool:
    """Whether a sentence is plainly unfinished at the end of a full line."""
    return (
        last.kind in ("para", "item")
        and not last.text.endswith(_TERMINAL)
        and last.raw >= FULL * max(usual, 40)
    )


def _item(
    line: str, page: int, indents: list[int], out: list[Block], running: bool, tell: Tell
) -> Block | None:
    bullet = _BULLET.match(line)
    if running and line.lstrip()[:1] in ("+", "–", "—", "·"):
        return None  # a sign in the middle of a sentence
    if bullet and not (bullet[2] == "" and line.strip() == "o" and not out):
        inner = _BULLET.match(bullet[2]) or bullet
        sign = line[: line.rindex(inner[2])] if inner[2] else line
        if any(char.isalnum() for char in sign):
            tell(page, sign, "bullet")
        width, text = len(bullet[1].expandtabs(4)), (inner[2] if inner is not bullet else bullet[2]).strip()
        number = _NUMBER.match(text)
        mark = ""
        if number and not number[1] and number[3]:
            mark, text = number[2], number[3].strip()
        return Block("item", text, page, indent=_depth(width, indents), number=mark, raw=len(line))
    number = _NUMBER.match(line)
    if not number or not _ordinal(number[2], out):
        return None
    if running and number[2].strip("().") not in ("1", "a", "A", "i") and not _next(number[2], out):
        return None  # a sentence that ends in a number
    width = len(number[1].expandtabs(4))
    depth = _depth(width, indents)
    return Block("item", number[3].strip(), page, indent=depth, number=number[2], raw=len(line))


def _ordinal(mark: str, out: list[Block]) -> bool:
    """Whether `mark` counts: a number does; a letter if it is 'a' or follows one ('I.' may be a name)."""
    sign = mark.strip("().")
    if sign.isdigit():
        return True
    if len(sign) == 1 and sign.lower() == "a":
        return True
    return (
        _next(mark, out)
        or sign in ("I", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x")
        or mark[-1] == ")"
    )


def _next(mark: str, out: list[Block]) -> bool:
    sign = mark.strip("().")
    before = next((block.number.strip("().") for block in reversed(out) if block.number), "")
    if sign.isdigit() and before.isdigit():
        return int(sign) == int(before) + 1
    return len(sign) == 1 and len(before) == 1 and ord(sign) - ord(before) == 1


def _depth(width: int, indents: list[int]) -> int:
    while indents and indents[-1] > width:
        indents.pop()
    if not indents or width > indents[-1]:
        indents.append(width)
    return len(indents) - 1


def _goes_on(last: Block, line: str, usual: int) -> bool:
    if last.kind not in ("para", "item"):
        return False
    if _LABEL.match(line) or (_TERM.match(line) and last.text.endswith(_TERMINAL)):
        return False
    if line[:1].islower() or last.text.endswith((",", "-", "(")):
        return True
    word = last.text.rsplit(None, 1)[-1].lower()
    return word in CONNECTORS or last.raw >= FULL * max(usual, 40)


def _joined(last: Block, after: str, known: Counter[str], tell: Tell) -> str:
    before = last.text
    cut = re.search(r"([A-Za-z]+)-$", before)
    rest = re.match(r"[a-z]+", after)
    if not cut or not rest:
        return f"{before} {after}"
    left, right = cut[1].lower(), rest[0]
    whole, hyphened = known[left + right], known[f"{left}-{right}"]
    # The same word elsewhere in the notes says whether the hyphen is its own.
    keep = hyphened > whole or (not hyphened and not whole and left in _PREFIXES)
    if not keep:
        broken = [before.rsplit(None, 1)[-1], after.split(None, 1)[0]]
        tell(last.page, " ".join(broken), "broken over two lines, joined")
    return (before if keep else before[:-1]) + after


_PREFIXES = frozenset(
    "self non multi pre post high low real well state human text image data long short semi cross open"
    " fine large end step one two three zero few encoder auto pair first second ai to".split()
)


def _rejoined(found: list[Block], known: Counter[str], tell: Tell) -> list[Block]:
    """Sentences that a blank line, a watermark or a page's end broke, whole again."""
    out: list[Block] = []
    for block in found:
        last = out[-1] if out else None
        if last and last.kind == "item" and not last.text and block.kind in ("para", "math"):
            out[-1] = replace(last, text=block.text, raw=block.raw)  # '1.' above its formula
        elif last and block.kind == "para" and _broken(last, block):
            first, rest = (block.text, "") if last.page == block.page else _first_sentence(block.text)
            out[-1] = replace(last, text=_joined(last, first, known, tell), raw=block.raw)
            if rest:
                out.append(replace(block, text=rest))
        else:
            out.append(block)
    return out


def _broken(last: Block, block: Block) -> bool:
    if last.kind not in ("para", "item") or last.text.endswith(_TERMINAL) or "$" in last.text[-2:]:
        return False
    if block.text[:1].islower() and not re.match(r"(?:where|note|e\.g|i\.e)\b", block.text):
        return len(last.text.split()) > 2 or last.text.endswith(("-", ","))
    # A capital may go on over a page's end, if what stands there is plainly running text.
    open_end = last.text.rsplit(None, 1)[-1].lower() in CONNECTORS or last.text.endswith((",", "-"))
    return last.page != block.page and open_end


def _first_sentence(text: str) -> tuple[str, str]:
    first = sentences(text)[0]
    return first, text[len(first) :].strip()
