"""A quiz from the notes: facts are chosen, made questions, and only those that pass the gate are kept.

Many are written for each that stays (Leaf, and Moore et al. 2023, arXiv 2307.08161, count how often
plain prompting fails). What is not here: facts (rag/items/facts.py), wording (writing.py) and the
gate (gate.py) themselves, and what becomes of the questions (rag/items/bank.py, rag/export/).
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, repeat, tee

from langchain_core.language_models import BaseChatModel

from ingest.errors import BadRequest
from ingest.types import Passage
from rag.filters import filters, stands_inside
from rag.items.fact import Fact, Rival
from rag.items.facts import facts
from rag.items.gate import ASIDE, BY_MODEL, NOT_ALONE, Ruling, by_options, ruling
from rag.items.rivals import CLOSE, WIDE, Encode, distractors, fitting, remembered
from rag.items.types import KINDS, Item, Kind, Option, Quiz, new_id
from rag.items.writing import (
    OWN_WORDS,
    cased,
    explained,
    fill_in,
    in_notes_words,
    stem,
    strays,
    told,
    written,
)
from rag.retrieve import Retriever

MOST = 100  # questions of one quiz
TRIES = 4  # facts tried for each question wanted, at most
SEEN = 8 * TRIES  # facts looked at for it: many have no form or nothing near that rivals their key
STEMS = 2  # stems written for one fact, at most
SETS = 3  # sets of distractors tried for a stem, at most: one that may be right as well is replaced
ABOUT = 12  # passages that a topic is asked of
NEAR = 0.35  # cosine below which nothing is about the topic, unless its words stand there
UNWRITTEN = "no question came of it"
# Of each kind of fact, how many among ten questions, where the notes have them.
SHARES = {"term": 4, "meaning": 3, "number": 1, "cell": 2, "person": 1, "property": 1}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a quiz should be."""

    count: int = 10
    kinds: tuple[Kind, ...] = ("multiple-choice",)
    topic: str = ""  # '' for everything
    sources: tuple[str, ...] = ()  # see rag/filters.py; () for all
    seed: int = 0


def make_quiz(
    index: Retriever,
    model: BaseChatModel,
    wanted: Wanted,
    halt: threading.Event | None = None,
    earlier: Sequence[Item] = (),
) -> Iterator[Quiz]:
    """The quiz so far after every fact tried, the last one whole; `earlier`: what not to ask again.

    The same seed, notes and model make the same quiz. Where `halt` is set, what passed stays. Raises
    BadRequest where nothing can be asked: a number out of range, an unknown topic, notes that state
    too little.
    """
    checked(wanted)
    quiz = Quiz((), wanted.count, 0, seed=wanted.seed)
    draw = random.Random(wanted.seed)
    places = positions(draw)
    place = next(places)
    stems = [one.stem for one in earlier]
    told: set[str] = set()
    encode = remembered(index.encoder)
    rejected: Counter[str] = Counter()
    new = [one for one in about(index, wanted) if not any(_asks(item, one) for item in earlier)]
    order, again = tee(spread(new, draw, SEEN * wanted.count))
    # On a topic or on some pages names further off will do, once the near ones are used up.
    wider = again if wanted.topic or wanted.sources else ()
    seen: set[int] = set()
    for fact, reach in chain(zip(order, repeat(CLOSE)), zip(wider, repeat(WIDE))):
        if quiz.written == TRIES * wanted.count or (halt is not None and halt.is_set()):
            break
        if _tells(fact) in told or id(fact) in seen:
            continue  # a question of this quiz holds its answer, or it was tried
        kind = wanted.kinds[quiz.written % len(wanted.kinds)]
        if kind == "fill-in" and not fill_in(fact):
            continue
        chosen = distractors(fact, place, encode, reach)
        if not chosen:
            continue  # the notes name nothing that rivals its key closely: no question was written
        seen.add(id(fact))
        item, reason = tried(fact, chosen, kind, index, encode, model, stems, place, draw, halt)
        if halt is not None and halt.is_set():
            break
        items = quiz.items
        if item is None:
            rejected[reason] += 1
        else:
            stems.append(item.stem)
            told.add(_tells(fact))
            items = (*items, item)
            place = next(places)
        quiz = replace(quiz, items=items, written=quiz.written + 1, rejected=dict(rejected))
        yield quiz
        if len(items) == wanted.count:
            return
    stopped = halt is not None and halt.is_set()
    if not (quiz.written or stopped):
        raise BadRequest(
            "The notes name too little that could stand beside a right answer: choose more of them."
        )
    yield replace(quiz, stopped=stopped)


def _tells(fact: Fact) -> str:
    """What a question about a fact gives away: the sentence, or one cell of a row."""
    return fact.before if fact.kind == "cell" else fact.sentence


def _asks(item: Item, fact: Fact) -> bool:
    """Whether a question asks for this fact, in whatever words."""
    same_key = item.kind == "true-false" or item.answer == cased(fact.key)
    return same_key and item.evidence.quote == fact.sentence


def checked(wanted: Wanted) -> None:
    """Raises BadRequest for what cannot be asked for."""
    if not 1 <= wanted.count <= MOST:
        raise BadRequest(f"A quiz has 1 to {MOST} questions, not {wanted.count}.")
    for kind in wanted.kinds:
        if kind not in KINDS:
            raise BadRequest(f"There is no kind of question {kind!r}: choose among {', '.join(KINDS)}.")
    if not wanted.kinds:
        raise BadRequest(f"Choose at least one kind of question: {', '.join(KINDS)}.")


def about(index: Retriever, wanted: Wanted) -> list[Fact]:
    """The facts that may be asked. Raises BadRequest where there are none."""
    chosen = filters(wanted.sources, index.sources)
    inside = {one.id for one in index.index.passages if stands_inside(one, chosen)}
    if wanted.topic.strip():
        hits = index.search(wanted.topic, ABOUT, wanted.sources)
        near = [hit for hit in hits if hit.dense >= NEAR]
        if not near:
            raise BadRequest(f"The notes say nothing about {wanted.topic.strip()[:80]!r}: try another topic.")
        inside &= {hit.passage.id for hit in near}
    found = [one for one in facts(index.index.passages) if one.passage.id in inside and askable(one)]
    if not found:
        where = "These notes" if not wanted.topic and not wanted.sources else "The notes chosen"
        raise BadRequest(f"{where} state nothing that a question could ask: choose more of them.")
    return found


def askable(fact: Fact) -> bool:
    """Whether the notes give the fact distractors, and it a form that can be asked."""
    if fact.kind in OWN_WORDS and not in_notes_words(fact, 0):
        return False
    return distractors(fact, 0) is not None


def spread(found: Sequence[Fact], draw: random.Random, most: int) -> Iterator[Fact]:
    """At most so many of them, so ordered that the first are of every kind and from all over the notes."""
    left = list(found)
    draw.shuffle(left)
    kinds: Counter[str] = Counter()
    passages: Counter[str] = Counter()
    sources: Counter[str] = Counter()
    size = Counter(one.passage.source for one in found)
    for _ in range(min(most, len(left))):
        best = min(
            left,
            key=lambda one: (
                2 * passages[one.passage.id]
                + kinds[one.kind] / SHARES[one.kind]
                + sources[one.passage.source] / size[one.passage.source] * 10
            ),
        )
        left.remove(best)
        yield best
        kinds[best.kind] += 1
        passages[best.passage.id] += 1
        sources[best.passage.source] += 1


def positions(draw: random.Random) -> Iterator[int]:
    """Places for the key, each as often as the others in every four."""
    while True:
        four = [0, 1, 2, 3]
        draw.shuffle(four)
        yield from four


def tried(
    fact: Fact,
    chosen: Sequence[Rival],
    kind: Kind,
    index: Retriever,
    encode: Encode,
    model: BaseChatModel,
    stems: Sequence[str],
    place: int,
    draw: random.Random,
    halt: threading.Event | None,
) -> tuple[Item | None, str]:
    """The fact as a question with its key at `place` and `chosen` for distractors.

    None and the reason where it did not pass the gate.
    A stem of the model's that breaks a rule is written once more.
    """
    seed, reason = draw.randrange(2**31), UNWRITTEN
    if fault := by_options(written(fact, "", chosen))[0]:
        return None, fault
    own_words = kind == "fill-in" or bool(in_notes_words(fact, seed))  # there is no other way to say it
    for number in range(1 if own_words else STEMS):
        asked = fill_in(fact) if kind == "fill-in" else stem(fact, model, number, seed, halt)
        if not asked:
            break
        if strays(fact, asked) and not own_words:
            reason = ASIDE
            continue
        for _ in range(SETS):
            made = placed(written(fact, asked, chosen), place, draw)
            ruled = ruling(made, fact.passage, index.encoder, model, stems, halt)
            if not ruled.reason:
                return _as(ruled.item, kind, fact, draw), ""
            reason = ruled.reason
            if reason not in NOT_ALONE:
                break
            left = tuple(one for one in fact.rivals if cased(one.text) != ruled.what)
            fact = replace(fact, rivals=left)
            others = distractors(fact, place, encode)
            if others is None:
                break
            chosen = others
        if reason in BY_MODEL:
            break  # it would be the same again
    return None, reason


def _as(made: Item, kind: Kind, fact: Fact, draw: random.Random) -> Item:
    """A multiple-choice question that passed, as one of another kind."""
    if kind == "multiple-choice":
        return made
    if kind in ("short-answer", "fill-in"):
        only = (Option(made.answer, made.options[made.key].feedback),)
        return replace(made, kind=kind, options=only, key=0, id=new_id(kind, made.id))
    right = bool(draw.getrandbits(1))
    offered = fact.key if right else next(one.text for at, one in enumerate(made.options) if at != made.key)
    whole = fact.kind in ("number", "person")
    said = fact.claim(offered) if whole else f"{made.stem} The answer is: {cased(offered)}."
    first, second = ("Right. ", "No. ") if right else ("No. ", "Right. ")
    options = (Option("True", first + made.explanation), Option("False", second + made.explanation))
    return replace(
        made, kind=kind, stem=said, options=options, key=0 if right else 1, id=new_id(kind, said, made.id)
    )


def placed(made: Item, place: int, draw: random.Random) -> Item:
    """The item with its key at `place`, the distractors around it in any order; numbers in theirs."""
    others = [one for at, one in enumerate(made.options) if at != made.key]
    if all(one.text.replace(".", "", 1).isdigit() for one in made.options):
        ordered = sorted(made.options, key=lambda one: float(one.text))
        return replace(made, options=tuple(ordered), key=ordered.index(made.options[made.key]))
    draw.shuffle(others)
    options = [*others[:place], made.options[made.key], *others[place:]]
    return replace(made, options=tuple(options), key=place)


def regenerated(
    made: Item, place: int, index: Retriever, model: BaseChatModel, halt: threading.Event | None = None
) -> Item:
    """The item with another distractor at `place`. Raises BadRequest where the notes have no other."""
    fact = fact_of(made, index)
    if fact is None or place == made.key:
        raise BadRequest("The notes have no other distractor for this question: write one by hand.")
    offered = {one.text.lower() for one in made.options}
    encode = remembered(index.encoder)
    # The nearest first; who asks for another sees whether one from further off will do.
    for other in dict.fromkeys((*fitting(fact, encode), *fitting(fact, encode, WIDE), *fitting(fact))):
        if cased(other.text).lower() in offered:
            continue
        options = list(made.options)
        options[place] = Option(cased(other.text), told(other, explained(fact)))
        one = replace(made, options=tuple(options))
        ruled = ruling(one, fact.passage, index.encoder, model, (), halt)
        if not ruled.reason:
            return ruled.item
    raise BadRequest("The notes have no other distractor for this question: write one by hand.")


def fact_of(made: Item, index: Retriever) -> Fact | None:
    """The fact that an item was made of, if the notes still state it."""
    at = (made.evidence.passage_id, made.evidence.quote, made.answer)
    every = facts(index.index.passages)
    return next((one for one in every if (one.passage.id, one.sentence, cased(one.key)) == at), None)


def passage_of(made: Item, index: Retriever) -> Passage | None:
    """The passage that holds an item's evidence, None where it is in the index no more."""
    wanted = made.evidence.passage_id
    return next((one for one in index.index.passages if one.id == wanted), None)


def judged_again(made: Item, index: Retriever, model: object, halt: threading.Event | None = None) -> Ruling:
    """What the gate makes of an edited item; NO_MODEL where `halt` was set before its end."""
    return ruling(made, passage_of(made, index), index.encoder, model, halt=halt)
