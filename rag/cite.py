"""From a model's raw words to a cited Answer: check each sentence, place its markers, refuse if need be."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from ingest.types import Hit
from rag import prompts
from rag.answering import Telling, answering
from rag.claims import spans
from rag.complete import LEAST, LEAST_IF_SURE, left_out, wanting
from rag.coverage import Bearing
from rag.draft import Draft, confirmed, strict, with_markers
from rag.entail import Entailment
from rag.grounding import Evidence, Judging, best_quote, check, evidence
from rag.injection import trusted
from rag.invented import new_facts
from rag.retrieve import Retriever
from rag.select import Choice
from rag.types import Answer, Ask, Citation, Quote, Sentence, Stage, Timings

CLOSEST = 3  # passages shown with a refusal
LIKELY = 0.5  # probability of support from which words far from the notes' stay, chosen on dev


@dataclass(frozen=True, slots=True)
class Found:
    """A question with what was found for it, on its way to the model."""

    ask: Ask
    started: float  # time.perf_counter()
    question: str  # as the notes would spell it
    searched: str  # the question as it was searched for
    hits: tuple[Hit, ...]
    choices: tuple[Choice, ...]
    bearing: Bearing  # what of their passages bears on the question
    retrieve_ms: float


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the model has said so far, raw."""

    text: str
    prompt_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0


def checked(
    answer: Answer,
    found: Found,
    retriever: Retriever,
    sure: bool,
    spoken: Iterator[Spoken],
    confirming: Judging | Entailment | None = None,
    telling: Telling | None = None,
) -> Iterator[Answer]:
    """Each finished sentence is checked and gets its markers while the next is being written.

    The model `confirming`, if there is one, judges sentence by sentence, and before anything else
    where nothing is backed. Where nothing is in the end, the sentence of the notes that answers takes the
    place of the model's words, by `telling`; where no model can tell, the nearest one if it is only the
    wording that is lost, or if it is `sure` that the notes hold the answer. Otherwise it is refused.
    """
    known: dict[str, Sentence] = {}
    question = found.question

    @cache
    def held() -> list[Evidence]:  # made when the first sentence is there, not before the first word
        chosen = enumerate(found.choices, 1)
        return [evidence(marker, trusted(choice.passage), retriever.encoder) for marker, choice in chosen]

    @cache
    def quote(claims: str, marker: int) -> str:  # asked for again after each sentence that is judged
        return best_quote(claims, held()[marker - 1].passage, retriever.encoder)

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
        text = with_markers(said.text, places[:-1], done, tail)
        timings = replace(answer.timings, first_word_ms=round(first, 1), total_ms=round(now, 1))
        answer = replace(answer, stage="writing", answer=text, sentences=tuple(done), timings=timings)
        yield _unseen(answer) if found.ask.strict else answer
    took = round((time.perf_counter() - found.started) * 1000, 1)
    timings = Timings(
        found.retrieve_ms,
        round(first, 1),
        took,
        prompt_tokens=said.prompt_tokens,
        cached_tokens=said.cached_tokens,
        output_tokens=said.output_tokens,
    )
    answer = replace(answer, timings=timings)
    draft = Draft(said.text, tuple(sentence(said.text[start:end]) for start, end in spans(said.text)))
    if found.ask.stop.is_set():
        yield _stopped(answer, draft, found.ask.strict, quote)
        return
    passages = [one.passage for one in held()]
    near = retriever.sentence_cosines(found.searched, [choice.passage for choice in found.choices])
    invented = any(new_facts(one.text, passages, question) for one in draft.claims)

    def judged(draft: Draft, by: Judging | Entailment) -> Generator[Answer, None, Draft]:
        for now in confirmed(draft, held(), retriever.encoder, by, question, found.ask.stop):
            draft = now
            whole = _whole(answer, draft, quote, "checking")
            yield _unseen(whole) if found.ask.strict else whole
        return draft

    # Words far from the notes' may say what they say: the model is asked before those go.
    early = not (draft.backed or invented)
    if early and confirming is not None:
        draft = yield from judged(draft, confirming)
    kept = draft.backed and not (early and max(one.support for one in draft.claims) < LIKELY)
    if kept and not early and confirming is not None:
        draft = yield from judged(draft, confirming)
    # A sentence of the notes that is said already need not be added, one that answers must not go.
    if kept and (draft.backed or confirming is None or found.ask.stop.is_set()):
        before = found.ask.history[-1].answer if found.ask.joined else ""  # stands in the same answer
        added = left_out(question, f"{before}\n{draft.text}", found.choices, near)
        if not wanting(found.searched, draft.claims, added, retriever.encoder):
            added = []
    else:
        if telling is not None:
            added = answering(found.choices, near, telling)
        elif sure or not (invented or confirming):
            added = left_out(question, "", found.choices, near, LEAST_IF_SURE if sure else LEAST)
        else:
            added = []
        if not added:  # what was stopped before that is known is no refusal
            halted = found.ask.stop.is_set()
            yield _stopped(answer, draft, found.ask.strict, quote) if halted else refused(answer, found)
            return
        draft = Draft("", ())  # only its wording is lost: the notes' own takes its place
    draft = replace(draft, added=tuple(_quoting(one, held()) for one in added))
    if found.ask.strict:
        answer, draft = strict(answer, draft)
        if not draft.sentences:
            yield refused(answer, found)
            return
    now = round((time.perf_counter() - found.started) * 1000, 1)
    answer = replace(answer, timings=replace(answer.timings, checked_ms=now))
    yield _whole(answer, draft, quote)


def _unseen(answer: Answer) -> Answer:
    """An answer whose text is not fit to be shown before all of it was checked."""
    return replace(answer, answer="", sentences=())


def _stopped(answer: Answer, draft: Draft, strictly: bool, quote: Callable[[str, int], str]) -> Answer:
    """An answer as far as it was written, and known, when the student stopped it."""
    answer = replace(answer, stopped=True)
    if strictly:
        answer, draft = strict(answer, draft)
    return _whole(answer, draft, quote)


def _whole(answer: Answer, draft: Draft, quote: Callable[[str, int], str], stage: Stage = "done") -> Answer:
    return replace(
        answer,
        stage=stage,
        answer=draft.marked,
        sentences=draft.sentences,
        citations=_quoted(answer.citations, draft.sentences, quote),
    )


def _quoting(sentence: Sentence, held: list[Evidence]) -> Sentence:
    """A sentence of the notes, with itself as its quote."""
    passage = held[sentence.markers[0] - 1].passage
    quote = Quote(sentence.text, passage.source, passage.page, passage.id, 1.0)
    return replace(sentence, quotes=(quote,))


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
    citations: tuple[Citation, ...], sentences: Sequence[Sentence], quote: Callable[[str, int], str]
) -> tuple[Citation, ...]:
    """Only the citations that the answer names, each with the quote nearest to what it supports."""
    quoted = []
    for citation in citations:
        claims = [one.text for one in sentences if citation.marker in one.markers]
        if claims:
            quoted.append(replace(citation, quote=quote(" ".join(claims), citation.marker)))
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
