"""A page of the notes beside what is shown of them: the picture of it, or why there is none.

What is not here: drawing (ui/facsimile.py) and the HTML (ui/web/viewer.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest.errors import NotesError
from ingest.passages import StoredPassages
from ui.facsimile import Pictures, drawable, original
from ui.web.viewer import Wanted, view

if TYPE_CHECKING:
    from ui.living import LivingTutor
    from ui.tutor import Tutor


def beside(
    tutor: Tutor | LivingTutor, pictures: Pictures, wanted: Wanted, name: str, turned: int | None = None
) -> str:
    """The page of the quote, or the one that was `turned` to; `name` is what it is asked for by."""
    own = wanted.page or 1
    page = turned or own
    if not drawable(wanted.source):
        return view(wanted, name, None, page)
    try:
        files = tutor.retriever.index.manifest.files if tutor.retriever else {}
        file = original(wanted.source, files, tutor.folder, tutor.notes)
        quote, around = (wanted.quote, wanted.passage) if abs(page - own) < 2 else ("", "")
        picture = pictures.page(file, page, quote, around, near=turned is None)
    except NotesError as error:
        return view(wanted, name, None, page, str(error))
    return view(wanted, name, picture, picture.number)


def passage_text(tutor: Tutor | LivingTutor, key: str) -> str:
    """The text of a passage of the index, '' if there is none of this id."""
    if tutor.retriever is None:
        return ""
    passages = tutor.retriever.index.passages
    try:
        if isinstance(passages, StoredPassages):
            return passages[passages.row(key)].text
        return passages[tutor.retriever.places[key]].text
    except KeyError:
        return ""
