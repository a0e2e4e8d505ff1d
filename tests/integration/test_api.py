"""Pages and API under one address, with the real model behind the real openai package."""

from __future__ import annotations

from pathlib import Path

import httpx
import openai
import pytest

from rag.apikeys import ApiKeys
from rag.chain import answer_chain
from rag.database import Database
from rag.engines.local import LocalModel
from rag.retrieve import Retriever
from rag.sessions import Sessions
from tests.api_server import free_port
from ui.api.serve import both
from ui.tutor import Tutor
from ui.web.mounting import Served


@pytest.mark.real
def test_a_stream_of_the_real_model_beside_the_pages(
    own: Retriever, own_index: Path, model: LocalModel, tmp_path: Path
) -> None:
    tutor = Tutor(answer_chain(own, model), own, own.sources, (), model, own_index)
    database = Database(tmp_path / "conversations.db")
    app, door = both(tutor, database, tmp_path, own_index, ())
    _, key = ApiKeys(database).create("test")
    served = Served(app, "127.0.0.1", free_port())
    try:
        assert "Unitutor" in httpx.get(served.url).text
        assert httpx.get(f"{served.url}healthz").json() == {"status": "ok"}
        client = openai.OpenAI(base_url=f"{served.url}v1", api_key=key, max_retries=0)
        pieces = list(
            client.chat.completions.create(
                model="unitutor",
                messages=[{"role": "user", "content": "Who proposed GANs, and in which year?"}],
                stream=True,
            )
        )
    finally:
        served.stop()
        door.log.close()
    text = "".join(one.choices[0].delta.content or "" for one in pieces)
    own_field = pieces[-1].model_extra["unitutor"]  # type: ignore[index]
    assert "2014" in text and text.strip() == own_field["answer"].strip()
    assert own_field["citations"] and not own_field["refused"]
    assert any(one["label"] == "supported" for one in own_field["sentences"])
    assert own_field["timings"]["prompt_tokens"] > 100
    assert Sessions(database).list() == (), "an answer to a program is no conversation"
    database.close()
