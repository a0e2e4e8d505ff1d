"""Damaged files of every format: bytes flipped, cut short, spliced; none may crash, hang or eat the memory.

    python -m tests.bench.mutate --count 1000

Each is read in the sandbox, cleaned and split, as a build does. Half of the damaged documents that are
ZIP files inside are damaged within, so that their parsers and not the unpacking get to see it, and half
of the notebooks are whole JSON that says something else. Prints a table and writes it to
tests/bench/out/mutate.md; ends with status 1 if a file broke what it must not.
"""

from __future__ import annotations

import argparse
import functools
import io
import json
import os
import random
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from ingest import archive, limits
from ingest.clean import clean
from ingest.errors import NotesError
from ingest.sandbox import Sandbox
from ingest.split import split
from tests.samples import archive as packed
from tests.samples import samples

OUT = Path(__file__).parent / "out"
ZIPPED = frozenset("docx epub pptx zip".split())
SEED = 4
CHANGES = (1, 1, 1, 2, 3, 8)  # to one file: after many, nothing of it can be read


@dataclass(slots=True)
class Tally:
    """What became of the damaged files of one format."""

    kind: str
    files: int = 0
    read: int = 0
    refused: int = 0
    crashed: int = 0  # the worker ended; the program went on
    late: int = 0  # beyond the time that is allowed
    slowest: float = 0.0  # seconds of CPU to read, clean and split: how busy the machine is plays no part
    peak: float = 0.0  # MB of the worker, or what this process came to take for what is read in it

    @property
    def broken(self) -> bool:
        """Whether something happened that must not."""
        return bool(self.late) or self.slowest > limits.SECONDS or self.peak > limits.MEMORY >> 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--count", type=int, default=1000, help="damaged files of each format")
    parser.add_argument("--formats", default=",".join(samples()), help="which, with commas between")
    options = parser.parse_args()
    tallies = []
    for kind in options.formats.split(","):
        tallies.append(tried(kind, options.count))
        print(row(tallies[-1]), flush=True)
    head = "| format | files | read | refused | worker lost | too late | slowest CPU s | peak MB |"
    rule = "| --- | --- | --- | --- | --- | --- | --- | --- |"
    table = "\n".join(
        [f"mutate: {options.count} files a format, seed {SEED}", "", head, rule, *map(row, tallies)]
    )
    OUT.mkdir(exist_ok=True)
    (OUT / "mutate.md").write_text(table + "\n", "utf-8")
    print(f"\n{table}")
    sys.exit(any(tally.broken for tally in tallies))


def row(tally: Tally) -> str:
    counts = f"{tally.files} | {tally.read} | {tally.refused} | {tally.crashed} | {tally.late}"
    return f"| {tally.kind} | {counts} | {tally.slowest:.2f} | {tally.peak:.0f} |"


def tried(kind: str, count: int, seed: int = SEED) -> Tally:
    """What becomes of `count` damaged files; any error but NotesError goes through."""
    dice = random.Random(f"{seed} {kind}")
    tally, mine = Tally(kind), _most(os.getpid())
    with tempfile.TemporaryDirectory() as folder, Sandbox() as sandbox:
        path = Path(folder) / f"bad.{kind}"
        for _ in range(count):
            path.write_bytes(mutated(kind, dice))
            tally.files += 1
            began = _cpu(sandbox)
            try:
                refused = [_one(sandbox, path, *member) for member in _members(path).items()]
            except NotesError as err:
                refused = [str(err)]
            tally.slowest = max(tally.slowest, _cpu(sandbox) - began)
            tally.crashed += any("crashed" in why for why in refused)
            tally.late += any("not read within" in why for why in refused)
            tally.refused += all(refused)
            tally.read += not all(refused)
            worker = sandbox._worker
            tally.peak = max(tally.peak, _most(worker.pid) if worker else _most(os.getpid()) - mine)
    return tally


def _members(path: Path) -> dict[str, str]:
    return archive.members(path) if path.suffix == ".zip" else {"": ""}


def _one(sandbox: Sandbox, path: Path, shown: str, member: str) -> str:
    """Why the file, or one in it, is refused; '' if it is read."""
    source = f"{path.name}/{shown}" if member else path.name
    try:
        split(clean(sandbox.read(path, source, member).pages))
    except NotesError as err:
        assert "\n" not in str(err).removeprefix(source)
        return str(err)
    return ""


def _cpu(sandbox: Sandbox) -> float:
    """Seconds of CPU that this process and the worker have taken."""
    try:
        worker = psutil.Process(sandbox._worker.pid).cpu_times() if sandbox._worker else None
    except psutil.Error:
        worker = None
    return time.process_time() + (worker.user + worker.system if worker else 0.0)


def _most(process: int) -> float:
    """MB of memory that a process has had at most."""
    try:
        status = Path(f"/proc/{process}/status").read_text("ascii")
    except OSError:
        return 0.0
    found = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    return int(found[0]) / 1024 if found else 0.0


def mutated(kind: str, dice: random.Random) -> bytes:
    """A damaged file of this format."""
    whole = plain_pdf() if kind == "pdf" and dice.random() < 0.5 else samples()[kind]
    if kind == "ipynb" and dice.random() < 0.5:
        return json.dumps(_reshaped(json.loads(whole), dice)).encode()
    if kind not in ZIPPED or dice.random() < 0.5:
        return _damaged(whole, dice)
    with zipfile.ZipFile(io.BytesIO(whole)) as file:
        files = {info.filename: file.read(info) for info in file.infolist()}
    for name in dice.sample(sorted(files), dice.randint(1, min(3, len(files)))):
        files[name] = _damaged(files[name], dice)
    return packed(files)


def _reshaped(value: Any, dice: random.Random) -> Any:
    """JSON in which things are missing, or are not what they should be."""
    if dice.random() < 0.04:
        return dice.choice([None, True, -1, 1e308, "", "words", [], {}, [None], {"a": 1}])
    if isinstance(value, dict):
        return {key: _reshaped(one, dice) for key, one in value.items() if dice.random() > 0.02}
    return [_reshaped(one, dice) for one in value] if isinstance(value, list) else value


def _damaged(data: bytes, dice: random.Random) -> bytes:
    ways: tuple[Callable[[bytearray, random.Random], bytearray], ...] = (_flipped, _cut, _spliced, _repeated)
    some = bytearray(data)
    for _ in range(dice.choice(CHANGES)):
        if some:
            some = dice.choice(ways)(some, dice)
    return bytes(some)


def _flipped(data: bytearray, dice: random.Random) -> bytearray:
    for _ in range(dice.choice((1, 1, 2, 5, 20))):
        data[dice.randrange(len(data))] = dice.randrange(256)
    return data


def _cut(data: bytearray, dice: random.Random) -> bytearray:
    # Mostly a little out of the middle: of a file that is cut short early, little is left to try.
    start = dice.randrange(len(data))
    return data[:start] if dice.random() < 0.2 else data[:start] + data[start + dice.randint(1, 200) :]


def _spliced(data: bytearray, dice: random.Random) -> bytearray:
    """A stretch of it, or of another format's sample, put in somewhere else."""
    other = dice.choice([bytes(data), *samples().values()])
    start = dice.randrange(len(other))
    at = dice.randrange(len(data))
    return data[:at] + other[start : start + dice.randint(1, 400)] + data[at:]


def _repeated(data: bytearray, dice: random.Random) -> bytearray:
    """A short stretch said many times, as broken programs do: brackets, digits, tags."""
    start = dice.randrange(len(data))
    stretch = data[start : start + dice.randint(1, 12)]
    return data[:start] + stretch * dice.choice((2, 10, 100, 2000)) + data[start:]


@functools.cache
def plain_pdf() -> bytes:
    """The PDF sample with its pages' contents uncompressed, so that damage reaches what they draw."""
    from pypdf import PdfReader, PdfWriter
    from pypdf.generic import NameObject, StreamObject

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(samples()["pdf"])))
    for page in writer.pages:
        stream = StreamObject()
        stream.set_data(page.get_contents().get_data())
        page[NameObject("/Contents")] = writer._add_object(stream)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


if __name__ == "__main__":
    main()
