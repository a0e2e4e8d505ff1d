"""A fact made a question: the stem by the notes' words or the language model, all else by the notes.

What the notes say of a term is asked as it stands where that makes a question; else the model is
asked. It writes JSON of a schema (rag/engines/grammar.py), so that it always parses. It is given the
key and asked for a stem, and never for facts: key and evidence are verbatim, distractors are what
the notes name beside the key, and what is told to who chooses one is what the notes say of it.
Distractors that are near the key by the notes' own structure are what makes a question hard
(Gao et al. 2019, arXiv 1809.02768, and Leaf, Vachev et al. 2022, arXiv 2201.09012, find them by
similarity instead). What is not here: whether the question may stay (rag/items/gate.py).
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel

from rag import prompts
from rag.decoding import GREEDY, Decoding
from rag.followup import content_stems, content_words
from rag.items.fact import Fact, FactKind, Rival
from rag.items.names import POINTS
from rag.items.shapes import BASE, VERBS, is_thing, names_what, plural
from rag.items.types import BLANK, Bloom, Evidence, Item, Kind, Option, new_id

# Kinds of facts that are asked in the notes' words or not at all: of these the model asks something else.
OWN_WORDS: tuple[FactKind, ...] = ("meaning", "number", "person")
SCHEMA = {  # the JSON that a stem is written as
    "type": "object",
    "properties": {"question": {"type": "string", "pattern": '^[A-Z][^"\\\\\\n.?!$]{15,150}\\?$'}},
    "required": ["question"],
    "additionalProperties": False,
}
WARMTH = 0.7  # temperature of a second try
SHORTEST, LONGEST = 4, 30  # words of what is said of a term, for it to be asked as it stands
BRIEF = 12  # words up to which it can stand inside a question
_OTHER = re.compile(r",? (?:and|but|while|whereas) (?:the|an?|it|they|this|these|each|both)\b")
_FOLLOWS = re.compile(r"[;:]\s|, so (?:it|they|that)\b")  # after this stands what follows from it
_FORMULA = re.compile(r"[$=|:<>\\]")
_SENTENCES = re.compile(r"[.?!]\s")
# A label, as some notes have them, that stands before what a heading means.
_DEFINING = re.compile(r"(?i)(?:definition|description|concept|meaning|what it is): (?P<means>.+)")
# The head of a column or a label that can stand in 'What is the … of …?'.
_NOUN = re.compile(
    r"(?!(?i:how|what|when|where|who|why|which|is|are|can|does)\b)[A-Z][a-z-]+(?: [a-z]+)?"
    r"(?<!s)(?<!ed)(?<! for)(?<! of)(?<! by)(?<! in)(?<! at)(?<! to)(?<! with)(?<! from)(?<! as)"
)
# The head of a column that is a question already: 'How a sample is made', 'What to do'.
_ASKING = re.compile(r"(?:How|What|Where|When|Why)(?! (?:is|are|was|were|do|does|did|can)\b) \w[^?]*$")
_MAKER = re.compile(
    r"(?i)\b(?:maker|developer|author|creator|inventor|founder|publisher|owner|provider|discoverer|composer|painter)$"
)
# Where a year (here: @) stands, with what leads to it: at the head of an entry, in brackets, after 'in'.
_MONTH = r"(?:\d{1,2} )?(?:[A-Z][a-z]{2,8} )?"
_BRACKET = re.compile(rf" \((?:[^()@]*, )?{_MONTH}@\)")
_WHEN = (
    re.compile(r"^@: "),
    _BRACKET,
    re.compile(rf"^(?:In|On) {_MONTH}@,? "),
    re.compile(rf",? (?:(?:early|late|mid|only|again|back) )?(?:in|on) (?:early |late )?{_MONTH}@(?![\w-])"),
)
LONGEST_NAME = 8  # words
_PRESENT = re.compile(r"(?:is|has|[a-z]{2,}(?<![suia])s) ")
_BETWEEN = re.compile(r"^, [^,]+, ")  # as in 'Glow (2018), by its two authors, adds …'
_SAYS = re.compile(
    r"(?:argue|show|find|report|estimate|claim|put|say|propose|suggest|describe|define|introduce|"
    r"demonstrate|write|state|note|observe|compare|examine|explain|identifie|present|call|prove|publishe|"
    r"discover|invent)s "
)
_COLLEAGUES = re.compile(r"^ and (?:colleagues|others)\b")
_BEFORE = re.compile(r"(?i)\b(?:it|they|them|this|these|he|she)\b")  # it means something in a sentence before
_OWNED = re.compile(r"(?i)(?:his|her|their|its)\b")  # whose?
_HEAD_OF_ENTRY = re.compile(r"^\d{4}: ")
_ASIDE = re.compile(r"[$\\|“”]|[.?!]\s")
_LEVELS: dict[str, Bloom] = {"meaning": "understand", "property": "understand"}


def stem(fact: Fact, model: BaseChatModel, tried: int, seed: int, halt: threading.Event | None) -> str:
    """A question whose answer is the fact's key; '' where `halt` was set before its end.

    `tried`: how many stems for it were thrown away; greedy decoding would write them again.
    """
    if not tried and (asked := in_notes_words(fact, seed)):
        return asked
    leave_out = content_words(fact.key) if tried else []
    messages = prompts.stem_prompt(prompts.shown(fact.passage), fact.claim(), fact.key, leave_out)
    how = GREEDY if not tried else Decoding("random", temperature=WARMTH, seed=seed + tried)
    settings: dict[str, Any] = {"schema": SCHEMA, "decoding": how}
    if halt is not None:
        settings["halt"] = halt
    said = str(model.invoke(messages, **settings).content)
    try:
        return str(json.loads(said)["question"]).strip()
    except (ValueError, KeyError, TypeError):
        return ""  # halted, or a model behind a URL that holds to no schema


def in_notes_words(fact: Fact, seed: int) -> str:
    """The stem that needs no model; '' where the notes' own words make none."""
    if fact.kind == "meaning":
        return meaning(fact)
    return naming(fact, seed) or _of_table(fact) or _dated(fact) or _signed(fact)


def naming(fact: Fact, seed: int) -> str:
    """The stem that asks which term the notes' own words are about; '' where those make no question."""
    said = fact.after.removeprefix(": ")
    if found := _DEFINING.match(said):
        said = found["means"]
    said = _FOLLOWS.split(said)[0].strip(" .,")
    if fact.kind != "term" or fact.before or not SHORTEST <= len(said.split()) <= LONGEST:
        return ""
    if _FORMULA.search(said) or _SENTENCES.search(said):
        return ""
    said = _inside(said)
    if re.match(rf"(?:{VERBS}|{BASE})\b", said):
        if "between" not in said:  # 'creates data, and the critic judges it' says it of two
            said = _OTHER.split(said)[0]
        if len(said.split()) < SHORTEST:
            return ""
    if re.match(rf"(?:{VERBS})\b(?! of\b)", said):
        return f"Which of these {said}?"
    if re.match(rf"(?:\w+ly |always |never |first |then )?(?:dispose of|(?:{BASE})\b(?! of\b))", said):
        return f"Which of these {said}?" if plural(fact.key) else f"In which of these does one {said}?"
    if not names_what(said, fact.key):
        if POINTS.match(said):
            return ""
        if is_thing(said):
            return f"Which of these is described as “{said}”?"
        return f"Of which of these is this said: “{said}”?"
    brief = said.split()[0] in ("a", "an", "one") and len(said.split()) <= BRIEF
    return f"What is {said} called?" if brief and seed % 2 else f"What is the term for {said}?"


def strays(fact: Fact, asked: str) -> bool:
    """Whether a question about a cell asks for something else than the column is headed by."""
    head = content_stems(_head(fact))
    return bool(head) and not head & content_stems(asked)


def _head(fact: Fact) -> str:
    """What a cell or a label says of its subject: the column's head or the label; '' for other facts."""
    if fact.kind == "cell":
        return fact.before.removeprefix(f"{fact.topic}, ").removesuffix(": ")
    if fact.kind == "property":
        return fact.before.removeprefix("The ").removesuffix(f" of {fact.topic} is: ")
    return ""


def _of_table(fact: Fact) -> str:
    """The stem that asks for what a table or a label says of its subject, by the head of the column."""
    head = _head(fact)
    if _ASKING.match(head):
        return f"For {fact.topic}, which of these tells {head[0].lower()}{head[1:]}?"
    asks = "Who" if _MAKER.search(head) else "What"
    return f"{asks} is the {head.lower()} of {fact.topic}?" if _NOUN.fullmatch(head) else ""


def _dated(fact: Fact) -> str:
    """The stem that asks for a year in the sentence's own words without it, as in '1943: two people …'."""
    if fact.kind != "number":
        return ""
    before, after = fact.before.split(";")[-1].lstrip(), fact.after.split(";")[0]
    for shape in _WHEN:
        name, *rest = shape.split(f"{before}@{after}", 1)
        if shape is _BRACKET and rest and (asked := _from_year(name, *rest)):
            return asked
        said = "".join((name, *rest)).strip(" .")
        if "@" not in said and _quotable(said):
            return f"To which year does this belong: “{said}”?"
    return ""


def _from_year(name: str, said: str) -> str:
    """The stem that asks from which year something is, given what it does: 'WaveNet (@) generates …'.

    That it does so belongs to no year. What somebody shows or argues does, and is not asked for so.
    """
    name, labels = name.rpartition(": ")[2].strip(), said.startswith(":")
    name = re.sub(r"^(?:An?|The) ", lambda found: found[0].lower(), name)  # another capital may be its own
    said = _BETWEEN.sub("", said).strip(" .:")
    if not 1 <= len(name.split()) <= LONGEST_NAME or not _quotable(said) or _SAYS.match(said):
        return ""
    bare = re.match(rf"(?:{BASE})\b", said) is not None
    if bare and labels:
        return f"From which year is {name}, described as “{said}”?"
    if bare and " and " in name:
        return f"From which year are {name}, which “{said}”?"
    return f"From which year is {name}, which “{said}”?" if _PRESENT.match(said) else ""


def _signed(fact: Fact) -> str:
    """The stem that asks whose work it is in the sentence's own words without the name: 'Who proposed …?'

    A small model takes 'a paper by …, inspired by …' for who inspired it.
    """
    if fact.kind != "person":
        return ""
    before, after = fact.before.split(";")[-1].lstrip(), _COLLEAGUES.sub("", fact.after.split(";")[0])
    if before.endswith(", by ") and "," in after:
        _, _, after = after.partition(",")  # 'word2vec, by … at Google, makes': out with the aside
    said = (_HEAD_OF_ENTRY.sub("", before).removesuffix(" by ").rstrip(",") + after).strip(" .,:")
    if not _quotable(said) or (before and not before.endswith(" by ")):
        return ""
    if after.startswith(": "):
        return f"Of whom is this said: “{said}”?"
    return f"Whose work is this: “{said}”?" if before else f"Who {said}?"


def _quotable(said: str) -> bool:
    """Whether words of the notes can stand in a stem as they are."""
    fits = SHORTEST <= len(said.split()) <= LONGEST
    return fits and not _ASIDE.search(said) and not _BEFORE.search(said) and not _OWNED.match(said)


def _inside(text: str) -> str:
    """The text as it stands inside a sentence: an ordinary first word without its capital."""
    first = text.split()[0]
    proper = first[:2].isupper() or not first[1:].islower() or first.endswith(("'s", "’s"))
    return text if proper and first != "A" else text[0].lower() + text[1:]


def meaning(fact: Fact) -> str:
    """The stem that asks what a term means; '' where the notes' words answer no such question."""
    name, means = fact.topic, fact.key
    if fact.before and name.lower() in means.lower():
        return ""
    inside = name if name.split()[0].isupper() or not name[1:].islower() else name[0].lower() + name[1:]
    called = rf"(?i)\b(an?|the) {re.escape(name)}\b"
    ends = r"(?=[^\w\s-]| (?:is|are|was|were|can|has|of|that|which|in|on|and|or|to|by|for|with|from)\b)"
    if article := re.search(called, fact.sentence) or re.search(called + ends, fact.passage.text):
        inside = f"{article[1].lower()} {inside}"
    elif not (plural(name) or re.search(r"[A-Z]\w*[A-Z]", name)):
        inside = f"“{name}”"  # 'What does Embedding Layer do?' lacks its article
    first = means.split()[0].lower()
    if first in ("a", "an", "the", "one", "any"):
        return f"What is meant by {inside}?"
    if re.match(rf"(?:{VERBS})\b", first):
        return f"What does {inside} do?"
    return ""


def written(fact: Fact, asked: str, chosen: Sequence[Rival], kind: Kind = "multiple-choice") -> Item:
    """The question with its options, the key first; `chosen` are the distractors."""
    key = fact.key
    explanation = explained(fact)
    options = [Option(cased(key), f"Right. {explanation}")]
    options += [Option(cased(one.text), told(one, explanation)) for one in chosen]
    passage = fact.passage
    evidence = Evidence(fact.sentence, passage.source, passage.page, passage.title, passage.id)
    return Item(
        id=new_id(kind, asked, key, evidence.passage_id, evidence.quote),
        kind=kind,
        stem=asked,
        options=tuple(options),
        key=0,
        explanation=explanation,
        evidence=evidence,
        topic=fact.topic,
        difficulty="medium",
        bloom=_LEVELS.get(fact.kind, "remember"),
    )


def explained(fact: Fact) -> str:
    """Why the key is right, in the notes' words."""
    under = fact.passage.heading[-1] if fact.passage.heading else ""
    lead = f"Under “{under}” the notes say" if under and fact.key not in fact.sentence else "The notes say"
    return f"{lead}: “{fact.sentence}”"


def told(one: Rival, explanation: str) -> str:
    """What those learn who choose a distractor."""
    if not one.said:
        return f"No. {explanation}"
    at = one.source + (f", page {one.page}" if one.page is not None else "")
    return f"No. Of that the notes say: “{one.said}” ({at})"


def cased(text: str) -> str:
    """An option as it stands in a list of options: with a capital, without a full stop."""
    text = text.strip().rstrip(".;,")
    return text[:1].upper() + text[1:]


def fill_in(fact: Fact) -> str:
    """The fact's sentence with a blank in the key's place; '' where the key is not a part of it."""
    if fact.sentence.count(fact.key) != 1:
        return ""
    return fact.sentence.replace(fact.key, BLANK)
