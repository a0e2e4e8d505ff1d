"""Negative log-likelihood of the int8 model beside the same weights in float32, on text files.

    python -m tests.bench.likelihood [FILE …]

512 tokens of each file, of data/notes/*.md if none is named. Prints a table and writes it to
tests/bench/out/likelihood.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from ingest.types import silent
from rag.engines import weights
from rag.engines.int8 import Kernel, fastest_kernel
from rag.engines.prepare import prepare
from tests.bench.labelled import OUT

TOKENS = 512


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("files", type=Path, nargs="*", default=sorted(Path("data/notes").glob("*.md")))
    texts = [path.read_text("utf-8", errors="replace") for path in parser.parse_args().files]
    chosen = fastest_kernel()
    found: dict[Kernel, float] = {kernel: likelihood(kernel, texts) for kernel in ("float", chosen)}
    lines = ["| kernel | nats a token | against float |", "| --- | --- | --- |"]
    lines += [
        f"| {name} | {nll:.4f} | {100 * (nll / found['float'] - 1):+.2f}% |" for name, nll in found.items()
    ]
    table = "\n".join(lines) + "\n"
    OUT.mkdir(exist_ok=True)
    (OUT / "likelihood.md").write_text(table, "utf-8")
    print(table)


def likelihood(kernel: Kernel, texts: list[str]) -> float:
    """Mean negative log-likelihood, nats a token, of the start of each text."""
    model, tokenizer = weights.load_int8(prepare(), silent, kernel)
    total = 0.0
    for text in texts:
        ids = torch.tensor([tokenizer.encode(text)[:TOKENS]])
        with torch.inference_mode():
            logits = model(ids).logits[0, :-1]
        total += float(torch.nn.functional.cross_entropy(logits, ids[0, 1:]))
    return total / len(texts)


if __name__ == "__main__":
    main()
