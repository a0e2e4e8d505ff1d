"""Options that several commands of `unitutor` share, each written once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ui import tutor

Index = Annotated[Path, typer.Option(help="The folder of the index.")]
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
Url = Annotated[
    str | None, typer.Option(envvar="UNITUTOR_URL", help="An OpenAI-compatible server in the model's place.")
]
Sources = Annotated[
    list[str] | None, typer.Option("--source", help="Search only this file of the notes; repeatable.")
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
Sessions = Annotated[Path, typer.Option(help="The folder of the conversations.")]
