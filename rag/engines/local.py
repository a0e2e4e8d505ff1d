"""A language model in this process, as a LangChain chat model.

Several answers go on at once, token by token in turn (rag/engines/turns.py, rag/decoding.py), so that Stop
is felt within one; what a prompt shares with one of the last few is not read again (rag/engines/reading.py).

What this file does not know: passages, citations, refusals. It sees messages.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr
from tokenizers.decoders import DecodeStream
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from ingest.errors import BadRequest
from ingest.types import Progress, silent
from rag.decoding import GREEDY, Decoding
from rag.engines import prefix
from rag.engines.grammar import Grammar, Schema, ready, write_within
from rag.engines.memory import enough_memory
from rag.engines.modules import Shelf, borrowed, kept
from rag.engines.prepare import NAME, prepare
from rag.engines.prompt import Prompt, tokenized
from rag.engines.reading import Kept, Known, Reading
from rag.engines.state import Judgement, LastState, judgements, likelihoods
from rag.engines.turns import Turns
from rag.engines.weights import load_int8, load_plain
from rag.engines.writing import Drawn, Written, beam, compared, counted, end_tokens, write


class LocalModel(BaseChatModel):
    """A transformers causal language model behind LangChain's chat interface.

    `stream` and `invoke` take `decoding` (a Decoding, greedy if not given), `halt` (a
    threading.Event that ends the answer within a token), `schema` (a JSON schema that the text is of) and
    `waiting` (told the number in the line while others are answered first, 0 when that is over). Raises
    BadRequest for a prompt longer than the model's context, for streaming with beams and where too many
    wait, ModelUnusable when memory runs out; the model is usable after each.
    """

    name: str = NAME
    max_new_tokens: int = 320
    lookup: bool = True  # guess tokens from the prompt, see rag/engines/lookup.py
    folder: Path | None = None  # where the fixed start of prompts may be kept
    _model: Any = PrivateAttr()  # a PreTrainedModel; their stubs type too little
    _tokenizer: PreTrainedTokenizerBase = PrivateAttr()
    _turns: Turns = PrivateAttr(default_factory=Turns)
    _kept: Kept = PrivateAttr(default_factory=Kept)
    _notes: tuple[Prompt, Reading] | None = PrivateAttr(default=None)  # kept last, to lend lines of
    _behind: list[int] = PrivateAttr(default_factory=list)  # what stood before each module as it was read
    _states: dict[int, LastState] = PrivateAttr(default_factory=dict)  # by layer
    _grammars: Any = PrivateAttr(default=None)  # the tokenizer as grammars want it, once asked for

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, **fields: Any) -> None:
        super().__init__(**fields)
        self._model, self._tokenizer = model, tokenizer

    @property
    def _llm_type(self) -> str:
        return "unitutor-local"

    def count_tokens(self, text: str) -> int:
        """How many tokens `text` is to this model."""
        return len(self._tokenizer.encode(text, add_special_tokens=False))

    def answering(
        self, halt: threading.Event | None, waiting: Callable[[int], None] | None = None
    ) -> AbstractContextManager[bool]:
        """A place among those who are answered, for all that one answer takes; False if halted first.

        `stream`, `invoke` and `compare` take one themselves, or use this one where `halt` is the same.
        """
        return self._turns.place(halt, waiting)

    def warm(self, messages: list[BaseMessage]) -> None:
        """Have the start that prompts share with `messages` at hand, read once and kept beside the model;
        where they show an excerpt, others are read ahead behind that start, whatever prompt they go into."""
        reading, prompt = Reading(self._model, self._turns), self._tokenize(messages)
        with enough_memory():
            prefix.read(reading, prompt.start, self.folder, self._kernel)
        self._kept.keep_always(reading)
        self._behind = prompt.start if prompt.excerpts else []

    def read_ahead(
        self, messages: list[BaseMessage], halt: threading.Event, gently: bool = True, since: float = 0.0
    ) -> bool:
        """Read each excerpt in `messages` (rag/engines/prompt.py) and keep what it comes to on disk.

        Whether all are there now: False where `halt` was set, there is no room, or this model keeps none.
        `gently`: only while nobody is answered; what was last used before `since` (Unix time) may go.
        """
        prompt = self._tokenize(messages)
        shelf, start = self._shelf(prompt), self._behind or prompt.start
        read = partial(self._nearest, start)
        return shelf is not None and shelf.fill(prompt.excerpts, start, read, halt, gently, since)

    def next_logits(
        self, messages: list[BaseMessage], words: tuple[str, ...], halt: threading.Event | None = None
    ) -> list[float]:
        """Logits of `words` (each one's first token) as what comes next after `messages`, which are kept.

        It takes turns with answers and waits for no place. All are 0 where `halt` was set before the end.
        """
        with enough_memory():
            logits = self._read(self._tokenize(messages), halt)[0].logits
        return [float(logits[token]) if len(logits) else 0.0 for token in self._first(words)]

    def _first(self, words: tuple[str, ...]) -> list[int]:
        return [self._tokenizer.encode(word, add_special_tokens=False)[0] for word in words]

    def next_state(
        self,
        messages: list[BaseMessage],
        words: tuple[str, ...],
        layer: int,
        halt: threading.Event | None = None,
        notes: list[BaseMessage] | None = None,
    ) -> tuple[list[float], np.ndarray]:
        """`next_logits`, and the hidden state float32 (width,) after decoder layer `layer` there.

        `notes`: what is answered next, with the same excerpts: read first, and nothing of them twice.
        The state is (0,) where `halt` was set before the end.
        """
        prompt, known = self._tokenize(messages), None
        after = self._tokenize(notes) if notes and self._kernel else None
        with enough_memory():
            if after and after.excerpts:
                read, _ = self._read(after.to_last(), halt)
                known = borrowed(prompt, after, read) if len(read.logits) else []
            last = self._last(layer)
            logits = self._read(prompt, halt, keep=known is None, known=known)[0].logits
        said = [float(logits[token]) if len(logits) else 0.0 for token in self._first(words)]
        return said, last.take() if len(logits) else np.zeros(0, np.float32)

    def judge(
        self,
        several: Sequence[list[BaseMessage]],
        words: tuple[str, ...],
        layers: Sequence[int],
        halt: threading.Event | None = None,
    ) -> list[Judgement]:
        """How likely the last excerpt in each is to this model, and what it would say after the messages.

        Those are claims after the same evidence, which is read once; one of `words` is asked for then.
        Empty where `halt` was set before the end."""
        parted = [self._tokenize(messages).parted() for messages in several]
        evidence, lasts = parted[0][0], [self._last(layer) for layer in layers]
        with enough_memory():
            lent = borrowed(evidence, *self._notes) if self._notes else []
            known = [*lent, *kept(self._shelf(evidence), evidence)]
            reading = self._read(evidence, halt, keep=False, known=known)[0]
            return judgements(reading, [one[1:] for one in parted], self._first(words), lasts, halt)

    def likelihoods(
        self, messages: list[BaseMessage], texts: Sequence[str], halt: threading.Event | None = None
    ) -> list[np.ndarray]:
        """Per text float32 (tokens,): log-probability of each of its tokens as the answer to `messages`;
        empty where `halt` was set before the end. It takes turns as `next_logits` does."""
        ids = [list(self._tokenizer.encode(text, add_special_tokens=False)) for text in texts]
        with enough_memory():
            return likelihoods(self._read(self._tokenize(messages), halt)[0], ids, halt)

    def _last(self, layer: int) -> LastState:
        last = self._states.get(layer) or self._states.setdefault(layer, LastState(self._model, layer))
        last.take()
        return last

    def compare(
        self,
        messages: list[BaseMessage],
        hows: Sequence[Decoding],
        halt: threading.Event | None = None,
        top: int = 12,
        waiting: Callable[[int], None] | None = None,
    ) -> Iterator[Drawn]:
        """Answer once in each of `hows`, a token each in turn; beam searches follow, each at once.

        The prompt is read once; each writes what `stream` or `invoke` writes with it, and ends and raises so.
        """
        prompt = self._tokenize(messages)
        with self.answering(halt, waiting) as mine, enough_memory():
            reading = self._read(prompt, halt)[0] if mine else None
            if reading is None or not len(reading.logits):
                return
            place = (reading, self._tokenizer, self._model, self._turns)
            yield from compared(*place, hows, self._ends, self.max_new_tokens, halt, top)

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **settings: Any,
    ) -> Iterator[ChatGenerationChunk]:
        how: Decoding = settings.get("decoding", GREEDY)
        halt: threading.Event | None = settings.get("halt")
        if how.name == "beam":
            raise BadRequest("Beam search finishes whole sequences and cannot stream: use invoke.")
        prompt = self._tokenize(messages)
        with self.answering(halt, settings.get("waiting")) as mine, enough_memory():
            if not mine:
                yield ChatGenerationChunk(message=AIMessageChunk(content=""))
                return
            reading, held = self._read(prompt, halt)
            pieces = DecodeStream(skip_special_tokens=True)
            written, text, ends = 0, "", self._ends
            for token, _logits in self._tokens(reading, how, settings.get("schema"), halt):
                if token in ends:
                    break
                written += 1
                piece = pieces.step(self._tokenizer.backend_tokenizer, token) or ""
                text += piece
                if piece:
                    if run_manager:
                        run_manager.on_llm_new_token(piece)
                    yield ChatGenerationChunk(message=AIMessageChunk(content=piece))
                if stop and any(end in text for end in stop):
                    break
            usage = counted(len(prompt.ids), held, written)
            yield ChatGenerationChunk(message=AIMessageChunk(content="", usage_metadata=usage))

    def _tokens(
        self, reading: Reading, how: Decoding, schema: Schema | None, halt: threading.Event | None
    ) -> Iterator[Written]:
        if schema is None:
            return write(reading, how, self._ends, self.max_new_tokens, halt, ahead=self.lookup)
        self._grammars = self._grammars or ready(self._tokenizer, self._ends)
        grammar = Grammar(self._grammars, schema)
        return write_within(reading, how, grammar, self.max_new_tokens, halt)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **settings: Any,
    ) -> ChatResult:
        how: Decoding = settings.get("decoding", GREEDY)
        if how.name == "beam":
            return self._beam(messages, how, settings)
        text, usage = "", None
        for chunk in self._stream(messages, stop, run_manager, **settings):
            text += str(chunk.message.content)
            usage = getattr(chunk.message, "usage_metadata", None) or usage
        message = AIMessage(content=text, usage_metadata=usage)
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _beam(self, messages: list[BaseMessage], how: Decoding, settings: dict[str, Any]) -> ChatResult:
        halt: threading.Event | None = settings.get("halt")
        prompt, held, written = self._tokenize(messages), 0, []
        with self.answering(halt, settings.get("waiting")) as mine, enough_memory():
            if mine:
                reading, held = self._read(prompt, halt)
                place = (reading, self._model, self._turns)
                written = beam(*place, how, self._ends, self.max_new_tokens, halt)
        text = str(self._tokenizer.decode(written, skip_special_tokens=True))
        usage = counted(len(prompt.ids), held, len(written))
        message = AIMessage(content=text, usage_metadata=usage)
        return ChatResult(generations=[ChatGeneration(message=message)])

    @property
    def _ends(self) -> set[int]:
        return end_tokens(self._model.generation_config, self._tokenizer.eos_token_id)

    def _tokenize(self, messages: list[BaseMessage]) -> Prompt:
        room = self._model.config.max_position_embeddings - self.max_new_tokens
        return tokenized(self._tokenizer, messages).within(room)

    def _read(
        self,
        prompt: Prompt,
        halt: threading.Event | None,
        keep: bool = True,
        known: Sequence[Known] | None = None,
    ) -> tuple[Reading, int]:
        """The prompt read, and how many of its tokens were known (`known`, or what lies on the shelf); no
        logits where it was halted. `keep`: for what is read next."""
        reading = self._nearest(prompt.ids)
        held = reading.read(prompt.ids, halt, kept(self._shelf(prompt), prompt) if known is None else known)
        if keep:
            self._kept.keep(reading)
            lends = self._kernel and prompt.excerpts and len(reading.logits)
            self._notes = (prompt, reading.fork()) if lends else None
        return reading, held

    def _nearest(self, ids: list[int]) -> Reading:
        return self._kept.nearest(ids) or Reading(self._model, self._turns)

    def _shelf(self, prompt: Prompt) -> Shelf | None:
        if not (self.folder and self._kernel and prompt.excerpts):
            return None
        return Shelf(self.folder, self._behind or prompt.start, self._kernel)

    @property
    def _kernel(self) -> str:
        """How the prepared model computes; empty for any other, of which nothing is kept on disk."""
        return str(getattr(self._model, "kernel", ""))


def load_model(model: str | None = None, progress: Progress = silent) -> LocalModel:
    """The embedded model (None), prepared first if it is not yet, or any Hugging Face id or folder.

    Raises ModelUnusable where it is missing, damaged or too large.
    """
    if model is None:
        folder = prepare(progress)
        return LocalModel(*load_int8(folder, progress), folder=folder)
    return LocalModel(*load_plain(model), name=model)
