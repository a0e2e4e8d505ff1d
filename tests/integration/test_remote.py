"""Answers through a real llama.cpp server on our own GGUF, and what a student sees when it fails."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from langchain_core.messages import HumanMessage
from langchain_core.runnables import Runnable

from ingest.errors import BadRequest, ModelUnusable
from rag.chain import answer_chain
from rag.decoding import GREEDY, Decoding, decoding
from rag.engines.remote import KEY, connect
from rag.items.writing import SCHEMA
from rag.retrieve import Retriever
from rag.types import Ask
from tests.llama_server import Running, joined, running
from tests.unit.test_cli import run
from tests.waiting import until
from ui import tutor

pytest.importorskip("xllamacpp")
pytestmark = pytest.mark.real
ROOT = Path(__file__).parents[2]
SECRET = "a-key-of-this-test"
QUESTION = "Who proposed GANs, and in which year?"
# Threads that wait for one another by spinning stand still where the machine has other work.
PATIENT = {"OMP_WAIT_POLICY": "passive"}


@dataclass
class Servers:
    """The one server of these tests; `again` starts it anew at the same address."""

    gguf: Path
    stack: ExitStack
    now: Running

    def again(self) -> None:
        self.now = self.stack.enter_context(start(self.gguf, self.now.port))


def start(gguf: Path, port: int = 0):
    return running(gguf, port, SECRET, batch=128, environment=PATIENT)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    gguf = joined(tmp_path_factory.mktemp("gguf"))
    with ExitStack() as stack:
        yield Servers(gguf, stack, stack.enter_context(start(gguf)))
    gguf.unlink()


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY, SECRET)


@pytest.fixture
def chain(own: Retriever, servers: Servers) -> Runnable:
    return answer_chain(own, connect(servers.now.url))


def unitutor(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from ui.cli import main; main()", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)


def busy(server: Running) -> bool:
    """Whether the server is reading or writing for anyone."""
    request = urllib.request.Request(
        server.url.removesuffix("/v1") + "/slots", headers={"Authorization": f"Bearer {SECRET}"}
    )
    with urllib.request.urlopen(request, timeout=60) as slots:
        return any(slot["is_processing"] for slot in json.load(slots))


def test_an_answer_streams_and_is_cited(chain: Runnable) -> None:
    grown = list(chain.stream(Ask(QUESTION)))
    assert len({one.answer for one in grown}) > 5
    answer = grown[-1]
    assert answer.stage == "done" and not answer.refused
    assert "goodfellow" in answer.answer.lower() and "2014" in answer.answer
    assert any(f"[{citation.marker}]" in answer.answer for citation in answer.citations)
    assert any(citation.source == "02-model-families.pdf" for citation in answer.citations)
    assert answer.timings.prompt_tokens > 100 and answer.timings.output_tokens > 5
    assert 0 < answer.timings.first_word_ms < answer.timings.total_ms


def test_ask_takes_a_url(servers: Servers, own_index: Path) -> None:
    done = unitutor("ask", QUESTION, "--index", str(own_index), "--url", servers.now.url, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    assert "Goodfellow" in answer["answer"] and answer["citations"]


def test_a_wrong_key_is_one_line(
    servers: Servers, own_index: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(KEY, "wrong")
    options = ("--index", str(own_index), "--url", servers.now.url, "--model", "any")
    assert run(monkeypatch, "ask", QUESTION, *options) == 1
    out, err = capsys.readouterr()
    assert out.count("\n") <= 2
    assert err.count("\n") == 1 and f"refused the key: set {KEY}" in err


def test_the_server_decodes_as_it_is_told(servers: Servers) -> None:
    model = connect(servers.now.url)

    def say(how: Decoding) -> str:
        return str(model.invoke([HumanMessage("Name one animal, in one word.")], decoding=how).content)

    likeliest = say(GREEDY)
    assert say(decoding("top-k", k=1, temperature=5)) == likeliest
    assert say(decoding("min-p", min_p=1, temperature=5)) == likeliest
    assert say(decoding("top-p", p=1e-6, temperature=5)) == likeliest
    seeded = [say(decoding("random", temperature=2, seed=seed)) for seed in (1, 2, 3, 3)]
    assert len(set(seeded)) > 1 and seeded[2] == seeded[3]


def test_the_server_holds_to_a_schema(servers: Servers) -> None:
    said = str(connect(servers.now.url).invoke("Ask me a question about rivers.", schema=SCHEMA).content)
    assert json.loads(said)["question"].endswith("?")


def test_beam_search_is_refused_and_the_engine_goes_on(chain: Runnable) -> None:
    with pytest.raises(BadRequest, match="no beam search"):
        chain.invoke(Ask(QUESTION, decoding=decoding("beam")))


def connected(server: Running) -> bool:
    """Whether this process holds a connection to the server."""
    return any(
        one.raddr and one.raddr.port == server.port and one.status == psutil.CONN_ESTABLISHED
        for one in psutil.Process().net_connections("tcp")
    )


def test_stop_while_it_reads_lets_go_of_the_server(servers: Servers) -> None:
    model, halt = connect(servers.now.url), threading.Event()
    met: list[bool] = []

    def stop_once_it_reads() -> None:
        until(lambda: busy(servers.now), 60)
        met.append(connected(servers.now))
        halt.set()

    threading.Thread(target=stop_once_it_reads, daemon=True).start()
    long = f"{time.time()} " + "Count from one to three hundred. " * 60
    said = [piece.text for piece in model.stream([HumanMessage(long)], halt=halt)]
    assert met == [True] and not "".join(said)
    until(lambda: not connected(servers.now), 5)


def test_stop_while_it_writes_frees_the_server(servers: Servers) -> None:
    model, halt = connect(servers.now.url), threading.Event()
    for piece in model.stream([HumanMessage("Count from one to three hundred.")], halt=halt):
        if piece.text and not halt.is_set():
            assert busy(servers.now)
            halt.set()
    until(lambda: not busy(servers.now), 30)  # the whole count would take minutes


def test_a_question_longer_than_its_context_is_one_line(servers: Servers) -> None:
    with pytest.raises(ModelUnusable, match="context size") as error:
        connect(servers.now.url).invoke([HumanMessage("word " * 6000)])
    assert "\n" not in str(error.value)


def test_a_server_killed_in_the_middle_loses_no_conversation(
    servers: Servers,
    chain: Runnable,
    own_index: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    history, keep = tutor.conversation(tmp_path, "exam")
    assert history == ()
    keep(chain.invoke(Ask(QUESTION)))
    history, _ = tutor.conversation(tmp_path, "exam")
    with pytest.raises(ModelUnusable, match="broke off in the middle") as error:
        for answer in chain.stream(Ask("What is a VAE?", history)):
            if len(answer.answer) > 5 and servers.now.process.poll() is None:
                servers.now.process.kill()
                servers.now.process.wait()
    assert "\n" not in str(error.value)
    capsys.readouterr()
    options = ("--index", str(own_index), "--url", servers.now.url)
    assert run(monkeypatch, "ask", "What is a VAE?", *options) == 1
    err = capsys.readouterr().err
    assert "No model server answers" in err and err.count("\n") == 1
    kept, keep = tutor.conversation(tmp_path, "exam")
    assert [turn.question for turn in kept] == [QUESTION]
    servers.again()
    answer = chain.invoke(Ask("What is a VAE?", kept))  # the same engine: it finds the server again
    assert not answer.refused and answer.citations
    keep(answer)
    assert len(tutor.conversation(tmp_path, "exam")[0]) == 2
