"""The closed panels under the question: where to search, and how the next token is chosen."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ingest.errors import BadRequest
from rag.decoding import Decoding, decoding

STRATEGIES = [
    ("Greedy", "greedy"),
    ("Random sampling", "random"),
    ("Top-k", "top-k"),
    ("Top-p (nucleus)", "top-p"),
    ("Min-p", "min-p"),
    ("Beam search", "beam"),
]
HINTS = {
    "greedy": "The likeliest word, every time. Nothing to set.",
    "random": "Drawn from all words, by their probability.",
    "top-k": "Drawn from the k likeliest words.",
    "top-p": "Drawn from the fewest words whose probabilities reach p together.",
    "min-p": "Drawn from the words at least min-p times as likely as the likeliest.",
    "beam": "The likeliest whole sentence among several kept at each step.",
}
SAMPLED = ("random", "top-k", "top-p", "min-p")


@dataclass(frozen=True, slots=True)
class Controls:
    """The components, by what they set; a strategy shows only its own."""

    sources: gr.Dropdown
    strict: gr.Checkbox
    name: gr.Dropdown
    hint: gr.Markdown
    temperature: gr.Number
    k: gr.Number
    p: gr.Number
    min_p: gr.Number
    beams: gr.Number
    seed: gr.Textbox  # empty for a new one each time

    def inputs(self) -> set[Any]:
        """What a question needs to know of them."""
        return {
            self.sources,
            self.strict,
            self.name,
            self.temperature,
            self.k,
            self.p,
            self.min_p,
            self.beams,
            self.seed,
        }


def build(sources: tuple[str, ...]) -> Controls:
    """Put the panels in the page."""
    with gr.Row(elem_id="ut-controls"):
        with gr.Accordion("Search in", open=False):
            chosen = gr.Dropdown(
                choices=list(sources),
                value=[],
                multiselect=True,
                show_label=False,
                container=False,
                elem_id="ut-sources",
                info="All notes, unless you choose some.",
            )
        strict = gr.Checkbox(
            label="Strict: show only what the notes support",
            value=False,
            container=False,
            min_width=0,
            elem_id="ut-strict",
            render=False,
        )
        with gr.Accordion("Decoding", open=False):
            name = gr.Dropdown(STRATEGIES, value="greedy", label="Strategy", elem_id="ut-strategy")
            hint = gr.Markdown(HINTS["greedy"], elem_classes="ut-hint")
            with gr.Row(elem_classes="ut-numbers"):
                controls = Controls(
                    sources=chosen,
                    strict=strict,
                    name=name,
                    hint=hint,
                    temperature=_number("Temperature", 1.0, "temperature", step=0.1),
                    k=_number("k", 40, "k", precision=0),
                    p=_number("p", 0.9, "p", step=0.05),
                    min_p=_number("min-p", 0.1, "min-p", step=0.05),
                    beams=_number("Beams", 4, "beams", precision=0),
                    seed=gr.Textbox(
                        label="Seed",
                        placeholder="new each time",
                        visible=False,
                        min_width=110,
                        max_lines=1,
                        elem_id="ut-seed",
                    ),
                )
        strict.render()
    name.change(
        lambda strategy: _visible(controls, strategy),
        name,
        list(_visible(controls, "greedy")),
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    )
    return controls


def chosen_sources(controls: Controls, values: Mapping[Any, Any], known: tuple[str, ...]) -> tuple[str, ...]:
    """The files to search in; () for all."""
    chosen = tuple(source for source in values[controls.sources] or () if source in known)
    return () if len(chosen) == len(known) else chosen


def chosen_decoding(controls: Controls, values: Mapping[Any, Any]) -> Decoding:
    """The decoding that the panel describes; raises BadRequest on a bad value."""
    name = values[controls.name]
    sampled = name in SAMPLED
    for label, value in (("k", values[controls.k]), ("beams", values[controls.beams])):
        if value is not None and value != int(value):
            raise BadRequest(f"{label} must be a whole number, not {value:g}.")
    return decoding(
        name,
        temperature=values[controls.temperature] if sampled else None,
        k=_int(values[controls.k]) if name == "top-k" else None,
        p=values[controls.p] if name == "top-p" else None,
        min_p=values[controls.min_p] if name == "min-p" else None,
        beams=_int(values[controls.beams]) if name == "beam" else None,
        seed=_seed(values[controls.seed]) if sampled else 0,
    )


def _number(label: str, value: float | None, name: str, **settings: Any) -> gr.Number:
    return gr.Number(
        value, label=label, visible=False, min_width=110, elem_id=f"ut-{name}", show_label=True, **settings
    )


def _visible(controls: Controls, strategy: str) -> dict[Any, Any]:
    sampled = strategy in SAMPLED
    return {
        controls.hint: HINTS.get(strategy, ""),
        controls.temperature: gr.Number(visible=sampled),
        controls.k: gr.Number(visible=strategy == "top-k"),
        controls.p: gr.Number(visible=strategy == "top-p"),
        controls.min_p: gr.Number(visible=strategy == "min-p"),
        controls.beams: gr.Number(visible=strategy == "beam"),
        controls.seed: gr.Textbox(visible=sampled),
    }


def _seed(typed: str | None) -> int:
    typed = (typed or "").strip()
    if not typed:
        return random.randrange(2**31)
    if not typed.isascii() or not typed.isdigit():
        raise BadRequest(f"seed must be a whole number from 0 up, not '{typed[:20]}'.")
    return int(typed[:30])


def _int(value: float | None) -> int | None:
    return None if value is None else int(value)
