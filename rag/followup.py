"""Follow-up questions: whether one leans on the conversation, and what to search for then.

No model is asked: rewriting with one takes seconds on a laptop before the search can start, and the
words that are missing are in the last question or, for 'the second one', in the last answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ingest.words import tokens
from rag.types import MARKER, QUOTING, Turn

# Words that stand for something said before: the first kind nearly always, the second often.
_PRONOUN = re.compile(
    r"\b(it|its|it's|they|them|theirs?|he|she|his|hers?|him|former|latter)\b", re.IGNORECASE
)
_POINTING = re.compile(
    r"\b(this|that|these|those|both|either|neither|such|same|others?|another|ones?|more|else|again|above|"
    r"version)\b",
    re.IGNORECASE,
)
_DEFINITE = re.compile(r"\b(the|one|that|those)\b", re.IGNORECASE)
_ELLIPTIC = re.compile(
    r"^\s*(and|but|so|or|why|how so|how come|what about|how about|what else|when|where|who|which|"
    r"for example|e\.g\.|like what|give|show|tell me more|explain|go on|continue|elaborate|"
    r"(?:in|at|by|for|from|on|with|of|to) (?:which|what|whom))\b",
    re.IGNORECASE,
)
# 'and top-p?', 'show me with the example': the same question of another thing, or shown otherwise.
_CHANGES = re.compile(r"^\s*(and|but|what about|how about|show me)\b", re.IGNORECASE)
_ORDINALS = {
    word: place
    for place, words in enumerate(
        (("first", "1st"), ("second", "2nd"), ("third", "3rd"), ("fourth", "4th"), ("fifth", "5th"))
    )
    for word in words
}
_ORDINAL = re.compile(rf"\b(?:the|number)\s+({'|'.join(_ORDINALS)}|last|former|latter)\b", re.IGNORECASE)
_ITEM = re.compile(r"^\s*(?:[-*•]|\d+[.)])\s+(.*)$")
_COMMON = frozenset(  # words that say nothing of what a question is about
    """
    a about all an and are as at be between but by called can could define describe did differ
    difference do does example examples explain for from give given had has have how i in into is it its
    list me mean means more my name not of on or please should so some tell that the their them then
    there these they this to use used using was were what when where which who whose why will with work
    works would you your
    """.split()
)


def content_words(text: str) -> list[str]:
    """The words of `text`, lower-cased, that say what it is about."""
    return [word for word in re.findall(r"[^\W_][\w'-]*", text.lower()) if word not in _COMMON]


def content_stems(text: str) -> set[str]:
    """The stems of those words, as lexical search compares them."""
    return {stem for word in content_words(text) for stem in tokens(word)}


def leans(question: str, history: Sequence[Turn], joined: bool = False) -> bool:
    """Whether the question cannot be understood without the conversation before it.

    `joined`: both were one question, so that 'the two networks' are those of its first half.
    """
    if not history:
        return False
    if _ORDINAL.search(question):
        return True
    about = content_words(question)
    if joined and (_DEFINITE.search(question) or _PRONOUN.search(question)):
        return True
    if _CHANGES.match(question) or not about:
        return True
    if _PRONOUN.search(question):
        return len(about) <= 8
    return len(about) <= (5 if _POINTING.search(question) else 3 if _ELLIPTIC.match(question) else 0)


def search_text(question: str, history: Sequence[Turn], joined: bool = False) -> str:
    """What to search for: the question, with what it leans on in a line of its own in front."""
    if not leans(question, history, joined):
        return question
    last = history[-1]
    topic = last.question
    # The question before may itself lean on the one before it, unless it has named another thing.
    changed = _CHANGES.match(last.question) and content_words(last.question)
    if len(history) > 1 and leans(last.question, history[:-1]) and not changed:
        topic = f"{history[-2].question} {topic}"
    if item := _pointed_at(question, last.answer):
        return f"{item}\n{question}"
    return f"{topic}\n{question}"


def _pointed_at(question: str, answer: str) -> str:
    """The item of the last answer's list that 'the second one' means; '' if there is none."""
    found = _ORDINAL.search(question)
    if not found:
        return ""
    items = _items(answer)
    word = found.group(1).lower()
    place = {"last": len(items) - 1, "former": 0, "latter": 1}.get(word, _ORDINALS.get(word, 0))
    return items[place] if 0 <= place < len(items) else ""


def own_words(answer: str) -> str:
    """The answer without the notes' sentences added beside it, and without markers."""
    paragraphs = answer.split("\n\n")
    return MARKER.sub("", "\n\n".join(one for one in paragraphs if not one.startswith(QUOTING)))


def _items(answer: str) -> list[str]:
    answer = own_words(answer)
    lines = [match.group(1) for line in answer.splitlines() if (match := _ITEM.match(line))]
    if len(lines) > 1:
        return lines
    inline = re.split(r",\s*(?:and\s+|or\s+)?|\s+and\s+|\s+or\s+|;\s*", answer.split(":")[-1].rstrip(" ."))
    return [part.strip() for part in inline if part.strip()] if len(inline) > 1 else []
