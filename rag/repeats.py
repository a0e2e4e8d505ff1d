"""Whether a question was answered before, and whether that answer still stands.

An earlier answer is offered only where it is to the same question, and the notes behind it say what they
said. Nearness in meaning finds the candidates and cannot decide: 'how do models add noise' and 'how do
models remove noise' have a cosine of .95. So the two must ask the same kind of thing (who, when, why, …)
about the same words; rules that rather miss a paraphrase than offer the wrong answer. Figures are in
tests/bench/recall.py. What is not here: how it is offered (ui/web/offers.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ingest.words import tokens
from rag.followup import content_words, leans
from rag.memory import Found, Memory
from rag.types import Answer, Turn

NEAR = 0.78  # cosine below which two questions are not the same, whatever their words
LOOKED = 12  # earlier questions that are compared

_LEADS = (
    ("when", r"when|(?:in|at|since)\s+(?:which|what)\s+(?:year|month|decade|time)|(?:what|which)\s+year"),
    ("who", r"who|whom|whose|by\s+whom|(?:what|which)\s+(?:person|people|researchers?)"),
    ("where", r"where|in\s+(?:which|what)\s+(?:place|country|city)"),
    ("why", r"why|how\s+come|what\s+(?:is|was|are)\s+the\s+reasons?|what\s+makes|for\s+what\s+reason"),
    ("how much", r"how\s+(?:many|much|large|big|small|long|often|high|low|fast|old|far|good|well)"),
    ("yes or no", r"is|are|was|were|do|does|did|has|have|had|will|would|should|must|may|am"),
    ("name", r"name|list|give|enumerate"),
)  # fmt: skip
_LEAD = tuple((kind, re.compile(rf"\s*(?:{words})\b", re.IGNORECASE)) for kind, words in _LEADS)
_POLITE = re.compile(
    r"^\s*(?:(?:please|so|ok|hi|hello|hey)\b[ ,]*)*(?:(?:can|could|would)\s+you\s+(?:please\s+)?"
    r"(?=explain|tell|describe|define|name|list|give|show)|(?:please\s+)?tell\s+me\s+(?=wh|how))?",
    re.IGNORECASE,
)
# What is asked of a thing: these words are too common to tell topics apart, but not two questions.
_TURNS = tuple(
    re.compile(rf"\b(?:{words})\b", re.IGNORECASE)
    for words in (
        r"differ\w*|distinguish\w*|versus|vs|compar\w*|unlike",
        r"examples?|for\s+instance|such\s+as",
        r"used\s+for|uses?|used|usage|using|useful|applications?",
        r"no|not|never|without|cannot|\w+n't",
        r"more|most|better|best",
        r"less|least|fewer|worse|worst",
        r"before|earlier",
        r"after|later",
    )
)
_FILLING = frozenset(  # stems that a question may have or lack
    "mean effect reason job purpos exact pleas realli year actual basic simpl word briefli short".split()
)
# Who or when a thing was made has many verbs.
_MADE = frozenset("invent introduc propos creat develop wrote written came up design author".split())


def same_question(one: str, other: str) -> bool:
    """Whether two questions ask the same, by their words: the same kind of question on the same things."""
    if _kind(one) != _kind(other):
        return False
    ours, theirs = _stems(one), _stems(other)
    return ours == theirs and bool(ours)


def repeated(
    memory: Memory,
    owner: str,
    question: str,
    history: Sequence[Turn] = (),
    current: Callable[[str], str] = lambda _id: "",
    sources: Sequence[str] = (),
) -> Found | None:
    """The owner's newest turn that answers this very question from notes that are unchanged.

    Args:
        memory: where earlier turns are found.
        owner: whose they are.
        question: as it is typed now.
        history: the turns before it; a question that leans on them has no earlier answer.
        current: gives the text of a passage by its id as the notes have it now, '' where there is none.
        sources: files that the answer may be from, () for all.

    Raises:
        UnitutorError: what Memory.search raises.
    """
    if leans(question, history) or not content_words(question):
        return None
    near = memory.search(owner, question, LOOKED, role="student")
    alike = [f for f in near if f.score >= NEAR and same_question(f.answer.question, question)]
    for found in sorted(alike, key=lambda one: -one.created):
        if not (found.whole and stands(found.answer, current, sources)):
            continue
        if not leans(found.answer.question, memory.earlier(found)):
            return found
    return None


def stands(answer: Answer, current: Callable[[str], str], sources: Sequence[str] = ()) -> bool:
    """Whether an answer may be shown again: whole, not refused, each passage still in the notes as it was."""
    if answer.refused or answer.stopped or not answer.answer or not answer.citations:
        return False
    if sources and not all(cited.source in sources for cited in answer.citations):
        return False
    return all(current(cited.passage_id) == cited.text for cited in answer.citations)


def _kind(question: str) -> tuple[str, tuple[bool, ...]]:
    text = _POLITE.sub("", question)
    lead = next((kind for kind, words in _LEAD if words.match(text)), "what")
    if lead == "how much":  # 'how many' is not 'how large'
        lead = " ".join(text.lower().split()[:2])
    return lead, tuple(bool(words.search(text)) for words in _TURNS)


def _stems(question: str) -> set[str]:
    words = [word.removesuffix("'s") for word in content_words(_POLITE.sub("", question))]
    stems = {stem for word in words for stem in tokens(word)}
    if stems & _MADE and _kind(question)[0] in ("who", "when"):
        stems = stems - _MADE | {"invent"}
    return (
        stems - _FILLING - {stem for word in ("what", "who", "where", "when", "how") for stem in tokens(word)}
    )
