"""The routes that answer questions: /v1/chat/completions and /v1/models, as OpenAI has them."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from ingest.errors import UnitutorError
from rag.types import Answer, Ask
from ui.api import messages
from ui.api.completion import Written, comment, event
from ui.api.door import Door, MayChat, noter, owner
from ui.api.errors import Refused, error, refusal
from ui.api.messages import MODELS, Completion
from ui.api.work import Left, Task, follow, last

Noter = Callable[..., None]
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}  # a proxy must not hold back a stream
QUIET = 10.0  # seconds without a word after which a stream sends a comment


def routes(door: Door) -> APIRouter:
    """The routes."""
    router = APIRouter()
    since = int(time.time())

    @router.get("/v1/models", tags=["chat"])
    def models(_: MayChat) -> dict[str, Any]:
        """The models there are: the tutor, and the tutor that shows only what the notes support."""
        return {"object": "list", "data": [_model(name, since) for name in MODELS]}

    @router.get("/v1/models/{model}", tags=["chat"])
    def model(model: str, _: MayChat) -> dict[str, Any]:
        """One of them."""
        if model not in MODELS:
            raise Refused(404, "There is no such model here.", "model", "model_not_found")
        return _model(model, since)

    @router.post("/v1/chat/completions", tags=["chat"])
    async def completions(sent: Completion, request: Request, key: MayChat) -> Response:
        """Answer a question from the notes.

        `unitutor` in the answer has the citations, how far the notes support each sentence, and whether
        it was refused. The answer is not kept as a conversation.
        """
        note = noter(request)
        tutor = door.tutor
        asked = messages.ask(sent, tutor.sources, threading.Event())
        asked = replace(asked, private=True)  # the log of questions names no keys to forget it by
        if door.texts:
            note(question=asked.question)
        task = Task(
            owner(key), lambda _: _limited(tutor.chain.stream(asked), asked, door, sent.most), asked.stop
        )
        written = Written(sent.model, messages.ignored(sent), _wants_usage(sent))
        if not sent.stream:
            answer = await last(task, door.queue, request, door.bounds.answering)
            _count(door, note, answer)
            return JSONResponse(written.whole(answer), headers=HEADERS)
        door.queue.enter(task)  # a full line is told before the stream has begun
        stream = _stream(door, task, written, request, note)
        return StreamingResponse(stream, media_type="text/event-stream", headers=HEADERS)

    return router


async def _stream(
    door: Door, task: Task[Answer], written: Written, request: Request, note: Noter
) -> AsyncIterator[str]:
    spoke, answer = time.monotonic(), None
    try:
        yield written.first()
        async for news in follow(task, door.queue, request, door.bounds.answering):
            pieces: list[str] = []
            if isinstance(news, Answer):
                answer = news
                pieces = list(written.grown(news)) if news.stage in ("writing", "checking") else []
            else:
                pieces = [comment(f"number {news} in the line")]
            if not pieces and time.monotonic() - spoke > QUIET:
                pieces = [comment("still at it")]
            for piece in pieces:
                spoke = time.monotonic()
                yield piece
        if answer is None:
            raise Refused(503, "Nothing came of it: try again.")
        for piece in written.last(answer):
            yield piece
    except Left:
        return
    except UnitutorError as problem:
        said = refusal(problem)
        yield event(error(said.status_code, str(said.detail), code=said.code))
    except Refused as problem:
        yield event(error(problem.status_code, str(problem.detail), code=problem.code))
    finally:
        task.stop()
        if answer is not None:
            _count(door, note, answer)


def _limited(answers: Iterator[Answer], asked: Ask, door: Door, most: int | None) -> Iterator[Answer]:
    """The answers, stopped once `most` tokens are written."""
    count = getattr(door.tutor.model, "count_tokens", None) or (lambda text: len(text) // 4 + 1)
    began, spoken = time.monotonic(), False
    for answer in answers:
        if answer.answer and not spoken:
            spoken = True
            door.metrics.first.observe(time.monotonic() - began)
        if most is not None and answer.stage == "writing" and count(answer.answer) >= most:
            asked.stop.set()
        yield answer


def _count(door: Door, note: Noter, answer: Answer) -> None:
    took = answer.timings
    note(prompt_tokens=took.prompt_tokens, output_tokens=took.output_tokens)
    if door.texts:
        note(answer=answer.answer)
    door.metrics.answered(answer)


def _wants_usage(sent: Completion) -> bool:
    return sent.stream_options is not None and sent.stream_options.include_usage


def _model(name: str, since: int) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": since, "owned_by": "unitutor"}
