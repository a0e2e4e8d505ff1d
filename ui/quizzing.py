"""What the pages of quizzes need from elsewhere, as functions: a maker of questions, the gate, exports.

Where one is missing the pages do without what needs it. What is not here: the functions themselves
(rag/quiz.py, rag/export/).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from rag.items.types import Item, Kind, Quiz

if TYPE_CHECKING:
    from rag.export.formats import Format as Made
    from ui.living import LivingTutor
    from ui.tutor import Tutor


class Maker(Protocol):
    """Writes questions; see rag/quiz.py."""

    def __call__(
        self,
        *,
        count: int,
        kinds: tuple[Kind, ...],
        topic: str,
        sources: tuple[str, ...],
        seed: int,
        halt: threading.Event,
        earlier: Sequence[Item],
    ) -> Iterator[Quiz]:
        """A growing quiz. `sources` are words of rag/filters.py, `earlier` what is not to be asked again."""


class Format(Protocol):
    """What a format's file is called and said to be; see rag/export/formats.py."""

    @property
    def suffix(self) -> str:
        """'.xml'."""

    @property
    def media_type(self) -> str:
        """'application/xml'."""

    @property
    def about(self) -> str:
        """In a few words."""


@dataclass(frozen=True, slots=True)
class Quizzing:
    """The functions; None where there is none."""

    make: Maker | None = None
    gate: Callable[[Item, threading.Event], str] | None = None  # '' or the reason of a rejection
    # Another item with a new distractor at the place; raises UnitutorError where none is found.
    another: Callable[[Item, int, threading.Event], Item] | None = None
    formats: Mapping[str, Format] = field(default_factory=dict)  # that the shared set leaves in, by name
    write: Callable[[Sequence[Item], str, str], bytes] | None = None  # items, a format's name, a title


def quizzing(tutor: Tutor | LivingTutor) -> Quizzing:
    """All of it over a tutor's notes and model, as they are when a question is written."""
    from rag.quiz import Wanted, judged_again, make_quiz, regenerated

    def make(
        *,
        count: int,
        kinds: tuple[Kind, ...],
        topic: str,
        sources: tuple[str, ...],
        seed: int,
        halt: threading.Event,
        earlier: Sequence[Item],
    ) -> Iterator[Quiz]:
        model = tutor.model
        assert model is not None
        wanted = Wanted(count, kinds, topic, sources, seed)
        return make_quiz(tutor.retriever, model, wanted, halt, earlier)

    def gate(item: Item, halt: threading.Event) -> str:
        ruled = judged_again(item, tutor.retriever, tutor.model, halt)
        return f"{ruled.reason}: {ruled.what}" if ruled.reason and ruled.what else ruled.reason

    def another(item: Item, place: int, halt: threading.Event) -> Item:
        model = tutor.model
        assert model is not None
        return regenerated(item, place, tutor.retriever, model, halt)

    formats = exports()

    def write(items: Sequence[Item], name: str, title: str) -> bytes:
        return formats[name].make(items, title)

    if tutor.model is None:
        return Quizzing(formats=formats, write=write)
    return Quizzing(make, gate, another, formats, write)


def exports() -> dict[str, Made]:
    """The formats that questions leave in, by name: those of rag/export/, and the pages to print."""
    from rag.export.formats import FORMATS
    from rag.export.formats import Format as Made
    from ui.web.printed import printed

    page = ".html", "text/html"
    return {
        **FORMATS,
        "html": Made(lambda items, title: printed(items, title, False).encode(), *page, "a page to print"),
        "html-answers": Made(
            lambda items, title: printed(items, title, True).encode(), *page, "a page to print, with answers"
        ),
    }
