"""Tokens chosen one after another, and several decoding strategies going on from one prompt.

What this file does not know: messages, the chat template, who is waiting.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from langchain_core.messages.ai import InputTokenDetails, UsageMetadata
from tokenizers.decoders import DecodeStream
from transformers import PreTrainedTokenizerBase
from transformers.generation import StoppingCriteria

from rag.decoding import Decoding, choose, kept
from rag.engines import lookup
from rag.engines.reading import Reading
from rag.engines.turns import Turns


class Written(NamedTuple):
    """A token and the logits (vocabulary,) it was drawn from."""

    token: int
    logits: torch.Tensor


@dataclass(frozen=True, slots=True)
class Candidate:
    """One token that could have come next."""

    token: int
    text: str
    before: float  # probability at temperature 1
    after: float  # probability at the strategy's temperature, before anything is cut off
    kept: bool  # whether the strategy left it in the draw
    drawn: bool


@dataclass(frozen=True, slots=True)
class Drawn:
    """The next token of one of several strategies; a beam search comes as one Drawn."""

    strategy: int  # its place among the strategies compared
    token: int  # -1 for a beam search
    piece: str  # the text it adds; empty for the end, or while a character is not yet whole
    candidates: tuple[Candidate, ...]  # likeliest first; none for a beam search
    kept: int  # how many tokens of the whole vocabulary were left in the draw; 0 for a beam search
    share: float  # their probability together, after temperature; 0 for a beam search
    seconds: float  # this strategy has taken so far, the prompt and the others not counted
    done: bool  # whether it is this strategy's last


def write(
    reading: Reading, how: Decoding, ends: set[int], most: int, halt: threading.Event | None,
    ahead: bool = False,
) -> Iterator[Written]:  # fmt: skip
    """Continue `reading` until one of `ends`, which is given as well, or `most` tokens, or `halt`.

    With `ahead`, greedy decoding guesses tokens that stood in the text before and checks several in
    one call, where the model gives the same either way: the same tokens, sooner and in bursts.
    """
    if ahead and reading.rows_agree and (how.name == "greedy" or how.temperature == 0):
        yield from _write_ahead(reading, ends, most, halt)
        return
    draw = torch.Generator().manual_seed(how.seed)
    for number in range(most):
        if _set(halt) or not len(reading.logits):
            return
        token = choose(reading.logits, how, draw)
        yield Written(token, reading.logits)
        if token in ends or number == most - 1:
            return
        reading.step(token, halt)


def _write_ahead(
    reading: Reading, ends: set[int], most: int, halt: threading.Event | None
) -> Iterator[Written]:
    """Greedy decoding with guesses (rag/engines/lookup.py)."""
    number, pace, logits = 0, lookup.Pace(), reading.logits
    while len(logits):
        token = int(logits.argmax())
        yield Written(token, logits)
        number += 1
        if token in ends or number == most:
            return
        guessed: list[int] = []
        if number >= pace.resume:
            guessed = lookup.guess([*reading.ids, token], min(pace.size, most - number))
        rows = reading.step_ahead([token, *guessed], halt)
        if not len(rows):
            return  # halted
        right = 0
        while right < len(guessed) and int(rows[right].argmax()) == guessed[right]:
            right += 1
        reading.drop(len(guessed) - right)
        for place, token in enumerate(guessed[:right]):
            yield Written(token, rows[place])
            number += 1
            if token in ends or number == most or _set(halt):
                return
        if guessed:
            pace = pace.learned(right, number)
        logits = reading.logits = rows[right]


def _set(halt: threading.Event | None) -> bool:
    return halt is not None and halt.is_set()


def round_about(
    reading: Reading,
    tokenizer: PreTrainedTokenizerBase,
    hows: Sequence[tuple[int, Decoding]],
    ends: set[int],
    most: int,
    halt: threading.Event | None,
    top: int,
) -> Iterator[Drawn]:
    """Continue `reading` in each of `hows` (its number and itself), one token each in turn.

    Each Drawn has the `top` likeliest tokens, and the one drawn where it is not among them.
    """
    going = {
        number: (
            write(reading.fork(), how, ends, most, halt),
            how,
            DecodeStream(skip_special_tokens=True),
        )
        for number, how in hows
    }
    seconds, written = dict.fromkeys(going, 0.0), dict.fromkeys(going, 0)
    while going:
        for number, (tokens, how, pieces) in list(going.items()):
            started = time.perf_counter()
            found = next(tokens, None)
            seconds[number] += time.perf_counter() - started
            if found is None:  # halted
                return
            written[number] += 1
            done = found.token in ends or written[number] == most
            piece = "" if found.token in ends else pieces.step(tokenizer.backend_tokenizer, found.token)
            likeliest, left, share = candidates(found, how, tokenizer, top)
            yield Drawn(number, found.token, piece or "", likeliest, left, share, seconds[number], done)
            if done:
                del going[number]


def compared(
    reading: Reading,
    tokenizer: PreTrainedTokenizerBase,
    model: Any,
    turns: Turns,
    hows: Sequence[Decoding],
    ends: set[int],
    most: int,
    halt: threading.Event | None,
    top: int,
) -> Iterator[Drawn]:
    """`round_about` for those of `hows` that choose token by token; beam searches follow, each at once."""
    streamed = [(number, how) for number, how in enumerate(hows) if how.name != "beam"]
    yield from round_about(reading, tokenizer, streamed, ends, most, halt, top)
    for number, how in enumerate(hows):
        if how.name == "beam" and not _set(halt):
            started = time.perf_counter()
            tokens = beam(reading, model, turns, how, ends, most, halt)
            text = str(tokenizer.decode(tokens, skip_special_tokens=True))
            yield Drawn(number, -1, text, (), 0, 0.0, time.perf_counter() - started, True)


def candidates(
    found: Written, how: Decoding, tokenizer: PreTrainedTokenizerBase, top: int
) -> tuple[tuple[Candidate, ...], int, float]:
    """The `top` likeliest tokens where `found` was drawn, and the one drawn, likeliest first.

    With how many tokens of the whole vocabulary were kept, and their probability together.
    """
    logits = found.logits.float()
    before = logits.softmax(-1)
    after = (logits / how.temperature).softmax(-1) if how.temperature > 0 else before
    stay = kept(after, how)
    likeliest = before.topk(min(top, len(before))).indices.tolist()
    if found.token not in likeliest:
        likeliest.append(found.token)
    shown = tuple(
        Candidate(
            token,
            str(tokenizer.decode([token])),
            float(before[token]),
            float(after[token]),
            bool(stay[token]),
            token == found.token,
        )
        for token in likeliest
    )
    return shown, int(stay.sum()), float(after[stay].sum())


def beam(
    reading: Reading, model: Any, turns: Turns, how: Decoding, ends: set[int], most: int,
    halt: threading.Event | None,
) -> list[int]:  # fmt: skip
    """Tokens that continue `reading`, by transformers' own beam search.

    The sequence with the best mean log-probability wins. The prompt is read once and not once a
    beam; between two tokens the others have their turn.
    """
    if not len(reading.logits):
        return []  # halted while the prompt was read
    ids = torch.tensor([reading.ids], device=model.device)
    cache = reading.cache.plain()
    cache.crop(-1)  # generate reads the last token itself
    cache.batch_repeat_interleave(how.beams)
    with ExitStack() as stack, torch.inference_mode():
        between = _BetweenTokens(turns, halt, stack)
        if not between.next_turn():
            return []
        output = model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            past_key_values=cache,
            num_beams=how.beams,
            do_sample=False,
            max_new_tokens=most,
            eos_token_id=sorted(ends),
            pad_token_id=min(ends),
            stopping_criteria=[between],
        )[0, len(reading.ids) :].tolist()
    return [token for token in output if token not in ends]


class _BetweenTokens(StoppingCriteria):
    """What generate asks after each token: whether to stop. Here the turn is given up and taken again."""

    def __init__(self, turns: Turns, halt: threading.Event | None, stack: ExitStack) -> None:
        self.turns, self.halt, self.stack = turns, halt, stack

    def next_turn(self) -> bool:
        self.stack.close()
        return self.stack.enter_context(self.turns.turn(self.halt))

    def __call__(self, ids: torch.Tensor, scores: torch.Tensor, **_: Any) -> torch.Tensor:
        return torch.full((ids.shape[0],), not self.next_turn(), device=ids.device)


def end_tokens(config: Any, end: int | None) -> set[int]:
    """The tokens that end an answer: those of a transformers generation config, if any, and `end`."""
    listed = config.eos_token_id if config else None
    several = listed if isinstance(listed, list) else [listed]
    return {token for token in (*several, end) if token is not None}


def counted(prompt: int, cached: int, written: int) -> UsageMetadata:
    """Tokens of a prompt, those of them that were not read again, and those written, for LangChain."""
    return UsageMetadata(
        input_tokens=prompt,
        output_tokens=written,
        total_tokens=prompt + written,
        input_token_details=InputTokenDetails(cache_read=cached),
    )
