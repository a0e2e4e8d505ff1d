"""Whether a question may stay: evidence, key, distractors, stem, each with its own reason to reject.

The model must find the key with the passage before it in every order of the options, and clearly
less surely without it, or the question is marked as general knowledge. Options are scored by the
likelihood of all of their words as the answer, since a small model hardly tells letters apart. They stand
in the prompt, so that what follows their first words is as good as certain and length does not count; the
mean over tokens that Brown et al. 2020 (arXiv 2005.14165) take for options not shown favours long ones
here. The key must be supported by what stands around the evidence, and no other option more. Checks come
cheapest first, and the first that fails is the last. What is not here: the rules on wording
(rag/items/flaws.py).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ingest.sentences import is_row
from ingest.types import Encoder, Passage
from ingest.words import tokens
from rag import prompts
from rag.claims import holds_number, numbers
from rag.followup import content_stems
from rag.grounding import Judging
from rag.items.choices import echoes
from rag.items.flaws import alike, flaws
from rag.items.picked import LEAD, Choosing, chances, kin, known, lead
from rag.items.statements import claimed
from rag.items.types import BLANK, Item

NEAR = 0.93  # cosine from which two stems ask the same
SAID = 0.5  # share of a stem's content words that evidence and heading hold, at least
SHARED = 0.8  # share of content words, by Jaccard, from which they do
BACKED, APART = 0.0, 0.0  # logit that the notes support the key, and how much more than any other, at least
AROUND = 1  # sentences before and after the evidence that are read with it then

TOLD = "the stem holds the key"
POINTING = "the stem points at a text that the student does not see"
ASIDE = "the stem asks something else than the evidence says"
SEVERAL = "the stem asks for one of several"
UNFOUND = "evidence not in the notes"
REPEATED = "asked before"
NOT_PICKED = "the model does not find the key in the notes"
DOUBTED = "the notes do not clearly support the key"
TWO_RIGHT = "the notes support another option as well"
KIND_OF = "an option may be a kind of another"
NO_MODEL = "not judged"
NOT_ALONE = frozenset((TWO_RIGHT, KIND_OF))  # another distractor in its place would do
# What other words of the stem would hardly change.
BY_MODEL = frozenset((NOT_PICKED, DOUBTED, TWO_RIGHT, KIND_OF, NO_MODEL))

# Rules on item writing that mind the options whatever the stem is.
_OF_OPTIONS = frozenset(
    (
        "implausible distractors",
        "none of the above",
        "all of the above",
        "longest option correct",
        "convergence cues",
        "logical cues",
        "complex or K-type",
        "more than one correct",
    )
)

_GENERIC = content_stems(  # words that a stem has whatever it asks
    "type kind method process term concept technique name year person people thing way approach purpose "
    "following describe refer mean true right main called known used specific primary field area belong"
)
_SEVERAL = re.compile(
    r"(?i)^\W*(?:what|which|who) (?:are|were) (?:some|several|examples?|a few)\b"
    r"|\b(?:one|some|an example) of the\b"
)
_EVENT = re.compile(r"(?i)^\W*(?:in which year|who)\b")
_ORDINAL = re.compile(r"\b(?:first|second|third|fourth|fifth|next|last|final|initial|earliest|latest)\b")
_NAME = re.compile(r"(?<=[\w,;(“\"] )[(“\"]?([A-Z][\w-]+)")  # a capital inside the stem
_POINTS = re.compile(
    r"(?i)\b(?:(?:course|last|first|given|above) (?:notes?|lines?|passages?|texts?|sentences?|headings?)"
    r"|the (?:notes?|lines?|passages?|texts?|sentences?)(?=[?,]| (?:says?|states?|mentions?|discuss\w*|"
    r"describes?|given|above|below|about)\b)|mentioned above|according to the)(?!\w)"
)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the gate makes of an item."""

    item: Item  # with its difficulty, and whether it is general knowledge
    reason: str  # of rejection; '' for one that passed
    what: str = ""  # the words at fault, in one line


def ruling(
    item: Item,
    passage: Passage | None,
    encoder: Encoder,
    model: object,
    earlier: Sequence[str] = (),
    halt: threading.Event | None = None,
) -> Ruling:
    """The gate: cheap checks first. `passage` holds the evidence, None where it is gone; `earlier` are
    stems not to repeat. `model`: one that cannot choose lets what the rules pass go by."""
    reason, what = by_rules(item, passage, encoder, earlier)
    if reason or passage is None:
        return Ruling(item, reason, what)
    if isinstance(model, Choosing):
        with_notes = chances(item, passage, model, halt)
        if halt is not None and halt.is_set():
            return Ruling(item, NO_MODEL)
        for row in with_notes:
            if lead(row, item.key) <= LEAD:
                best = item.options[int(row.argmax())].text
                return Ruling(item, NOT_PICKED, "" if best == item.answer else best)
        if isinstance(model, Judging) and item.kind == "multiple-choice":
            reason, what = badly_supported(item, passage, model, halt)
            if reason:
                return Ruling(item, reason, what)
        if other := kin(item, model, halt):
            return Ruling(item, KIND_OF, other)
        item = known(item, with_notes, chances(item, None, model, halt))
    return Ruling(item, NO_MODEL if halt is not None and halt.is_set() else "")


def by_rules(
    item: Item, passage: Passage | None, encoder: Encoder, earlier: Sequence[str]
) -> tuple[str, str]:
    """The reason and the words at fault that need no language model; ('', '') where there are none."""
    if passage is None or item.evidence.quote not in (passage.text, *passage.sentences):
        return UNFOUND, item.evidence.quote
    if item.kind != "true-false" and tells(item.stem, item.answer):
        return TOLD, item.answer
    if found := _POINTS.search(item.stem):
        return POINTING, found.group()
    if item.kind != "true-false" and (found := _SEVERAL.search(item.stem)):
        return SEVERAL, found.group()  # the other options are among them, as a rule
    if beside(item, passage):
        return ASIDE, item.evidence.quote
    if flawed := flaws(item):
        return flawed[0].name, flawed[0].what
    if item.kind == "multiple-choice" and (told := echoes(item)):
        return "word repeats", told
    if len(item.options) > 2 and (unlike := alike([one.text for one in item.options])):
        return unlike, ""
    if other := repeats(item.stem, earlier, encoder):
        return REPEATED, other
    return "", ""


def by_options(item: Item) -> tuple[str, str]:
    """What `by_rules` would reject whatever the stem: known before one is written."""
    flawed = [one for one in flaws(item) if one.name in _OF_OPTIONS]
    if flawed:
        return flawed[0].name, flawed[0].what
    return alike([one.text for one in item.options]), ""


def tells(stem: str, answer: str) -> bool:
    """Whether the stem holds the answer or all of its words, or one of the two the initials of the other."""
    if answer.lower() in stem.lower() or set() < content_stems(answer) <= content_stems(stem):
        return True
    heads = "".join(word[0] for word in re.findall(r"[^\W\d_]+", answer)).lower()
    short = {word.lower() for word in re.findall(r"\b([A-Z]{2,})s?\b", stem)}
    if len(heads) > 1 and heads in short:
        return True
    said = "".join(word[0] for word in re.findall(r"[^\W\d_]+", stem)).lower()
    if len(answer) > 2 and answer.isupper() and answer.lower() in said:
        return True
    parts = re.findall(r"\b[A-Z]{2,}(?=-)", answer)  # 'VQ-VAE' by 'vector quantization'
    return any(part.lower() in said for part in parts)


def beside(item: Item, passage: Passage) -> bool:
    """Whether too little of the stem stands in its evidence, or a number or a place in an order does not,
    or whether it names what the whole passage does not name."""
    asked = content_stems(item.stem.replace(BLANK, " ")) - _GENERIC
    quote = item.evidence.quote
    if is_row(quote):  # the head of its column says what a cell is
        quote = around(quote, passage).text
    told = f"{quote} {item.evidence.heading} {item.answer}"
    if not all(holds_number(told, number) for number in numbers(item.stem)):
        return item.kind != "true-false"  # what is to be judged there may be a number that is wrong
    if set(_ORDINAL.findall(item.stem.lower())) - set(_ORDINAL.findall(told.lower())):
        return True  # a step that the notes explain, asked for as the first one
    names = _NAME.findall(item.stem) if item.kind != "true-false" else []
    if names:
        known = set(tokens(f"{told} {passage.text}"))
        if not all(set(tokens(name)) & known for name in names):
            return True
    said = asked & content_stems(told)
    if _EVENT.match(item.stem) and not names and len(said) < 2 and not re.search(r"\d|\w[A-Z]", item.stem):
        return True  # 'In which year was the study conducted?'
    return bool(asked) and len(said) < SAID * len(asked)


def repeats(stem: str, earlier: Sequence[str], encoder: Encoder) -> str:
    """The earlier stem that asks the same, '' if none does."""
    if not earlier:
        return ""
    words = content_stems(stem)
    for one in earlier:
        theirs = content_stems(one)
        if len(words & theirs) >= SHARED * max(len(words | theirs), 1):
            return one
    vectors = encoder.encode([stem, *earlier])
    near = vectors[1:] @ vectors[0]
    return earlier[int(near.argmax())] if near.max() >= NEAR else ""


def badly_supported(
    item: Item, passage: Passage, model: Judging, halt: threading.Event | None = None
) -> tuple[str, str]:
    """Why the notes do not support the key, and it alone, as far as the model sees that reads each claim
    after the evidence; ('', '') where they do, or where `halt` was set before the end."""
    backed = backing(item, passage, model, halt)
    if backed and backed[item.key] < BACKED:
        return DOUBTED, item.answer
    for place, logit in enumerate(backed):
        if place != item.key and logit > backed[item.key] - APART:
            return TWO_RIGHT, item.options[place].text
    return "", ""


def backing(item: Item, passage: Passage, model: Judging, halt: threading.Event | None = None) -> list[float]:
    """Per option logit(yes) - logit(no) that the evidence supports every part of it as the answer.

    It is the question of the grounding check (rag/grounding.py) alone: words that key and distractors
    share are no sign of support here. Empty where `halt` was set before the end.
    """
    note = prompts.shown(around(item.evidence.quote, passage))
    claims = (claimed(item.stem, option.text) for option in item.options)
    asked = [prompts.claim_prompt(claim, [note]) for claim in claims]
    said = model.judge(asked, ("yes", "no"), (), halt)
    return [one.logits[0] - one.logits[1] for one in said]


def around(quote: str, passage: Passage) -> Passage:
    """The part of a passage that says whether an option is right: its evidence and what stands next to it.

    Of a table, the head and the row. All of it where the evidence is no sentence of it.
    """
    if quote not in passage.sentences:
        return passage
    row = passage.sentences.index(quote)
    if is_row(quote):
        first = row
        while first and is_row(passage.sentences[first - 1]):
            first -= 1
        kept = tuple(passage.sentences[at] for at in sorted({first, row}))
    else:
        kept = passage.sentences[max(row - AROUND, 0) : row + AROUND + 1]
    return replace(passage, text="\n".join(kept), sentences=kept)
