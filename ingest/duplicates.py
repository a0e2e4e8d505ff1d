"""The same slide shown six times is one passage with six places.

Two passages are the same if their words are, apart from articles, punctuation and case, or if one
says all that the other says, in the same order, with up to a tenth more plain words. A number, a
name, a formula, or a word that can turn a sentence round ('not', 'only', 'less') is never a small
difference, nor is one word for another: 'hypertension' is near 'hypotension'. So no word is lost.
The rarest word of the shorter is among the rarest of the longer, which finds the pairs (the prefix
filter of Chaudhuri, Ganti and Kaushik 2006). What is not here: how a place is shown.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ingest.headings import key
from ingest.types import Passage, Place

MORE = 0.1  # share of plain words that the longer of two near-duplicates may have more
ENOUGH = 30  # words from which a text is the same under other outer titles too
MOST = 200  # passages compared with one; only where very many share their rarest word

_TOKEN = re.compile(r"\d+(?:[.,:/]\d+)*%?|[^\W\d_]+(?:['’][^\W\d_]+)*|[^\w\s]|_")
_PLAIN = frozenset(".,;:!?\"'“”‘’()[]…•|#—–")  # punctuation that only parts words
_HYPHEN = re.compile(r"(?<=[^\W\d_])[-\u2010\u2011](?=[^\W\d_])|(?m:^\s*- )")
_ARTICLES = frozenset("a an the".split())
_EXACT = re.compile(r"[=<>^\\{}$~`_≤≥≠≈±×÷∑∏∫∂√∞∈∉⊂∪∩→←⇒∀∃]")  # formulas and code: each sign counts
# Words that turn, narrow or weigh what is said.
_TURNING = frozenset(
    "no not nor neither never none nobody nothing nowhere without cannot hardly barely scarcely rarely seldom"
    " only except unless unlike instead rather but however although though if whether or either than before"
    " after more most less least fewer few many several much some any all every each both half twice double"
    " always sometimes often usually mostly nearly almost about approximately false wrong incorrect true"
    " opposite non may might could should must can up down over under above below first second third last"
    " one two three four five six seven eight nine ten zero hundred thousand million billion".split()
)


@dataclass(frozen=True, slots=True)
class Copy:
    """A passage that another one stands for, as it was before."""

    before: int  # of the passages that stay, those that come before it in the notes
    passage: Passage


@dataclass(frozen=True, slots=True)
class _Read:
    words: tuple[str, ...]
    count: Counter[str]
    exact: bool  # has formulas or code


def merged(drafts: Sequence[Passage]) -> tuple[list[Passage], list[Copy]]:
    """The passages that stay, in order and with their places, and those that they stand for.

    `drafts` are all passages of all files in order. The longest of a group stays, of equals the first.
    """
    reads = [_read(passage.text) for passage in drafts]
    frequency = Counter(word for read in reads for word in read.count)
    same: defaultdict[tuple[str, tuple[str, ...]], list[int]] = defaultdict(list)
    rare: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    stands_for: defaultdict[int, list[int]] = defaultdict(list)
    stays: dict[int, int] = {}  # of each that goes: the one that stays
    for at in sorted(range(len(drafts)), key=lambda i: (-len(reads[i].words), i)):
        draft, read = drafts[at], reads[at]
        title = key(draft.heading[-1]) if draft.heading else ""
        ranked = sorted(read.count, key=lambda word: (frequency[word], word))
        exact = [i for i in same[title, read.words] if _titles_agree(drafts[i], draft, read)]
        found = next((i for i in exact if _text_agrees(drafts[i], draft, read)), None)
        if found is None and ranked and not read.exact:
            near = rare[title, ranked[0]][:MOST]
            found = next((i for i in near if _nearly(drafts[i], reads[i], draft, read)), None)
        if found is None:
            same[title, read.words].append(at)
            for word in ranked[: int(MORE * len(read.words)) + 1]:
                rare[title, word].append(at)
        else:
            stays[at] = found
            stands_for[found].append(at)
    kept: list[Passage] = []
    copies: list[Copy] = []
    for at, draft in enumerate(drafts):
        if at in stays:
            copies.append(Copy(len(kept), draft))
        elif at in stands_for:
            places = (place for i in sorted(stands_for[at]) for place in (_place(drafts[i]), *drafts[i].also))
            kept.append(replace(draft, also=(*draft.also, *places)))
        else:
            kept.append(draft)
    return kept, copies


def drafts_of(kept: Sequence[Passage], copies: Sequence[Copy]) -> list[Passage]:
    """What `merged` was given."""
    out: list[Passage] = []
    elsewhere = {place for one in copies for place in (_place(one.passage), *one.passage.also)}
    rest = iter(copies)
    copy = next(rest, None)
    for at in range(len(kept) + 1):
        while copy is not None and copy.before == at:
            out.append(copy.passage)
            copy = next(rest, None)
        if at < len(kept):
            own = tuple(place for place in kept[at].also if place not in elsewhere)
            out.append(replace(kept[at], also=own))
    return out


def seen_from(passage: Passage, inside: Callable[[Passage | Place], bool]) -> Passage:
    """The passage as it stands at the first of its places that is inside, if one is; its id stays."""
    if inside(passage):
        return passage
    here = next((place for place in passage.also if inside(place)), None)
    if here is None:
        return passage
    rest = (_place(passage), *(place for place in passage.also if place is not here))
    return replace(passage, source=here.source, page=here.page, heading=here.heading, also=rest)


def _read(text: str) -> _Read:
    words = []
    for token in _TOKEN.findall(_HYPHEN.sub("", text)):
        # Capitals alone may be a name: 'US' is not 'us'.
        word = token if token.isupper() and len(token) > 1 else token.casefold()
        if token not in _PLAIN and word not in _ARTICLES:
            words.append(word)
    return _Read(tuple(words), Counter(words), bool(_EXACT.search(text)))


def _place(passage: Passage) -> Place:
    return Place(passage.source, passage.page, passage.heading)


def _titles_agree(one: Passage, other: Passage, read: _Read) -> bool:
    """Whether both stand under one title; few words mean what the titles above make of them."""
    if [key(title) for title in one.heading] == [key(title) for title in other.heading]:
        return True
    return len(read.words) >= ENOUGH


def _text_agrees(one: Passage, other: Passage, read: _Read) -> bool:
    return not read.exact or one.text.split() == other.text.split()


def _nearly(one: Passage, longer: _Read, other: Passage, shorter: _Read) -> bool:
    more = len(longer.words) - len(shorter.words)
    if longer.exact or not 0 <= more <= MORE * len(longer.words) or not _titles_agree(one, other, shorter):
        return False
    extra = longer.count - shorter.count
    if extra.total() != more:  # the shorter has a word of its own
        return False
    rest = iter(longer.words)
    return all(word in rest for word in shorter.words) and all(_light(word, one.text) for word in extra)


def _light(word: str, text: str) -> bool:
    """Whether a word more makes no other statement: no number, sign, name, nor a word that turns one."""
    plain = word.isalpha() and word.islower() and word not in _TURNING and not word.endswith(("n't", "n’t"))
    return plain and re.search(rf"\b{re.escape(word.capitalize())}\b", text) is None
