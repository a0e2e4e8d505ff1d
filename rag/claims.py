"""What a text claims: its sentences, which of them state something, and the numbers and names in them."""

from __future__ import annotations

import re

from ingest.sentences import sentences
from rag import prompts
from rag.followup import content_words

LEAST_WORDS = 4  # of a clause
CLAUSES = (3, 6)  # least and most of a claim: one of two is understood better whole, measured on dev

_NUMBER = re.compile(r"(?<![\w.])\.\d+|\d+(?:,\d{3}(?!\d))*(?:\.\d+)*")  # 1,000.5 is one, Beta(2,2) has two
NAME = re.compile(r"\b[A-Z][A-Za-z]*[A-Z0-9][A-Za-z0-9-]*\b|(?<![.!?:\n•-] )(?<!^)\b[A-Z][a-z]{2,}\b")
_BULLET = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+")
_TALK = re.compile(
    r"(?i)(sure|certainly|of course|hello|hi|hey|thank|thanks|you're welcome|great question|good question|"
    r"here (is|are)|i hope|let me know|in summary:?$|"
    r"(the|these|your) notes (do not|don't) (say|answer|mention|state|contain|tell))\b"
)

_JOINED = re.compile(
    r"(?:,|;|\)| –| —)\s+|\s+(?=(?:and|but|which|who|where|when|while|after|because|due to)\s)"
)
_AROUND = " ,;()."


def spans(text: str) -> list[tuple[int, int]]:
    """Where each sentence or list item of `text` starts and ends."""
    found: list[tuple[int, int]] = []
    cursor = 0
    for sentence in sentences(text):
        start = text.find(sentence, cursor)
        if start >= 0:
            cursor = start + len(sentence)
            found.append((start, cursor))
    return found


def bare(sentence: str) -> str:
    """A sentence without the bullet or number of its list item."""
    return _BULLET.sub("", sentence).strip()


def is_claim(text: str) -> bool:
    """Whether a sentence states something of the subject: no greeting, heading, question or line that
    leads into a list, and not that the notes do not say."""
    if not content_words(text) or text.rstrip().endswith((":", "?")) or text.startswith(prompts.REFUSAL):
        return False
    return not (text.lstrip().startswith("#") or _TALK.match(text.strip()))


def numbers(text: str) -> list[str]:
    """The numbers in a text, as written."""
    return _NUMBER.findall(text)


def clauses(claim: str) -> list[str]:
    """The first parts of a long claim as claims of their own, as many as CLAUSES says; none of a short one.

    A part ends at a comma, a bracket or before a word that joins; one of fewer than LEAST_WORDS words
    goes with the one before. A long claim often fails by one part of several.
    """
    found: list[tuple[int, int]] = []
    start = 0
    for joint in [*_JOINED.finditer(claim), None]:
        end = joint.start() if joint else len(claim)
        if found and min(_length(claim, start, end), _length(claim, *found[-1])) < LEAST_WORDS:
            found[-1] = (found[-1][0], end)
        elif claim[start:end].strip(_AROUND):
            found.append((start, end))
        start = joint.end() if joint else end
    least, most = CLAUSES
    parts = [claim[start:end].strip(_AROUND) for start, end in found[:most]]
    return [f"{part[0].upper()}{part[1:]}." for part in parts] if len(parts) >= least else []


def _length(claim: str, start: int, end: int) -> int:
    return len(claim[start:end].split())


def holds_number(notes: str, number: str) -> bool:
    """Whether `number` stands in `notes` as a number of its own, not inside another.

    There it may have a space behind its comma or point, as where a text was taken apart: '5, 000'.
    """
    digits = re.sub(r"^0?(?=\.)", "", number)  # .12 is 0.12
    whole = "0?" if digits.startswith(".") else ""
    spaced = re.sub(r"([.,])", r"[\1] ?", digits)
    return re.search(rf"(?<![\d.]){whole}{spaced}(?!\d|\.\d)", notes) is not None


def new_names(claim: str, notes: str, question: str = "") -> list[str]:
    """The names in `claim` that neither `notes` nor the question have."""
    lowered, asked = notes.lower(), question.lower()
    found = []
    for name in NAME.findall(claim):
        word = name.lower()
        known = word in lowered or word.rstrip("s") in lowered or word in asked
        if not known and not _abbreviates(name, claim):
            found.append(name)
    return found


def _abbreviates(name: str, claim: str) -> bool:
    """Whether `name` is the initials of words that stand in the claim, as in 'deep belief network (DBN)'."""
    letters = name.rstrip("s").lower()
    initials = "".join(word[0] for word in re.findall(r"[^\W\d_][\w]*", claim)).lower()
    return name.rstrip("s").isupper() and len(letters) > 1 and letters in initials
