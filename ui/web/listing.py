"""The list of conversations at the side, and what a search in it has found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from rag.memory import Found
from rag.sessions import Conversation
from rag.transcript import shortened
from ui.web.text import escaped

SHOWN = 100  # conversations in the list; older ones are shown when they are asked for

_PEN = (
    '<svg viewBox="0 0 16 16" aria-hidden="true">'
    '<path d="M3 13l.7-3L10.500 3.200l2.300 2.300L6 12.300z"/></svg>'
)
_PIN = (
    '<svg viewBox="0 0 16 16" aria-hidden="true">'
    '<path d="M6 2.500h4l-.4 4 2.400 2.500H4l2.400-2.500zM8 9v4.500"/></svg>'
)
_BIN = (
    '<svg viewBox="0 0 16 16" aria-hidden="true">'
    '<path d="M3 4.500h10M6.500 4.500V3h3v1.500M4.500 4.500l.5 8.500h6l.5-8.500M7 7v4M9 7v4"/></svg>'
)


def listing(
    kept: Sequence[Conversation],
    current: str,
    today: date,
    removed: Conversation | None = None,
    count: int = SHOWN,
) -> str:
    """The first `count` by day, the open one marked; `removed` is offered for undoing its deletion.

    One more than `count` tells that there are older ones.
    """
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
    for conversation in kept[:count]:
        row = _row(conversation, conversation.id == current)
        when = "Pinned" if conversation.pinned else _when(conversation, today)
        groups.setdefault(when, []).append(row)
    lists = (f"<h3>{when}</h3><ul>{''.join(rows)}</ul>" for when, rows in groups.items())
    older = '<button type="button" class="ut-more" data-act="more">Show older</button>'
    return (
        f'{undo}<nav class="ut-list" aria-label="Conversations" data-count="{count}">{"".join(lists)}'
        f"{older if len(kept) > count else ''}</nav>"
    )


def results(text: str, words: Sequence[Conversation], alike: Sequence[Found], note: str = "") -> str:
    """What a search for `text` has found: by its words, then turns that mean something like it."""
    parts = []
    if words:
        rows = (_hit(one.id, one.title or "Untitled") for one in words)
        parts.append(f"<h3>With these words</h3><ul>{''.join(rows)}</ul>")
    if alike:
        turns = (
            _hit(one.conversation, shortened(one.answer.question, 120), one.place + 1, one.title)
            for one in alike
        )
        parts.append(f"<h3>Close in meaning</h3><ul>{''.join(turns)}</ul>")
    if not parts:
        said = note or f"Nothing you asked, and no answer, is about ‘{shortened(text, 60)}’."
        parts.append(f'<p class="ut-empty">{escaped(said)}</p>')
    return f'<nav class="ut-results" role="status" aria-label="Found">{"".join(parts)}</nav>'


def _hit(conversation: str, words: str, turn: int = 0, title: str = "") -> str:
    within = f"<small>{escaped(shortened(title, 60))}</small>" if title and title != words else ""
    where = f'data-id="{escaped(conversation)}"' + (f' data-turn="{turn}"' if turn else "")
    return (
        f'<li><button type="button" data-act="open" {where} class="ut-open" title="{escaped(words)}">'
        f"{escaped(words)}{within}</button></li>"
    )


def _when(conversation: Conversation, today: date) -> str:
    days = (today - date.fromtimestamp(conversation.updated)).days
    return "Today" if days <= 0 else "Yesterday" if days == 1 else "This week" if days < 7 else "Earlier"


def _row(conversation: Conversation, current: bool) -> str:
    title = escaped(conversation.title or "Untitled")
    act = f'type="button" data-id="{escaped(conversation.id)}" data-act'
    on = ' class="on" aria-current="true"' if current else ""
    pin = "Unpin" if conversation.pinned else "Pin"
    pinned = f'aria-pressed="{str(conversation.pinned).lower()}" class="ut-tool ut-pin"'
    tools = (("rename", "Rename", "F2", _PEN), ("delete", "Delete", "Del", _BIN))
    acts = "".join(
        f'<button {act}="{name}" class="ut-tool" title="{does} ({key})" aria-label="{does} {title}">'
        f"{drawn}</button>"
        for name, does, key, drawn in tools
    )
    return (
        f"<li{on}>"
        f'<button {act}="open" class="ut-open" title="{title}">{title}</button>'
        f'<button {act}="pin" {pinned} title="{pin} (p)" aria-label="{pin} {title}">{_PIN}</button>'
        f"{acts}</li>"
    )
