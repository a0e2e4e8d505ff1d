"""Which sentence of a text is supported by which words of the notes, on which page.

A cascade: the sentences of the notes that bear on a claim are chosen (rag/evidence.py) and compared
with it (rag/signals.py), which takes milliseconds; then, where there is a local language model, it
reads the claim after that evidence and is asked whether every part of it is supported. What it
says, how likely the claim is to it and its hidden state are weighed together (rag/support.py).

What this file does not know: what becomes of an answer whose sentences fail (rag/cite.py).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Protocol, runtime_checkable

import numpy as np
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage

from ingest.context import contexts, leads
from ingest.sentences import sentences
from ingest.store import searchable, tokens
from ingest.types import Encoder, Passage
from rag import prompts, support
from rag.claims import bare, clauses, is_claim, spans
from rag.engines.state import Judgement
from rag.entail import Entailment
from rag.evidence import choose
from rag.followup import content_stems
from rag.injection import trusted
from rag.invented import new_facts
from rag.retrieve import Retriever, offered
from rag.signals import lexical
from rag.types import MARKER, Quote, Sentence

QUOTES = 2  # shown of a claim
CLOSE = 0.05  # how far below the best passage's score another still counts as the claim's source
LONG = 30  # sentences from which evidence is a long text
FACTS = 3  # new facts of a claim that are counted
SEARCHED = 6  # passages looked at for each sentence of a text that was not written from known ones


@runtime_checkable
class Judging(Protocol):
    """A model that tells what it makes of a claim, as ours does."""

    name: str

    def judge(
        self,
        several: Sequence[list[BaseMessage]],
        words: tuple[str, ...],
        layers: Sequence[int],
        halt: threading.Event | None = None,
    ) -> list[Judgement]:
        """See rag/engines/local.py."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A passage prepared for checking claims against it."""

    marker: int
    passage: Passage
    stems: frozenset[str]
    bigrams: frozenset[tuple[str, str]]
    vectors: np.ndarray  # float32 (tokens, dim), unit
    told: tuple[str, ...]  # each sentence with what gives it its subject
    lines: tuple[tuple[np.ndarray, np.ndarray], ...]  # ids (t,) and vectors (t, dim) of each of those


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of a claim: where its evidence lies, and signals."""

    vectors: np.ndarray  # float32 (tokens of the claim, dim), unit
    chosen: tuple[tuple[int, int], ...]  # (place in `held`, sentence), what covers most first
    read: tuple[tuple[int, int], ...]  # those and what must be read with them, in order
    signals: dict[str, float]


def evidence(marker: int, passage: Passage, encoder: Encoder) -> Evidence:
    """`passage` (its heading counts as its words) as evidence under `marker`; what questions in it only
    offer for an answer is none."""
    text = searchable(passage)
    words = tokens(text)
    told = contexts(passage)
    (_, whole), *lines = encoder.encode_tokens([text, *told])
    for place in offered(passage):
        lines[place] = (lines[place][0][:0], lines[place][1][:0])
    return Evidence(marker, passage, frozenset(words), frozenset(pairwise(words)), whole, told, tuple(lines))


def check_text(
    text: str,
    retriever: Retriever,
    model: BaseChatModel | Entailment | None = None,
    passages: Sequence[str] | None = None,
    question: str = "",
    halt: threading.Event | None = None,
) -> Iterator[Sentence]:
    """Each sentence of any text, in order, checked against the index or against `passages`.

    Without a model, or with one that cannot judge, in milliseconds a sentence; with a local one about
    a second a sentence. Ends early where `halt` is set; raises what the model raises.
    """
    encoder = retriever.encoder
    given = [_given(one, encoder) for one in passages] if passages is not None else None  # type: ignore[arg-type]
    known: dict[str, Evidence] = {}
    for start, end in spans(text):
        if halt is not None and halt.is_set():
            return
        claim = bare(MARKER.sub("", text[start:end]))
        held = given
        if held is None:
            found = [hit.passage for hit in retriever.search(claim, SEARCHED)] if is_claim(claim) else []
            for passage in found:
                if passage.id not in known:
                    known[passage.id] = evidence(0, trusted(passage), encoder)
            held = [known[passage.id] for passage in found]
        one = check(claim, held, encoder, question)
        if isinstance(model, Judging | Entailment):
            one = confirm(one, held, encoder, model, question, halt)
        yield one


@lru_cache(8)  # a batch mostly has its claims about one article one after the other
def _given(text: str, encoder: Encoder) -> Evidence:
    """A text that is in no index as evidence."""
    return evidence(0, Passage("", "", None, (), text, tuple(sentences(text))), encoder)


def check(claim: str, held: Sequence[Evidence], encoder: Encoder, question: str = "") -> Sentence:
    """The claim (one sentence, markers and all) with its support, label, markers and quotes, at once.

    Its own markers are kept only where the passage supports it; otherwise the passage that
    supports it best is named. Words of the `question` are no evidence for numbers.
    """
    text = bare(MARKER.sub("", claim))
    if not is_claim(text):
        return Sentence(text, 1.0, "not-a-claim", ())
    if not any(one.lines for one in held):
        return Sentence(text, 0.0, "unsupported", ())
    return _found(claim, text, look(text, held, encoder, question), held, question, "fast")


def confirm(
    sentence: Sentence,
    held: Sequence[Evidence],
    encoder: Encoder,
    model: Judging | Entailment,
    question: str = "",
    halt: threading.Event | None = None,
) -> Sentence:
    """What `check` gave, put right by a model that reads claim and evidence: about a second a sentence.

    Unchanged where it claims nothing or `halt` was set before the end.
    """
    if sentence.label == "not-a-claim" or not any(one.lines for one in held):
        return sentence
    found = look(sentence.text, held, encoder, question)
    mode = _read(sentence.text, found, held, model, halt)
    if mode is None:
        return sentence
    marked = sentence.text + "".join(f" [{marker}]" for marker in sentence.markers)
    return _found(marked, sentence.text, found, held, question, mode)


def _read(
    claim: str,
    found: Look,
    held: Sequence[Evidence],
    model: Judging | Entailment,
    halt: threading.Event | None,
) -> support.Mode | None:
    """Add to the signals what the model makes of the claim; which weights go with them, None if halted."""
    if isinstance(model, Entailment):
        lines = (held[number].told[row] for number, row in found.read)
        found.signals["entailed"], found.signals["denied"] = model.verdict("\n".join(lines), claim)
        return "entailment"
    probes = support.probes(str(model.name))
    layers = sorted({probe.layer for probe in probes.values()})
    said = model.judge(asked(claim, found, held), ("yes", "no"), layers, halt)
    if not said:
        return None
    found.signals.update(judged(said))
    for name, probe in probes.items():
        found.signals[name] = probe.odds(said[0].states[layers.index(probe.layer)]) or 0.0
    return "full" if probes else "judged"


def asked(claim: str, found: Look, held: Sequence[Evidence]) -> list[list[BaseMessage]]:
    """What a language model is asked about a claim: about all of it and, against a long text, about each
    of its clauses. Against a few passages a claim whole is understood better."""
    notes = shown(found, held)
    parts = clauses(claim) if _long(held) else []
    return [prompts.claim_prompt(one, notes) for one in (claim, *parts)]


def _long(held: Sequence[Evidence]) -> bool:
    return sum(len(one.lines) for one in held) > LONG


def judged(said: Sequence[Judgement]) -> dict[str, float]:
    """The signals of a language model's judgements of a claim and of its clauses, as `asked` orders them:
    what it says of the one that it thinks least of, and how likely the claim is to it."""
    whole, *parts = said
    worst = np.sort(whole.likelihood)[: max(1, len(whole.likelihood) // 4)]
    return {
        "yes": min(one.logits[0] - one.logits[1] for one in parts or said),
        "likelihood": float(whole.likelihood.mean()),
        "unlikeliest": float(worst.mean()),
    }


def _found(
    claim: str,
    text: str,
    found: Look,
    held: Sequence[Evidence],
    question: str,
    mode: support.Mode,
) -> Sentence:
    likely = support.probability(found.signals, mode)
    if found.signals["facts"]:
        likely = support.doubted(likely, mode)  # whatever else speaks for it
    label = support.label(likely, found.signals, mode)
    markers = _markers(claim, text, found.vectors, held) if label in ("supported", "partly") else ()
    return Sentence(text, round(likely, 6), label, markers, _quotes(found, held, markers))


def _markers(claim: str, text: str, asked: np.ndarray, held: Sequence[Evidence]) -> tuple[int, ...]:
    """The claim's own markers where their passages are as good as any, or else the best passage's."""
    words = tokens(text)
    stems = content_stems(text) or set(words)
    pairs = list(pairwise(words))
    scores: list[float] = []
    for one in held:
        coverage = len(stems & one.stems) / len(stems)
        copied = sum(pair in one.bigrams for pair in pairs) / len(pairs) if pairs else coverage
        near = float((asked @ one.vectors.T).max(axis=1).mean()) if len(asked) and len(one.vectors) else 0.0
        scores.append(0.45 * coverage + 0.2 * copied + 0.35 * near)
    best = int(np.argmax(scores))
    own = {int(number) for group in MARKER.findall(claim) for number in group.split(",")}
    close = [place for place, score in enumerate(scores) if score >= scores[best] - CLOSE]
    return tuple(held[place].marker for place in close if held[place].marker in own) or (held[best].marker,)


def _quotes(found: Look, held: Sequence[Evidence], markers: tuple[int, ...]) -> tuple[Quote, ...]:
    """The sentences that cover most of the claim, those of the passages it is marked with first."""
    order = sorted(found.chosen[:QUOTES], key=lambda one: held[one[0]].marker not in markers)
    quotes = []
    for number, row in order:
        passage = held[number].passage
        score = round(max(0.0, min(1.0, found.signals["first"])), 3)
        quotes.append(Quote(passage.sentences[row], passage.source, passage.page, passage.id, score))
    return tuple(quotes)


def look(claim: str, held: Sequence[Evidence], encoder: Encoder, question: str = "") -> Look:
    """What can be seen of a claim without a language model."""
    ids, vectors = encoder.encode_tokens([claim])[0]
    places = [(number, row) for number, one in enumerate(held) for row in range(len(one.lines))]
    lines = [held[number].lines[row] for number, row in places]
    starts = np.cumsum([0, *(len(one.lines) for one in held)])
    before = [
        int(starts[number]) + (above if above >= 0 else row - 1) if row or above >= 0 else -1
        for number, one in enumerate(held)
        for row, above in enumerate(leads(one.passage))
    ]
    lengths = [len(held[number].passage.sentences[row].split()) for number, row in places]
    weights = _rarity(ids, [line for line, _ in lines])
    found = choose(vectors, weights, [line for _, line in lines], lengths, before)
    chosen = tuple(places[place] for place in found.best)
    told = [held[number].told[row] for number, row in chosen]
    told += [
        held[number].told[row]
        for number, row in (places[place] for place in found.read)
        if (number, row) not in chosen
    ]
    signals = {
        "coverage": found.coverage,
        "first": found.first,
        "weakest": found.weakest,
        **lexical(claim, told, question),
        "facts": float(min(FACTS, len(new_facts(claim, [one.passage for one in held], question)))),
    }
    # Weighed by itself: what a few passages lack tells less of the rest of a claim (measured on dev).
    lacks = signals["numbers"] + signals["names"] + signals["facts"]
    signals["missing"] = lacks if _long(held) else 0.0
    return Look(vectors, chosen, tuple(places[place] for place in found.read), signals)


def _rarity(ids: np.ndarray, lines: Sequence[np.ndarray]) -> np.ndarray:
    """Weights (t,) of a claim's tokens: log(1 + N / (1 + df)) over the sentences at hand, as in retrieval."""
    seen = np.zeros(len(ids), np.float64)
    for line in lines:
        seen += np.isin(ids, line)
    return np.log1p(max(len(lines), 1) / (1.0 + seen))


def shown(found: Look, held: Sequence[Evidence]) -> list[prompts.Shown]:
    """The evidence of a claim as a prompt shows it, passage by passage."""
    places: dict[int, list[int]] = {}
    for number, row in found.read:
        places.setdefault(number, []).append(row)
    return [prompts.shown(held[number].passage, rows) for number, rows in places.items()]


def best_quote(claim: str, passage: Passage, encoder: Encoder) -> str:
    """The sentence of `passage` that is nearest to `claim`, verbatim."""
    if not passage.sentences:
        return passage.text
    vectors = encoder.encode([claim, *passage.sentences])
    return passage.sentences[int(np.argmax(vectors[1:] @ vectors[0]))]
