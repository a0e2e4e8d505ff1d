"""The cards in which a strategy of the lab is set: its name, its value, temperature and seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ingest.errors import BadRequest
from rag.decoding import Decoding
from rag.strategies import MOST, strategy
from ui.web.lab_view import NAMES
from ui.web.wiring import QUIET

# What each strategy is set by: the label, the value it starts with, and the step.
VALUES: dict[str, tuple[str, float, float]] = {
    "top-k": ("k", 40, 1),
    "top-p": ("p", 0.9, 0.05),
    "min-p": ("min-p", 0.1, 0.05),
    "beam": ("Beam width B", 4, 1),
}
START = ("greedy", "top-k", "top-p", "random", "beam")
SHOWN = 3  # cards at first


@dataclass(frozen=True, slots=True)
class Picker:
    """The components of one card; a strategy shows only its own."""

    card: gr.Column
    name: gr.Dropdown
    value: gr.Number
    temperature: gr.Number
    seed: gr.Number

    def inputs(self) -> set[Any]:
        """What the strategy's Decoding is made of."""
        return {self.name, self.value, self.temperature, self.seed}


def build(start: str, number: int, visible: bool) -> Picker:
    """Put a card in the page."""
    label, value, step = VALUES.get(start, ("k", 40, 1))
    drawn = start not in ("greedy", "beam")
    with gr.Column(visible=visible, min_width=200, elem_classes="lab-picker") as card:
        name = gr.Dropdown(
            [(words, name) for name, words in NAMES.items()], value=start, label=f"Strategy {number}"
        )
        with gr.Row(elem_classes="lab-numbers"):
            made = Picker(
                card,
                name,
                gr.Number(value, label=label, step=step, visible=start in VALUES, min_width=64),
                gr.Number(1.0, label="Temperature", step=0.1, visible=drawn, min_width=64),
                gr.Number(0, label="Seed", step=1, visible=drawn, min_width=64),
            )
    name.input(fields, name, [made.value, made.temperature, made.seed], **QUIET)
    return made


def fields(name: str) -> tuple[gr.Number, gr.Number, gr.Number]:
    """A card's value, temperature and seed as the strategy needs them."""
    drawn = name not in ("greedy", "beam")
    if name not in VALUES:
        return gr.Number(visible=False), gr.Number(visible=drawn), gr.Number(visible=drawn)
    label, value, step = VALUES[name]
    number = gr.Number(value=value, label=label, step=step, visible=True)
    return number, gr.Number(visible=drawn), gr.Number(visible=drawn)


def chosen(name: str, value: float | None, temperature: float | None, seed: float | None) -> Decoding:
    """The Decoding that a card describes. Raises BadRequest on a bad value."""
    spec = f"{name}:{_digits(value)}" if name in VALUES and value is not None else name
    if name not in ("greedy", "beam") and temperature is not None:
        spec += f"+temperature:{_digits(temperature)}"
    if seed is not None and (seed != int(seed) or seed < 0):
        raise BadRequest(f"seed must be a whole number from 0 up, not {seed:g}.")
    return strategy(spec, int(seed or 0))


def all_chosen(pickers: Sequence[Picker], count: int, values: Mapping[Any, Any]) -> list[Decoding]:
    """What the first `count` cards describe. Raises BadRequest that names the card."""
    found = []
    for number, one in enumerate(pickers[: min(count, MOST)], 1):
        try:
            found.append(
                chosen(values[one.name], values[one.value], values[one.temperature], values[one.seed])
            )
        except BadRequest as error:
            raise BadRequest(f"Strategy {number}: {error}") from error
    return found


def _digits(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")
