"""A language model behind any OpenAI-compatible URL (Ollama, llama-server, vLLM), through langchain-openai.

Its prompts are the same as the local engine's; what it cannot do is tell the logits of yes and no,
so the decision to answer rests on retrieval alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import openai
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_openai import ChatOpenAI

from ingest.errors import ModelUnusable

TIMEOUT = 120  # seconds without a word from the server
KEY = "UNITUTOR_API_KEY"  # the environment variable that holds the server's key, if it wants one


class RemoteModel(ChatOpenAI):
    """ChatOpenAI whose failures are one clear line each (ModelUnusable)."""

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **settings: Any,
    ) -> Iterator[ChatGenerationChunk]:
        with _clear(str(self.openai_api_base)):
            yield from super()._stream(messages, stop, run_manager, **settings)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **settings: Any,
    ) -> ChatResult:
        with _clear(str(self.openai_api_base)):
            return super()._generate(messages, stop, run_manager, **settings)


@contextmanager
def _clear(url: str) -> Iterator[None]:
    try:
        yield
    except openai.AuthenticationError as error:
        raise ModelUnusable(f"The model server at {url} refused the key: set {KEY}.") from error
    except openai.RateLimitError as error:
        raise ModelUnusable(f"The model server at {url} is busy: try again in a moment.") from error
    except openai.APITimeoutError as error:
        raise ModelUnusable(
            f"The model server at {url} gave no answer in {TIMEOUT} s: is it loaded?"
        ) from error
    except openai.APIConnectionError as error:
        raise ModelUnusable(f"No model server answers at {url}: start it, or correct --url.") from error
    except openai.APIError as error:
        raise ModelUnusable(
            f"The model server at {url} failed: {str(error).splitlines()[0][:200]}"
        ) from error


def connect(url: str, model: str | None = None) -> RemoteModel:
    """The model called `model` at `url` (ending in /v1), or the first that the server names.

    Raises ModelUnusable where no server answers or it names no model.
    """
    key = os.environ.get(KEY) or "none"
    if model is None:
        with _clear(url):
            models = openai.OpenAI(base_url=url, api_key=key, timeout=10, max_retries=0).models.list().data
        if not models:
            raise ModelUnusable(f"The model server at {url} offers no model: load one there.")
        model = models[0].id
    return RemoteModel(
        base_url=url,
        model=model,
        api_key=key,  # type: ignore[arg-type]  # a plain string is taken as well
        timeout=TIMEOUT,
        max_retries=1,
        temperature=0,
        max_completion_tokens=320,
        stream_usage=True,
    )
