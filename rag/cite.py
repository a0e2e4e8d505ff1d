"""From a model's raw words to a cited Answer: check each sentence, place its markers, refuse if need be."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from ingest.types import Hit
from rag import prompts
from rag.complete import LEAST, LEAST_IF_SURE, left_out
from rag.grounding import Evidence, best_quote, check, evidence, new_facts, spans
from rag.injection import trusted
from rag.retrieve import Retriever
from rag.select import Choice
from rag.types import MARKER, QUOTING, Answer, Ask, Citation, Sentence, Timings

CLOSEST = 3  # passages shown with a refusal


@dataclass(frozen=True, slots=True)
class Found:
    """A question with what was found for it, on its way to the model."""

    ask: Ask
    started: float  # time.perf_counter()
    question: str  # as the notes would spell it
    searched: str  # the question as it was searched for
    hits: tuple[Hit, ...]
    choices: tuple[Choice, ...]
    retrieve_ms: float


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the model has said so far, raw."""

    text: str
    prompt_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0


def checked(
    answer: Answer, found: Found, retriever: Retriever, sure: bool, spoken: Iterator[Spoken]
) -> Iterator[Answer]:
    """Each finished sentence is checked and gets its markers while the next is being written.

    Where nothing of the answer is backed, the notes' own sentence takes its place if it is only
    the wording that is lost, or if it is `sure` that they hold the answer; otherwise it is refused.
    """
    known: dict[str, Sentence] = {}
    question = found.question

    @cache
    def held() -> list[Evidence]:  # made when the first sentence is there, not before the first word
        chosen = enumerate(found.choices, 1)
        return [evidence(marker, trusted(choice.passage), retriever.encoder) for marker, choice in chosen]

    def sentence(text: str) -> Sentence:
        if text not in known:
            known[text] = check(text, held(), retriever.encoder, question)
        return known[text]

    first = 0.0
    said = Spoken("")
    for said in spoken:
        now = (time.perf_counter() - found.started) * 1000
        first = first or (now if said.text.strip() else 0.0)
        places = spans(said.text)
        done = [sentence(said.text[start:end]) for start, end in places[:-1]]
        tail = said.text[places[-1][0] :] if places else ""
        text = _with_markers(said.text, places[:-1], done, tail)
        timings = replace(answer.timings, first_word_ms=round(first, 1), total_ms=round(now, 1))
        answer = replace(answer, stage="writing", answer=text, sentences=tuple(done), timings=timings)
        yield answer
    took = round((time.perf_counter() - found.started) * 1000, 1)
    counts = (said.prompt_tokens, said.cached_tokens, said.output_tokens)
    timings = Timings(found.retrieve_ms, round(first, 1), took, *counts)
    answer = replace(answer, timings=timings, stopped=found.ask.stop.is_set())
    places = spans(said.text)
    sentences = [sentence(said.text[start:end]) for start, end in places]
    text = _with_markers(said.text, places, sentences)
    added: list[Sentence] = []
    if not answer.stopped:
        passages = [choice.passage for choice in found.choices]
        near = retriever.sentence_cosines(found.searched, passages)
        backed = any(one.label in ("supported", "partly") for one in sentences)
        if backed:
            added = left_out(question, text, found.choices, near)
        else:
            added = left_out(question, "", found.choices, near, LEAST_IF_SURE if sure else LEAST)
            claims = [one.text for one in sentences if one.label != "not-a-claim"]
            invented = any(new_facts(claim, passages, question) for claim in claims)
            if not added or (invented and not sure):
                yield refused(answer, found)
                return
            text, sentences = "", []  # only its wording is lost: the notes' own takes its place
    sentences += added
    for one in added:
        text = f"{text}\n\n{QUOTING} “{one.text}” [{one.markers[0]}]".strip()
    cited = {marker for one in sentences for marker in one.markers}
    yield replace(
        answer,
        stage="done",
        answer=text,
        sentences=tuple(sentences),
        citations=_quoted(answer.citations, cited, sentences, held(), retriever),
    )


def _with_markers(text: str, places: list[tuple[int, int]], sentences: list[Sentence], tail: str = "") -> str:
    """`text` with each sentence's own markers in place of whatever the model wrote."""
    parts: list[str] = []
    cursor = 0
    for (start, end), one in zip(places, sentences, strict=True):
        bare = MARKER.sub("", text[start:end])
        marks = "".join(f" [{marker}]" for marker in one.markers)
        parts += [text[cursor:start], bare, marks]
        cursor = end
    if tail:
        parts += [text[cursor : len(text) - len(tail)], re.sub(r"\s*\[\d*\]?", "", tail)]
    return "".join(parts).strip()


def citations(choices: tuple[Choice, ...]) -> tuple[Citation, ...]:
    return tuple(_citation(marker, choice.hit) for marker, choice in enumerate(choices, 1))


def _citation(marker: int, hit: Hit) -> Citation:
    passage = hit.passage
    quote = passage.sentences[hit.sentence] if passage.sentences else passage.text
    score = round(min(1.0, max(0.0, hit.late)), 3)
    return Citation(
        marker=marker,
        source=passage.source,
        page=passage.page,
        heading=passage.title,
        quote=quote,
        score=score,
        passage_id=passage.id,
        text=passage.text,
        also=passage.also,
    )


def _quoted(
    citations: tuple[Citation, ...],
    cited: set[int],
    sentences: list[Sentence],
    held: list[Evidence],
    retriever: Retriever,
) -> tuple[Citation, ...]:
    """Only the citations that the answer names, each with the quote nearest to what it supports."""
    quoted = []
    for citation in citations:
        if citation.marker not in cited:
            continue
        claims = " ".join(one.text for one in sentences if citation.marker in one.markers)
        passage = held[citation.marker - 1].passage
        quoted.append(replace(citation, quote=best_quote(claims, passage, retriever.encoder)))
    return tuple(quoted)


def refused(answer: Answer, found: Found) -> Answer:
    total = round((time.perf_counter() - found.started) * 1000, 1)
    timings = replace(answer.timings, total_ms=total)
    timings = replace(timings, first_word_ms=timings.first_word_ms or total)
    closest = tuple(_citation(place, hit) for place, hit in enumerate(found.hits[:CLOSEST], 1))
    sentence = Sentence(prompts.REFUSAL, 1.0, "not-a-claim", ())
    return replace(
        answer,
        stage="done",
        answer=prompts.REFUSAL,
        refused=True,
        citations=(),
        closest=closest,
        sentences=(sentence,),
        timings=timings,
    )
