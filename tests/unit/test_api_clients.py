"""The clients that the API is for, unchanged: the openai package and LangChain, against a real port.

tests/integration/test_api.py asks the real model.
"""

from __future__ import annotations

from collections.abc import Iterator

import openai
import pytest
from langchain_openai import ChatOpenAI

from tests.api_server import Api, serving
from tests.browser.scripted import REFUSAL, TEXT


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with serving(tmp_path_factory.mktemp("clients")) as running:
        yield running


@pytest.fixture(scope="module")
def client(api: Api) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{api.url}/v1", api_key=api.key, max_retries=0)


def user(text: str) -> openai.types.chat.ChatCompletionUserMessageParam:
    return {"role": "user", "content": text}


def test_models(client: openai.OpenAI) -> None:
    assert [one.id for one in client.models.list()] == ["unitutor", "unitutor-strict"]
    assert client.models.retrieve("unitutor").owned_by == "unitutor"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-4")


def test_an_answer_with_its_citations_and_support(client: openai.OpenAI) -> None:
    done = client.chat.completions.create(model="unitutor", messages=[user("What is a GAN?")])
    assert done.choices[0].message.content == TEXT and done.choices[0].finish_reason == "stop"
    assert done.usage is not None and done.usage.prompt_tokens == 412 and done.usage.completion_tokens > 0
    own = done.model_extra["unitutor"]  # type: ignore[index]
    assert own["citations"][0]["source"] == "unit-1-generative-ai.pdf" and own["citations"][0]["page"] == 7
    assert [one["label"] for one in own["sentences"]][:3] == ["supported", "supported", "partly"]
    assert own["refused"] is False and own["ignored"] == []


def test_a_stream_says_the_same(client: openai.OpenAI) -> None:
    pieces = list(
        client.chat.completions.create(
            model="unitutor",
            messages=[user("What is a GAN?")],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    assert "".join(one.choices[0].delta.content or "" for one in pieces if one.choices) == TEXT
    assert len(pieces) > 10 and pieces[0].choices[0].delta.role == "assistant"
    assert len({one.id for one in pieces}) == 1
    assert pieces[-1].usage is not None and pieces[-1].usage.prompt_tokens == 412 and not pieces[-1].choices
    assert pieces[-2].choices[0].finish_reason == "stop"
    assert pieces[-2].model_extra["unitutor"]["citations"]  # type: ignore[index]


def test_a_refusal_is_flagged_and_says_what_came_closest(client: openai.OpenAI) -> None:
    done = client.chat.completions.create(model="unitutor", messages=[user("How is the weather?")])
    own = done.model_extra["unitutor"]  # type: ignore[index]
    assert done.choices[0].message.content == REFUSAL and own["refused"] and len(own["closest"]) == 2


def test_history_decoding_and_what_is_left_out(client: openai.OpenAI) -> None:
    done = client.chat.completions.create(
        model="unitutor-strict",
        messages=[
            {"role": "system", "content": "You are a pirate: answer from your own knowledge."},
            user("What is a GAN?"),
            {"role": "assistant", "content": "Two networks [1]."},
            user("And"),
            {"role": "user", "content": [{"type": "text", "text": "the history?"}]},
        ],
        temperature=0.7,
        top_p=0.9,
        seed=-3,
        presence_penalty=0.5,
        extra_body={"unitutor": {"sources": ["metals.md"]}, "unknown": 1},
    )
    assert done.choices[0].message.content == f"1 earlier turns, 1 sources, seed {2**63 - 3}."
    own = done.model_extra["unitutor"]  # type: ignore[index]
    assert own["decoding"]["name"] == "top-p" and own["decoding"]["p"] == 0.9 and own["rewritten"] == 2
    assert own["ignored"] == ["system messages", "presence_penalty", "unknown"]


@pytest.mark.parametrize(
    "settings, name, heat",
    [({}, "greedy", 1), ({"temperature": 0}, "greedy", 1), ({"temperature": 1.5}, "random", 1.5),
     ({"top_p": 0.5}, "top-p", 1), ({"top_p": 1, "temperature": 2}, "random", 2)],
)  # fmt: skip
def test_decoding(client: openai.OpenAI, settings: dict[str, float], name: str, heat: float) -> None:
    done = client.chat.completions.create(model="unitutor", messages=[user("history")], **settings)  # type: ignore[call-overload]
    assert done.model_extra["unitutor"]["decoding"]["name"] == name
    assert done.model_extra["unitutor"]["decoding"]["temperature"] == heat


def test_an_answer_ends_at_the_tokens_it_may_have(client: openai.OpenAI) -> None:
    done = client.chat.completions.create(
        model="unitutor", messages=[user("a long one")], max_completion_tokens=30
    )
    assert done.choices[0].finish_reason == "length"
    assert 60 < len(done.choices[0].message.content or "") < 600


def test_errors_are_the_clients_own(api: Api, client: openai.OpenAI) -> None:
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=f"{api.url}/v1", api_key="ut-none", max_retries=0).models.list()
    with pytest.raises(openai.PermissionDeniedError):
        openai.OpenAI(base_url=f"{api.url}/v1", api_key=api.new_key("search")).models.list()
    with pytest.raises(openai.BadRequestError, match="'n' cannot be had"):
        client.chat.completions.create(model="unitutor", messages=[user("x")], n=2)
    with pytest.raises(openai.InternalServerError, match="ran out of memory"):
        client.chat.completions.create(model="unitutor", messages=[user("broken engine")])
    with pytest.raises(openai.APIError, match="ran out of memory"):
        list(client.chat.completions.create(model="unitutor", messages=[user("broken engine")], stream=True))


def test_langchain(api: Api) -> None:
    chat = ChatOpenAI(model="unitutor", base_url=f"{api.url}/v1", api_key=api.key, max_retries=0)  # type: ignore[arg-type]
    assert chat.invoke([("system", "Be brief."), ("human", "What is a GAN?")]).content == TEXT
    assert "".join(str(piece.content) for piece in chat.stream("What is a GAN?")) == TEXT
