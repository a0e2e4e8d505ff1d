"""Questions to begin a conversation with, taken from the notes themselves: the same every time.

The course's own review questions come first. Where there are too few, prominent headings become
'What is …?'. What is not here: any thought about which of them make good questions.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from ingest.types import Passage

LONGEST = 120  # characters; a starter is a button
_ASKS = re.compile(
    r"(?i)^(what|which|who|when|where|why|how|is|are|do|does|can|in what|at what|explain|describe|"
    r"compare|list|name|give)\b"
)
_LABEL = re.compile(r"(?i)^\s*(?:[-*•]\s*|(?:question|q)\s*\d*\s*[:.)]\s*|\(?\d+[.)]\s*)+")
_OPTION = re.compile(r"^\s*(?:[-*•]\s*)?\(?[a-eA-E][.)]\s")
# Headings that say where one is in the document and not what it is about.
_FURNITURE = re.compile(
    r"(?i)\b(introduction|overview|contents|agenda|objectives?|summary|takeaways?|conclusion|references|"
    r"resources|review|questions?|quiz|mcqs?|answers?|exercises?|examples?|hands-on|notes?|unit|chapter|"
    r"part|section|lecture|slide|thank|appendix|glossary|further reading|timeline|key)\b"
)
_NUMBER = re.compile(r"^\s*(?:\d+(?:\.\d+)*|[IVX]+|[A-Z])\s*[.):–-]\s+")


def starters(passages: Sequence[Passage], count: int = 4) -> tuple[str, ...]:
    """Up to `count` questions; fewer only where the notes have too few questions and headings."""
    found: dict[str, str] = {}  # by what makes two the same
    questions = list(_questions(passages))
    for question in _spread(questions, count):
        found.setdefault(_same(question), question)
    for topic in _topics(passages):
        if len(found) >= count:
            break
        found.setdefault(_same(topic), f"What {'are' if _plural(topic) else 'is'} {topic}?")
    return tuple(found.values())[:count]


def _questions(passages: Sequence[Passage]) -> Iterator[str]:
    """The notes' own questions, each once; not those that offer options, nor those of a heading's answer."""
    seen = set()
    for passage in passages:
        if any("mcq" in h.lower() or "multiple" in h.lower() or "quiz" in h.lower() for h in passage.heading):
            continue
        for place, sentence in enumerate(passage.sentences):
            text = _LABEL.sub("", sentence).strip().strip("*_\"“”' ")
            after = passage.sentences[place + 1 : place + 3]
            if (
                text.endswith("?")
                and len(text.split()) > 3
                and len(text) <= LONGEST
                and _ASKS.match(text)
                and "\n" not in text
                and not any(_OPTION.match(line) for line in after)
                and _same(text) not in seen
                and any("question" in h.lower() or "review" in h.lower() for h in passage.heading)
            ):
                seen.add(_same(text))
                yield text


def _spread(items: Sequence[str], count: int) -> list[str]:
    """`count` of the items, evenly from first to last: a unit's questions follow its order."""
    if len(items) <= count:
        return list(items)
    return (
        [items[round(i * (len(items) - 1) / (count - 1))] for i in range(count)] if count > 1 else [items[0]]
    )


def _topics(passages: Iterable[Passage]) -> list[str]:
    """Innermost headings that name a thing, the one with the most text under it first."""
    weight: Counter[str] = Counter()
    written: dict[str, str] = {}
    for passage in passages:
        if not passage.heading:
            continue
        heading = _NUMBER.sub("", passage.heading[-1]).strip(" *#:.-–")
        if not 2 < len(heading) <= 48 or len(heading.split()) > 5 or _FURNITURE.search(heading):
            continue
        if _ASKS.match(heading) or not heading[0].isalnum() or re.search(r"[:?!/|$\\]", heading):
            continue
        weight[_same(heading)] += len(passage.text)
        written.setdefault(_same(heading), heading)
    first = {key: place for place, key in enumerate(written)}
    return [written[key] for key in sorted(weight, key=lambda k: (-weight[k], first[k]))]


def _plural(topic: str) -> bool:
    last = topic.split("(")[0].split()[-1].lower()
    return last.endswith("s") and not last.endswith(("ss", "is", "us", "ics"))


def _same(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))
