"""The engines that tests/bench/engine.py compares, each in a process of its own with all it needs.

unitutor     our chain, its own prompt, the int8 engine in that process; through gate and check. Every
             passage was read ahead, as `unitutor ingest` and an idle chat do.
unread       the same with nothing read ahead.
usual        llama.cpp's server, the usual way: the four chunks of 800 characters nearest to the
             question by MiniLM, whole, under a usual prompt that offers a way out. The chunks are cut
             from our cleaned text, which is kinder to this arm than raw pages.
own-prompt   llama.cpp's server with the sentences that our chain chooses, in our prompt.

Every process holds the encoder and the index as well, so that memory is compared like with like.
Nothing is asked twice: both engines keep what they have read, and a question again would cost nothing.
"""

from __future__ import annotations

import multiprocessing
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil

ARMS = ("unitutor", "unread", "usual", "own-prompt")
CHUNK, OVERLAP, CHUNKS = 800, 100, 4  # characters, characters, chunks in the usual prompt
NO_ANSWER = "The notes do not answer this question."
USUAL = (
    "Use the following pieces of context to answer the question at the end. If the context does not hold "
    f'the answer, say "{NO_ANSWER}" and do not make up an answer. Keep the answer short.\n\n'
    "{context}\n\nQuestion: {question}\nAnswer:"
)
MEASURED = 33  # tokens that a decode rate is taken over


@dataclass(frozen=True)
class Measured:
    """One question asked of one arm. Seconds count from the question's arrival, retrieval included."""

    first: float
    whole: float
    prompt_tokens: int
    shared: float  # share of the prompt that an earlier prompt of this arm began with, 0..1
    output_tokens: int
    answer: str
    refused: bool
    others: float = 0.0  # share of the processors that other programs used meanwhile, 0..1

    @property
    def rate(self) -> float:
        """Tokens a second after the first word."""
        return (self.output_tokens - 1) / max(self.whole - self.first, 1e-3)


class Worker:
    """A process with one arm's engine in it; `call` runs a function of `Engine` there."""

    def __init__(self, arm: str, index: Path, slots: int = 1, gguf: Path | None = None) -> None:
        spawn = multiprocessing.get_context("spawn")
        self._here, there = spawn.Pipe()
        self._process = spawn.Process(target=_serve, args=(there, arm, index, slots, gguf))
        self._process.start()
        self.arm, self.pid = arm, self._process.pid or 0
        self._answer()

    def call(self, name: str, *arguments: Any) -> Any:
        self._here.send((name, arguments))
        return self._answer()

    def _answer(self) -> Any:
        worked, value = self._here.recv()
        if not worked:
            raise SystemExit(f"{self.arm}: {value}")
        return value

    def close(self) -> None:
        self._here.send(None)
        self._process.join()


def _serve(pipe: Connection, arm: str, index: Path, slots: int, gguf: Path | None) -> None:
    try:
        with ExitStack() as stack:
            engine = Engine(arm, index, slots, gguf, stack)
            pipe.send((True, None))
            while wanted := pipe.recv():
                name, arguments = wanted
                pipe.send((True, getattr(engine, name)(*arguments)))
    except BaseException as error:
        pipe.send((False, repr(error)))
        raise


class Engine:
    """One arm, inside its process."""

    def __init__(self, arm: str, index: Path, slots: int, gguf: Path | None, stack: ExitStack) -> None:
        from rag.ahead import read_ahead
        from rag.chain import answer_chain
        from ui.tutor import open_retriever

        self.arm, self.retriever = arm, open_retriever(index, None)
        self.file = gguf
        if arm in ("unitutor", "unread"):
            from rag.engines.local import load_model
            from rag.prompts import opening

            self.model: Any = load_model()
            self.model.warm(opening())
            if arm == "unread":
                self.model.folder = None
            else:
                read_ahead(self.model, self.retriever.index.passages, threading.Event(), gently=False)
        else:
            from tokenizers import Tokenizer

            from rag.engines.prepare import prepare
            from rag.engines.remote import connect
            from tests.llama_server import joined, running

            if self.file is None:
                self.file = joined(Path(stack.enter_context(tempfile.TemporaryDirectory())))
            server = stack.enter_context(running(self.file, context=4096 * slots, slots=slots))
            self.model = connect(server.url, timeout=600)
            # The budget of sentences is counted in tokens as our engine counts them: the same prompt.
            tokenizer = Tokenizer.from_file(str(prepare() / "tokenizer.json"))
            self.counter: Any = SimpleNamespace(count_tokens=lambda text: len(tokenizer.encode(text).ids))
        self.chain = answer_chain(self.retriever, self.model)
        self.asked: list[str] = []
        self._chunks: tuple[list[str], Any] | None = None
        self.grow("Say one word.")  # what only the first question pays is not measured

    def ask(self, question: str) -> Measured:
        """Ask as a student would. The prompts of `usual` and `own-prompt` go to the model as they are."""
        from rag import chain
        from rag.types import Ask

        if self.arm == "usual":
            return self._stream(lambda: self._usual(question))
        if self.arm == "own-prompt":
            return self._stream(lambda: chain.asked(self.retriever, self.counter, Ask(question))[1])
        shared = self._shared(chain.asked(self.retriever, self.model, Ask(question))[1])
        answer = self.chain.invoke(Ask(question))
        seen = answer.timings
        return Measured(
            seen.first_word_ms / 1000,
            seen.total_ms / 1000,
            seen.prompt_tokens,
            shared,
            seen.output_tokens,
            answer.answer,
            answer.refused,
        )

    def answer(self, turns: tuple[str, ...]) -> tuple[str, bool]:
        """The answer to the last of `turns`, and whether it refuses; all but `usual` through our chain."""
        from rag.types import Ask, Turn

        if self.arm == "usual":  # without a rule for follow-ups, earlier questions are put before it
            text = self._stream(lambda: self._usual(" ".join(turns))).answer
            return text, NO_ANSWER.rstrip(".").lower() in text.lower()
        history: tuple[Turn, ...] = ()
        for turn in turns:
            answer = self.chain.invoke(Ask(turn, history))
            history = (*history, Turn(turn, answer.answer))
        return answer.answer, answer.refused

    def grow(self, text: str) -> tuple[float, float]:
        """Seconds to the first word after a prompt, and tokens a second from there; the engine alone."""
        from langchain_core.messages import HumanMessage

        times: list[float] = []
        started, halt = time.perf_counter(), threading.Event()
        for piece in self.model.stream([HumanMessage(text)], halt=halt):
            if piece.text:
                times.append(time.perf_counter())
            if len(times) == MEASURED:
                halt.set()
        rate = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0
        return times[0] - started, rate

    def together(self, questions: list[str]) -> list[float]:
        """Seconds to each student's first word, all asking in the same moment."""
        from rag.types import Ask

        firsts = [0.0] * len(questions)
        gate = threading.Barrier(len(questions))

        def student(number: int) -> None:
            gate.wait()
            started = time.perf_counter()
            for one in self.chain.stream(Ask(questions[number])):
                if one.answer and not firsts[number]:
                    firsts[number] = time.perf_counter() - started

        threads = [threading.Thread(target=student, args=(n,)) for n in range(len(questions))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return firsts

    def memory(self) -> int:
        """Bytes resident, of this process and its children; a page that two share counts for both."""
        here = psutil.Process()
        return sum(one.memory_info().rss for one in (here, *here.children(recursive=True)))

    def weights(self) -> int:
        """Bytes of weights that are read for every token: all but the embedding, of which one row is."""
        if self.arm in ("unitutor", "unread"):
            from safetensors import safe_open

            from rag.engines.prepare import prepared_folder

            total = 0
            for file in prepared_folder().glob("*.safetensors"):
                with safe_open(file, "pt") as held:
                    for name in held.keys():  # noqa: SIM118  # no dictionary
                        tensor = held.get_tensor(name)
                        total += 0 if "embed_tokens" in name else tensor.numel() * tensor.element_size()
            return total
        from gguf import GGUFReader

        tensors = {tensor.name: int(tensor.n_bytes) for tensor in GGUFReader(self.file).tensors}
        tied = "output.weight" not in tensors  # then the embedding is the last layer, too
        return sum(size for name, size in tensors.items() if tied or name != "token_embd.weight")

    def _usual(self, question: str) -> list[Any]:
        from langchain_core.messages import HumanMessage

        if self._chunks is None:
            chunks = list(_chunks(self.retriever.index.passages))
            self._chunks = (chunks, self.retriever.encoder.encode(chunks))
        chunks, vectors = self._chunks
        near = vectors @ self.retriever.encoder.encode([question])[0]
        context = "\n\n".join(chunks[place] for place in (-near).argsort()[:CHUNKS])
        return [HumanMessage(USUAL.format(context=context, question=question))]

    def _stream(self, prompt: Callable[[], list[Any]]) -> Measured:
        started, first, text, usage = time.perf_counter(), 0.0, "", None
        messages = prompt()
        shared = self._shared(messages)
        for piece in self.model.stream(messages):
            text += piece.text
            first = first or (time.perf_counter() - started if text.strip() else 0.0)
            usage = piece.usage_metadata or usage
        whole = time.perf_counter() - started
        told = usage or {"input_tokens": 0, "output_tokens": 0}
        return Measured(
            first, whole, told["input_tokens"], shared, told["output_tokens"], text.strip(), False
        )

    def _shared(self, messages: list[Any]) -> float:
        prompt = "\n".join(str(message.text) for message in messages)
        longest = max((_alike(prompt, one) for one in self.asked), default=0)
        self.asked.append(prompt)
        return longest / len(prompt)


def _alike(one: str, other: str) -> int:
    """How many characters two texts begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))


def _chunks(passages: Any) -> Iterator[str]:
    """The notes in pieces of 800 characters that overlap by 100, file by file."""
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    splitter = RecursiveCharacterTextSplitter(chunk_size=CHUNK, chunk_overlap=OVERLAP)
    files: dict[str, list[str]] = {}
    for passage in passages:
        files.setdefault(passage.source, []).append(f"{passage.title}\n{passage.text}")
    for texts in files.values():
        yield from splitter.split_text("\n\n".join(texts))
