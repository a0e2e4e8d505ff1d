"""What the notes lack: the log and the verdicts of some weeks, added up for an instructor.

Questions that were refused, answers with little support, pages that no answer cites, topics asked
about most, thumbs with their reasons; by week. Topics are made without a model: questions that
share a word stem are one topic. The stem that most of the questions left have in common makes the
first, and so on (greedy covering); a stem that more than COMMON of all questions hold makes none.
What is not here: where these come from (rag/journal.py, rag/feedback.py), and how they are shown.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from statistics import median

from ingest.words import tokens
from rag.feedback import Rated
from rag.journal import Entry
from rag.regression import Place

WEAK = 0.5  # an answer with a sentence less likely supported than this has low support
COMMON = 0.4  # share of all questions above which a stem tells no topic …
FEW = 10  # … unless there are so few questions
NAMED = 3  # words of a topic's name, at most


@dataclass(frozen=True, slots=True)
class Asked:
    """One question, however often it was asked, and the worst that came of it."""

    question: str
    times: int
    last: float  # seconds since 1970
    support: float | None  # of its least supported sentence, 0..1; None if nothing was stated
    pages: tuple[Place, ...]  # cited last or, if refused, nearest


@dataclass(frozen=True, slots=True)
class Topic:
    """Questions that share a word."""

    name: str  # up to NAMED words, the shared one first
    asked: int
    refused: int
    weak: int
    questions: tuple[str, ...]  # each once, the most frequent first


@dataclass(frozen=True, slots=True)
class Week:
    """Counts of one week."""

    start: date  # a Monday
    asked: int = 0
    refused: int = 0
    weak: int = 0  # answered with low support
    up: int = 0
    down: int = 0


@dataclass(frozen=True, slots=True)
class File:
    """A file of the index, and which of its pages no answer cited."""

    source: str
    pages: int  # 1 for a file without pages
    uncited: tuple[int | None, ...]  # ascending; (None,) for a whole file without pages


@dataclass(frozen=True, slots=True)
class Gaps:
    """The report. Lists have the worst or most frequent first."""

    weeks: tuple[Week, ...]  # without a hole from the first to the last
    asked: int
    refused: tuple[Asked, ...]
    weak: tuple[Asked, ...]
    topics: tuple[Topic, ...]
    files: tuple[File, ...]
    reasons: dict[str, int]  # of thumbs down, '' for none given
    down: tuple[Rated, ...]  # the newest first
    up: int
    first_word_ms: float | None  # median


def gaps(entries: Sequence[Entry], rated: Sequence[Rated], places: Collection[Place]) -> Gaps:
    """The report on what was asked and said, for an index whose passages stand on `places`."""
    refused = [one for one in entries if one.refused]
    weak = [one for one in entries if is_weak(one)]
    down = [one for one in rated if one.verdict.verdict == "down"]
    cited = {place for one in entries if not one.refused for place in one.pages}
    waits = [one.first_word_ms for one in entries if one.first_word_ms]
    reasons = Counter(one.verdict.reason for one in down)
    return Gaps(
        weeks=_weeks(entries, rated),
        asked=len(entries),
        refused=tuple(sorted(_asked(refused), key=lambda one: (-one.times, -one.last))),
        weak=tuple(sorted(_asked(weak), key=lambda one: (one.support or 0.0, -one.times))),
        topics=_topics(entries),
        files=_files(places, cited),
        reasons=dict(reasons.most_common()),
        down=tuple(sorted(down, key=lambda one: -one.verdict.when)),
        up=len(rated) - len(down),
        first_word_ms=round(median(waits), 1) if waits else None,
    )


def is_weak(one: Entry) -> bool:
    """Whether an answer has a sentence that the notes do not hold up."""
    doubted = any(label in ("unsupported", "contradicted") for label in one.labels)
    return not one.refused and (doubted or any(support < WEAK for support in one.support))


def since(weeks: int, now: float) -> float:
    """When the first of the last `weeks` weeks began, this one counted: a Monday's midnight here."""
    monday = _monday(now) - timedelta(weeks=weeks - 1)
    return datetime.combine(monday, time()).timestamp()


def ranges(pages: Sequence[int]) -> list[tuple[int, int]]:
    """Ascending numbers as runs: 3, 4, 5, 9 are (3, 5), (9, 9)."""
    found: list[tuple[int, int]] = []
    for page in pages:
        if found and page == found[-1][1] + 1:
            found[-1] = (found[-1][0], page)
        else:
            found.append((page, page))
    return found


def _monday(when: float) -> date:
    day = datetime.fromtimestamp(when).date()
    return day - timedelta(days=day.weekday())


def _weeks(entries: Sequence[Entry], rated: Sequence[Rated]) -> tuple[Week, ...]:
    counts: Counter[tuple[date, str]] = Counter()
    for one in entries:
        monday = _monday(one.when)
        counts[monday, "asked"] += 1
        counts[monday, "refused"] += one.refused
        counts[monday, "weak"] += is_weak(one)
    for said in rated:
        counts[_monday(said.verdict.when), said.verdict.verdict] += 1
    mondays = {monday for monday, _ in counts}
    if not mondays:
        return ()
    first, last = min(mondays), max(mondays)
    starts = [first + timedelta(weeks=number) for number in range((last - first).days // 7 + 1)]
    kinds = ("asked", "refused", "weak", "up", "down")
    return tuple(Week(start, **{kind: counts[start, kind] for kind in kinds}) for start in starts)


def _asked(entries: Iterable[Entry]) -> list[Asked]:
    """The same question, whatever its case and punctuation, is one; as it was asked last."""
    same: dict[str, list[Entry]] = {}
    for one in entries:
        same.setdefault(_key(one.question), []).append(one)
    return [
        Asked(
            group[-1].question,
            len(group),
            max(one.when for one in group),
            min((support for one in group for support in one.support), default=None),
            group[-1].pages,
        )
        for group in same.values()
    ]


def _key(question: str) -> str:
    return " ".join(re.findall(r"\w+", question.lower())) or question


def _topics(entries: Sequence[Entry]) -> tuple[Topic, ...]:
    stems = [{stem for word in one.words for stem in tokens(word)} for one in entries]
    written = _written(entries)
    most = COMMON * len(entries) if len(entries) > FEW else len(entries)
    common = {stem for stem, count in Counter(s for found in stems for s in found).items() if count > most}
    stems = [found - common for found in stems]
    left = set(range(len(entries)))
    topics: list[Topic] = []
    while True:
        counts = Counter(stem for at in left for stem in stems[at])
        best = min(counts, key=lambda stem: (-counts[stem], stem), default="")
        if counts[best] < 2:
            break
        mine = [at for at in sorted(left) if best in stems[at]]
        left -= set(mine)
        topics.append(_topic(best, [entries[at] for at in mine], [stems[at] for at in mine], written))
    return tuple(sorted(topics, key=lambda one: -one.asked))


def _topic(stem: str, entries: list[Entry], stems: list[set[str]], written: dict[str, str]) -> Topic:
    """Named by the shared stem and those that most of its questions hold as well, as the first has them."""
    questions = Counter(one.question for one in entries)
    first = {one.question: found for one, found in zip(entries, stems, strict=True)}
    beside = Counter(other for found in first.values() for other in found)
    more = sorted(
        (-count, other) for other, count in beside.items() if other != stem and count * 2 > len(first)
    )
    named = {stem, *(other for _, other in more[: NAMED - 1])}
    asked = questions.most_common(1)[0][0]
    words = (word for one in entries if one.question == asked for word in one.words)
    name = dict.fromkeys(written[one] for word in words for one in tokens(word) if one in named)
    return Topic(
        " ".join(name),
        len(entries),
        sum(one.refused for one in entries),
        sum(map(is_weak, entries)),
        tuple(question for question, _ in questions.most_common()),
    )


def _written(entries: Sequence[Entry]) -> dict[str, str]:
    """Each stem as the word that it is most often written as."""
    forms: dict[str, Counter[str]] = {}
    for one in entries:
        for word in one.words:
            for stem in tokens(word):
                forms.setdefault(stem, Counter())[word] += 1
    return {stem: min(words, key=lambda word: (-words[word], word)) for stem, words in forms.items()}


def _files(places: Collection[Place], cited: Collection[Place]) -> tuple[File, ...]:
    """The files with the largest share of uncited pages first; those with none uncited are there too."""
    pages: dict[str, set[int | None]] = {}
    for source, page in places:
        pages.setdefault(source, set()).add(page)
    files = [
        File(source, len(held), tuple(sorted(
            (page for page in held if (source, page) not in cited), key=lambda page: page or 0
        )))
        for source, held in pages.items()
    ]  # fmt: skip
    return tuple(
        sorted(files, key=lambda one: (-len(one.uncited) / one.pages, -len(one.uncited), one.source))
    )
