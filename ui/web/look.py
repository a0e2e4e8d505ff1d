"""How the pages look, and the small script they run; nothing in it is fetched from elsewhere."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
from gradio.themes.utils import colors, sizes
from gradio.themes.utils.fonts import Font

HERE = Path(__file__).parent
STYLES = (
    "style.css",
    "evidence.css",
    "lab.css",
    "table.css",
    "check.css",
    "gaps.css",
    "quiz.css",
    "desk.css",
    "side.css",
)
SCRIPTS = ("page.js", "evidence.js", "lab.js", "table.js", "check.js", "quiz.js", "desk.js", "side.js")
SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "Helvetica Neue", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "Liberation Mono", "monospace")


def theme() -> gr.themes.Base:
    """Calm colours and the system's own fonts, light and dark."""
    made = gr.themes.Base(
        primary_hue=colors.teal,
        secondary_hue=colors.teal,
        neutral_hue=colors.slate,
        text_size=sizes.text_md,
        radius_size=sizes.radius_md,
        font=[Font(name) for name in SANS],
        font_mono=[Font(name) for name in MONO],
    )
    return made.set(
        body_background_fill="#fbfbfa",
        body_background_fill_dark="#14181c",
        background_fill_primary="#ffffff",
        background_fill_primary_dark="#1b2026",
        background_fill_secondary="#f4f5f4",
        background_fill_secondary_dark="#171c21",
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_border_width="0px",
        block_border_width_dark="0px",
        block_shadow="none",
        border_color_primary="#dfe3e2",
        border_color_primary_dark="#2f3740",
        body_text_color="#1f2a30",
        body_text_color_dark="#e3e8ea",
        body_text_color_subdued="#5b6970",
        body_text_color_subdued_dark="#9aa8b0",
        input_background_fill="#ffffff",
        input_background_fill_dark="#1f252b",
        button_primary_background_fill="#0f6b66",
        button_primary_background_fill_hover="#0b5652",
        button_primary_background_fill_dark="#178f88",
        button_primary_background_fill_hover_dark="#1aa39b",
        button_secondary_background_fill="#ffffff",
        button_secondary_background_fill_hover="#f0f3f2",
        button_secondary_background_fill_dark="#1f252b",
        button_secondary_background_fill_hover_dark="#28303a",
        button_secondary_border_color="#cfd6d5",
        button_secondary_border_color_dark="#3a444e",
        button_border_width="1px",
    )


def css() -> str:
    """The pages' style sheet."""
    return "\n".join((HERE / name).read_text(encoding="utf-8") for name in STYLES)


def head() -> str:
    """What goes into the pages' head: the scripts, inline."""
    script = "\n".join((HERE / name).read_text(encoding="utf-8") for name in SCRIPTS)
    return f'<script>{script}</script><meta name="referrer" content="no-referrer">'
