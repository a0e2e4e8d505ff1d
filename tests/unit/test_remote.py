"""A model behind a URL: what it answers, and each way it fails, as one line."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from langchain_core.messages import HumanMessage

from ingest.errors import ModelUnusable
from rag.engines.remote import connect


class Server(BaseHTTPRequestHandler):
    """Speaks just enough of the protocol; `status` makes it fail."""

    status = 200

    def do_GET(self) -> None:
        self._send({"object": "list", "data": [{"id": "small", "object": "model"}]})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        message = {"role": "assistant", "content": "A GAN has two parts."}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        self._send(
            {"id": "1", "object": "chat.completion", "created": 0, "model": "small", "choices": [choice]}
        )

    def _send(self, body: dict) -> None:
        data = json.dumps(body if self.status == 200 else {"error": {"message": "no"}}).encode()
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    Server.status = 200


def test_the_first_model_named_answers(url: str) -> None:
    model = connect(url)
    assert model.model_name == "small"
    assert model.invoke([HumanMessage("What is a GAN?")]).content == "A GAN has two parts."


@pytest.mark.parametrize(("status", "says"), [(401, "refused the key"), (429, "is busy"), (500, "failed")])
def test_a_failure_is_one_line(url: str, status: int, says: str) -> None:
    model = connect(url, "small")
    model.max_retries = 0
    Server.status = status
    with pytest.raises(ModelUnusable, match=says) as error:
        connect(url).invoke([HumanMessage("?")])
    assert "\n" not in str(error.value)


def test_nobody_there_is_one_line() -> None:
    with pytest.raises(ModelUnusable, match="No model server answers"):
        connect("http://127.0.0.1:9/v1")
