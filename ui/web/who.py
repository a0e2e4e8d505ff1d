"""Who asks: the person signed in at the page that a request comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import gradio as gr


def owner(request: gr.Request) -> str:
    """The id of the person signed in, or "" where the pages are served without accounts.

    ui/web/mounting.py lets no request through that lacks a person where there are accounts.
    """
    return str(getattr(request, "username", None) or "")
