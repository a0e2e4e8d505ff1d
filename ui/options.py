"""Options that several commands of `unitutor` share, each written once, and what they must satisfy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ingest.errors import BadRequest
from ingest.where import located
from rag.filters import filters
from ui import tutor

Index = Annotated[
    Path,
    typer.Option(
        help="The folder of the index; or milvus:./NAME.db or milvus:http://HOST:PORT for vectors in Milvus.",
        callback=located,
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        envvar="UNITUTOR_MODEL",
        help="Another language model: a local folder or Hugging Face id, or its name behind --url.",
    ),
]
Encoder = Annotated[
    str | None,
    typer.Option(envvar="UNITUTOR_ENCODER", help="Another text encoder: a local folder or Hugging Face id."),
]
Reranker = Annotated[
    str | None,
    typer.Option(
        envvar="UNITUTOR_RERANKER",
        help="A cross-encoder that ranks the first passages once more: a local folder or Hugging Face id.",
    ),
]
Entails = Annotated[
    str | None,
    typer.Option(
        "--entailment",
        envvar="UNITUTOR_ENTAILMENT",
        help="A cross-encoder that judges whether sentences follow from the notes, in the language model's "
        "place: a local folder or Hugging Face id.",
    ),
]
Url = Annotated[
    str | None, typer.Option(envvar="UNITUTOR_URL", help="An OpenAI-compatible server in the model's place.")
]
Sources = Annotated[
    list[str] | None,
    typer.Option(
        "--source",
        help="Search only this file, folder ('week1/*') or these pages ('slides.pdf:3-10'); repeatable.",
    ),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict", help="Show only what the notes support: the rest is put in their words or left out."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
BatchIn = Annotated[
    Path | None, typer.Option("--batch", exists=True, dir_okay=False, help="JSON lines {id, question}.")
]
BatchOut = Annotated[Path | None, typer.Option("--out", dir_okay=False, help="Where --batch writes.")]
Name = Literal["greedy", "random", "top-k", "top-p", "min-p", "beam"]  # rag.decoding.NAMES, without torch
Notes = Annotated[
    Path | None, typer.Option(help=f"The notes the index should hold [default: {tutor.NOTES}].")
]
Refreshed = Annotated[
    Path | None, typer.Option("--notes", help="Bring the index up to date with these notes first.")
]
Sessions = Annotated[Path, typer.Option(help="The folder of the conversations.")]
OpenToAll = Annotated[
    bool,
    typer.Option(
        "--open-to-all",
        help="Listen beyond this machine without accounts: all who reach it share everything.",
    ),
]


def one_of(question: str | None, batch: Path | None, out: Path | None) -> None:
    """Raise BadParameter unless there is a question or a batch with its output."""
    if (question is None) == (batch is None):
        raise typer.BadParameter("give either a question or --batch FILE.")
    if (batch is None) != (out is None):
        raise typer.BadParameter("--batch and --out go together.")


def own_notes(index: Path) -> Path | None:
    """data/notes where the index is data/index: another index must not be filled with these."""
    return tutor.NOTES if index == tutor.INDEX and tutor.NOTES.is_dir() else None


def known(chosen: list[str] | None, sources: tuple[str, ...]) -> tuple[str, ...]:
    """What was chosen to search in. Raises BadParameter where it is none of `sources`, the index's files."""
    try:
        filters(chosen or (), sources)
    except BadRequest as error:
        shown = ", ".join(sources[:20]) + (", …" if len(sources) > 20 else "")
        raise typer.BadParameter(f"{error} The index has: {shown}") from None
    return tuple(chosen or ())
