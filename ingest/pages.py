"""What a page is called where it is shown."""

from __future__ import annotations

from pathlib import PurePosixPath

SLIDES = frozenset({".pptx", ".ppt", ".odp"})
TIMES = frozenset({".srt", ".vtt"})  # their pages are the seconds at which they begin


def page_name(source: str, page: int | None) -> str:
    """'p. 3', 'slide 3', '12:05' for a time in subtitles, or '' for a file without pages."""
    suffix = PurePosixPath(source).suffix.lower()
    if not page:
        return ""
    if suffix in TIMES:
        hours, rest = divmod(page, 3600)
        return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"
    return f"slide {page}" if suffix in SLIDES else f"p. {page}"
