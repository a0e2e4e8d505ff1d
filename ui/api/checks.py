"""The routes beside the chat: /v1/search, /v1/ground, /v1/quiz. Each gives what its command gives as JSON."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from ingest.errors import BadRequest, ModelUnusable
from rag.chain import LONGEST_QUESTION, checked_question
from rag.grounding import check_text
from rag.items.types import Kind, Quiz
from rag.quiz import Wanted, checked, make_quiz
from ui import report
from ui.api.door import Door, MayGround, MayQuiz, MaySearch, noter, owner
from ui.api.messages import SOURCES
from ui.api.work import Task, last
from ui.checking import Checked, judge_of
from ui.quizzing import exports
from ui.terminal import hit_json
from ui.texts import LONGEST, PASSAGES, checked_length

QUESTIONS = 20  # of one quiz: more would hold up others
Format = Literal[
    "json", "md", "text", "gift", "moodle-xml", "qti", "qti-1.2", "anki", "csv", "html", "html-answers"
]


class Search(BaseModel):
    """What to look for."""

    query: str = Field(max_length=LONGEST_QUESTION)
    n: int = Field(default=5, ge=1, le=100, description="How many passages.")
    sources: list[str] = Field(default=[], max_length=SOURCES)


class Ground(BaseModel):
    """What to check."""

    text: str = Field(max_length=LONGEST)
    passages: list[str] | None = Field(default=None, max_length=1000, description="In place of the notes.")
    question: str = Field(default="", max_length=LONGEST_QUESTION)
    fast: bool = Field(default=False, description="By wording and nearness alone, without the model.")


class QuizWanted(BaseModel):
    """What to ask."""

    count: int = Field(default=5, ge=1, le=QUESTIONS)
    topic: str = Field(default="", max_length=1000)
    sources: list[str] = Field(default=[], max_length=SOURCES)
    kinds: list[Kind] = Field(default=["multiple-choice"], min_length=1, max_length=4)
    seed: int = Field(default=0, ge=0, lt=2**63)
    format: Format = Field(default="json", description="Any but json is sent as a file.")
    title: str = Field(default="Quiz", max_length=200)


def routes(door: Door) -> APIRouter:
    """The routes."""
    router = APIRouter()

    @router.post("/v1/search", tags=["search"])
    async def search(sent: Search, request: Request, _: MaySearch) -> dict[str, Any]:
        """Passages of the notes, best first, without a language model."""
        question = checked_question(sent.query)
        if door.texts:
            noter(request)(question=question)
        find = door.tutor.retriever.search
        hits = await run_in_threadpool(find, question, sent.n, tuple(sent.sources))
        return {"object": "list", "data": [hit_json(hit) for hit in hits]}

    @router.post("/v1/ground", tags=["ground"])
    async def ground(sent: Ground, request: Request, key: MayGround) -> dict[str, Any]:
        """Each sentence of a text with its support, label, quote, source and page."""
        text = checked_length(sent.text)
        if sum(map(len, sent.passages or ())) > PASSAGES:
            raise BadRequest(f"The passages have more than {PASSAGES:,} characters: send fewer.")
        if door.texts:
            noter(request)(text=text)
        task = Task(owner(key), lambda halt: _grounded(door, sent, text, halt))
        found = await last(task, door.queue, request, door.bounds.answering)
        return {"object": "grounding", **report.to_json(found)}

    @router.post("/v1/quiz", tags=["quiz"], response_model=None)
    async def quiz(sent: QuizWanted, request: Request, key: MayQuiz) -> dict[str, Any] | Response:
        """Questions from the notes that have passed the gate, with their answers and the pages."""
        wanted = Wanted(sent.count, tuple(sent.kinds), sent.topic, tuple(sent.sources), sent.seed)
        checked(wanted)
        if door.texts:
            noter(request)(topic=sent.topic)
        model = door.tutor.model
        if model is None:
            raise ModelUnusable("There is no language model here that could write questions.")
        index = door.tutor.retriever
        task = Task(owner(key), lambda halt: make_quiz(index, model, wanted, halt))
        made = await last(task, door.queue, request, door.bounds.answering)
        form = exports()[sent.format]
        content = await run_in_threadpool(form.make, made.items, sent.title)
        if sent.format == "json":
            return {"object": "quiz", **_told(made), **json.loads(content)}
        name = f'attachment; filename="quiz{form.suffix}"'
        return Response(content, media_type=form.media_type, headers={"Content-Disposition": name})

    return router


def _grounded(door: Door, sent: Ground, text: str, halt: threading.Event) -> Iterator[Checked]:
    judge = None if sent.fast else judge_of(door.tutor)
    passages = None if sent.passages is None else tuple(sent.passages)
    found = Checked("text", text, question=sent.question)
    for sentence in check_text(text, door.tutor.retriever, judge, passages, sent.question, halt):
        found = replace(found, sentences=(*found.sentences, sentence))
        yield found
    yield replace(found, whole=not halt.is_set())


def _told(made: Quiz) -> dict[str, Any]:
    return {
        "asked": made.asked,
        "written": made.written,
        "passed": len(made.items),
        "rejected": made.rejected,
        "stopped": made.stopped,
    }
