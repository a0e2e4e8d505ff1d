"""Items as Anki cards, in an .apkg made by genanki: a note an item, a card a note.

A note is known by its item, so that a later export changes the cards that are there and keeps what was
learnt. Anki takes a note over only where it is newer than its own: that is why a package knows when it
was made, and is the same bytes only for the same items and the same time.
"""

from __future__ import annotations

import hashlib
import itertools
import sqlite3
import time
from collections.abc import Sequence

import genanki
from lxml import etree

from rag.export import content
from rag.export.packing import zipped
from rag.items.types import Item

MODEL = 1_607_392_319  # of our notes in every collection: never another
FIELDS = ("Question", "Options", "Answer", "Feedback", "Explanation", "Quote", "Page", "Topic", "Item")
_FRONT = "{{Question}}{{Options}}"
_BACK = (
    "{{FrontSide}}<hr id=answer><section class=right>{{Answer}}</section>{{Feedback}}"
    "<section>{{Explanation}}</section><blockquote>{{Quote}}</blockquote><footer>{{Page}}</footer>"
)
_STYLE = """.card { font: 18px/1.5 system-ui, sans-serif; max-width: 42em; margin: 0 auto; }
ol { padding-inline-start: 1.6em; }
.right { font-weight: 600; }
blockquote { margin: .8em 0; padding-inline-start: .8em; border-inline-start: 3px solid currentColor; }
footer { font-size: .85em; opacity: .75; }
"""


def anki(items: Sequence[Item], title: str, made: float | None = None) -> bytes:
    """The items as a package with one deck. `made`: seconds since 1970, now where it is not given."""
    at = float(int(time.time() if made is None else made))
    deck = genanki.Deck(_deck(title), content.line(title) or "Quiz")
    model = genanki.Model(
        MODEL,
        "Unitutor question",
        fields=[{"name": name} for name in FIELDS],
        templates=[{"name": "Question", "qfmt": _FRONT, "afmt": _BACK}],
        css=_STYLE,
    )
    for item in items:
        deck.add_note(_note(model, item))
    # genanki's own file would hold the time at which it was written.
    database = sqlite3.connect(":memory:")
    try:
        genanki.Package(deck).write_to_db(database.cursor(), at, itertools.count(int(at * 1000)))
        database.commit()
        collection = database.serialize()
    finally:
        database.close()
    return zipped([("collection.anki2", collection), ("media", b"{}")])


def guid(item: Item) -> str:
    """What Anki knows the note of an item by."""
    guid: str = genanki.guid_for("unitutor", item.id)
    return guid


def _note(model: genanki.Model, item: Item) -> genanki.Note:
    key = content.html(item.answer)
    if item.kind == "multiple-choice":
        key = f"{content.letter(item.key)}) {key}"
    texts = [option.text for option in item.options]
    values = {
        "Question": content.html(item.stem),
        "Options": _listed(texts) if content.chosen(item) else "",
        "Answer": key,
        "Feedback": _listed([option.feedback for option in item.options]),
        "Explanation": content.html(item.explanation),
        "Quote": content.html(item.evidence.quote),
        "Page": content.html(content.where(item)),
        "Topic": content.html(item.topic),
        "Item": item.id,
    }
    if not content.chosen(item) and len(texts) > 1:
        values["Answer"] = _listed(texts)
    tags = ["_".join(tag.split()) for tag in content.tags(item)]
    return genanki.Note(model, [values[name] for name in FIELDS], guid=guid(item), tags=tags)


def _listed(texts: Sequence[str]) -> str:
    body = etree.Element("div")
    listed = etree.SubElement(body, "ol", type="a")
    for text in texts:
        content.filled(etree.SubElement(listed, "li"), content.line(text))
    return content.inner(body)


def _deck(title: str) -> int:
    """A deck's number by its name, as Anki's own lie between 2**30 and 2**31."""
    digest = hashlib.sha256(content.line(title).encode("utf-8", "replace")).digest()
    return 2**30 + int.from_bytes(digest[:4], "big") % 2**30
