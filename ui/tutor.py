"""The one place where the parts are put together: notes' index, encoder, language model, chain.

Plain functions. Everything heavy is imported inside them, so that a command which needs no
language model does not pay for one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.types import Progress, silent

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.runnables import Runnable

    from ingest.build import Report
    from rag.decoding import Decoding
    from rag.entail import Entailment
    from rag.journal import Journal
    from rag.retrieve import Retriever
    from rag.types import Answer, Ask, Turn

INDEX = Path("data/index")
NOTES = Path("data/notes")
SESSIONS = Path("data/sessions")
SESSIONS_FILE = "conversations.db"  # in that folder
DATABASE = "UNITUTOR_DATABASE"  # names the database of conversations where it is not that file: its URL
STARTING = 5000  # passages that questions to begin with are taken from: a library is not read for them


@dataclass(frozen=True)
class Tutor:
    """All that a door needs to answer questions on one index."""

    chain: Runnable[Ask, Answer]
    retriever: Retriever
    sources: tuple[str, ...]  # files one can choose to search in, sorted
    starters: tuple[str, ...]  # questions to begin with
    model: BaseChatModel | None = None  # what the chain asks; the lab compares strategies on it
    folder: Path | None = None  # of the index
    notes: tuple[Path, ...] = ()  # what the index was made from, () for what it remembers of that
    notice: str = ""  # what a student should know of the index now, in a line
    journal: Journal | None = None  # where what is asked is logged
    entailment: Entailment | None = None  # what judges sentences in the model's place


def database_of(sessions: Path) -> str | Path:
    """Where the conversations, accounts and keys are: in the folder, or at the URL in the environment.

    It has a password in it, so it is no option: those stand in the list of processes.
    """
    return os.environ.get(DATABASE) or sessions / SESSIONS_FILE


def build_index(
    paths: list[Path], index: Path, encoder: str | None, progress: Progress = silent, force: bool = False
) -> Report:
    """Bring the index in line with the notes under `paths`; quick where nothing has changed."""
    from ingest.build import build
    from ingest.embed import load_encoder

    return build(paths, index, load_encoder(encoder), progress, force=force)


def open_retriever(index: Path, encoder: str | None, reranker: str | None = None) -> Retriever:
    """Search alone: no language model is loaded, and none of its libraries."""
    from ingest.embed import load_encoder
    from ingest.store import open_index
    from rag.retrieve import Retriever

    loaded = load_encoder(encoder)
    opened = open_index(index, loaded)
    if reranker is None:
        return Retriever(opened, loaded)
    from rag.rerank import load_reranker

    return Retriever(opened, loaded, load_reranker(reranker))


def open_model(model: str | None, url: str | None, progress: Progress = silent) -> BaseChatModel:
    """The language model: the embedded one, another by id or folder, or one behind a URL."""
    if url:
        from rag.engines.remote import connect

        return connect(url, model)
    from rag.engines.local import load_model

    return load_model(model, progress)


def open_entailment(model: str) -> Entailment:
    """The cross-encoder that judges sentences in the language model's place."""
    from rag.entail import load_entailment

    return load_entailment(model)


def open_tutor(
    index: Path,
    model: str | None,
    encoder: str | None,
    url: str | None,
    progress: Progress = silent,
    reranker: str | None = None,
    log: Path | None = None,
    entailment: str | None = None,
) -> Tutor:
    """Open everything. Raises UnitutorError where a part is missing or does not fit the others.

    The index comes first: its absence is told at once and not after a model was loaded. `log` is
    the folder whose journal hears of every answer.
    """
    from rag.chain import answer_chain
    from rag.journal import Journal, logged
    from rag.prompts import opening
    from rag.starters import starters

    retriever = open_retriever(index, encoder, reranker)
    judge = open_entailment(entailment) if entailment else None
    opened = open_model(model, url, progress)
    if warm := getattr(opened, "warm", None):  # ours: what every prompt begins with is read once for all
        warm(opening())
    journal = Journal(log) if log else None
    return Tutor(
        chain=logged(answer_chain(retriever, opened, entailment=judge), journal),
        retriever=retriever,
        sources=retriever.sources,
        starters=starters(retriever.index.passages[:STARTING]),
        model=opened,
        folder=index,
        journal=journal,
        entailment=judge,
    )


def check_question(question: str) -> None:
    """Raise BadRequest for a question that the chain would refuse, before a model is loaded for it."""
    from rag.chain import checked_question

    checked_question(question)


def converse(
    tutor: Tutor, turns: tuple[str, ...], how: Decoding, sources: tuple[str, ...] = (), strict: bool = False
) -> Answer:
    """The answer to the last of `turns`, each asked with the answers before it as its history."""
    from rag.sessions import history
    from rag.types import Ask

    answers: list[Answer] = []
    for turn in turns:
        answers.append(tutor.chain.invoke(Ask(turn, history(answers), how, sources, strict)))
    return answers[-1]


def conversation(folder: Path, name: str) -> tuple[tuple[Turn, ...], Callable[[Answer], None]]:
    """A conversation's history, and what keeps its next answer.

    `name` is its id or its title; where there is none of that name, it is made with its first answer.
    """
    from rag.sessions import Sessions, history
    from rag.transcript import clean_title

    kept = Sessions(database_of(folder))
    title = clean_title(name)
    found = kept.get(name) or next((c for c in kept.list() if c.title == title), None)

    def keep(answer: Answer) -> None:
        kept.add(found.id if found else kept.create(name), answer)

    return history(kept.turns(found.id)) if found else (), keep
