"""Seconds to the first word and to the whole answer, tokens a second, memory, and start-up.

    python -m tests.bench.speed --index data/index

Three questions in turn, five rounds, each with the passages read ahead and with none. Before each, all
prompts read are forgotten but their fixed start, as a new student's question finds it.
Prints a table of medians and writes it to tests/bench/out/speed.md.
"""

from __future__ import annotations

import argparse
import platform
import resource
import statistics
import sys
import threading
import time
from pathlib import Path

from rag.ahead import read_ahead
from rag.chain import answer_chain
from rag.engines.int8 import fastest_kernel
from rag.engines.local import load_model
from rag.engines.reading import Kept
from rag.prompts import opening
from rag.types import Ask
from tests.bench.labelled import OUT
from ui.tutor import open_retriever

QUESTIONS = (
    "What is the discriminator in a GAN?",
    "How does top-p sampling choose its words?",
    "What are the stages of a generative AI project?",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--index", type=Path, default=Path("data/index"))
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    started = time.perf_counter()
    retriever = open_retriever(options.index, None)
    model = load_model()
    chain = answer_chain(retriever, model)
    ready = time.perf_counter() - started
    chain.invoke(Ask("What is a latent space?"))  # what only the first question pays is not the median's
    began = time.perf_counter()
    read_ahead(model, retriever.index.passages, threading.Event(), gently=False)
    ahead, folder = time.perf_counter() - began, model.folder
    rows: dict[tuple[str, str], list] = {(one, read): [] for read in ("yes", "no") for one in QUESTIONS}
    for _ in range(options.rounds):
        for question, read in rows:
            model._kept, model.folder = Kept(), folder
            model.warm(opening())
            model.folder = folder if read == "yes" else None
            rows[question, read].append(chain.invoke(Ask(question)).timings)
    lines = [
        "| question | read ahead | passages, s | first word, s | whole, s | prompt (known) | tokens/s |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for (question, read), timings in rows.items():
        found, first, whole = (
            statistics.median(getattr(one, name) for one in timings) / 1000
            for name in ("retrieve_ms", "first_word_ms", "total_ms")
        )
        # The first token comes with the prompt; the others are decoded between first word and end.
        rate = statistics.median(
            (one.output_tokens - 1) * 1000 / max(1.0, one.total_ms - one.first_word_ms) for one in timings
        )
        tokens = f"{timings[-1].prompt_tokens} ({timings[-1].cached_tokens})"
        lines.append(
            f"| {question} | {read} | {found:.2f} | {first:.2f} | {whole:.2f} | {tokens} | {rate:.1f} |"
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform != "darwin" else 1e9)
    text = "\n".join(
        [
            f"{platform.machine()}, kernel '{fastest_kernel()}', medians of {options.rounds}",
            "",
            *lines,
            "",
            f"Ready to answer after {ready:.1f} s; peak memory {peak:.2f} GB. Reading ahead what "
            f"was not yet read: {ahead:.0f} s.",
            "",
        ]
    )
    OUT.mkdir(exist_ok=True)
    (OUT / "speed.md").write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main()
