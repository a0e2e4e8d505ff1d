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

from rag.transcript import settings
from rag.types import Answer, Sentence, Stage

JOINER = "\u2060"
_HELD = "\ue000\ue001"  # around the number of a piece that is safe already
DELIMITERS: list[dict[str, str | bool]] = [
    {"left": "\\[", "right": "\\]", "display": True},
    {"left": "\\(", "right": "\\)", "display": False},
]
STAGES: dict[Stage, str] = {
    "searching": "Searching the notes…",
    "reading": "Reading the notes…",
    "writing": "Writing…",
    "checking": "Checking each sentence against the notes…",
    "done": "",
}
FLAGS = {
    "unsupported": ("?", "The notes do not support this sentence"),
    "partly": ("~", "The notes support only a part of this sentence"),
}

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
_MATH = (
    r"\$\$(?P<display>[^$]+?)\$\$"
    r"|\\\[(?P<square>.+?)\\\]"
    r"|\\\((?P<round>.+?)\\\)"
    r"|(?<![\\$\w])\$(?=\S)(?P<inline>[^$\n]+?)(?<=\S)\$(?![\d$])"
)
_PIECES = re.compile(rf"{_CODE}|{_MATH}|\[(?P<markers>[0-9]{{1,4}}(?:\s*,\s*[0-9]{{1,4}})*)\]", re.DOTALL)
_LINE_START = re.compile(r"\s*(?:(?:[-*+]|\d+[.)]|#{1,6}|>)\s+)*")


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


def answer_markdown(answer: Answer, turn: int, state: str = "whole", seconds: float | None = None) -> str:
    """An answer as it stands in the chat; `turn` is its place, to which its markers point.

    `state` is 'whole', 'unfinished' (cut off) or 'unreadable'. `seconds` is how long an answer
    still being written has taken.
    """
    if state == "unreadable":
        return _small("note", "This answer is damaged and cannot be shown.")
    known = {c.marker for c in answer.citations}
    text = _cleaned(answer.answer)
    body = _rendered(text, _sentence_tags(text, answer.sentences), known, turn)
    foot = _working(answer, seconds) if seconds is not None else _foot(answer, state)
    return f"{body}\n\n{foot}" if body and foot else body or foot


def waiting(number: int) -> str:
    """What stands in the place of an answer whose turn has not come."""
    return _small("stage", f"You are number {number} in the line…")


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


def _sentence_tags(text: str, sentences: tuple[Sentence, ...]) -> dict[int, str]:
    """Where tags open and close around sentences that the notes do not hold up."""
    tags: dict[int, str] = {}
    atoms = [found.span() for found in _PIECES.finditer(text)]
    at = 0
    for sentence in sentences:
        start = text.find(sentence.text, at) if sentence.text else -1
        if start < 0:
            continue
        at = start + len(sentence.text)
        if sentence.label not in FLAGS:
            continue
        sign, words = FLAGS[sentence.label]
        opening = f'<span class="ut-{sentence.label}" title="{words}">'
        closing = f'</span><span class="ut-flag" title="{words}" tabindex="0">{sign}</span>'
        for from_, to in _lines(text, start, at):
            inside = any(a < p < b for a, b in atoms for p in (from_, to))
            if not inside and from_ not in tags and to not in tags:
                tags[from_] = opening
                tags[to] = closing if to >= at - 1 else "</span>"
    return tags


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The spans of a sentence that lie in one line each, without list and heading signs; no tables."""
    for line in re.finditer(r"[^\n]+", text[start:end]):
        mark = _LINE_START.match(line[0])
        from_, to = start + line.start() + (mark.end() if mark else 0), start + line.end()
        if from_ < to and "|" not in line[0]:
            yield from_, to


def _working(answer: Answer, seconds: float) -> str:
    """The line that says what is being done, until there is text; and while it is checked."""
    if answer.stage == "writing" and answer.answer:
        return ""
    words = STAGES[answer.stage]
    if answer.citations and not answer.answer:
        count = len(answer.citations)
        words = f"Reading {count} passage{'s' if count != 1 else ''}…"
    clock = f" {seconds:.0f} s" if seconds >= 2 and not answer.answer else ""
    return _small("stage", words + clock) if words else ""


def _foot(answer: Answer, state: str) -> str:
    """The quiet lines under an answer: what the notes do not hold up; how it ended, how long it took."""
    doubts = []
    for label, words in (("unsupported", "not supported by the notes"), ("partly", "only partly supported")):
        count = sum(s.label == label for s in answer.sentences)
        if count:
            doubts.append(f"{FLAGS[label][0]} {count} sentence{'s' if count > 1 else ''} {words}")
    facts = ["Cut off"] if state == "unfinished" else ["Stopped"] if answer.stopped else []
    took = answer.timings
    if took.total_ms:
        facts.append(f"{took.total_ms / 1000:.1f}\u00a0s")
    if took.first_word_ms:
        facts.append(f"first word {took.first_word_ms / 1000:.1f}\u00a0s")
    if took.output_tokens:
        facts.append(f"{took.output_tokens}\u00a0tokens")
    if took.output_tokens and answer.decoding.name != "greedy":
        facts.append(settings(answer.decoding))
    return "\n".join(_small("foot", " · ".join(line)) for line in (doubts, facts) if line)


def _small(kind: str, words: str) -> str:
    return f'<span class="ut-{kind}">{words}</span>'
