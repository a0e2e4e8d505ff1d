"""A text that a language model reads and continues, and the few such texts worth keeping.

The keys and values of what was read are kept with the tokens they belong to, so that whatever start
the next text shares with it (the system line, the same passages, the same question) is not read
again. Every call of the model takes a turn (rag/engines/turns.py).

What this file does not know: messages, templates, how a token is chosen.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch

from rag.engines.keys import GrowingCache, Pairs, turned
from rag.engines.memory import enough_memory
from rag.engines.turns import Turns

ALONE = 128  # prompt tokens read in one turn
TOGETHER = 32  # the same while others are answered: their next word must not wait for long
KEPT = 3  # texts kept: two students' and one more
ROOM = 256 * 2**20  # bytes of keys and values kept; Qwen2.5-1.5B takes 57 kB a token
SAME = 48  # a kept text that another one shares but for so many tokens is not worth its room


class Known(NamedTuple):
    """Tokens of a text that need not be read: where they begin, and their keys (not rotated) and values."""

    start: int
    tokens: int
    load: Callable[[], Pairs | None]  # None where they are not to be had after all


class Reading:
    """One text: its token ids, their keys and values, and the logits (vocabulary,) after the last."""

    def __init__(self, model: Any, turns: Turns) -> None:
        """`model` is a transformers causal language model."""
        self._model, self._turns = model, turns
        self.cache = GrowingCache()  # keys and values of `ids`
        self.ids: list[int] = []
        self.logits = torch.empty(0)  # empty where nothing was read, or not all of it

    def fork(self) -> Reading:
        """An independent copy that shares what was read."""
        twin = Reading(self._model, self._turns)
        twin.ids, twin.logits, twin.cache = list(self.ids), self.logits, self.cache.twin()
        return twin

    def shared(self, ids: Sequence[int]) -> int:
        """How many tokens this text and `ids` have in common at their start."""
        return next(
            (n for n, (old, new) in enumerate(zip(self.ids, ids, strict=False)) if old != new),
            min(len(self.ids), len(ids)),
        )

    def read(self, ids: list[int], halt: threading.Event | None = None, known: Sequence[Known] = ()) -> int:
        """Make this the text `ids`, reading only what it does not hold; how many tokens were not read.

        `known`, in the order of the text, is joined where it stands. `logits` is empty where `halt`
        was set before the end. The last token is always read.
        """
        spared = min(self.shared(ids), len(ids) - 1)
        ahead = {one.start: one for one in known if one.start + one.tokens < len(ids)}
        # Texts that part within a known stretch part at its start: it is joined whole or not at all.
        spared = min(
            [spared, *(start for start, one in ahead.items() if start < spared < start + one.tokens)]
        )
        self.drop(len(self.ids) - spared)
        self.logits = torch.empty(0)
        while (place := len(self.ids)) < len(ids):
            if place in ahead:
                spared += self._join(ids, ahead.pop(place))
                continue
            until = min((start for start in ahead if start > place), default=len(ids))
            with self._turns.turn(halt) as mine:
                if not mine:
                    break
                at_once = ALONE if self._turns.alone else TOGETHER
                logits = self._extend(ids[place : min(until, place + at_once)])[-1]
        else:
            self.logits = logits
        return spared

    def read_slowly(self, start: list[int], rest: list[int], halt: threading.Event, gently: bool) -> bool:
        """Make this the text `start` and `rest`, a little at a time; whether it is read to its end.

        `gently`: only while nobody is answered.
        """
        step = TOGETHER if gently else ALONE
        for end in [*range(step, len(rest), step), len(rest)]:
            if gently and not self._turns.idle(halt):
                return False
            with enough_memory():
                self.read([*start, *rest[:end]], halt)
        return bool(len(self.logits))

    def known(self, start: int) -> Pairs:
        """Keys, not rotated, and values of this text's tokens from `start` on."""
        keys, values = self.cache.rows(start)
        return turned(keys, *self._angles(start, keys), back=True), values

    def _join(self, ids: list[int], known: Known) -> int:
        pairs = known.load()
        if pairs is None:
            return 0
        start, end = known.start, known.start + known.tokens
        with torch.inference_mode():
            self.cache.join((turned(pairs[0], *self._angles(start, pairs[0])), pairs[1]))
        self.ids.extend(ids[start:end])
        return known.tokens

    def _angles(self, start: int, keys: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Cosines and sines (tokens, size) of as many positions as `keys` has tokens, from `start` on."""
        positions = torch.arange(start, start + keys.shape[2], device=keys.device)[None]
        cos, sin = self._model.get_decoder().rotary_emb(keys, positions)
        return cos[0], sin[0]

    def shape(self, tokens: int) -> tuple[int, int, int, int, int]:
        """(layers, 2, heads, tokens, size) of keys and values."""
        config = self._model.config
        size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        return config.num_hidden_layers, 2, config.num_key_value_heads, tokens, size

    def step(self, token: int, halt: threading.Event | None = None) -> None:
        """Append one token; nothing happens where `halt` was set first."""
        with self._turns.turn(halt) as mine:
            if mine:
                self.logits = self._extend([token])[-1]

    def step_ahead(self, tokens: list[int], halt: threading.Event | None = None) -> torch.Tensor:
        """Append several tokens at once: logits (tokens, vocabulary) after each; empty where halted."""
        with self._turns.turn(halt) as mine:
            if not mine:
                return torch.empty(0)
            logits = self._extend(tokens, len(tokens))
        self.logits = logits[-1]
        return logits

    def drop(self, count: int) -> None:
        """Forget the last `count` tokens. `logits` is then the caller's to set."""
        if count:
            self.cache.crop(-count)
            del self.ids[-count:]

    @property
    def rows_agree(self) -> bool:
        """Whether tokens read together give, to the bit, what they give one by one (rag/engines/fused.py)."""
        return bool(getattr(self._model, "rows_agree", False))

    def _extend(self, ids: list[int], keep: int = 1) -> torch.Tensor:
        with torch.inference_mode():
            output = self._model(
                input_ids=torch.tensor([ids], device=self._model.device),
                past_key_values=self.cache,
                use_cache=True,
                logits_to_keep=keep,
            )
        self.ids.extend(ids)
        logits: torch.Tensor = output.logits[0]
        return logits


class Kept:
    """The texts read last, at most KEPT of them and about ROOM bytes. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readings: list[Reading] = []  # the one used last comes last
        self._always: list[Reading] = []

    def nearest(self, ids: list[int]) -> Reading | None:
        """A copy of the kept text that has the longest start in common with `ids`; None if none has any."""
        with self._lock:
            best = max(self._always + self._readings, key=lambda kept: kept.shared(ids), default=None)
            if best is None or not best.shared(ids):
                return None
            if best in self._readings:
                self._readings.remove(best)
                self._readings.append(best)
            return best.fork()

    def keep_always(self, reading: Reading) -> None:
        """Keep a copy of `reading` beside the others, whatever comes."""
        with self._lock:
            self._always.append(reading.fork())

    def keep(self, reading: Reading) -> None:
        """Keep a copy of `reading`; older texts that it covers, or that there is no room for, are dropped."""
        if not reading.ids:
            return
        reading = reading.fork()
        with self._lock:
            others = [old for old in self._readings if len(old.ids) - old.shared(reading.ids) > SAME]
            self._readings = [*others, reading][-KEPT:]
            while len(self._readings) > 1 and sum(kept.cache.nbytes for kept in self._readings) > ROOM:
                del self._readings[0]
