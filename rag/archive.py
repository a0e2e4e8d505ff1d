"""Conversations as one JSON file that another Unitutor reads again, with nothing lost.

What is read is a stranger's: it is compared with what a conversation is, field by field, before
anything is kept, and gets new ids and the owner who reads it in. What is not here: Markdown
(rag/transcript.py), HTML (ui/web/conversation_page.py), and who may have which (rag/sessions.py).
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from pydantic import TypeAdapter, ValidationError

from ingest.errors import BadRequest
from rag.database import GONE, encodable, restored, stored
from rag.database import conversations as _conversation
from rag.database import feedback as _feedback
from rag.database import turns as _turn
from rag.feedback import LONGEST as LONGEST_COMMENT
from rag.feedback import REASONS, Feedback, Verdict
from rag.sessions import Sessions, State
from rag.transcript import clean_title
from rag.types import Answer
from rag.wordsearch import folded, said

FORMAT: Literal["unitutor-conversations"] = "unitutor-conversations"
VERSION: Literal[1] = 1
MOST_BYTES = 64 * 2**20
MOST = 10_000  # conversations in a file
LONGEST_TALK = 10_000  # turns of one
LATEST = 32503680000.0  # seconds since 1970: the year 3000


@dataclass(frozen=True, slots=True)
class ArchivedTurn:
    """A turn. The answer of an unreadable one is missing."""

    question: str
    state: State
    created: float  # seconds since 1970
    answer: Answer | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class ArchivedTalk:
    """A conversation."""

    title: str
    created: float
    updated: float
    pinned: bool
    turns: tuple[ArchivedTurn, ...]


@dataclass(frozen=True, slots=True)
class Archive:
    """The file. Its first two fields are looked at before the rest."""

    format: Literal["unitutor-conversations"]
    version: Literal[1]
    conversations: tuple[ArchivedTalk, ...]


_READER: TypeAdapter[Archive] = TypeAdapter(Archive)


def archived(sessions: Sessions, ids: Iterable[str] | None = None, deleted: bool = False) -> dict[str, Any]:
    """The owner's conversations of these ids, or all on the list, as plain JSON values, in that order.

    With `deleted`, those that were taken off the list less than a day ago. Raises BadRequest where one
    is not there.
    """
    table = _conversation.c
    query = sa.select(table.id, table.title, table.created, table.updated, table.pinned)
    query = query.where(table.owner == sessions.owner, table.deleted.is_not(None) == deleted)
    with sessions.database.read() as db:
        talks = {row.id: row for row in db.execute(query.order_by(table.pinned.desc(), table.updated.desc()))}
    feedback = Feedback(sessions.database, sessions.owner)
    found = []
    for id in talks if ids is None else ids:
        if id not in talks:
            raise BadRequest(GONE)
        verdicts = feedback.get(id)
        turns = tuple(
            ArchivedTurn(
                record.answer.question,
                record.state,
                record.created,
                None if record.state == "unreadable" else record.answer,
                verdicts.get(place),
            )
            for place, record in enumerate(sessions.records(id))
        )
        found.append(ArchivedTalk(*talks[id][1:], turns))
    return asdict(Archive(FORMAT, VERSION, tuple(found)))


def archive_json(sessions: Sessions, ids: Iterable[str] | None = None) -> str:
    """What `archived` gives, as the text of a file."""
    return json.dumps(archived(sessions, ids), ensure_ascii=False, indent=1) + "\n"


def read_in(sessions: Sessions, content: bytes) -> tuple[str, ...]:
    """Keep the conversations of a file as the owner's, and return their new ids, in the file's order.

    All of them or none. Raises BadRequest, in one line, for what is not such a file.
    """
    talks = parsed(content).conversations
    made = tuple(uuid.uuid4().hex for _ in talks)
    with sessions.database.write() as db:
        for id, talk in zip(made, talks, strict=True):
            _keep(db, sessions, id, talk)
    return made


def content_of(file: Path) -> bytes:
    """What is in a file, at most as much as can be imported and a little more. Raises BadRequest."""
    try:
        with file.open("rb") as opened:
            return opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise BadRequest(f"Cannot read {file}: {error.strerror}.") from error


def parsed(content: bytes) -> Archive:
    """The file's content, checked. Raises BadRequest."""
    if len(content) > MOST_BYTES:
        raise BadRequest(
            f"A file of conversations may have {MOST_BYTES // 2**20} MB: export fewer of them at a time."
        )
    try:
        values = json.loads(content.removeprefix(b"\xef\xbb\xbf"), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise BadRequest("This is no file of conversations: it is not JSON in UTF-8.") from error
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise BadRequest("This is no file of conversations: only what was exported as JSON can be imported.")
    version = values.get("version")
    if type(version) is int and version > VERSION:
        raise BadRequest(f"This file was written by a newer Unitutor (format {version}): update Unitutor.")
    try:
        found = _READER.validate_json(json.dumps(values), strict=True)
    except (ValidationError, ValueError) as error:
        raise BadRequest(f"This file of conversations is damaged: {_first(error)}.") from error
    _within(found)
    return found


def _within(found: Archive) -> None:
    if len(found.conversations) > MOST:
        raise BadRequest(f"A file may hold {MOST:,} conversations, not {len(found.conversations):,}.")
    for number, talk in enumerate(found.conversations, 1):
        named = f"This file of conversations is damaged: conversation {number}"
        if len(talk.turns) > LONGEST_TALK:
            raise BadRequest(f"A conversation may have {LONGEST_TALK:,} turns, not {len(talk.turns):,}.")
        times = [talk.created, talk.updated, *(turn.created for turn in talk.turns)]
        times += [turn.verdict.when for turn in talk.turns if turn.verdict]
        if not all(0 <= one <= LATEST for one in times):
            raise BadRequest(f"{named} has a time that cannot be.")
        for turn in talk.turns:
            if (turn.answer is None) != (turn.state == "unreadable"):
                raise BadRequest(f"{named} has an answer without a text, or a text too many.")
            if turn.verdict and (
                turn.verdict.reason not in ("", *REASONS) or len(turn.verdict.comment) > LONGEST_COMMENT
            ):
                raise BadRequest(f"{named} has a verdict that cannot be.")


def _keep(db: sa.Connection, sessions: Sessions, id: str, talk: ArchivedTalk) -> None:
    title = encodable(clean_title(talk.title))
    db.execute(
        _conversation.insert().values(
            id=id,
            title=title,
            folded=folded(title),
            created=talk.created,
            updated=min(talk.updated, time.time()),
            pinned=talk.pinned,
            owner=sessions.owner,
        )
    )
    for place, turn in enumerate(talk.turns):
        answer = replace(turn.answer, question=turn.question) if turn.answer else None
        text = stored(answer) if answer else ""
        if answer and restored(text, turn.question) is None:
            raise BadRequest("This file of conversations is damaged: an answer in it cannot be read.")
        question = encodable(turn.question)
        key = db.execute(
            _turn.insert().values(
                **sessions.number(db),
                conversation=id,
                place=place,
                question=question,
                answer=text,
                finished=turn.state != "unfinished",
                created=turn.created,
                folded=said(turn.question, answer.answer if answer else ""),
            )
        ).inserted_primary_key
        if turn.verdict:
            assert key is not None
            db.execute(
                _feedback.insert().values(
                    conversation=id,
                    turn=key[0],
                    verdict=turn.verdict.verdict,
                    reason=turn.verdict.reason,
                    comment=encodable(turn.verdict.comment),
                    question=question,
                    answer=text,
                    created=turn.verdict.when,
                )
            )


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _first(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return "it cannot be read"
    one = error.errors(include_url=False, include_input=False, include_context=False)[0]
    at = ".".join(str(part + 1 if isinstance(part, int) else part) for part in one["loc"][:8])
    return f"{at[:120]}: {one['msg']}".rstrip(".")
