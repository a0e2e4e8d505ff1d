"""Who asks: the person signed in at the page that a request comes from, and which of their pages it is.

ui/web/gate.py lets no request through that lacks a person where there are accounts, and says in its
scope who it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import gradio as gr

    from rag.people import Person

SCOPE = "unitutor.person"  # where in a request's scope the person is


def owner(request: gr.Request) -> str:
    """The id of the person signed in, or "" where the pages are served without accounts."""
    return str(getattr(request, "username", None) or "")


def person(request: gr.Request) -> Person | None:
    """The person signed in, or None where the pages are served without accounts."""
    asked = getattr(request, "request", None)
    found: Person | None = asked.scope.get(SCOPE) if asked is not None else None
    return found if found is not None and found.id == owner(request) else None


def teaches(request: gr.Request) -> bool:
    """Whether what is the instructor's may be done: on a machine of one's own everything may be."""
    if not owner(request):
        return True
    found = person(request)
    return found is not None and found.teaches


def tab(request: gr.Request) -> str:
    """The name of a page in a browser's tab: with that of another person's page nothing is found."""
    return f"{owner(request)}:{request.session_hash}"


def whose(page: str) -> str:
    """Who takes turns for a page that `tab` named: its person, or the page itself without accounts."""
    return page.partition(":")[0] or page
