"""A request for a chat completion, as OpenAI's clients send it, and the Ask that it becomes.

The last user's message is the question, earlier ones with their answers are its history. System and
developer messages are read by nobody: what the tutor answers from are the notes, and no client can
change its rules. A parameter that would change what comes back and cannot be had is refused; one that
would not is left out, and the answer says so.
"""

from __future__ import annotations

import threading
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from rag.chain import checked_question
from rag.decoding import GREEDY, Decoding
from rag.filters import filters
from rag.types import Ask, Turn
from ui.api.errors import Refused

MODELS = ("unitutor", "unitutor-strict")  # the second shows nothing that the notes do not support
MESSAGES = 400  # of one request
HISTORY = 20  # turns before the question that are read
SOURCES = 100
Role = Literal["system", "developer", "user", "assistant"]
# What would change the form of the answer, and what it may say without doing so.
CANNOT: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "tools": ([],),
    "functions": ([],),
    "tool_choice": ("none", "auto"),
    "function_call": ("none", "auto"),
    "response_format": ({"type": "text"},),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "stop": ([], ""),
    "modalities": (["text"],),
    "audio": (),
    "prediction": (),
    "web_search_options": (),
}


class Part(BaseModel):
    """A part of a message."""

    type: str = Field(max_length=40)
    text: str | None = None


class Sent(BaseModel):
    """A message."""

    role: Role
    content: str | list[Part] | None = None


class StreamOptions(BaseModel):
    """What is sent with a stream."""

    include_usage: bool = False


class Own(BaseModel):
    """What this API has beyond OpenAI's."""

    sources: list[str] = Field(default=[], max_length=SOURCES, description="Search only these files.")
    strict: bool = Field(default=False, description="Show only what the notes support.")


class Completion(BaseModel):
    """A request."""

    model_config = ConfigDict(extra="allow")

    model: str = Field(default=MODELS[0], max_length=200)
    messages: list[Sent] = Field(min_length=1, max_length=MESSAGES)
    stream: bool = False
    stream_options: StreamOptions | None = None
    temperature: float | None = Field(default=None, ge=0, le=2, allow_inf_nan=False)
    top_p: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)
    seed: int | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    unitutor: Own | None = None

    @property
    def most(self) -> int | None:
        """The most tokens of an answer."""
        return self.max_completion_tokens or self.max_tokens


def ask(sent: Completion, sources: tuple[str, ...], stop: threading.Event) -> Ask:
    """What is asked of the chain. Raises Refused for what cannot be had, BadRequest for a bad question."""
    if sent.model not in MODELS:
        raise Refused(404, f"There is no model '{sent.model[:60]}' here.", "model", "model_not_found")
    for name, value in (sent.model_extra or {}).items():
        if name in CANNOT and value is not None and value not in CANNOT[name]:
            raise Refused(400, f"'{name}' cannot be had here: leave it out.", name, "unsupported_parameter")
    turns, question = _turns(sent.messages)
    own = sent.unitutor or Own()
    filters(own.sources, sources)
    strict = own.strict or sent.model == MODELS[1]
    return Ask(checked_question(question), turns, decoding(sent), tuple(own.sources), strict, stop=stop)


def decoding(sent: Completion) -> Decoding:
    """How the next token is chosen; where nothing is said, greedily."""
    seed = (sent.seed or 0) % 2**63
    if (sent.temperature is None and sent.top_p is None) or sent.temperature == 0 or sent.top_p == 0:
        return GREEDY
    heat = 1.0 if sent.temperature is None else sent.temperature
    if sent.top_p is None or sent.top_p == 1:
        return Decoding("random", heat, seed=seed)
    return Decoding("top-p", heat, p=sent.top_p, seed=seed)


def ignored(sent: Completion) -> list[str]:
    """What was sent and is not read."""
    names = [name for name in sent.model_extra or {} if name not in CANNOT]
    roles = {"system", "developer"} & {one.role for one in sent.messages}
    return sorted(f"{role} messages" for role in roles) + sorted(name[:60] for name in names)[:40]


def _turns(messages: list[Sent]) -> tuple[tuple[Turn, ...], str]:
    """The turns before the question, and it. Questions without an answer go with the next one."""
    turns: list[Turn] = []
    asked: list[str] = []
    for place, one in enumerate(messages):
        text = _text(one, place)
        if one.role == "user":
            asked.append(text)
        elif one.role == "assistant" and text.strip():
            turns.append(Turn("\n".join(asked), text))
            asked = []
    if not asked:
        raise Refused(400, "The last message must be the user's.", "messages")
    return tuple(turns[-HISTORY:]), "\n".join(asked)


def _text(sent: Sent, place: int) -> str:
    if sent.content is None or isinstance(sent.content, str):
        return sent.content or ""
    for part in sent.content:
        if part.type not in ("text", "input_text", "output_text", "refusal"):
            raise Refused(
                400,
                "A message may hold text and nothing else.",
                f"messages.{place}.content",
                "unsupported_content",
            )
    return "\n".join(part.text or "" for part in sent.content)
