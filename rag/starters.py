"""Questions to begin a conversation with, taken from the notes themselves: the same every time.

The course's own review questions come first. Where there are too few, prominent headings become
'What is …?'. What is not here: any thought about which of them make good questions.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from ingest.types import Passage

LONGEST = 100  # characters; a starter is a button
_ASKS = re.compile(
    r"(?i)^(what|which|who|when|where|why|how|is|are|do|does|can|in what|at what|explain|describe|"
    r"compare|list|name|give)\b"
)
_LABEL = re.compile(r"(?i)^\s*(?:[-*•]\s*|(?:question|q)\s*\d*\s*[:.)]\s*|\(?\d+[.)]\s*)+")
_OPTION = re.compile(r"^\s*(?:[-*•]\s*)?\(?[a-eA-E][.)]\s")
_CHOICES = re.compile(r"(?i)mcq|multiple|quiz")
_ASKED = re.compile(r"(?i)review|question")
# Headings that say where one is in the document and not what it is about.
FURNITURE = re.compile(
    r"(?i)\b(introduction|overview|contents|agenda|objectives?|summary|takeaways?|conclusion|references|"
    r"resources|review|questions?|quiz|mcqs?|multiple choice|answers?|exercises?|examples?|hands-on|"
    r"notes?|unit|chapter|part|section|lecture|slide|thank|appendix|glossary|further reading|timeline|"
    r"key|people|history|worth)\b"
)
_NUMBER = re.compile(r"^\s*(?:\d+(?:\.\d+)*[.):–-]?|[IVX]+[.):]|[A-Z][.)])\s+")


def starters(passages: Sequence[Passage], count: int = 4) -> tuple[str, ...]:
    """Up to `count` questions; fewer only where the notes have too few questions and headings."""
    found: dict[str, str] = {}  # by what makes two the same
    for question in _spread(list(_questions(passages)), count):
        found.setdefault(_same(question), question)
    for topic in topics(passages):
        if len(found) >= count:
            break
        found.setdefault(_same(topic), f"What {'are' if plural(topic) else 'is'} {topic}?")
    return tuple(found.values())[:count]


def _questions(passages: Sequence[Passage]) -> Iterator[str]:
    """The notes' own review questions, each once; not those with options to choose from."""
    seen = set()
    for passage in passages:
        if any(map(_CHOICES.search, passage.heading)) or not any(map(_ASKED.search, passage.heading)):
            continue
        labelled = any(map(_LABEL.match, passage.sentences))
        for place, sentence in enumerate(passage.sentences):
            # In a numbered list, one without a number goes on from the sentence before it.
            if labelled and not _LABEL.match(sentence):
                continue
            if any(map(_OPTION.match, passage.sentences[place + 1 : place + 3])):
                continue
            text = " ".join(_LABEL.sub("", sentence).split()).strip("*_\"“”' ")
            fits = text.endswith("?") and len(text.split()) > 3 and len(text) <= LONGEST
            if fits and _ASKS.match(text) and _same(text) not in seen:
                seen.add(_same(text))
                yield text


def _spread(items: Sequence[str], count: int) -> list[str]:
    """`count` of the items, evenly from first to last: a unit's questions follow its order."""
    if len(items) <= count:
        return list(items)
    return (
        [items[round(i * (len(items) - 1) / (count - 1))] for i in range(count)] if count > 1 else [items[0]]
    )


def topics(passages: Sequence[Passage]) -> list[str]:
    """Innermost headings that name a thing: first those that a sentence defines, then by weight of text."""
    weight: Counter[str] = Counter()
    written: dict[str, str] = {}
    texts: dict[str, list[str]] = {}
    words = {word for passage in passages for word in re.findall(r"[a-z]+", passage.text)}
    for passage in passages:
        heading = _NUMBER.sub("", passage.heading[-1]).strip(" *#:.-–") if passage.heading else ""
        if not 2 < len(heading) <= 48 or len(heading.split()) > 5 or FURNITURE.search(heading):
            continue
        if _ASKS.match(heading) or not heading[0].isalnum() or re.search(r"[:?!/|$\\,]", heading):
            continue
        key = _same(heading)
        weight[key] += len(passage.text)
        written.setdefault(key, mid_sentence(heading, words))
        texts.setdefault(key, []).extend(passage.sentences)
    first = {key: place for place, key in enumerate(written)}
    defined = {key: any(defines(line, written[key]) for line in texts[key]) for key in written}
    return [written[key] for key in sorted(weight, key=lambda k: (not defined[k], -weight[k], first[k]))]


def defines(sentence: str, topic: str) -> bool:
    """Whether a sentence starts by saying what `topic` is: 'A latent space is …', 'GANs consist of …'."""
    stem = re.escape(_same(topic.split("(")[0]).removesuffix("s"))
    says = r"(?:is|are|was|consists?|combines?|creates?|learns?|generates?|works?|means|uses?|stores?)"
    return bool(
        re.match(rf"(?:an? |the )?{stem}\w* (?:\w+ ){{0,4}}?{says}\b", _same(_LABEL.sub("", sentence)))
    )


def mid_sentence(heading: str, words: set[str]) -> str:
    """A heading as it stands within a sentence: small letters where the notes write it so."""
    if heading.isupper() and all(len(word) > 3 for word in heading.split()):
        heading = heading.capitalize()
    first = re.match(r"[A-Z][a-z]+", heading)
    plain = first and first[0].lower() in words and not re.search(r"\s[A-Z][a-z]", heading)
    return heading[0].lower() + heading[1:] if plain else heading


def plural(topic: str) -> bool:
    """Whether one says 'are' of it."""
    last = topic.split("(")[0].split()[-1].lower()
    return last.endswith("s") and not last.endswith(("ss", "is", "us", "ics"))


def _same(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))
