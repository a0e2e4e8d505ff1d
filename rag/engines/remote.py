"""A language model behind any OpenAI-compatible URL (Ollama, llama-server, vLLM), through langchain-openai.

Its prompts are the same as the local engine's; what it cannot do is tell the logits of yes and no,
so the decision to answer rests on retrieval alone, and beam search, which no such server offers.
Every failure is one line that says what to do. A server is waited for in a coroutine, since only a
coroutine lets go of a silent connection at once: Stop ends the request while the prompt is still
being read, and the server, which sees the connection close, stops reading.
"""

from __future__ import annotations

import asyncio
import os
import queue
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, ClassVar
from urllib.parse import urlsplit

import openai
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_openai import ChatOpenAI

from ingest.errors import BadRequest, ModelUnusable
from rag.decoding import GREEDY, Decoding

TIMEOUT = 120.0  # seconds without a word from the server; a long prompt is silence, too
HELLO = 10.0  # seconds for the list of models
LONGEST = 320  # tokens of an answer, as in the local engine
KEY = "UNITUTOR_API_KEY"  # the environment variable that holds the server's key, if it wants one
_LOOK = 0.05  # seconds between two looks at the stop event
_starting = threading.Lock()

_Settings = dict[str, Any]
_Piece = ChatGenerationChunk | BaseException | None  # None after the last


class RemoteModel(ChatOpenAI):
    """ChatOpenAI that takes `decoding`, `halt` and `schema` as the local engine does.

    Raises ModelUnusable where the server fails, BadRequest for beam search, and for top-k and min-p
    where the server refuses them; the model is usable again after any of these.
    """

    takes_decoding: ClassVar[bool] = True

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        *,
        decoding: Decoding = GREEDY,
        halt: threading.Event | None = None,
        schema: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> Iterator[ChatGenerationChunk]:
        url = str(self.openai_api_base)
        named, chosen, own = sampling(decoding)
        # A strict server refuses fields that it does not know: it is asked again without ours.
        held = _held(schema)
        tries = [
            {**named, "extra_body": {**held, **chosen, **own}},
            {**named, "extra_body": {**held, **chosen}},
        ]
        begun = ended = False
        with _clear(url, float(self.request_timeout or TIMEOUT)):  # type: ignore[arg-type]
            for number, fields in enumerate(tries, 1):
                try:
                    for piece in self._pieces(messages, stop, {**settings, **fields}, halt):
                        begun = True
                        ended = ended or "finish_reason" in (piece.generation_info or {})
                        if run_manager:
                            run_manager.on_llm_new_token(piece.text, chunk=piece)
                        yield piece
                    break
                except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                    if number < len(tries):
                        continue
                    if any(name in _said(error) for name in chosen):
                        raise BadRequest(
                            f"The model server at {url} takes no top-k or min-p ({_said(error)}): "
                            "choose greedy, random or top-p."
                        ) from error
                    raise
                except openai.APIConnectionError as error:
                    if not begun:
                        raise
                    raise _broken_off(url) from error
        if halt and halt.is_set():
            yield ChatGenerationChunk(message=AIMessageChunk(content=""))  # LangChain wants at least one
        elif not ended:
            raise _broken_off(url)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **settings: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **settings))

    def _pieces(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None,
        settings: _Settings,
        halt: threading.Event | None,
    ) -> Iterator[ChatGenerationChunk]:
        """The server's pieces as they come; none more, and the connection closed, once `halt` is set."""
        pieces: queue.SimpleQueue[_Piece] = queue.SimpleQueue()

        async def follow() -> None:
            try:
                async for piece in self._astream(messages, stop, **settings):
                    pieces.put(piece)
                pieces.put(None)
            except Exception as error:
                pieces.put(error)

        following = asyncio.run_coroutine_threadsafe(follow(), _loop())
        try:
            while not (halt and halt.is_set()):
                try:
                    piece = pieces.get(timeout=_LOOK)
                except queue.Empty:
                    continue
                if piece is None:
                    return
                if isinstance(piece, BaseException):
                    raise piece
                yield piece
        finally:
            following.cancel()


def sampling(how: Decoding) -> tuple[_Settings, _Settings, _Settings]:
    """A request's fields for this decoding: the protocol's, those beyond it that matter, and the others.

    What is not wanted is switched off and not left out, since servers have defaults of their own:
    llama-server keeps the 40 likeliest tokens, vLLM takes what the model's makers advise. Ollama
    knows only the older `max_tokens`. Raises BadRequest for beam search.
    """
    if how.name == "beam":
        raise BadRequest(
            "A model server has no beam search: choose greedy, random, top-k, top-p or min-p, or leave out "
            "--url to use the model on this machine."
        )
    own: _Settings = {"max_tokens": LONGEST, "repetition_penalty": 1.0}
    if how.name == "greedy" or how.temperature == 0:
        return {"temperature": 0.0}, {}, own
    named = {
        "temperature": how.temperature,
        "top_p": 1.0 if how.p is None else how.p,
        "seed": how.seed % 2**31,  # what every server takes; llama-server's 2**32 - 1 means no seed
    }
    chosen = {name: value for name, value in (("top_k", how.k), ("min_p", how.min_p)) if value is not None}
    return named, chosen, {**own, "top_k": -1, "min_p": 0.0, **chosen}


def _held(schema: Mapping[str, Any] | None) -> _Settings:
    """The protocol's field that holds an answer to a schema; as a body's own field, since langchain-openai
    would parse the answer by itself and let nothing else through."""
    if schema is None:
        return {}
    form = {"name": "answer", "schema": dict(schema), "strict": True}
    return {"response_format": {"type": "json_schema", "json_schema": form}}


def _loop() -> asyncio.AbstractEventLoop:
    """The loop that all remote models share, in a thread of its own: connections belong to a loop."""
    with _starting:
        return _started()


@cache
def _started() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="model servers", daemon=True).start()
    return loop


def _broken_off(url: str) -> ModelUnusable:
    return ModelUnusable(
        f"The model server at {url} broke off in the middle of an answer: see whether it still runs, "
        "then ask again."
    )


def _said(error: openai.APIError) -> str:
    """The server's own words, on one line."""
    body = error.body if isinstance(error.body, dict) else {}
    inner = body.get("error")
    told = body.get("message") or (inner.get("message") if isinstance(inner, dict) else inner)
    return " ".join(str(told or error.message).split())[:200]


@contextmanager
def _clear(url: str, timeout: float) -> Iterator[None]:
    at = f"The model server at {url}"
    try:
        yield
    except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
        raise ModelUnusable(f"{at} refused the key: set {KEY} to the right one.") from error
    except openai.NotFoundError as error:
        raise ModelUnusable(
            f"{at} has no such address or model ({_said(error)}): give the URL that ends in /v1, "
            "and with --model a name that the server knows."
        ) from error
    except openai.RateLimitError as error:
        raise ModelUnusable(f"{at} is busy or its quota is used up: try again in a moment.") from error
    except openai.APITimeoutError as error:
        raise ModelUnusable(
            f"{at} was silent for {timeout:g} s: see whether its model is loaded, then ask again."
        ) from error
    except openai.APIConnectionError as error:
        raise ModelUnusable(f"No model server answers at {url}: start it, or correct --url.") from error
    except openai.APIError as error:
        raise ModelUnusable(f"{at} failed ({_said(error)}): see its log, then ask again.") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:  # a web page, or other JSON
        raise ModelUnusable(
            f"{at} does not answer as OpenAI's protocol wants: give the URL that ends in /v1."
        ) from error


def connect(url: str, model: str | None = None, timeout: float = TIMEOUT) -> RemoteModel:
    """The model called `model` at `url` (ending in /v1), or the first that the server names.

    `timeout`: seconds of silence after which a request is given up. Raises BadRequest where `url` is
    none, ModelUnusable where no server answers there or it names no model.
    """
    if not _is_url(url):
        raise BadRequest(f"'{url}' is no URL of a model server: give one like http://localhost:8080/v1.")
    key = os.environ.get(KEY) or "none"
    if model is None:
        hello = min(HELLO, timeout)
        with (
            _clear(url, hello),
            openai.OpenAI(base_url=url, api_key=key, timeout=hello, max_retries=0) as client,
        ):
            models = [one.id for one in client.models.list().data]
        if not models:
            raise ModelUnusable(f"The model server at {url} offers no model: load one there.")
        model = models[0]
    return RemoteModel(
        base_url=url,
        model=model,
        api_key=key,  # type: ignore[arg-type]  # a plain string is taken as well
        timeout=timeout,
        max_retries=0,  # so that a failure is told when it happens; asking again is the student's choice
        max_completion_tokens=LONGEST,
        stream_usage=True,
        stream_chunk_timeout=None,  # `timeout` says it already
    )


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
