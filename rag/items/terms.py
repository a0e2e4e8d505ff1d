"""Terms that the notes define, each with the sentence that does it: '… is a …', 'called …', 'Term: …'.

Patterns of definition in the manner of Hearst (1992, 'Automatic acquisition of hyponyms from large
text corpora') and Muresan and Klavans (2002, 'A method for automatically building and evaluating
dictionary resources'), which find the genus and the words that lead into it. The term must be the
subject, or what is called so. Missing a definition costs a card, a wrong one teaches nonsense: a doubtful
sentence is left out. What is not here: what a definition becomes (rag/study_cards.py, rag/quiz.py).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ingest.sentences import is_row
from ingest.types import Passage
from rag import query
from rag.injection import injected
from rag.items.shapes import (
    BASE,
    MANY_DO,
    ONE_DOES,
    VERBS,
    bare_noun,
    clause,
    name_like,
    noun_phrase,
    says_little,
    skips,
)
from rag.retrieve import asks, is_option

LONGEST = 70  # words of a definition
STRONG, FAIR, WEAK = 3, 2, 1

_NUMBERED = re.compile(r"^\(?(?:\d{1,2}(?:\.\d+)*|[A-Za-z]|[IVX]{1,4})[.)]\s+|^\d{2}\s+[-–]\s+")
_TERM = r"(?P<term>[^\W\d_][\w'’·.+#/-]*(?: [\w'’·.+#/&-]+){0,5}?)"
_PAREN = r"(?:\s*\((?P<paren>[^()]{1,60})\))?"
_DET = r"(?:(?P<det>an?|the|any)\s+)?"
_IN = r"(?:in (?!(?:this|that|these|those|such|other|some)\b)(?:an? )?[\w -]{2,40}, )?"
_ALSO = r"(?:\s*\$[^$]+\$)?(?:, (?:also (?:called|known as)|or|short for) [^,]{1,50},"
_ALSO += r"|, (?:introduced|proposed|developed|described|invented|published|founded) .{3,70}?,)?"
_I = re.IGNORECASE
_IS = re.compile(
    rf"^{_IN}{_DET}{_TERM}{_PAREN}{_ALSO}\s+(?:is|are)\s+(?:(?:also|simply|essentially|just|thus) )?"
    r"(?P<means>(?:not an? [\w -]{1,30} but )?(?:an?|the|any|one)\s.+)$",
    _I,
)
_ARE = re.compile(
    rf"^{_DET}{_TERM}{_PAREN}\s+are\s+(?P<means>(?:[\w-]+ ){{0,3}}?(?!\w+less)[\w-]+s "
    r"(?:that|which|where|whose|who|in which|based|designed|used|made|composed|with|of)\b.+)$",
    _I,
)
_BARE_IS = re.compile(rf"^(?:an?)\s+{_TERM}{_PAREN}\s+is\s+(?P<means>.+)$", _I)
_MEANS = re.compile(
    rf"^{_IN}{_DET}{_TERM}{_PAREN}\s+(?:means?|refers? to|denotes?|(?:is|are) defined as|stands? for)[:,]?\s+"
    r"(?P<means>.+)$",
    _I,
)
_DOES = re.compile(
    rf"^{_DET}{_TERM}{_PAREN}{_ALSO}\s+(?P<means>(?:(?<!s )(?:{ONE_DOES})|(?<=s )(?:{MANY_DO}))\s.+)$", _I
)
_WHERE = re.compile(
    r"^in (?!(?:addition|contrast|general|particular|practice|principle|theory|fact|short|turn|other|summary|"
    r"conclusion|essence|reality|effect|brief|total|comparison|response|return)\b)"
    rf"(?:an? )?{_TERM}{_PAREN},(?: an? [^,]{{5,60}},)?\s+(?P<means>(?:an?|the) .+)$",
    _I,
)
_COLON = re.compile(rf"^{_DET}{_TERM}{_PAREN}\s*:\s+(?P<means>\S.+)$", _I)
_INLINE = re.compile(r"\b(?:an?|the) (?P<term>[\w-]+(?: [\w-]+){0,3}): (?P<means>(?:an?|the|one) .+)$", _I)
_NAMED = (
    r"[\"“'*]*(?P<term>[^\W\d_][\w'’/-]*(?: [\w'’/-]+){0,3}?)[\"”'*]*"
    r"(?=[,.;:)]|\s(?:because|since|and|in which|\()|$)"
)
_CALL = r"(?:(?:is|are) (?:(?:also|often|sometimes|usually) )?(?:called|known as|termed|referred to as))"
# Each gives the term and what stands before it; the first points back to the sentence before.
_BACK = re.compile(rf"^(?:this|that|it)(?: \w+){{0,2}} {_CALL} (?:an? |the )?{_NAMED}", _I)
_BACK_IS = re.compile(r"^This is (?:the )?(?P<term>(?!an? )[a-z][\w-]*(?: [a-z][\w-]*){1,3})\.$")
_CALLED = (
    re.compile(rf"^(?P<means>.+?)[;:,]\s+(?:this|that|which) {_CALL} (?:an? |the )?{_NAMED}", _I),
    re.compile(r"^(?P<means>.+?)[;:] (?:this|that) is (?:the )?(?P<term>(?!an? )[\w-]+(?: [\w-]+){0,2})\.$"),
    re.compile(
        rf"^(?P<means>.+?),?;? (?:we|people|one) (?:speaks? of|calls? (?:this|it)) (?:an? |the )?{_NAMED}", _I
    ),
    re.compile(
        r"^(?P<means>.+?); [^;]*\bcalled this (?:the )?(?P<term>[a-z][\w-]*(?: [a-z][\w-]*){0,2})\.$", _I
    ),
    re.compile(rf"^(?P<means>(?:an?|the|each|in an?) [^,;:]+?) {_CALL} (?:an? |the )?{_NAMED}", _I),
)
_DEFINING = re.compile(r"(?i)^(?:definition|description|meaning|what (?:it|this) is)$")
_HEADER = re.compile(r"(?i)^(?:meaning|definition|what (?:it is|it means|this is)|description|stands for)$")
_FINITE = re.compile(r"(?i)\b(?:is|are|requires?|involves?|needs?|can|may|allows?|takes?|makes?|remains?)\b")
_ASKED = re.compile(r"(?i)\b(?:questions?|quiz|mcqs?|multiple choice|exercises?|self-test)\b")
_METHODS = re.compile(r"(?i)\b(?:methods?|sampling|strateg\w+|algorithms?|techniques?|ways?|decoding)\b")


@dataclass(frozen=True, slots=True)
class Definition:
    """A term, and where the notes say what it means."""

    term: str  # as the notes write it, without its article
    text: str  # verbatim from the passage: a sentence, an item, a table's row, or two neighbours
    means: str  # the part of `text` that says what the term means
    passage: Passage
    row: int  # 0-based place in passage.sentences of the sentence, of the second one where there are two


@dataclass(frozen=True, slots=True)
class _Draft:
    term: str
    text: str
    means: str
    weight: int
    row: int
    anchored: bool = False  # it counts only if the term is one elsewhere: a heading, or said again


def definitions(passages: Iterable[Passage]) -> tuple[Definition, ...]:
    """The terms that `passages` define, each once, by the plainest of its definitions; in their order.

    Sentences that give orders to a model, review questions and their options define nothing.
    """
    every = passages if isinstance(passages, Sequence) else tuple(passages)
    forms: dict[str, str] = {}  # what short forms stand for
    drafts: list[tuple[Passage, _Draft, bool]] = []
    for passage in every:
        for short, long in query.definitions(passage.text):
            forms.setdefault(key(short), key(long))
        if not _quizzes(passage):
            drafts += ((passage, draft, heads) for draft, heads in _drafts(passage))
    said = _said(every, {key(draft.term) for _, draft, _ in drafts if draft.anchored})
    best: dict[str, tuple[Passage, _Draft]] = {}
    for passage, draft, heads in drafts:
        if draft.anchored and not heads and said[key(draft.term)] < 3:
            continue
        name = forms.get(key(draft.term), key(draft.term))
        if name not in best or draft.weight > best[name][1].weight:
            best[name] = (passage, draft)
    place = {id(draft): at for at, (_, draft, _) in enumerate(drafts)}
    kept = sorted(best.values(), key=lambda pair: place[id(pair[1])])
    return tuple(Definition(_cased(d), d.text, d.means, passage, d.row) for passage, d in kept)


def _cased(draft: _Draft) -> str:
    """The term of a heading in capitals as the sentence writes it, where it does."""
    if not draft.term.isupper() or len(draft.term) < 8:
        return draft.term
    found = re.search(re.escape(draft.term), draft.means, _I)
    return found[0] if found and not found[0].isupper() else draft.term


def key(term: str) -> str:
    """What makes two terms the same: case, signs, articles and the plural do not."""
    words = re.findall(r"[^\W_]+", re.sub(r"(?i)^(?:an?|the)\s+", "", term.lower()))
    return " ".join(_singular(word) for word in words)


def _quizzes(passage: Passage) -> bool:
    """Whether a passage asks: half of what its options say is wrong."""
    asked = bool(passage.heading) and _ASKED.search(passage.heading[-1]) is not None
    return asks(passage) and (asked or any(map(is_option, passage.sentences)))


def _singular(word: str) -> str:
    return (
        word[:-1]
        if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is", "ias"))
        else word
    )


def _drafts(passage: Passage) -> Iterator[tuple[_Draft, bool]]:
    """What each sentence may define, and whether a heading above it names that."""
    out = injected(passage)
    local = ""  # a title that stands in the passage, since small sections are read together
    header: list[str] = []
    for row, sentence in enumerate(passage.sentences):
        if row in out or is_option(sentence):
            continue
        if is_row(sentence):
            cells = [cell.strip() for cell in sentence.split(" | ")]
            header = header or cells
            found = _in_table(sentence, cells, header, row)
        elif sentence.rstrip().endswith(":") and len(sentence.split()) <= 10:
            local, header, found = sentence.rstrip(" :"), [], []
        else:
            header = []
            found = list(_in_sentence(passage, sentence, row, local))
        titles = [_title(one) for one in (local, *reversed(passage.heading[-2:])) if one]
        for draft in found:
            if name_like(draft.term) and draft.term and 3 <= len(draft.means.split()) <= LONGEST:
                yield draft, any(_names(title, draft.term) for title in titles)


def _in_table(sentence: str, cells: list[str], header: list[str], row: int) -> list[_Draft]:
    if cells is header or len(cells) != len(header):
        return []
    at = next((place for place, cell in enumerate(header) if place and _HEADER.match(cell)), 0)
    return [_Draft(cells[0], sentence, cells[at], FAIR, row)] if at else []


def _in_sentence(passage: Passage, sentence: str, row: int, local: str) -> Iterator[_Draft]:
    plain = _NUMBERED.sub("", sentence)
    if plain.rstrip().endswith(("?", ":")) or len(plain.split()) > LONGEST:
        return
    title = _title(local or (passage.heading[-1] if passage.heading else ""))
    above = (*passage.heading[-1:], local)
    colon = _COLON.match(plain)
    if colon and _DEFINING.match(colon["term"]):
        inner = list(_as_subject(colon["means"], sentence, row))
        yield from inner or [_Draft(title, sentence, colon["means"], STRONG, row)]
        return
    yield from _as_subject(plain, sentence, row)
    if colon and not says_little(colon["term"]):
        yield from _after_colon(colon, sentence, row, above)
    for pattern in _CALLED:
        if (found := pattern.match(plain)) and len(found["means"].split()) >= 3:
            if " and " in found["means"] and plain[found.end("term") :].startswith(" and "):
                break  # 'the highest and the lowest point are called crest and trough'
            yield _Draft(found["term"], sentence, found["means"], FAIR, row)
            break
    if row and (found := _BACK.match(plain) or _BACK_IS.match(plain)):
        before = passage.sentences[row - 1]
        both = _stretch(passage.text, before, sentence)
        if both and not is_row(before) and before.rstrip().endswith("."):
            yield _Draft(found["term"], both, before, FAIR, row, found.re is _BACK_IS)
    if (found := _INLINE.search(plain)) and noun_phrase(found["means"]) and _names(title, found["term"]):
        yield _Draft(found["term"], sentence, found["means"], FAIR, row)
    first = row == 0 or (local and passage.sentences[row - 1].rstrip(" :") == local)
    if first and re.match(r"(?:Defines|Describes|Gives|Measures) ", plain):
        yield _Draft(title, sentence, plain, WEAK, row)


def _as_subject(plain: str, sentence: str, row: int) -> Iterator[_Draft]:
    """Definitions in which the term is what the sentence is about."""
    if found := _MEANS.match(plain):
        yield _Draft(found["term"], sentence, found["means"], STRONG, row, bool(found["det"]))
    elif (found := _IS.match(plain)) and noun_phrase(found["means"]):
        loose = (found["det"] or "").lower() == "the" and " " not in found["term"]
        yield _Draft(found["term"], sentence, found["means"], STRONG, row, loose)
    elif (found := _ARE.match(plain)) and noun_phrase(found["means"]):
        yield _Draft(found["term"], sentence, found["means"], STRONG, row)
    elif (found := _BARE_IS.match(plain)) and bare_noun(found["means"]):
        yield _Draft(found["term"], sentence, found["means"], FAIR, row)
    elif found := _WHERE.match(plain):
        yield _Draft(found["term"], sentence, found["means"], WEAK, row, not found["paren"])
    elif found := _DOES.match(plain):
        yield _Draft(found["term"], sentence, found["means"], WEAK, row, True)


def _after_colon(found: re.Match[str], sentence: str, row: int, above: Sequence[str]) -> Iterator[_Draft]:
    """'Term: what it is', by the shape of what follows the colon."""
    means, term = found["means"], found["term"]
    words = means.split()
    article = re.match(r"(?:an?|the|any|one)\s", means, _I)
    if noun_phrase(means) and (article or not any(map(skips, above))):
        yield _Draft(term, sentence, means, FAIR, row)
    elif clause(means) and len(words) >= 6:
        yield _Draft(term, sentence, means, WEAK, row, True)
    elif not any(map(skips, above)) and means.count(",") < 3 and len(words) >= 4:
        does = re.match(rf"(?:{VERBS})\b", means, _I)
        doing = re.match(r"\w{2,}ing\b", means) and means.count(",") < 2 and not _FINITE.search(means)
        order = term.endswith("s") or any(map(_METHODS.search, above))
        if does or doing or (order and re.match(rf"(?:{BASE})\b", means, _I)):
            yield _Draft(term, sentence, means, WEAK, row)


def _title(heading: str) -> str:
    """A heading without its number, what stands in brackets, and what follows a dash."""
    bare = re.sub(r"\s*\([^()]*\)", "", _NUMBERED.sub("", heading.strip()))
    return re.split(r"\s[–-]\s", bare)[0].strip(" *:.")


def _names(title: str, term: str) -> bool:
    """Whether a heading is about the term, alone or with others."""
    return bool(key(term)) and f" {key(term)} " in f" {key(title)} "


def _stretch(text: str, first: str, second: str) -> str:
    """The part of `text` from one sentence to the end of the next; '' where they are no neighbours."""
    start = text.find(first)
    end = text.find(second, start + len(first)) if start >= 0 else -1
    if end < 0 or text[start + len(first) : end].strip():
        return ""
    return text[start : end + len(second)]


def _said(passages: Iterable[Passage], wanted: set[str]) -> Counter[str]:
    """In how many sentences each of the terms stands, in one pass over the text."""
    found: Counter[str] = Counter()
    most = max((len(term.split()) for term in wanted), default=0)
    for passage in passages if most else ():
        for sentence in passage.sentences:
            words = [_singular(word) for word in re.findall(r"[^\W_]+", sentence.lower())]
            runs = {
                " ".join(words[at : at + size]) for size in range(1, most + 1) for at in range(len(words))
            }
            found.update(runs & wanted)
    return found
