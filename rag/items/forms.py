"""What an option looks like: its words without dress, its number and form; whether several match.

Closed lists and endings, no parser: where they cannot tell, they say nothing.
What is not here: what follows from it for an item (rag/items/choices.py).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from statistics import median

TIMES_LONGER = 2.2  # an option of so many times the median length stands out
CHARACTERS_LONGER = 25  # and only if it is so much longer
_SCALE = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_MONTHS = "january february march april may june july august september october november december".split()
_NUMBER = re.compile(r"[-−]?\d+(?:[,\u202f ]\d{3})*(?:\.\d+)?(?:[eE][-+]?\d+)?")
_EXTRA = re.compile(r"(?i)^(?:not|no|non|without|only|never|anti|un\w+|\d+(?:\.\d+)*|[ivx]+)$")
_FINITE = (
    r"(?:is|are|was|were|has|have|had|do|does|did|can|could|may|might|must|will|would|should|"
    r"\w+(?<![suioa])s|\w+ed)"
)


def plain(text: str) -> str:
    """Lower-cased words in one string, without signs, articles ('Vitamin A' has none), and a plural's s."""
    words = re.findall(r"[^\W_]+(?:[-'’.·][^\W_]+)*", text)
    kept = [w.lower() for at, w in enumerate(words) if (w.lower() if not at else w) not in ("a", "an", "the")]
    return " ".join(w[:-1] if re.search(r"[^sui]s$", w) and len(w) > 3 else w for w in kept)


def apart(short: str, long: str) -> bool:
    """Whether the words that `long` has beyond `short` make it something else: a 'not', a version, a "
    "formula."""
    if re.search(r"\d", short) or len(short) < 3:
        return True
    rest = f" {long} ".replace(f" {short} ", " ", 1).split()
    return any(_EXTRA.match(word) for word in rest)


def number_value(text: str) -> float | None:
    """The number that an option is, its unit aside; None for one that holds words of other kinds.

    Dates are years with months and days as fractions; '14th century' is 14, '1.5 billion' 1.5e9.
    """
    bare = text.strip().strip("$").strip()
    found = _NUMBER.search(bare)
    if not found:
        return None
    month = next((at for at, name in enumerate(_MONTHS, 1) if re.search(rf"(?i)\b{name}\b", bare)), 0)
    year = re.search(r"\b(1\d{3}|20\d{2})\b", bare)
    if month and year:
        day = re.search(r"\b(\d{1,2})\b", bare)
        return int(year[1]) + month / 100 + (int(day[1]) / 10_000 if day else 0)
    rest = (bare[: found.start()] + " " + bare[found.end() :]).lower()
    words = re.findall(r"[^\W\d_]{2,}", rest)
    scale = next((_SCALE[word.rstrip("s")] for word in words if word.rstrip("s") in _SCALE), 1.0)
    if len(words) > 3 or (found.start() and re.match(r"[A-Za-z]{2,}", bare) and not _about(bare)):
        return None  # 'GPT-3', 'Vitamin B12', a sentence with a number in it
    if re.match(r"(?:O|f|P)\(", bare) or re.search(r"[A-Za-z]-?\d", bare):
        return None
    value = float(re.sub(r"[,\u202f ](?=\d{3})", "", found[0]).replace("−", "-"))
    return value * scale


def _about(text: str) -> bool:
    return (
        re.match(
            r"(?i)(?:about|around|roughly|nearly|over|under|less than|more than|at least|up to|in)\s", text
        )
        is not None
    )


def shape(text: str) -> str:
    """The grammatical form of an option where it is beyond doubt, in words that name it; else ''."""
    bare = text.strip().strip("\"'“”")
    if number_value(bare) is not None:
        return "a number"
    if re.match(r"(?i)to\s+[a-z]{2,}\b(?!\s*$)", bare) and not re.match(r"(?i)to\s+(?:the|an?)\b", bare):
        return "an infinitive"
    if re.match(r"(?i)(?:because|since|as it|so that|due to)\b", bare):
        return "a reason"
    if re.match(r"(?i)by\s+\w+ing\b", bare):
        return "a means ('by …ing')"
    if re.match(rf"(?i)(?:it|they|he|she|we|you)\s+(?:\w+\s+)?{_FINITE}\b", bare) or re.match(
        r"(?i)(?:it|they)\s+\w+", bare
    ):
        return "a sentence"
    words = bare.split()
    if (
        len(words) == 1
        and re.fullmatch(r"[A-Za-zÀ-ÿ-]{3,}", bare)
        and not re.search(r"(?i)(?:ed|ly|ing)$", bare)
    ):
        return "a name"
    if re.match(r"(?i)an?\s", bare) and len(words) <= 3:
        return "a name"
    return ""


def alike(options: Sequence[str]) -> str:
    """Why options do not look like answers to one question; '' where they do.

    They must differ, be all numbers or none, of one form (infinitive, reason, sentence, gerund),
    of one grammatical number, and of lengths that do not single one out.
    """
    seen: dict[str, str] = {}
    for text in options:
        if not text.strip():
            return "an option is empty"
        if (key := plain(text) or text.strip()) in seen:
            return f"two options are the same: '{seen[key]}', '{text}'"
        seen[key] = text
    numbers = [number_value(text) is not None for text in options]
    if any(numbers) and not all(numbers):
        return f"numbers and others: '{options[numbers.index(True)]}', '{options[numbers.index(False)]}'"
    if reason := _forms(options) or _counts(options):
        return reason
    middle = median(map(len, options))
    far = max(options, key=len)
    if len(far) > TIMES_LONGER * middle and len(far) > middle + CHARACTERS_LONGER:
        return f"one option is far longer than the others: '{far}'"
    return ""


def _forms(options: Sequence[str]) -> str:
    firm = ("an infinitive", "a reason", "a means ('by …ing')", "a sentence")
    shapes = [shape(text) for text in options]
    for form in firm:
        have = [text for text, found in zip(options, shapes, strict=True) if found == form]
        lack = [
            text
            for text, found in zip(options, shapes, strict=True)
            if found != form and (found or form != "a sentence")
        ]
        if have and lack:
            return f"options of different form: '{have[0]}' is {form}, '{lack[0]}' is not"
    gerunds = [re.match(r"\w{2,}ing\s+\w", text.strip()) is not None for text in options]
    if gerunds.count(True) == 1 and len(options) > 2 and all(len(text.split()) > 1 for text in options):
        return ""  # 'Training loss' begins like a gerund: one alone proves nothing
    return ""


def _counts(options: Sequence[str]) -> str:
    """One option in the singular among plurals, or the other way round, where articles and endings show "
    "it."""
    if any(len(text.split()) > 4 for text in options) or len(options) < 3:
        return ""
    single = [re.match(r"(?i)an?\s", text.strip()) is not None for text in options]
    several = [
        not one and re.search(r"(?<![suia])s$", text.strip()) is not None and text.strip()[0].islower()
        for one, text in zip(single, options, strict=True)
    ]
    if sum(single) + sum(several) == len(options) and 1 in (sum(single), sum(several)):
        odd = options[(single if sum(single) == 1 else several).index(True)]
        return f"one option differs in number: '{odd}'"
    return ""
