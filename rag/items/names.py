"""Names that notes say something of: labels in lists, headings and defined terms, and how near two are.

What is not here: what is asked about them (rag/items/facts.py).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ingest.sentences import is_row
from ingest.types import Passage
from ingest.words import tokens
from rag.claims import is_claim
from rag.followup import content_stems
from rag.injection import injected
from rag.items.shapes import leads_with_verb, lists, name_like, names_what, several
from rag.items.terms import definitions, key

SHORTEST, LONGEST = 5, 45  # words of a sentence that is asked about
_NUMBERED = re.compile(r"^\s*(?:\(?\d{1,2}(?:\.\d+)*[.)]?|[-*•]|[a-z][.)])\s+")
_LABEL = re.compile(r"^(?P<name>[^\W\d_][^:.!?|]{1,58}?):\s+(?P<said>\S.{14,})$")
POINTS = re.compile(r"^(?:this|that|these|those|it|they|he|she|such|both|here|there|then|so|but|and)\b", re.I)
_NO_NAME = re.compile(
    r"(?:an?|the|this|that|these|they|it|its|in|on|at|if|when|why|how|what|who|for|with|from|by|to|as|no|not|"
    r"all|each|some|many|most|one|two|three|and|or|but|so|is|are|was|were|can|do|does|use|using|"
    r"inside|outside|within|during|between|under|over|top \d|thank\w*)\b"
    r"|.*\b(?:the|them|it|you|your|our|my)\b",  # as in 'Clean them', 'Take the logarithm'
    re.IGNORECASE,
)
# Headings of these sort what stands below them; labels there are areas and aspects that others share.
_SORTS = re.compile(
    r"\b(?:applications?|uses?|use cases?|importance|potential|impact|implications?|future|directions|"
    r"trends?|society|business|industry|opportunit\w+|benefits|advantages|examples?|analogy|analogies|take-?aways?)\b",
    re.IGNORECASE,
)
_PEOPLE = re.compile(
    r"(?i)\b(?:people|persons|pioneers|scientists|researchers|inventors|authors|judges|biograph\w+)\b"
)
# A heading with one of these words first and 'of' after it, or last, is the title of a section.
_TITLE = re.compile(
    r"(?:basics|fundamentals|foundations|principles|types|kinds|forms|classes|parts|elements|components|roles?|"
    r"importance|history|uses?|applications?|integration|comparison|analysis|differences?|structures?|"
    r"properties|characteristics|features|stages|steps|phases|methods|techniques|aspects|concepts|notions|"
    r"examples?|lists?|causes|effects|sources|origins?) of\b"
    r"|.*\b(?:considerations?|concerns?|issues|aspects|basics|integration|comparison|requirements|advances|"
    r"advancements|problems|questions|workflow|themes?|topics?)$",
    re.IGNORECASE,
)
# What a label may say that stands before a definition of what the heading names.
_DEFINES = re.compile(
    r"(?:definition|description|concept|meaning|idea|function|functionality|purpose|how it works)$", re.I
)
_SYMBOL = re.compile(r"^\$|(?<![\w.'’-])[B-HJ-Z](?![\w.'’-])")  # 'G reproduces the data': what is G?
# 'the longitudinal angle': of what, stands around it.
_BARE = re.compile(r"(?i)(?:the|its|their)(?: [\w'’-]+){1,2}")
# What is told of a thing without telling what it is: 'Stop when the loss rises', 'In force since May'.
_NO_ACCOUNT = re.compile(
    r"(?i)(?:stop|avoid|beware|watch|prevent|try|do not|don['’]t|never)\b"
    r"|(?:in|at|on|for|with|from|by|after|before|since|during|under)\b(?!.*, )"
)
ELSEWHERE = "original|same|above|previous|latter|former"  # words after 'the' for what stands somewhere else
_ELSEWHERE = re.compile(
    rf"(?i)\b(?:the|that|this) (?:{ELSEWHERE})\b|\bsuch an?\b|\b(?:this|these)\b"
    r"|\b(?:from|of|in|to|by|with|at|on|for|under) that (?!of\b)[a-z]"
)
# What begins so tells of a case or a consequence, and what says that another thing is something defines that.
_CASE = re.compile(
    r"(?i)(?:if|when|while|although|because|since|as|once|unless|to|sometimes|usually|for example)\b"
    r"|(?:an?|the) (?:[\w-]+ ){1,3}(?:is|are) (?:an?|the)\b"
)
# What is done to something; as a name of a thing ('Training set') the others are too common.
_DEED = re.compile(
    r"(?i)(?:adding|applying|analy[sz]ing|assessing|avoiding|building|checking|choosing|cleaning|collaborating|"
    r"collecting|combining|comparing|composing|creating|defining|designing|detecting|developing|enhancing|"
    r"ensuring|evaluating|exploring|finding|gathering|generating|getting|handling|identifying|imitating|"
    r"implementing|improving|increasing|integrating|learning|maintaining|making|managing|measuring|monitoring|"
    r"preparing|preventing|protecting|providing|reducing|running|selecting|setting|solving|storing|tailoring|"
    r"understanding|updating|using|writing) [\w-]*s\b"
)
FAMILY = 3  # headings of one section, at least, that each say what they are: a list of methods or of parts
FEWEST = 5  # words of what a label says; fewer fit other labels as well
_VAGUE = frozenset(  # headings and labels of every course, which name no concept
    """
    overview introduction summary conclusion example examples applications advantages disadvantages use
    uses note notes history definition background steps questions exercises contents outline structure
    training limit limits limitation limitations ethics goal goals result results part parts stage stages
    unit lecture chapter section answer question step table figure key common others other future benefits
    challenges features description purpose meaning method methods tip tips warning remember
    """.split()
)


@dataclass(frozen=True, slots=True)
class Named:
    """A name that the notes say something of, and the group it stands in."""

    group: tuple[str, ...]
    name: str
    said: str
    passage: Passage
    row: int


def same(one: str, other: str) -> bool:
    """Whether two names may mean one thing: the words of one are among the other's, or its initials."""
    first, second = _stems(one), _stems(other)
    if not first or not second or first <= second or second <= first:
        return True
    return _initials(one, other) or _initials(other, one)


@lru_cache(maxsize=20_000)
def _stems(name: str) -> frozenset[str]:
    """Each name is compared with every other one."""
    return frozenset(tokens(name))


def _initials(short: str, long: str) -> bool:
    letters = re.findall(r"[A-Z]{2,}", short)
    heads = "".join(word[0] for word in re.findall(r"[^\W\d_]+", long)).lower()
    return any(word.lower() in heads for word in letters)


def clean(name: str) -> str:
    """A heading or label without its number, with a capital at its start."""
    name = _NUMBERED.sub("", name).strip(" *_:.-–")
    return name[:1].upper() + name[1:]


def bare(name: str) -> str:
    """A name without what stands in brackets; as it is where nothing else stands there."""
    return re.sub(r"\s*\([^)]*\)", "", name).strip() or name


def _names(text: str, longest: int) -> bool:
    """Whether a heading or label may be the name of something."""
    words = re.findall(r"[\w'-]+", text.lower())
    if not 1 <= len(words) <= longest or set(words) & _VAGUE or re.search(r"[:?|$\"“,;]", bare(text)):
        return False
    if not name_like(bare(text)):
        return False
    shouted = text.isupper() and max(map(len, words)) > 5  # a title in capitals, no abbreviation
    return bool(content_stems(text)) and not shouted and not _NO_NAME.match(text)


def labelled(passages: Sequence[Passage]) -> Iterator[Named]:
    """'Name: what is said of it', in lists and at the starts of lines."""
    for passage in passages:
        for row, sentence in stated(passage):
            if found := _LABEL.match(_NUMBERED.sub("", sentence)):
                name = clean(found["name"])
                if _names(name, 6):
                    yield Named(_group(passage), bare(name), found["said"], passage, row)


def _group(passage: Passage) -> tuple[str, ...]:
    return (passage.source, *passage.heading)


def distinct(one: Named) -> bool:
    """Whether what a label says tells it from others: no list of things, no area of use."""
    if len(one.said.split()) < FEWEST or lists(one.said) or _SYMBOL.search(one.said):
        return False
    if _TITLE.match(one.name) or POINTS.match(one.said) or one.said[:1].isdigit():
        return False
    return not any(map(_SORTS.search, one.passage.heading[1:][-2:]))


def tells(one: Named) -> bool:
    """Whether what is said of a name is an account of it, and whole: no advice, no case, no place or time
    alone, nothing that points elsewhere, and not several things said of one."""
    said = one.said
    if said.count("(") != said.count(")") or _ELSEWHERE.search(said) or _BARE.fullmatch(said.strip(" .")):
        return False
    return not (_NO_ACCOUNT.match(said) or _CASE.match(said) or several(said, one.name))


def headings(passages: Sequence[Passage]) -> Iterator[Named]:
    """Headings that name something, with the first sentence under each where it says what that is.

    It does so if it has no subject of its own: 'Always take the most probable token', 'A space in which …'.
    A sentence about something else is right by its heading alone.
    """
    text = "\n".join(s for passage in passages for _, s in stated(passage) if not is_row(s)).lower()
    seen: set[tuple[str, tuple[str, ...]]] = set()
    found: list[Named] = []
    for passage in passages:
        if not passage.heading or (passage.source, passage.heading) in seen:
            continue
        seen.add((passage.source, passage.heading))
        name = bare(clean(passage.heading[-1]))
        if not _names(name, 5) or _TITLE.match(name):
            continue
        row, sentence = next(iter(stated(passage)), (FEWEST, ""))
        if row < 3 and not is_row(sentence) and _says_what(sentence, name):
            found.append(Named((passage.source, *passage.heading[:-1]), name, sentence, passage, row))
    kin = Counter(one.group for one in found)
    # One that nobody speaks of is a title and no concept, unless others beside it say what they are as well.
    yield from (one for one in found if one.name.lower() in text or kin[one.group] >= FAMILY)


def _says_what(sentence: str, name: str) -> bool:
    said = sentence
    if label := _LABEL.match(_NUMBERED.sub("", sentence)):
        if not _DEFINES.match(label["name"].strip()):
            return False  # it speaks of what the label names
        said = label["said"]
    said = said[:1].lower() + said[1:]
    return leads_with_verb(said) or names_what(said.rstrip("."), name)


def defined(passages: Sequence[Passage]) -> list[Named]:
    """Terms that a sentence defines, none that stands behind another's label."""
    return [
        Named(_around(one.passage, one.term), bare(clean(one.term)), one.means, one.passage, one.row)
        for one in definitions(passages)
        if _fits(one.text)
        and one.means in one.passage.sentences[one.row]
        and not _LABEL.match(_NUMBERED.sub("", one.means))
        and not _TITLE.match(clean(one.term))
    ]


def _around(passage: Passage, term: str) -> tuple[str, ...]:
    """The section that a term stands in: the one above where the heading is the term itself."""
    named = bool(passage.heading) and key(bare(clean(passage.heading[-1]))) == key(bare(term))
    return (passage.source, *passage.heading[:-1]) if named else _group(passage)


def person(one: Named) -> bool:
    """Whether the notes tell of it under a heading that gathers people."""
    return any(map(_PEOPLE.search, one.group[1:]))


class Near:
    """Names in the order of how near they are to one of them, without a look at those that are not.

    Only names from the same file or with a word in common are near at all; the others follow as they come.
    """

    def __init__(self, named: Sequence[Named]) -> None:
        self._named = named
        self._by_source: dict[str, list[int]] = defaultdict(list)
        self._by_word: dict[str, list[int]] = defaultdict(list)
        for place, one in enumerate(named):
            self._by_source[one.group[0]].append(place)
            for word in _stems(one.name):
                self._by_word[word].append(place)

    def __call__(self, one: Named) -> Iterator[Named]:
        """All names, the nearest first, alike near ones in their order."""
        places = set(self._by_source[one.group[0]])
        for word in _stems(one.name):
            places.update(self._by_word[word])
        for place in sorted(places, key=lambda place: (-nearness(one, self._named[place]), place)):
            yield self._named[place]
        yield from (other for place, other in enumerate(self._named) if place not in places)


def alike(one: str, other: str) -> bool:
    """Whether two names are of one form: a work to be done ('Improving models') or a thing, one or a pair."""
    return (_DEED.match(one) is None) == (_DEED.match(other) is None) and ("&" in one) == ("&" in other)


def beside(one: Named, other: Named) -> bool:
    """Whether the notes name the two in one section, or one in a part of the other's."""
    short, long = sorted((one.group, other.group), key=len)
    return len(long) <= len(short) + 1 and long[: len(short)] == short


def _depth(one: Named, other: Named) -> float:
    """How much of the way through the notes two names share: 1 in one section, 0 in different files."""
    shared = 0
    for mine, theirs in zip(one.group, other.group, strict=False):
        if mine != theirs:
            break
        shared += 1
    return shared / max(len(one.group), len(other.group))


def nearness(one: Named, other: Named) -> float:
    """How much of the way through the notes two names share, and of their words."""
    depth = _depth(one, other)
    words, others = _stems(one.name), _stems(other.name)
    return depth + len(words & others) / max(len(words | others), 1)


def stated(passage: Passage, shortest: int = SHORTEST) -> Iterator[tuple[int, str]]:
    """The sentences of a passage that state something, with their places."""
    orders = injected(passage)
    for row, sentence in enumerate(passage.sentences):
        if row not in orders and _fits(sentence, shortest):
            yield row, sentence


def _fits(sentence: str, shortest: int = SHORTEST) -> bool:
    return shortest <= len(sentence.split()) <= LONGEST and is_claim(sentence)
