"""Tokens drawn so that the text is JSON of a given schema: every other token has no chance.

llguidance (MIT, one Rust wheel that pulls in nothing) compiles the schema and says which tokens may
come next; what only one text can continue, such as the names of fields, is appended without asking
the model. Willard and Louf 2023 (arXiv 2307.09702) describe the method. What this file does not
know: what the fields mean.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from llguidance import LLMatcher, LLTokenizer
from llguidance.hf import from_tokenizer
from transformers import PreTrainedTokenizerBase

from ingest.errors import BadRequest
from rag.decoding import Decoding, choose
from rag.engines.reading import Reading
from rag.engines.writing import Written

Schema = Mapping[str, Any]  # a JSON schema


class Grammar:
    """What may come next in JSON of one schema; holds the place in one text."""

    def __init__(self, tokens: LLTokenizer, schema: Schema) -> None:
        """Raises BadRequest where the schema cannot be held to."""
        grammar = LLMatcher.grammar_from_json_schema(
            dict(schema),
            overrides={"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "},
        )
        self._matcher = LLMatcher(tokens, grammar)
        if self._matcher.is_error():
            reason = " ".join(self._matcher.get_error().split())[:200]
            raise BadRequest(f"The schema cannot be held to ({reason}): give a simpler one.")

    @property
    def over(self) -> bool:
        """Whether the text is whole."""
        return bool(self._matcher.is_stopped())

    def forced(self) -> list[int]:
        """The tokens that must come next, and nothing else can; taken at once."""
        tokens: list[int] = self._matcher.compute_ff_tokens()
        self._matcher.consume_tokens(tokens)
        return tokens

    def allowed(self, logits: torch.Tensor) -> torch.Tensor:
        """`logits` (vocabulary,) with minus infinity for every token that may not come next."""
        bits = torch.frombuffer(bytearray(self._matcher.compute_bitmask()), dtype=torch.uint8)
        each = (bits[:, None] >> torch.arange(8, dtype=torch.uint8)) & 1
        fits = each.reshape(-1)[: len(logits)].bool()
        fits = torch.nn.functional.pad(fits, (0, len(logits) - len(fits)))
        return logits.masked_fill(~fits.to(logits.device), float("-inf"))

    def take(self, token: int) -> None:
        """Go on by a token that was allowed."""
        self._matcher.consume_token(token)


def ready(tokenizer: PreTrainedTokenizerBase, ends: set[int]) -> LLTokenizer:
    """What grammars need of a tokenizer, made once: it takes about a second. Raises BadRequest."""
    try:
        return from_tokenizer(tokenizer, eos_token=sorted(ends))  # type: ignore[arg-type]
    except ValueError as error:
        raise BadRequest("This model's tokenizer cannot be held to a schema: use another model.") from error


def write_within(
    reading: Reading, how: Decoding, grammar: Grammar, most: int, halt: threading.Event | None
) -> Iterator[Written]:
    """Continue `reading` as the grammar allows, until the text is whole, or `most` tokens, or `halt`."""
    draw = torch.Generator().manual_seed(how.seed)
    count = 0
    while count < most and len(reading.logits) and not (halt and halt.is_set()):
        if forced := grammar.forced():
            before, after = reading.logits, reading.step_ahead(forced, halt)
            if not len(after):
                return
            yield from map(Written, forced, [before, *after[:-1]])
            count += len(forced)
            continue
        logits = grammar.allowed(reading.logits)
        if grammar.over:
            return
        token = choose(logits, how, draw)
        yield Written(token, logits)
        count += 1
        grammar.take(token)
        if grammar.over:
            return
        reading.step(token, halt)
