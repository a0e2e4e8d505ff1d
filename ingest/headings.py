"""Headings that do not say so, levels that cannot be trusted, titles that repeat slide after slide."""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

from ingest.lines import CONNECTORS, Block
from ingest.removed import Tell, told, unheard

# Levels given to headings by their look, where the file has none that can be trusted.
DOCUMENT, CAPITALS, TITLE, NUMBERED, COLON = 1, 2, 3, 4, 5
TITLE_WORDS = 9
CAPITAL_WORDS = 12
MARKED = 3  # a file with so many '#' headings has no others

_ORDINAL = re.compile(
    r"\(?(?:\d{1,2}(?:\.\d{1,2})*|[A-Z]|[IVX]{1,5})[.):]\)?\s+\S|\(?[A-Z]\)\s|\d{2}\s*[-–]\s"
)
_NAMED = re.compile(
    r"(?:question|unit|chapter|section|module|lecture|part|week|topic|step)\s*-?\s*[\dIVX]+\b", re.I
)
_QUESTION = re.compile(r"(?:question|q)\s*\.?\s*\d+\s*[:.)]?$", re.I)
_MATHS = re.compile(r"[$=→←⇒\\{}|<>]|https?:")
_EXAMPLE = re.compile(r"(?:for )?(?:example|note|e\.g|input|output)s?\s*\d*:", re.I)
_CONTINUED = re.compile(r"\s*[-–—:]?\s*[(\[]?(?:cont(?:inued|'d|d)?\.?|\d+\s*(?:/|of)\s*\d+)[)\]]?\s*$", re.I)


def with_headings(found: Sequence[Block], plain: bool, tell: Tell = unheard) -> list[Block]:
    """The blocks with every heading marked as one, at a level that nests, and none said twice in a row.

    `plain` says that the format has no headings of its own, so that they are known by their look.
    `tell` hears of those that are said once only.
    """
    out = list(found)
    marked = sum(block.kind == "heading" for block in out)
    if plain and marked < MARKED:
        out = _titles(_capitals(_numbered(out)))
    elif plain:
        out = _entitled(out)
    if _unsure(out) or (plain and marked < MARKED):
        out = _levelled([_example(block) for block in out])
    return _said_once(out, tell)


def _example(block: Block) -> Block:
    # 'Example:' set as a heading does not end the section it illustrates.
    example = block.kind == "heading" and _EXAMPLE.fullmatch(block.text)
    return replace(block, kind="para", level=0) if example else block


def key(text: str) -> str:
    """What makes two headings the same one: letters and digits, without '(continued)'."""
    return re.sub(r"[\W_]+", " ", _CONTINUED.sub("", text)).strip().casefold()


def _heading(block: Block, level: int) -> Block:
    text = f"{block.number} {block.text}" if block.number else block.text
    return replace(block, kind="heading", text=text, number="", level=level, indent=0)


def _numbered(found: list[Block]) -> list[Block]:
    """'1. Title' alone on a short line, with text or a list of its own below, is a heading."""
    out = []
    for at, block in enumerate(found):
        after = found[at + 1] if at + 1 < len(found) else None
        before = found[at - 1] if at else None
        text = block.text
        short = (
            len(text.split()) <= TITLE_WORDS
            and not text.endswith((".", ",", ";"))
            and not _MATHS.search(text)
        )
        short = short and ": " not in text and (text[:1].isupper() or text[:2].isdigit())
        alone = after is not None and not (
            after.kind == "item"
            and (after.indent > block.indent or after.number[:1].isdigit() == block.number[:1].isdigit())
            and (after.indent > block.indent or after.number)
        )
        ordered = block.kind == "item" and block.number and not block.indent
        options = before is not None and before.kind == "item" and bool(before.number) and ordered
        named = block.kind == "para" and (_NAMED.match(text) or _ORDINAL.match(text)) and short
        if ordered and block.number[-1] == ")":
            ordered = False  # 'b)' is an option of a question
        if (
            ordered and short and alone and not options and after is not None and after.kind != "heading"
        ) or (named and after is not None and not text.endswith("?")):
            out.append(_heading(block, NUMBERED))
        else:
            out.append(block)
    return out


def _entitled(found: list[Block]) -> list[Block]:
    """Short lines above the first heading are the document's title, and all else stands below it."""
    first = next((i for i, block in enumerate(found) if block.kind == "heading"), 0)
    if not 1 <= first <= 2 or not all(_titular(block) for block in found[:first]):
        return found
    below = [
        replace(block, level=min(block.level + first, 6)) if block.kind == "heading" else block
        for block in found[first:]
    ]
    return [_heading(block, level) for level, block in enumerate(found[:first], 1)] + below


def _capitals(found: list[Block]) -> list[Block]:
    return [
        _heading(block, CAPITALS)
        if block.kind == "para"
        and block.text.isupper()
        and len(re.findall(r"[^\W\d_]", block.text)) >= 2
        and len(block.text.split()) <= CAPITAL_WORDS
        and not block.text.endswith((".", ",", ";"))
        and not _MATHS.search(block.text)
        else block
        for block in found
    ]


def _titles(found: list[Block]) -> list[Block]:
    """A short line that stands alone like a title and has something below, or comes again, is one."""
    times: dict[str, int] = defaultdict(int)
    for block in found:
        if _titular(block):
            times[key(block.text)] += 1
    out: list[Block] = []
    for at, block in enumerate(found):
        after = found[at + 1] if at + 1 < len(found) else None
        before = out[-1] if out else None
        asked = before is not None and before.kind == "heading" and _QUESTION.match(before.text)
        led = before is not None and before.kind == "para" and before.text.endswith(":")
        if not _titular(block) or asked:
            out.append(block)
        elif times[key(block.text)] > 1 or before is None:
            out.append(_heading(block, TITLE if before else DOCUMENT))
        elif after is not None and not led and not _titular(after) and after.level in (0, NUMBERED):
            out.append(_heading(block, TITLE))
        else:
            out.append(block)
    return out


def _titular(block: Block) -> bool:
    text = block.text
    return (
        block.kind == "para"
        and len(text.split()) <= TITLE_WORDS
        and text[:1].isupper()
        and not text.endswith((".", ",", ";", ":", "!"))
        and ": " not in text
        and not _MATHS.search(text)
        and text.rsplit(None, 1)[-1].lower() not in CONNECTORS
        and (len(text.split()) <= 6 or text.endswith("?") or _capitalised(text))
    )


def _capitalised(text: str) -> bool:
    long = [word for word in re.findall(r"[^\W\d_]+", text) if len(word) > 3]
    return 2 * sum(word[0].isupper() for word in long) >= len(long)


def _unsure(found: Sequence[Block]) -> bool:
    """Levels are no guide if a title that goes on from slide to slide changes its level on the way."""
    titles = [
        block
        for block in found
        if block.kind == "heading" and not block.text.endswith(":") and not _ORDINAL.match(block.text)
    ]
    return any(
        key(one.text) == key(next_.text) and one.level != next_.level
        for one, next_ in itertools.pairwise(titles)
    )


def _levelled(found: Sequence[Block]) -> list[Block]:
    out: list[Block] = []
    first = True
    capitals = sum(block.kind == "heading" and block.text.isupper() for block in found)
    times = Counter(key(block.text) for block in found if block.kind == "heading")
    for block in found:
        if block.kind == "heading":
            text = block.text
            if _ORDINAL.match(text) or _QUESTION.match(text):
                level = NUMBERED
            elif first and times[key(text)] == 1:
                level = DOCUMENT
            elif text.endswith(":"):
                level = COLON
            elif text.isupper() and len(text) > 5 and capitals > 1:
                level = CAPITALS
            else:
                level = TITLE
            first = False
            block = replace(block, level=level)
        out.append(block)
    return out


def _said_once(found: Sequence[Block], tell: Tell) -> list[Block]:
    """A title that is open already is not said again, nor is the lead-in that stood last under it."""
    out: list[Block] = []
    path: list[Block] = []
    lead = ""  # the last lead-in line of the section
    for at, block in enumerate(found):
        if block.kind != "heading":
            is_lead = block.kind == "para" and block.text.endswith(":")
            if is_lead and lead == block.text and _after_title(found, at):
                tell(block.page, block.text, "said again under its title")
                continue
            lead = block.text if is_lead else lead
            out.append(block)
            continue
        same = next((i for i, above in enumerate(path) if key(above.text) == key(block.text)), None)
        if same is not None and path[same].level == block.level:
            after = found[at + 1] if at + 1 < len(found) else None
            deeper = after is not None and after.kind == "heading" and after.level > block.level
            if same == len(path) - 1 or deeper or after is None or after.kind == "heading":
                tell(block.page, block.text, "repeated title")
                continue
            told(tell, block.page, block.text, path[same].text, "repeated title")
            out.append(replace(block, text=path[same].text))
            path = path[: same + 1]
            continue
        path = [above for above in path if above.level < block.level] + [block]
        lead = ""
        out.append(block)
    return out


def _after_title(found: Sequence[Block], at: int) -> bool:
    return at > 0 and found[at - 1].kind == "heading"
