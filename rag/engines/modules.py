"""Keys and values of an excerpt's text, computed once and joined to any prompt that shows it.

Most of a prompt are passages that were in other prompts before. Each is read once behind the fixed
start of all prompts, by itself; its keys and values are kept on disk, and a question that brings it
back only reads the question (prompt modules: Gim et al. 2023, Prompt Cache, arXiv 2311.04934;
TurboRAG, Lu et al. 2024, arXiv 2410.07590). Keys are kept before their rotation (rotary position
embedding, Su et al. 2021, arXiv 2104.09864) and turned to whatever place they get, so that lines can
be left out and passages come in any order. What is lost: a passage does not attend to those before
it. What that costs in answers is measured by tests/bench/answers.py.

Both are kept in 8 bits, a keys' channel and a value's token with a scale of its own (KIVI, Liu et al.
2024, arXiv 2402.02750): 15 kB a token of Qwen2.5-1.5B.

What this file does not know: passages, prompts, when to read ahead.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from rag.engines import tensors
from rag.engines.keys import Pairs
from rag.engines.prompt import Excerpt, Prompt
from rag.engines.reading import Known, Reading

ROOM = 2 * 2**30  # bytes that a folder of modules may take: some 1,000 passages
_STEPS = 255  # of 8 bits


@dataclass(frozen=True, slots=True)
class Module:
    """What one text comes to, read behind the fixed start: all of its lines."""

    keys: torch.Tensor  # uint8 (layers, heads, tokens, size), not rotated
    key_scale: torch.Tensor  # float32 (layers, heads, 1, size)
    key_zero: torch.Tensor  # float32 (layers, heads, 1, size)
    values: torch.Tensor  # uint8 (layers, heads, tokens, size)
    value_scale: torch.Tensor  # float32 (layers, heads, tokens, 1)
    value_zero: torch.Tensor  # float32 (layers, heads, tokens, 1)

    def rows(self, at: torch.Tensor) -> Pairs:
        """Keys, not rotated, and values of the tokens `at`: each float32 (layers, heads, tokens, size)."""
        keys = self.keys[:, :, at].float() * self.key_scale + self.key_zero
        scale, zero = self.value_scale[:, :, at], self.value_zero[:, :, at]
        return keys, self.values[:, :, at].float() * scale + zero


def module(keys: torch.Tensor, values: torch.Tensor) -> Module:
    """Keys, not rotated, and values, each (layers, heads, tokens, size), in 8 bits."""
    return Module(*_in_steps(keys, 2), *_in_steps(values, 3))


def _in_steps(numbers: torch.Tensor, over: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    numbers = numbers.float()
    zero = numbers.amin(over, keepdim=True)
    scale = ((numbers.amax(over, keepdim=True) - zero) / _STEPS).clamp_min(1e-8)
    return ((numbers - zero) / scale).round().to(torch.uint8), scale, zero


def borrowed(prompt: Prompt, notes: Prompt, read: Reading) -> list[Known]:
    """The lines that `prompt` shows of texts of which `notes` shows them too, out of `read`.

    `read` begins as `notes` does, at least to the end of its last excerpt. Other than a module, what is
    borrowed has attended to all that stands before it there, and is in no fewer bits.
    """
    first = len(notes.start)
    keys, values = read.known(first)
    theirs = {one.lines: one.places() for one in notes.excerpts}
    found = []
    for one in prompt.excerpts:
        there = theirs.get(one.lines, {})
        for line, place in one.places().items():
            if line in there:
                count, at = len(one.ids[line]), there[line] - first
                found.append(Known(place, count, partial(_rows, keys, values, at, count)))
    return found


def _rows(keys: torch.Tensor, values: torch.Tensor, at: int, count: int) -> Pairs:
    return keys[:, :, at : at + count], values[:, :, at : at + count]


class Shelf:
    """The modules in a folder that were read behind one fixed start by one model. Nothing is fatal here."""

    def __init__(self, folder: Path, start: Sequence[int], kernel: str) -> None:
        """`start`: the tokens before each module; `kernel`: how the model computes."""
        self.folder = folder / "modules"
        self._mark = f"2 {torch.__version__} {kernel} {list(start)}"

    def path(self, text: Sequence[str]) -> Path:
        """Where the module of a text in lines lies."""
        name = hashlib.sha256("\n".join([self._mark, *text]).encode("utf-8", "replace")).hexdigest()
        return self.folder / f"{name[:32]}.safetensors"

    def has(self, text: Sequence[str]) -> bool:
        """Whether it is kept, and from now on among those used last; damage is found out in loading."""
        with suppress(OSError):
            os.utime(self.path(text))
            return True
        return False

    def known(self, one: Excerpt) -> Known:
        """An excerpt's tokens in its prompt, loaded when they are joined."""

        def load() -> Pairs | None:
            found = self.load(one.lines, len(one.whole))
            return found.rows(torch.tensor(one.rows())) if found else None

        return Known(one.start, one.count, load)

    def load(self, text: Sequence[str], tokens: int) -> Module | None:
        """The module of `text`, of so many tokens; None where there is none. A damaged one is removed."""
        file = self.path(text)
        held = tensors.load(file)
        if held is None or set(held) != set(Module.__slots__) or held["keys"].shape[2] != tokens:
            with suppress(OSError):
                file.unlink(missing_ok=True)  # or it would count as there, and never be read again
            return None
        with suppress(OSError):
            os.utime(file)
        return Module(**held)

    def store(self, text: Sequence[str], found: Module) -> None:
        """Keep a text's module; where that cannot be done, nothing is lost but time."""
        tensors.store(self.path(text), {name: getattr(found, name) for name in Module.__slots__})

    def fill(
        self,
        excerpts: Sequence[Excerpt],
        start: list[int],
        read: Callable[[], Reading],
        halt: threading.Event,
        gently: bool,
        since: float,
    ) -> bool:
        """Read those excerpts that are not kept and keep them; whether all are there now.

        `read` gives a reading that begins as `start` does. `gently`: only while nobody is answered.
        `since`: what was last used before (seconds since the epoch) may go to make room.
        """
        for one in excerpts:
            if self.has(one.lines):
                continue
            reading = read() if self.make_room(since) else None
            if reading is None or not reading.read_slowly(start, one.whole, halt, gently):
                return False
            self.store(one.lines, module(*reading.known(len(start))))
        return True

    def make_room(self, since: float, room: int = ROOM) -> bool:
        """Remove what was last used before `since` (seconds since the epoch), oldest first, where
        there is more than `room` bytes; whether there is less now."""
        left = 0
        with suppress(OSError):
            files = [(one.stat().st_mtime, one.stat().st_size, one) for one in self.folder.iterdir()]
            left = sum(size for _, size, _ in files)
            for used, size, file in sorted(files):
                if left < room or used >= since:
                    break
                file.unlink(missing_ok=True)
                left -= size
        return left < room


def kept(shelf: Shelf | None, prompt: Prompt) -> list[Known]:
    """The excerpts of `prompt` that are on the shelf."""
    return [shelf.known(one) for one in prompt.excerpts if shelf.has(one.lines)] if shelf else []
