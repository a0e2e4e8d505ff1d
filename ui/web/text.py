"""Questions and answers as Markdown that the chat may render.

Everything here may come from a stranger: notes, questions and what a model writes. Whatever
Markdown would turn into HTML, a link, an image or a diagram is broken by an invisible word
joiner, so that it reads as typed and does nothing; `typed` takes the joiners out again. The
only tags in the result are our own. Formulas are rewritten to \\(…\\) and \\[…\\], the only
delimiters the chat knows, so that a price in dollars is not taken for one.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from rag.formulas import MATH
from rag.types import Answer
from ui.web.foot import Shown, foot, small, working
from ui.web.states import narrowed, tags

JOINER = "\u2060"
PLAINLY = Shown()
_HELD = "\ue000\ue001"  # around the number of a piece that is safe already
DELIMITERS: list[dict[str, str | bool]] = [
    {"left": "\\[", "right": "\\]", "display": True},
    {"left": "\\(", "right": "\\)", "display": False},
]

# gr.HTML reads its value as a template, and Markdown looks for formulas before it parses HTML and
# ends that at an empty line, so what all these are written with is escaped too.
_INERT = str.maketrans({c: f"&#{ord(c)};" for c in "{}$`\\%[]:@\n\r"})

# After which character a joiner goes, by what makes it dangerous.
_ACTIVE = re.compile(
    r"<(?=[A-Za-z/!?])"  # a tag, a comment, an autolink
    r"|&(?=#?\w+;)"  # a character reference
    r"|!(?=\[)|\](?=[(\[:])"  # an image, a link, the address of one
    r"|:(?=//)|(?i:\bwww)(?=\.)|(?<=\w)(?=@\w)"  # addresses that become links on their own
    r"|`{3,}[ \t]*(?=mermaid)"  # a diagram, which may load pictures
    r"|%(?=%)|\\(?=[()\[\]\ue000])"  # what the chat uses for formulas
)
_CODE = r"(?P<fence>(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`))"
_PIECES = re.compile(rf"{_CODE}|{MATH}|\[(?P<markers>[0-9]{{1,4}}(?:\s*,\s*[0-9]{{1,4}})*)\]", re.DOTALL)


def inert(text: str) -> str:
    """Prose that Markdown shows as typed wherever it would otherwise make something active."""
    return _ACTIVE.sub(lambda found: found[0] + JOINER, text.replace(JOINER, ""))


def typed(text: str) -> str:
    """What was typed, given what `question_markdown` made of it."""
    return text.replace(JOINER, "")


def question_markdown(question: str) -> str:
    """A question as it stands in the chat."""
    return _rendered(_cleaned(question), {}, set(), 0)


def passage_html(text: str) -> str:
    """A stretch of notes as HTML on one line, its formulas rendered and all else as written."""
    parts = []
    for piece in _split(_cleaned(text), {}):
        tex = None if isinstance(piece, str) else _tex(piece)
        if tex:
            parts.append(html.escape(tex.replace("\n", " ")))
        else:
            prose = escaped(piece if isinstance(piece, str) else piece[0])
            parts.append(re.sub(r"(?:&#1[03];[ \t]*)+", "<br>", prose))
    return "".join(parts)


def escaped(text: str) -> str:
    """Text fit for HTML and for an attribute in double quotes, inert as a template and as a formula."""
    return html.escape(text).translate(_INERT)


def answer_markdown(
    answer: Answer, turn: int, state: str = "whole", seconds: float | None = None, shown: Shown = PLAINLY
) -> str:
    """An answer as it stands in the chat; `turn` is its place, to which its markers point.

    `state` is 'whole', 'unfinished' (cut off) or 'unreadable'. `seconds` is how long an answer
    still being written has taken; `shown` is how one that is kept is shown.
    """
    if state == "unreadable":
        return small("note", "This answer is damaged and cannot be shown.")
    seen = narrowed(answer) if shown.narrowed else answer
    known = {c.marker for c in answer.citations}
    text = _cleaned(seen.answer)
    atoms = [found.span() for found in _PIECES.finditer(text)]
    body = _rendered(text, tags(text, seen.sentences, atoms, turn), known, turn)
    if seen.suggestion:
        body = f"{body}\n\n{inert(_cleaned(f'The notes do answer: {seen.suggestion}'))}"
    under = working(answer, seconds) if seconds is not None else foot(answer, turn, state, shown)
    return f"{body}\n\n{under}" if body and under else body or under


def _cleaned(text: str) -> str:
    """Text without the characters that mean something here."""
    return re.sub(f"[\0{JOINER}{_HELD}]", "", text)


def _split(text: str, tags: dict[int, str]) -> Iterator[str | re.Match[str]]:
    """Prose and own tags as strings marked by a leading NUL for tags; code, formulas, markers as matches."""
    at = 0
    for found in [*_PIECES.finditer(text), None]:
        end = found.start() if found else len(text)
        for cut in sorted(p for p in tags if at <= p <= end and not (found and p == end and _opens(tags[p]))):
            yield text[at:cut]
            yield "\0" + tags.pop(cut)
            at = cut
        yield text[at:end]
        if found:
            if end in tags:
                yield "\0" + tags.pop(end)
            yield found
            at = found.end()


def _opens(tag: str) -> bool:
    return not tag.startswith("</")


def _rendered(text: str, tags: dict[int, str], known: set[int], turn: int) -> str:
    """Text with its tags, markers and formulas in place and all the rest inert."""
    prose: list[str] = []
    done: list[str] = []  # stand out of reach of `inert` until it has seen the prose around them
    for piece in _split(text, tags):
        if isinstance(piece, str):
            own = piece[1:] if piece.startswith("\0") else None
        else:
            own = _markers(piece, known, turn) if piece["markers"] else _tex(piece)
        if own is None:
            prose.append(piece if isinstance(piece, str) else piece[0])
        else:
            prose.append(f"{_HELD[0]}{len(done)}{_HELD[1]}")
            done.append(own)
    return re.sub(f"{_HELD[0]}(\\d+){_HELD[1]}", lambda held: done[int(held[1])], inert("".join(prose)))


def _markers(piece: re.Match[str], known: set[int], turn: int) -> str | None:
    numbers = [int(n) for n in piece["markers"].split(",")]
    return "".join(_marker(turn, n) for n in numbers) if set(numbers) <= known else None


def _tex(piece: re.Match[str]) -> str | None:
    for name in ("display", "square", "round", "inline"):
        if piece[name]:
            return _formula(piece[name], name in ("display", "square"))
    return None


def _marker(turn: int, number: int) -> str:
    return f'<a href="#c{turn}-{number}" class="ut-mark" title="Show source {number}">{number}</a>'


def _formula(tex: str, display: bool) -> str | None:
    """A formula between the chat's own delimiters, or None where it would end before its end."""
    tex = re.sub(r"\\\\\[[^\]]*\]", r"\\\\ ", tex).replace("<", " < ").strip()
    if not tex or "%%%" in tex or re.search(r"\\[()\[\]]|\n\s*\n", tex):
        return None
    return f"\\[{tex}\\]" if display else f"\\({tex}\\)"
