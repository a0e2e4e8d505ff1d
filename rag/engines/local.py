"""A language model in this process, as a LangChain chat model.

One answer is written at a time. Keys and values of the last prompt are kept, and whatever start the
next prompt shares with it (the system line, the same passages, the same question) is not read
again. Decoding goes through rag/decoding.py, token by token, so that Stop is felt within one token.

What this file does not know: passages, citations, refusals. It sees messages.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import InputTokenDetails, UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr
from tokenizers.decoders import DecodeStream
from transformers import DynamicCache, PreTrainedModel, PreTrainedTokenizerBase
from transformers.generation import StoppingCriteria

from ingest.errors import BadRequest, ModelUnusable
from ingest.types import Progress, silent
from rag.decoding import GREEDY, Decoding, choose
from rag.engines.prepare import NAME, prepare
from rag.engines.weights import load_int8, load_plain

READ_AT_ONCE = 128  # prompt tokens between two looks at the stop event
_ROLES = {"system": "system", "human": "user", "ai": "assistant"}


class Prompt(NamedTuple):
    """A tokenized prompt and how much of it was read before."""

    ids: list[int]
    cached: int


class LocalModel(BaseChatModel):
    """A transformers causal language model behind LangChain's chat interface.

    `stream` and `invoke` take `decoding` (a Decoding, greedy if not given) and `halt` (a
    threading.Event that ends the answer within a token). Raises BadRequest for a prompt longer
    than the model's context and for streaming with beams, ModelUnusable when memory runs out; the
    model is usable again after either.
    """

    name: str = NAME
    max_new_tokens: int = 320
    _model: Any = PrivateAttr()  # a PreTrainedModel; their stubs type too little
    _tokenizer: PreTrainedTokenizerBase = PrivateAttr()
    _lock: threading.Lock = PrivateAttr(default_factory=threading.Lock)
    _read: list[int] = PrivateAttr(default_factory=list)  # tokens whose keys and values are in _cache
    _cache: DynamicCache = PrivateAttr(default_factory=DynamicCache)

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, **fields: Any) -> None:
        super().__init__(**fields)
        self._model, self._tokenizer = model, tokenizer

    @property
    def _llm_type(self) -> str:
        return "unitutor-local"

    def count_tokens(self, text: str) -> int:
        """How many tokens `text` is to this model."""
        return len(self._tokenizer.encode(text, add_special_tokens=False))

    def next_logits(
        self, messages: list[BaseMessage], words: tuple[str, ...], halt: threading.Event | None = None
    ) -> list[float]:
        """Logits of `words` (each one's first token) as what comes next after `messages`.

        One prompt is read and nothing is written; a following answer that starts with the same
        messages reuses what was read. All are 0 where `halt` was set before the end.
        """
        first = [self._tokenizer.encode(word, add_special_tokens=False)[0] for word in words]
        with self._alone(halt) as mine, _memory():
            logits = self._read_prompt(self._tokenize(messages), halt)[1] if mine else torch.empty(0)
        return [float(logits[token]) if len(logits) else 0.0 for token in first]

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
        with self._alone(halt) as mine, _memory():
            if not mine:
                yield ChatGenerationChunk(message=AIMessageChunk(content=""))
                return
            prompt, logits = self._read_prompt(self._tokenize(messages), halt)
            pieces = DecodeStream(skip_special_tokens=True)
            draw = torch.Generator().manual_seed(how.seed)
            written, text = 0, ""
            while not (halt and halt.is_set()) and written < self.max_new_tokens:
                token = choose(logits, how, draw)
                if token in self._ends:
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
                logits = self._step([token])
            usage = _usage(prompt, written)
            yield ChatGenerationChunk(message=AIMessageChunk(content="", usage_metadata=usage))

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **settings: Any,
    ) -> ChatResult:
        how: Decoding = settings.get("decoding", GREEDY)
        if how.name == "beam":
            return self._beam(messages, how, settings.get("halt"))
        text, usage = "", None
        for chunk in self._stream(messages, stop, run_manager, **settings):
            text += str(chunk.message.content)
            usage = getattr(chunk.message, "usage_metadata", None) or usage
        message = AIMessage(content=text, usage_metadata=usage)
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _beam(self, messages: list[BaseMessage], how: Decoding, halt: threading.Event | None) -> ChatResult:
        """transformers' own beam search; the sequence with the best mean log-probability wins."""
        prompt = self._tokenize(messages)
        ids = torch.tensor([prompt], device=self._model.device)
        with self._alone(halt), _memory(), torch.inference_mode():
            output = self._model.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                num_beams=how.beams,
                do_sample=False,
                max_new_tokens=self.max_new_tokens,
                eos_token_id=sorted(self._ends),
                pad_token_id=min(self._ends),
                stopping_criteria=[_Halted(halt)] if halt else None,
            )[0, len(prompt) :].tolist()
        written = [token for token in output if token not in self._ends]
        text = str(self._tokenizer.decode(written, skip_special_tokens=True))
        message = AIMessage(content=text, usage_metadata=_usage(Prompt(prompt, 0), len(written)))
        return ChatResult(generations=[ChatGeneration(message=message)])

    @property
    def _ends(self) -> set[int]:
        ends = self._model.generation_config.eos_token_id if self._model.generation_config else None
        listed = ends if isinstance(ends, list) else [ends]
        return {token for token in [*listed, self._tokenizer.eos_token_id] if token is not None}

    def _tokenize(self, messages: list[BaseMessage]) -> list[int]:
        # A text that spells the template's own tokens must stay text: it may come from the notes.
        turns = [
            {"role": _ROLES[message.type], "content": str(message.content).replace("<|", "< |")}
            for message in messages
        ]
        text = str(self._tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))
        ids = self._tokenizer.encode(text, add_special_tokens=False)
        room = self._model.config.max_position_embeddings - self.max_new_tokens
        if len(ids) > room:
            raise BadRequest(
                f"The prompt has {len(ids)} tokens and this model reads at most {room}: "
                "ask a shorter question or start a new conversation."
            )
        return ids

    def _read_prompt(self, ids: list[int], halt: threading.Event | None) -> tuple[Prompt, torch.Tensor]:
        """Bring the cache to `ids`, reading only what it does not hold; logits (vocabulary,) after it."""
        shared = 0
        for old, new in zip(self._read, ids[:-1], strict=False):  # the last token is always read
            if old != new:
                break
            shared += 1
        if drop := len(self._read) - shared:
            self._cache.crop(-drop)
            del self._read[shared:]
        logits = torch.empty(0)  # what is returned where the reading was stopped
        for start in range(shared, len(ids), READ_AT_ONCE):
            if halt and halt.is_set():
                return Prompt(ids, shared), torch.empty(0)
            logits = self._step(ids[start : start + READ_AT_ONCE])
        return Prompt(ids, shared), logits

    def _step(self, ids: list[int]) -> torch.Tensor:
        with torch.inference_mode():
            output = self._model(
                input_ids=torch.tensor([ids], device=self._model.device),
                past_key_values=self._cache,
                use_cache=True,
                logits_to_keep=1,
            )
        self._read.extend(ids)
        return output.logits[0, -1]

    @contextmanager
    def _alone(self, halt: threading.Event | None) -> Iterator[bool]:
        """Wait for the model; False where the answer was stopped while it waited."""
        while not self._lock.acquire(timeout=0.1):
            if halt and halt.is_set():
                yield False
                return
        try:
            yield True
        except Exception:
            # Half a step may be in the cache: forget it rather than answer from it.
            self._read, self._cache = [], DynamicCache()
            raise
        finally:
            self._lock.release()


class _Halted(StoppingCriteria):
    def __init__(self, halt: threading.Event) -> None:
        self.halt = halt

    def __call__(self, ids: torch.Tensor, scores: torch.Tensor, **_: Any) -> torch.Tensor:
        return torch.full((ids.shape[0],), self.halt.is_set(), device=ids.device)


@contextmanager
def _memory() -> Iterator[None]:
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and "memory" not in str(error).lower():
            raise
        raise ModelUnusable(
            "Memory ran out while answering: close other programs or ask a shorter question."
        ) from error


def _usage(prompt: Prompt, written: int) -> UsageMetadata:
    return UsageMetadata(
        input_tokens=len(prompt.ids),
        output_tokens=written,
        total_tokens=len(prompt.ids) + written,
        input_token_details=InputTokenDetails(cache_read=prompt.cached),
    )


def load_model(model: str | None = None, progress: Progress = silent) -> LocalModel:
    """The embedded model (None), prepared first if it is not yet, or any Hugging Face id or folder.

    Raises ModelUnusable where it is missing, damaged or too large.
    """
    if model is None:
        return LocalModel(*load_int8(prepare(progress), progress))
    return LocalModel(*load_plain(model), name=model)
