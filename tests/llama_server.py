"""A llama.cpp server on the embedded model's own GGUF: what tests and benches compare and connect with.

    python -m tests.llama_server GGUF [--port N] [--key K] [--context N] [--slots N] [--batch N] [--threads N]

prints its address once the model is loaded and answers until it is ended.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rag.engines import prepare

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Running:
    """A server that answers."""

    url: str  # ends in /v1
    port: int
    process: subprocess.Popen[str]


def joined(folder: Path) -> Path:
    """The model's parts as one GGUF file of 1.1 GB in `folder`; its checksum is right."""
    file = folder / "model.gguf"
    digest = hashlib.sha256()
    with file.open("wb") as out:
        for part in prepare.part_files():
            data = part.read_bytes()
            digest.update(data)
            out.write(data)
    if digest.hexdigest() != prepare.SHA256:
        raise SystemExit("the installed model's checksum is wrong")
    return file


@contextmanager
def running(
    gguf: Path,
    port: int = 0,
    key: str = "",
    context: int = 4096,
    slots: int = 1,
    batch: int = 2048,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Running]:
    """A server in a process of its own; ended when the block is left. `context`: tokens, of all slots.

    `batch`: tokens of a prompt that it reads between two looks at whether anyone still waits.
    """
    command = [sys.executable, "-m", "tests.llama_server", str(gguf), "--port", str(port), "--key", key]
    command += ["--context", str(context), "--slots", str(slots), "--batch", str(batch)]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            if not address.startswith("http"):
                raise SystemExit(f"llama.cpp's server did not start: {address or process.wait()}")
            yield Running(f"{address}/v1", int(address.rsplit(":", 1)[1]), process)
        finally:
            process.kill()


def main() -> None:
    import xllamacpp

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("gguf", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--key", default="")
    parser.add_argument("--context", type=int, default=4096)
    parser.add_argument("--slots", type=int, default=1)
    parser.add_argument("--batch", type=int, default=2048)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    params = xllamacpp.CommonParams()
    params.model.path = str(options.gguf)
    params.n_ctx, params.n_parallel = options.context, options.slots
    params.n_batch = options.batch
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = options.threads
    params.hostnames, params.port = ["127.0.0.1"], options.port
    params.api_keys = [options.key] if options.key else []
    params.verbosity = 0
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
