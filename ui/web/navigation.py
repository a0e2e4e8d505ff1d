"""The links to the other pages, and to one's account: what is not for somebody is not offered to them.

That it is refused as well is the business of ui/web/gate.py.
"""

from __future__ import annotations

import gradio as gr

from rag.people import Person
from ui.web.text import escaped
from ui.web.who import person
from ui.web.wiring import QUIET

PAGES = (  # address, words, whether it is the instructor's
    ("quiz", "Quiz", False),
    ("check", "Check a text", False),
    ("desk", "Review desk", True),
    ("gaps", "What the notes lack", True),
    ("lab", "Decoding lab", False),
)


def links(teaches: bool, who: Person | None = None) -> str:
    """The links, the last one to the account of who is signed in."""
    shown = [(to, words) for to, words, theirs in PAGES if teaches or not theirs]
    made = "".join(f'<a class="ut-link" href="{to}">{words}</a>' for to, words in shown)
    account = ""
    if who is not None:
        title = "Your account, and the way out"
        account = f'<a class="ut-link" href="account" title="{title}">{escaped(who.name)} · Sign out</a>'
    return f'<nav class="ut-links" aria-label="Pages">{made}{account}</nav>'


def build(accounts: bool) -> None:
    """Put the links in the page being built; with `accounts` they are those of whoever opens it."""
    shown = gr.HTML(links(teaches=not accounts))
    if accounts:
        context = gr.context.Context.root_block
        assert context is not None
        context.load(_of, None, shown, **QUIET)


def _of(request: gr.Request) -> str:
    who = person(request)
    return links(who is not None and who.teaches, who)
