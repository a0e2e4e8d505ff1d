"""Items as GIFT, by https://docs.moodle.org/en/GIFT_format and what Moodle's importer reads.

Texts are HTML, and ~ = # { } : and the backslash are escaped in them. Answers that are typed are plain
text, in which * stands for any characters; an arrow, which would make another kind of question of it
(matching) and has no escape, is written -*> there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.export import content
from rag.export.moodle import category, wildcards
from rag.items.types import Item

_SIGNS = re.compile(r"[~=#{}:\\]")


def gift(items: Sequence[Item], title: str) -> bytes:
    """The items as one category, an empty line between two."""
    name = category(title)
    parts = [f"$CATEGORY: $course$/top/{name}"] if name else []
    parts += [_question(item) for item in items]
    return ("\n\n".join(parts) + "\n").encode("utf-8", "replace")


def escaped(text: str) -> str:
    """`text` with a backslash before what means something."""
    return _SIGNS.sub(lambda found: "\\" + found[0], text)


def _question(item: Item) -> str:
    lines = [f"::{content.title(item)}::[html]{_html(item.stem)} {{"]
    told = [_html(option.feedback) for option in item.options]
    if item.kind == "true-false":
        # What is told to those who are wrong comes first.
        right, wrong = (told[item.key], told[1 - item.key])
        lines.append(f"\t{'TRUE' if content.says_true(item) else 'FALSE'}#{wrong}#{right}")
    elif item.kind == "multiple-choice":
        for place, option in enumerate(item.options):
            lines.append(f"\t{'=' if place == item.key else '~'}{_html(option.text)}#{told[place]}")
    else:
        for place, option in enumerate(item.options):
            lines.append(f"\t={_typed(option.text)}#{told[place]}")
    return "\n".join([*lines, f"\t####{escaped(content.explained(item))}", "}"])


def _html(text: str) -> str:
    """HTML that does not begin with what would be taken for a format, [html], or a share, %50%."""
    html = content.html(text)
    if html.startswith(("[", "%")):
        html = f"&#{ord(html[0])};{html[1:]}"
    return escaped(html)


def _typed(text: str) -> str:
    """A typed answer that does not begin with what would be taken for a format or a share."""
    answer = wildcards(text)
    lead = "[plain]" if re.match(r"\[(?:moodle|html|plain|markdown)\]", answer) else ""
    lead = "%100%" if answer.startswith("%") else lead
    return lead + escaped(answer.replace("->", "-*>"))
