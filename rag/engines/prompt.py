"""Messages to token ids, and where in them the excerpts stand whose keys and values may be known.

A message's text is a string or a list of LangChain's text parts; `excerpt` makes a part that says
of which longer text its lines are. What this file does not know: models, passages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langchain_core.messages import BaseMessage

from ingest.errors import BadRequest
from rag.engines.plain import plain

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_ROLES = {"system": "system", "human": "user", "ai": "assistant"}
_SEAM = "\x1e"  # between parts, which are tokenized one by one so that each has the same tokens everywhere


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Lines of a text in a prompt."""

    start: int  # of its first token in the prompt
    lines: tuple[str, ...]  # of the whole text
    ids: tuple[tuple[int, ...], ...]  # of each line, line break included
    shown: tuple[int, ...]  # places of the lines that the prompt has, ascending

    @property
    def count(self) -> int:
        """Tokens in the prompt."""
        return sum(len(self.ids[place]) for place in self.shown)

    @property
    def whole(self) -> list[int]:
        """The tokens of the whole text."""
        return [token for line in self.ids for token in line]

    def rows(self) -> list[int]:
        """Places of the prompt's tokens among those of the whole text."""
        starts = [0]
        for line in self.ids:
            starts.append(starts[-1] + len(line))
        return [row for place in self.shown for row in range(starts[place], starts[place + 1])]

    def places(self) -> dict[int, int]:
        """Where in the prompt each line that is shown begins."""
        found, place = {}, self.start
        for line in self.shown:
            found[line] = place
            place += len(self.ids[line])
        return found


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as the model reads it."""

    ids: list[int]
    excerpts: tuple[Excerpt, ...]

    @property
    def start(self) -> list[int]:
        """The tokens before the first excerpt; all of them where there is none."""
        return self.ids[: self.excerpts[0].start] if self.excerpts else self.ids

    def within(self, room: int) -> Prompt:
        """This one. Raises BadRequest where it has more tokens than `room`."""
        if len(self.ids) > room:
            raise BadRequest(
                f"The prompt has {len(self.ids)} tokens and this model reads at most {room}: "
                "ask a shorter question or start a new conversation."
            )
        return self

    def to_last(self) -> Prompt:
        """This one up to the first token after the last excerpt."""
        last = self.excerpts[-1]
        return Prompt(self.ids[: last.start + last.count + 1], self.excerpts)

    def parted(self) -> tuple[Prompt, list[int], list[int]]:
        """What stands before the last excerpt, the tokens of that, and what comes after it."""
        *others, last = self.excerpts
        end = last.start + last.count
        before = Prompt(self.ids[: last.start], tuple(others))
        return before, self.ids[last.start : end], self.ids[end:]


def excerpt(lines: Sequence[str], shown: Sequence[int]) -> dict[str, Any]:
    """A part of a message's content: the lines at `shown` (ascending) of a text in lines."""
    text = "".join(f"{lines[place]}\n" for place in shown)
    return {"type": "text", "text": text, "lines": tuple(lines), "shown": tuple(shown)}


def tokenized(tokenizer: PreTrainedTokenizerBase, messages: Sequence[BaseMessage]) -> Prompt:
    """The messages in the tokenizer's chat template, up to where the answer begins."""
    turns, excerpts = [], []
    own = tuple(tokenizer.get_added_vocab())
    for message in messages:
        pieces = [message.content] if isinstance(message.content, str) else message.content
        texts = []
        for piece in pieces:
            text = _plain(piece if isinstance(piece, str) else piece["text"], own)
            if isinstance(piece, dict) and "lines" in piece:
                excerpts.append(piece)
                text = f"{_SEAM}{text}{_SEAM}"
            texts.append(text)
        turns.append({"role": _ROLES[message.type], "content": "".join(texts)})
    whole = str(tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))
    ids: list[int] = []
    placed: list[Excerpt] = []
    between, *rest = whole.split(_SEAM)
    ids += _ids(tokenizer, between)
    for piece, between in zip(excerpts, rest[1::2], strict=True):
        lines = tuple(_plain(line, own) for line in piece["lines"])
        of_lines = tuple(tuple(_ids(tokenizer, f"{line}\n")) for line in lines)
        placed.append(Excerpt(len(ids), lines, of_lines, tuple(piece["shown"])))
        ids += [token for place in piece["shown"] for token in of_lines[place]]
        ids += _ids(tokenizer, between)
    return Prompt(ids, tuple(placed))


def _ids(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    return list(tokenizer.encode(text, add_special_tokens=False)) if text else []


def _plain(text: str, own: Sequence[str]) -> str:
    return plain(text.replace(_SEAM, " "), own)
