"""'What did I ask about GANs last week?': recognised, and answered from the student's own conversations.

Recognised by rules and by no model: it has to be certain, quick, and the same before a model is loaded.
Figures on labelled questions are in tests/bench/recall.py. What is answered is a list of turns with
where they are; it is no evidence for anything, is kept in no conversation and shown to no model. What
is not here: the vectors (rag/memory.py), and how a list looks (ui/).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time

from rag.followup import content_stems
from rag.memory import Found, Memory
from rag.when import Days, span

MOST = 20  # turns in one answer
NEAR = 0.45  # cosine from which a question is about a topic though it lacks its words

_I = r"(?:i|we|i've|we've)"
_EVER = r"(?:(?:already|ever|just|also|even|really|once|last|first|previously|recently|earlier)\s+)*"
_ASKED = (
    r"(?:ask(?:ed)?|been\s+asking|asking|talk(?:ed)?|discuss(?:ed)?|chat(?:ted)?|spoken?|spoke|"
    r"want(?:ed)?\s+to\s+know|inquired?|enquired?|wonder(?:ed)?)"
)
_TOLD = r"(?:tell|told|say|said|answer(?:ed)?|repl(?:y|ied)|explain(?:ed)?\s+to\s+me|respond(?:ed)?)"
_QUESTIONS = r"(?:questions?|chats?|conversations?|discussions?|messages?|history)"
_OLD = r"(?:(?:earlier|previous|past|old|older|last|latest|first|recent|own|other)\s+)*"
_WHAT = (
    r"(?:what(?:\s+(?:else|all|exactly|questions?|things?|topics?))?|which(?:\s+(?:questions?|topics?|things?))?|"
    r"when(?:\s+was\s+it\s+that)?|how\s+(?:often|many\s+(?:times|questions)))"
)
_SHOW = r"(?:show|list|find|give|remind|search|look\s+(?:through|up|for|in)|open|get|recall|display)"
_PLEASE = r"(?:(?:please|can|could|would)\s+(?:you\s+)?(?:please\s+)?)?"

# Each begins at the beginning: in 'how is what I asked kept', the words are what a question is about.
_FORMS = tuple(
    re.compile(rf"\s*{form}", re.IGNORECASE)
    for form in (
        rf"{_WHAT}\s+(?:did|have|had|was|were)\s+{_I}\s+{_EVER}{_ASKED}\b",
        rf"{_WHAT}\s+(?:i|we)\s+{_EVER}(?:asked|discussed|talked)\b",
        rf"{_WHAT}\s+(?:did|have|had)\s+you\s+{_EVER}{_TOLD}\b(?!\s+that\b)",
        rf"(?:what|which)\s+(?:was|were|is|are)\s+(?:my|our)\s+{_OLD}{_QUESTIONS}\b(?!\s+stored|\s+kept)",
        r"(?:what|which)\s+(?:was|were)\s+your\s+(?:last\s+|earlier\s+|previous\s+)*(?:answers?|reply|replies)\b",
        rf"what\s+was\s+the\s+(?:last|first|latest)?\s*(?:thing|question|topic)s?\s+(?:that\s+)?{_I}\s+{_EVER}{_ASKED}\b",
        rf"which\s+of\s+my\s+{_OLD}{_QUESTIONS}\b",
        rf"(?:did|have|had)\s+{_I}\s+(?:not\s+)?{_EVER}{_ASKED}\b",
        rf"(?:haven't|didn't)\s+{_I}\s+{_EVER}{_ASKED}\b",
        rf"{_PLEASE}{_SHOW}\s+(?:me\s+)?(?:again\s+)?(?:in\s+|for\s+|through\s+)?(?:all\s+)?(?:of\s+)?(?:my|our)\s+{_OLD}{_QUESTIONS}\b",
        rf"{_PLEASE}{_SHOW}\s+(?:me\s+)?(?:again\s+)?(?:all\s+)?(?:everything|what|anything|all|the\s+"
        rf"(?:{_QUESTIONS}|things?|topics?|times?|answers?))\s+(?:that\s+|where\s+|when\s+|in\s+which\s+)?{_I}\s+{_EVER}{_ASKED}\b",
        rf"my\s+{_OLD}{_QUESTIONS}\s+(?:about|on|from|of)\b",
        rf"(?:in|on|last|yesterday|this|earlier)?\b[^.?!]{{0,30}}?\bi\s+{_EVER}asked\s+(?:you\s+)?(?:something\s+)?(?:about|on)\b[^?]*\bwh(?:at|ich)\b",
    )
)
# What a class did together is in the notes; what is to be asked is no memory.
_NOT = re.compile(
    r"\b(?:(?:in|at|during)\s+(?:the\s+|our\s+|this\s+|that\s+|last\s+)?"
    r"(?:lecture|class|unit|chapter|slides?|seminar|tutorial|lesson|course|notes|lab)s?\b(?!\s+(?:chat|notes\s+app))|"
    r"twice|the\s+same\s+question)",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"^\s*(?:between|from)\b[^,]*,\s*", re.IGNORECASE)
# Words that say that something was asked, and not what about.
_FRAME = re.compile(
    r"\b(?:what|which|when|how|often|many|times|was|were|is|are|it|that|did|do|have|had|has|haven't|didn't|i|i've|"
    r"we|we've|you|your|my|me|our|ever|already|just|also|even|really|once|so\s+far|before|earlier|previously|"
    r"previous|past|old|older|last|latest|first|recent|time|ask|asked|asking|been|talk|talked|discuss|discussed|"
    r"chat|chatted|chats|speak|spoke|spoken|want|wanted|to\s+know|wonder|wondered|tell|told|say|said|answer|"
    r"answers|answered|reply|replied|questions?|conversations?|discussions?|messages?|history|things?|topics?|"
    r"anything|something|everything|all|else|exactly|please|can|could|would|show|list|find|give|remind|"
    r"search|look|through|up|open|get|recall|display|where|again|again|for|of|in|from|about|on|the|a|an|"
    r"and|ones?)\b",
    re.IGNORECASE,
)
_ABOUT = re.compile(
    r"\b(?:about|regarding|concerning|(?<=question )on|(?<=questions )on|(?<=chats )for)\s+(.+)",
    re.IGNORECASE,
)

_AFTER = frozenset("before already again please earlier previously ever then was it that in on from".split())
_SPACE = re.compile(r"\s+")
_EDGE = " ,.?!:;'\""


@dataclass(frozen=True, slots=True)
class Recall:
    """A question about the student's own earlier questions."""

    topic: str  # what they were about, '' for anything
    days: Days

    @property
    def since(self) -> float | None:
        """Seconds since 1970 at which its days begin here; None for no limit."""
        return _seconds(self.days.since)

    @property
    def until(self) -> float | None:
        """Seconds since 1970 at which its days have ended; None for no limit."""
        return _seconds(self.days.until)


def recall(question: str, today: date) -> Recall | None:
    """What a question wants to know of earlier conversations; None where it asks about something else."""
    text = " ".join(question.replace("’", "'").split())
    if len(text) > 300:
        return None
    days, rest = span(text, today)
    rest = _BETWEEN.sub("", rest)
    if _NOT.search(rest) or not any(form.match(one) for form in _FORMS for one in (text, rest)):
        return None
    return Recall(_topic(rest), days)


def remembered(memory: Memory, owner: str, wanted: Recall) -> tuple[Found, ...]:
    """The owner's turns that are wanted, at most MOST: the newest first, or the nearest to a topic.

    A turn is about a topic if its question or answer holds a word of it, or its question means nearly
    the same. Raises what Memory.search does.
    """
    if not wanted.topic:
        return memory.between(owner, wanted.since, wanted.until, MOST)
    stems = content_stems(wanted.topic)
    near = memory.search(owner, wanted.topic, 5 * MOST, wanted.since, wanted.until)
    about = [one for one in near if _about(one, stems)]
    return tuple(about[:MOST])


def _about(found: Found, stems: set[str]) -> bool:
    if stems and stems <= content_stems(found.answer.question):
        return True
    if found.score >= NEAR:
        return True
    return bool(stems) and stems <= content_stems(f"{found.answer.question} {found.answer.answer}")


def _topic(text: str) -> str:
    named = _ABOUT.search(text)
    words = re.split(r"[,.;?!](?:\s|$)", named[1] if named else text)[0]
    if not named:
        return _SPACE.sub(" ", _FRAME.sub(" ", words)).strip(_EDGE)
    kept = words.split()  # within it any word may be the topic's own, as in 'beam search'
    while kept and kept[-1].strip(_EDGE).lower() in _AFTER:
        kept.pop()
    if all(_FRAME.fullmatch(word.strip(_EDGE)) for word in kept):  # 'about last time'
        return ""
    return " ".join(kept).strip(_EDGE)


def _seconds(day: date | None) -> float | None:
    return None if day is None else datetime.combine(day, time()).timestamp()
