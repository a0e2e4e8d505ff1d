"""What `unitutor doctor` looks at: the models, the index, the speed here, and what leaves the machine."""

from __future__ import annotations

import ipaddress
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ingest.errors import UnitutorError
from ingest.types import Progress, silent
from ui import tutor
from ui.terminal import one_line

PROMPT_TOKENS = 420  # read for an ordinary question, its sentences from the notes among them
QUESTION_TOKENS = 75  # the same where those were read ahead
ANSWER_TOKENS = 100
SAMPLE = "A model learns the patterns of its data and makes new data that follow them. " * 20
MEASURED_TOKENS = 16


def examine(
    index: Path,
    notes: Path | None,
    model: str | None,
    encoder: str | None,
    url: str | None,
    progress: Progress = silent,
) -> dict[str, Any]:
    """All findings as plain JSON values; 'missing' lists what an answer needs and is not there.

    The language model is loaded to measure its speed unless that would mean preparing it first.
    """
    outbound = _watch()
    found_encoder = _encoder(encoder)
    found_model = _model(model, url)
    found_index = _index(index, notes, encoder)
    speed = _speed(model, url, progress) if found_model["ready"] and not url else None
    if speed and "error" in speed:
        found_model |= {"ready": False, "found": False, "state": speed.pop("error")}
        speed = None
    parts = {"encoder": found_encoder, "language_model": found_model, "index": found_index}
    return {
        **parts,
        "speed": speed,
        "outbound_connections": sorted(outbound),
        "leaves_this_machine": _leaves(url),
        "missing": [f"{name}: {part['state']}" for name, part in parts.items() if not part["found"]],
    }


def as_text(found: dict[str, Any]) -> str:
    """The findings as lines."""
    speed = found["speed"]
    lines = [
        f"encoder         {found['encoder']['state']}",
        f"language model  {found['language_model']['state']}",
        f"index           {found['index']['state']}",
    ]
    if speed:
        lines += [
            f"speed here      reads {speed['read_tokens_per_s']:.0f} tokens/s, "
            f"writes {speed['write_tokens_per_s']:.1f} tokens/s",
            f"an answer       first word after about {speed['predicted_first_word_s']:.0f} s, "
            f"all of it after about {speed['predicted_answer_s']:.0f} s, passages read with it;",
            f"                {speed['saved_by_reading_ahead_s']:.0f} s sooner where they were read ahead",
        ]
    else:
        lines += ["speed here      not measured"]
    went = ", ".join(found["outbound_connections"]) or "none"
    lines += [f"outbound        connections: {went}"]
    lines += [f"                {line}" for line in found["leaves_this_machine"]]
    return "\n".join(map(one_line_kept, lines)) + "\n"


def one_line_kept(line: str) -> str:
    """A line of the table, its leading columns as they are."""
    return line[:16] + one_line(line[16:])


def _watch() -> set[str]:
    """The addresses beyond loopback that this process connects to from now on."""
    seen: set[str] = set()

    def hook(event: str, values: tuple[Any, ...]) -> None:
        if event == "socket.connect" and isinstance(values[1], tuple):
            host = str(values[1][0])
            try:
                inside = ipaddress.ip_address(host.split("%")[0]).is_loopback
            except ValueError:
                inside = host == "localhost"
            if not inside:
                seen.add(f"{host}:{values[1][1]}")

    sys.addaudithook(hook)
    return seen


def _leaves(url: str | None) -> list[str]:
    told = []
    if url:
        host = urlsplit(url).hostname or url
        if host not in ("localhost", "127.0.0.1", "::1"):
            told.append(f"questions and passages go to {host}, because --url says so")
    if os.environ.get("HF_HUB_OFFLINE") != "1":
        told.append("models may be fetched from Hugging Face, because HF_HUB_OFFLINE is not 1")
    return told


def _encoder(encoder: str | None) -> dict[str, Any]:
    from ingest.embed import load_encoder

    return _tried(lambda: f"{load_encoder(encoder).name}, found")


def _model(model: str | None, url: str | None) -> dict[str, Any]:
    if url:
        look = _tried(lambda: _behind(url, model))
        return {**look, "ready": look["found"]}
    if model is not None:
        return {"found": True, "ready": True, "state": f"{model} (checked when it is loaded)"}
    from rag.engines import prepare

    folder = prepare.prepared_folder()

    def prepared() -> str:
        prepare.check_prepared(folder)
        return f"{prepare.NAME}, prepared in {folder}, from parts whose checksum was right"

    def installed() -> str:
        number = len(prepare.part_files())
        return f"{prepare.NAME}, {number} parts installed, not prepared yet: run unitutor prepare"

    look = _tried(prepared if folder.exists() else installed)
    return {**look, "ready": look["found"] and folder.exists(), "sha256": prepare.SHA256}


def _behind(url: str, model: str | None) -> str:
    """Which model answers at `url`. Raises UnitutorError where none does."""
    from rag.engines.remote import connect

    first = connect(url).model_name  # a server that is not there is told even where a name is given
    return f"{model or first} behind {url}"


def _tried(look: Callable[[], str]) -> dict[str, Any]:
    try:
        return {"found": True, "state": look()}
    except UnitutorError as error:
        return {"found": False, "state": one_line(str(error))}


def _index(index: Path, notes: Path | None, encoder: str | None) -> dict[str, Any]:
    """Whether the index opens with this encoder and holds the notes as they are now."""
    from ingest.fresh import changes
    from ingest.store import peek
    from ingest.walk import recall

    def opened() -> str:
        tutor.open_retriever(index, encoder)
        return str(index)

    look = _tried(opened)
    known = peek(index)
    if not look["found"] or known is None:
        return {**look, "fresh": None}
    state = f"{index}, {known.passages} passages of {len(known.files)} files"
    where = [notes] if notes is not None else [Path(root) for root in recall(index).roots]
    found = changes(index, where) if where else None
    if found is None:
        return {"found": True, "fresh": None, "state": state}
    named = " ".join(map(str, where))
    again = f"stale ({found}): run unitutor ingest {named} --index {index}"
    return {
        "found": True,
        "fresh": not found,
        "state": f"{state}, {again if found else f'up to date with {named}'}",
    }


def _speed(model: str | None, url: str | None, progress: Progress) -> dict[str, Any]:
    """Tokens a second of reading and of writing, and what an ordinary answer takes by them."""
    import threading

    from langchain_core.messages import HumanMessage

    try:
        engine = tutor.open_model(model, url, progress)
        halt = threading.Event()
        progress("Measuring the speed", 0, MEASURED_TOKENS)
        started = time.perf_counter()
        first, written, read = 0.0, 0, 0
        for chunk in engine.stream([HumanMessage(SAMPLE + "Summarise this at length.")], halt=halt):
            if chunk.content:
                first = first or time.perf_counter()
                written += 1
                progress("Measuring the speed", written, MEASURED_TOKENS)
            if written >= MEASURED_TOKENS:
                halt.set()
            usage = getattr(chunk, "usage_metadata", None)
            read = usage["input_tokens"] if usage else read
        ended = time.perf_counter()
    except UnitutorError as error:
        return {"error": one_line(str(error))}
    reading = read / max(first - started, 1e-6) if first else 0.0
    writing = (written - 1) / max(ended - first, 1e-6) if written > 1 else 0.0
    waits = PROMPT_TOKENS / reading if reading else 0.0
    return {
        "read_tokens_per_s": round(reading, 1),
        "write_tokens_per_s": round(writing, 1),
        "predicted_first_word_s": round(waits, 1),
        "saved_by_reading_ahead_s": 0.0 if model else round(waits * (1 - QUESTION_TOKENS / PROMPT_TOKENS), 1),
        "predicted_answer_s": round(waits + ANSWER_TOKENS / writing, 1) if writing else None,
    }
