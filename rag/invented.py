"""Numbers and names that an answer states and the notes do not back, or say of something else.

A small model likes to give one thing's number or author to another: 'WaveNet stacks six layers', where the
notes say it of the transformer. So it is not enough that a fact stands in the notes. What this file does
not know: how likely the rest of a sentence is (rag/support.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ingest.context import contexts
from ingest.store import searchable
from ingest.types import Passage
from rag.claims import NAME, holds_number, new_names, numbers
from rag.followup import content_stems
from rag.query import spells

NEAR = 5  # sentences in a row that must hold a fact and the names of what it is said of, chosen on dev
LONG = 4  # letters of a word that an abbreviation stands for, at least: 'of a' spells nothing
_SHORT = re.compile(r"[A-Z]{3,}s?")
_WORDS = re.compile(
    r"(?i)\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|hundred|thousand)\b"
)


def new_facts(claim: str, held: Sequence[Passage], question: str = "") -> list[str]:
    """The numbers and names of `claim` that the passages `held` do not back.

    A number must stand in a sentence that shares a word with the claim, so that the year of one
    thing is not taken for another's; a name must stand anywhere, or in the question. Both must stand
    near what the question names.
    """
    found: list[str] = []
    words = content_stems(claim)
    for number in numbers(claim):
        with_it = (
            line
            for passage in held
            for line, sentence in zip(contexts(passage), passage.sentences, strict=True)
            if holds_number(sentence, number) and words & (content_stems(line) - {number})
        )
        if next(with_it, None) is None:
            found.append(number)
    found += new_names(claim, "\n".join(map(searchable, held)), question)
    return found + [fact for fact in _elsewhere(claim, held, question) if fact not in found]


def _elsewhere(claim: str, held: Sequence[Passage], question: str) -> list[str]:
    """The numbers and names of `claim` that stand in the notes, but nowhere near all that `claim` names
    after the question."""
    names = list(dict.fromkeys(NAME.findall(claim)))
    asked = [name for name in names if _holds(question, name)]
    facts = [name for name in names if name not in asked]
    facts += [word for word in (*_WORDS.findall(claim), *numbers(claim)) if not _holds(question, word)]
    if not (asked and facts):
        return []
    near = list(_near(held))
    found = []
    for fact in facts:
        with_it = [text for text in near if _holds(text, fact)]
        if with_it and not any(all(_holds(text, name) for name in asked) for text in with_it):
            found.append(fact)
    return found


def _near(held: Sequence[Passage]) -> Iterator[str]:
    """Every NEAR sentences in a row, with the headings above."""
    for passage in held:
        told, above = contexts(passage), " ".join(passage.heading)
        for place in range(max(len(told) - NEAR, 0) + 1):
            yield " ".join((above, *told[place : place + NEAR]))


def _holds(text: str, fact: str) -> bool:
    """Whether a fact stands in a text, or the words do that it is short for."""
    if not fact[0].isalpha():
        return holds_number(text, fact)
    if _SHORT.fullmatch(fact) and _spelled_out(fact.rstrip("s").lower(), text):
        return True
    end = r"\b" if _WORDS.fullmatch(fact) else ""
    return re.search(rf"(?i)(?<!\w){re.escape(fact.rstrip('s'))}{end}", text) is not None


def _spelled_out(letters: str, text: str) -> bool:
    """Whether two or more words in a row, none of them short, begin with `letters` and hold the others."""
    words = [word.lower() for word in re.findall(r"[^\W\d_]+", text)]
    runs = (words[at : at + count] for at in range(len(words)) for count in range(2, len(letters) + 1))
    return any(spells(letters, run) and min(map(len, run)) >= LONG for run in runs)
