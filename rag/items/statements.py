"""What a question claims if one of its options is the answer, as a sentence that can be checked.

The checker of claims (rag/grounding.py) was fitted on statements, and is surer of these than of a
question with an answer behind it. What is not here: whether the notes support the claim.
"""

from __future__ import annotations

import re

# The stems of rag/items/writing.py and those that the model writes most, and what becomes of them.
_FORMS = (
    (r"What is the term for (?P<said>.+)\?", "The term for {said} is {option}."),
    (r"What (?P<is>is|are) (?P<said>.+) called\?", "{Said} {is} called {option}."),
    (r"Which of these is described as “(?P<said>.+)”\?", "{option}: {said}."),
    (r"In which of these does one (?P<said>.+)\?", "{option}: {said}."),
    (r"Which of these (?P<said>.+)\?", "{option} {said}."),
    (r"What is meant by (?P<said>.+)\?", "{Said} is {option}."),
    (r"What does (?P<said>.+) do\?", "{Said} {option}."),
    (r"What (?P<is>is|are|was|were) (?P<said>.+)\?", "{Said} {is} {option}."),
    (r"Who (?P<said>.+)\?", "{Option} {said}."),
    (r"To which year does this belong: “(?P<said>.+)”\?", "{Option}: {said}."),
    (r"In which year (?P<did>was|were) (?P<said>.+)\?", "{Said}: {option}."),
)
FORMS = tuple((re.compile(pattern), form) for pattern, form in _FORMS)


def claimed(stem: str, option: str) -> str:
    """The statement that `option` answers `stem` rightly; the two in a row where no form fits."""
    text = option.strip().rstrip(".")
    for pattern, form in FORMS:
        if found := pattern.fullmatch(stem.strip()):
            said = found["said"]
            words = {**found.groupdict(), "said": said, "Said": _capital(said), "Option": _capital(text)}
            starts = form.startswith("{option}")
            return form.format(option=_capital(text) if starts else _small(text), **words)
    return f"{stem} {text}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _small(text: str) -> str:
    """An option inside a sentence: an ordinary first word without the capital that a list gave it."""
    first = text.split()[0] if text.split() else ""
    if first in ("A", "An", "The", "One", "Any"):
        return text[:1].lower() + text[1:]
    small = first.isalpha() and first[1:].islower() and (" " in text or len(first) < 4)
    rest = text.split()[1:]
    named = any(word[:1].isupper() for word in rest)
    return text[:1].lower() + text[1:] if small and not named else text
