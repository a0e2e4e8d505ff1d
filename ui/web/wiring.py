"""How the pages' events are wired: unseen by the API, and none lost while the like of it is under way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

# An act that must not be done twice by a double click: one more is dropped while one is under way.
QUIET: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
# Whatever the last of several must win, as the page looked at: Gradio would drop the second of two in a row.
EACH: dict[str, Any] = {**QUIET, "trigger_mode": "multiple"}
SAVE_JS = "(file) => { window.unitutor.save(file); }"  # gives the browser a file to keep


def followed(
    begun: Any, follow: Callable[..., Any], settle: Callable[..., Any], shown: Any, settled: Any = None
) -> Any:
    """What an event begun leads to: following the work, which streams, and the page once it is over.

    Args:
        begun: the event that began the work, as Gradio returns it.
        follow: yields the page as the work goes on; it ends once the work has.
        settle: the page after it.
        shown: the components they change.
        settled: the components ``settle`` is given.

    Returns:
        The event of following, for others to cancel.
    """
    # The jobs see to it that the engine takes one piece of work at a time, so Gradio need not; and the
    # next one's must not wait for the end of this one's.
    following = begun.then(
        follow,
        None,
        shown,
        concurrency_limit=None,
        show_progress="hidden",
        trigger_mode="multiple",
        api_visibility="private",
    )
    following.then(settle, settled, shown, **EACH)
    return following
