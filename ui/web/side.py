"""What is done in the list at the side: conversations named, pinned, deleted, exported and found again.

Words come first, what means the same after; a search shows its own list in the place of the other, which
stays as it is. What is not here: how the lists look (ui/web/listing.py) and opening one (ui/web/chat.py).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

import gradio as gr

from ingest.errors import BadRequest, UnitutorError
from rag.archive import archive_json, read_in
from rag.memory import Found
from ui.web.conversation_page import conversation_html
from ui.web.listing import SHOWN, listing, results
from ui.web.temporary import TEMPORARY
from ui.web.view import Changes, guarded, said_line, titled

if TYPE_CHECKING:
    from ui.web.chat import Chat

LONGEST = 200  # characters of a search
HITS = 30  # conversations that a search shows by their words
ALIKE = 10  # turns that it shows by their meaning
NEAR = 0.35  # cosine from which a turn means something like what is looked for
TYPES = {"md": "text/markdown", "html": "text/html", "json": "application/json"}
MOST = 100_000  # conversations that the list may be asked for


class Side:
    """The handlers of one page's list; its search and its conversations are the chat's."""

    def __init__(self, talk: Chat) -> None:
        """`talk` is the chat beside the list."""
        self.talk = talk
        self.parts = talk.parts
        self.view = talk.view

    def rename(self, values: Changes, event: gr.EventData, request: gr.Request) -> Changes:
        """A conversation renamed in the list."""
        mine = self.view.of(request).sessions
        return self._listed(values, request, lambda: mine.rename(str(event.id), str(event.title)))

    def pin(self, values: Changes, event: gr.EventData, request: gr.Request) -> Changes:
        """A conversation pinned to the top of the list, or no longer."""
        mine = self.view.of(request).sessions
        return self._listed(values, request, lambda: mine.pin(str(event.id), bool(event.on)))

    def delete(self, values: Changes, event: gr.EventData, request: gr.Request) -> Changes:
        """A conversation deleted in the list, which offers to undo it."""

        def gone() -> Changes:
            view = self.view.of(request)
            removed = view.sessions.get(str(event.id))
            here = values[self.parts.where] == event.id
            if here:
                self.talk.leave(request)
            view.sessions.delete(str(event.id))
            shown = view.show("") if here else {self.parts.line: ""}
            return {**shown, **view.listed("" if here else values[self.parts.where], removed)}

        return self._guarded(gone)

    def restore(self, event: gr.EventData, request: gr.Request) -> Changes:
        """A deletion undone: the conversation is back and open."""

        def back() -> Changes:
            view = self.view.of(request)
            view.sessions.restore(str(event.id))
            return view.show(str(event.id))

        return self._guarded(back)

    def more(self, values: Changes, event: gr.EventData, request: gr.Request) -> Changes:
        """More of the list: older conversations."""

        def longer() -> Changes:
            count = event.count if isinstance(event.count, int) else SHOWN
            view = self.view.of(request)
            count = min(max(count, SHOWN), MOST)
            kept = view.sessions.list(limit=count + 1)
            return {self.parts.side: listing(kept, values[self.parts.where], date.today(), count=count)}

        return self._guarded(longer)

    def find(self, text: str | None, request: gr.Request) -> str:
        """The list of what a search finds; '' for an empty search."""
        text = " ".join((text or "").split())[:LONGEST]
        if not text:
            return ""
        sessions = self.view.of(request).sessions
        try:
            words = sessions.list(limit=HITS, search=text)
            note = ""
        except UnitutorError as error:
            return results(text, (), (), str(error))
        alike: tuple[Found, ...] = ()
        memory = self.talk.recalling.memory
        if memory is not None and len(text) > 2:
            try:
                near = memory.search(sessions.owner, text, ALIKE)
                known = {conversation.id for conversation in words}
                alike = tuple(f for f in near if f.score >= NEAR and f.conversation not in known)
            except UnitutorError as error:
                note = str(error)
        return results(text, words, alike, note)

    def export(self, values: Changes, request: gr.Request) -> Changes:
        """The open conversation as a Markdown file for the browser to save."""
        return self._exported(values, request, "md")

    def save(self, values: Changes, event: gr.EventData, request: gr.Request) -> Changes:
        """The open conversation as a file in the format that was chosen."""
        return self._exported(values, request, str(event.kind))

    def _exported(self, values: Changes, request: gr.Request, kind: str) -> Changes:
        p, mine = self.parts, self.view.of(request).sessions

        def file() -> Changes:
            found = mine.get(values[p.where])
            if found is None or found.id == TEMPORARY:
                raise BadRequest("There is nothing to export yet: ask a question first.")
            if kind == "json":
                text = archive_json(mine, [found.id])
            elif kind == "html":
                text = conversation_html(found, mine.records(found.id))
            else:
                text = mine.export_markdown(found.id)
            name, type = f"{_name(found.title)}.{kind}", TYPES.get(kind, TYPES["md"])
            return {p.line: "", p.download: {"name": name, "text": text, "type": type}}

        return {p.download: None, **self._guarded(file)}

    def bring(self, values: Changes, event: gr.EventData, request: gr.Request) -> Changes:
        """Conversations of a file that was exported as JSON join the list."""

        def brought() -> Changes:
            if event.large:
                raise BadRequest("A file of conversations may have 64 MB: export fewer of them at a time.")
            view = self.view.of(request)
            number = len(read_in(view.sessions, str(event.text).encode("utf-8", "replace")))
            self.talk.recalling.heard(view.sessions.owner)
            said = f"Imported {number} conversation{'s' if number != 1 else ''}."
            return {self.parts.line: said_line(said), **view.listed(values[self.parts.where])}

        return self._guarded(brought)

    def _listed(self, values: Changes, request: gr.Request, change: Callable[[], None]) -> Changes:
        def changed() -> Changes:
            change()
            here, view = values[self.parts.where], self.view.of(request)
            title = titled(view.sessions.get(here) if here else None)
            return {self.parts.title: title, self.parts.line: "", **view.listed(here)}

        return self._guarded(changed)

    def _guarded(self, change: Callable[[], Any]) -> Changes:
        return guarded(change, self.parts.line)


def _name(title: str) -> str:
    """A title as the name of a file."""
    plain = "".join(c if c.isalnum() else "-" for c in title.lower())
    return "-".join(part for part in plain.split("-") if part)[:60] or "conversation"
