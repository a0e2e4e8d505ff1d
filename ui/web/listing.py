"""The list of conversations at the side."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from rag.sessions import Conversation
from ui.web.text import escaped

SHOWN = 300  # conversations in the list; older ones stay in the database

_PEN = (
    '<svg viewBox="0 0 16 16" aria-hidden="true">'
    '<path d="M3 13l.7-3L10.500 3.200l2.300 2.300L6 12.300z"/></svg>'
)
_BIN = (
    '<svg viewBox="0 0 16 16" aria-hidden="true">'
    '<path d="M3 4.500h10M6.500 4.500V3h3v1.500M4.500 4.500l.5 8.500h6l.5-8.500M7 7v4M9 7v4"/></svg>'
)


def listing(
    kept: Sequence[Conversation], current: str, today: date, removed: Conversation | None = None
) -> str:
    """The conversations by day, the open one marked; `removed` is offered for undoing its deletion."""
    undo = ""
    if removed is not None:
        name = f"‘{escaped(removed.title or 'Untitled')}’"
        undo = (
            f'<div class="ut-undo" role="status"><span>Deleted {name}</span>'
            f'<button type="button" data-act="restore" data-id="{escaped(removed.id)}">Undo</button></div>'
        )
    if not kept:
        return undo + '<p class="ut-empty">Your conversations will be listed here.</p>'
    groups: dict[str, list[str]] = {}
    for conversation in kept[:SHOWN]:
        row = _row(conversation, conversation.id == current)
        groups.setdefault(_when(conversation, today), []).append(row)
    lists = (f"<h3>{when}</h3><ul>{''.join(rows)}</ul>" for when, rows in groups.items())
    return f'{undo}<nav class="ut-list" aria-label="Conversations">{"".join(lists)}</nav>'


def _when(conversation: Conversation, today: date) -> str:
    days = (today - date.fromtimestamp(conversation.updated)).days
    return "Today" if days <= 0 else "Yesterday" if days == 1 else "This week" if days < 7 else "Earlier"


def _row(conversation: Conversation, current: bool) -> str:
    title = escaped(conversation.title or "Untitled")
    act = f'type="button" data-id="{escaped(conversation.id)}" data-act'
    on = ' class="on" aria-current="true"' if current else ""
    return (
        f"<li{on}>"
        f'<button {act}="open" class="ut-open" title="{title}">{title}</button>'
        f'<button {act}="rename" class="ut-tool" title="Rename" aria-label="Rename {title}">{_PEN}</button>'
        f'<button {act}="delete" class="ut-tool" title="Delete" aria-label="Delete {title}">{_BIN}</button>'
        "</li>"
    )
