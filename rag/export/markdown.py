"""Items as Markdown (CommonMark): a heading a question, its options as a list, then the answer.

Whatever Markdown would take for markup is escaped, but for formulas, which stay between dollar signs
as GitHub, Pandoc, Jupyter and Obsidian read them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.export.content import chosen, letter, line, where
from rag.formulas import pieces
from rag.items.types import Item

_SIGNS = re.compile(r"[\\`*_\[\]<>~$#|{}]|&(?=#?\w+;)|!(?=\[)|:(?=//)|(?<=\w)@(?=\w)|(?i:(?<=www)\.)")


def markdown(items: Sequence[Item], title: str) -> bytes:
    """The items as Markdown in UTF-8."""
    parts = [f"# {inert(title)}"] if line(title) else []
    parts += [_item(number, item) for number, item in enumerate(items, 1)]
    return ("\n\n".join(parts) + "\n").encode("utf-8", "replace")


def inert(text: str) -> str:
    """One line that Markdown shows as it is, formulas between dollar signs."""
    parts = []
    for form, piece in pieces(line(text)):
        if form == "prose":
            parts.append(_SIGNS.sub(lambda found: "\\" + found[0], piece))
        else:
            parts.append(f"$${piece}$$" if form == "display" else f"${piece}$")
    return "".join(parts)


def _item(number: int, item: Item) -> str:
    parts = [f"## Question {number}", f"**Question:** {inert(item.stem)}"]
    if chosen(item):
        named = [f"{letter(place)})" for place in range(len(item.options))]
        parts.append(_listed(named, [option.text for option in item.options]))
        parts.append(f"**Answer:** {named[item.key]} {inert(item.answer)}")
    else:
        named = [f"{inert(option.text)}:" for option in item.options]
        parts.append(f"**Answer:** {inert(item.answer)}")
    parts.append(f"**Explanation:** {inert(item.explanation)}")
    parts += ["**Feedback:**", _listed(named, [option.feedback for option in item.options])]
    parts.append(f"> “{inert(item.evidence.quote)}”")
    parts.append(f"**Page:** {inert(where(item))}")
    parts.append(f"**Topic:** {inert(item.topic)} ({item.difficulty}, {item.bloom})")
    return "\n\n".join(parts)


def _listed(named: Sequence[str], texts: Sequence[str]) -> str:
    return "\n".join(f"- **{name}** {inert(text)}" for name, text in zip(named, texts, strict=True))
