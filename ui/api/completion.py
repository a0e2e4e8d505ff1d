"""Answers as OpenAI's chat completions, whole or as pieces of a stream.

What theirs have no place for (citations, how far the notes support each sentence, whether it was
refused) is in the field `unitutor`, as `unitutor ask --json` has it.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from rag.types import Answer, to_json
from ui.terminal import settled

CHECKED = "\n\nAfter checking against the notes:\n"  # before a text that is not what was streamed
DONE = "data: [DONE]\n\n"


def own(answer: Answer, ignored: Sequence[str]) -> dict[str, Any]:
    """The field `unitutor`."""
    values = to_json(answer)
    for known in ("question", "stage"):
        del values[known]
    return {**values, "ignored": list(ignored)}


def usage(answer: Answer) -> dict[str, Any]:
    """How many tokens were read and written."""
    took = answer.timings
    return {
        "prompt_tokens": took.prompt_tokens,
        "completion_tokens": took.output_tokens,
        "total_tokens": took.prompt_tokens + took.output_tokens,
        "prompt_tokens_details": {"cached_tokens": took.cached_tokens},
    }


@dataclass
class Written:
    """One completion on its way out: its head, and how much of its text is sent."""

    model: str
    ignored: Sequence[str] = ()
    usage: bool = False  # whether a stream ends with it
    id: str = field(default_factory=lambda: f"chatcmpl-{uuid.uuid4().hex}")
    created: int = field(default_factory=lambda: int(time.time()))
    sent: str = ""

    def whole(self, answer: Answer) -> dict[str, Any]:
        """The answer as one object."""
        message = {"role": "assistant", "content": answer.answer, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _ended(answer)}
        return {
            **self._head("chat.completion"),
            "choices": [choice],
            "usage": usage(answer),
            "unitutor": own(answer, self.ignored),
        }

    def first(self) -> str:
        """What a stream begins with."""
        return self._chunk({"role": "assistant", "content": ""})

    def grown(self, answer: Answer) -> Iterator[str]:
        """What has come since; a sentence's end waits for its markers."""
        text = settled(answer.answer)
        if text.startswith(self.sent) and len(text) > len(self.sent):
            yield self._chunk({"content": text[len(self.sent) :]})
            self.sent = text

    def last(self, answer: Answer) -> Iterator[str]:
        """The rest of the text, or all of it anew where the check has changed it; then what else is known."""
        text = answer.answer
        rest = text[len(self.sent) :] if text.startswith(self.sent) else CHECKED + text
        if rest:
            yield self._chunk({"content": rest})
        yield self._chunk({}, _ended(answer), unitutor=own(answer, self.ignored))
        if self.usage:
            values = {**self._head("chat.completion.chunk"), "choices": [], "usage": usage(answer)}
            yield event(values)
        yield DONE

    def _chunk(self, delta: dict[str, Any], ended: str | None = None, **more: Any) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": ended}
        nothing = {"usage": None} if self.usage else {}
        return event({**self._head("chat.completion.chunk"), "choices": [choice], **nothing, **more})

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.model}


def event(values: dict[str, Any]) -> str:
    """A server-sent event."""
    return f"data: {json.dumps(values, ensure_ascii=False)}\n\n"


def comment(text: str) -> str:
    """What clients leave out, and what keeps a connection from being taken for dead."""
    return f": {text}\n\n"


def _ended(answer: Answer) -> str:
    return "length" if answer.stopped else "stop"
