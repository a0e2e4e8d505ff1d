"""Study aids from notes: what all of them share. Every line says where the notes say it.

Terms come from rag/items/terms.py, cards from rag/study_cards.py, guides from rag/study_guide.py, answers
to review questions from rag/study_review.py, summaries from rag/study_summary.py; as Markdown and JSON
they leave through rag/study_text.py, as HTML through ui/web/study_print.py. Nothing here writes text
of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ingest.errors import BadRequest
from ingest.types import Passage
from rag.filters import filters, stands_inside
from rag.items.terms import Definition, definitions
from rag.items.types import Evidence

ENOUGH = 3  # sentences; fewer make no study aid


def chosen(
    passages: Iterable[Passage], sources: Sequence[str] = (), known: Sequence[str] = ()
) -> Iterator[Passage]:
    """The passages inside `sources` (rag/filters.py) of the files `known`; all where none are named.

    Raises BadRequest for a file that the index does not have, and where there is too little to go by.
    """
    limits = filters(sources, known) if sources else ()
    said = 0
    for passage in passages:
        if stands_inside(passage, limits):
            said += len(passage.sentences)
            yield passage
    if said < ENOUGH:
        where = f"in {', '.join(sources)}" if sources else "in the notes"
        raise BadRequest(f"There are only {said} sentences {where}: too few for a study aid; add notes.")


def key_terms(passages: Iterable[Passage]) -> tuple[Definition, ...]:
    """The terms that the passages define. Raises BadRequest where there is none."""
    found = definitions(tuple(passages))
    if not found:
        raise BadRequest("These notes define no terms in so many words ('… is a …', 'Term: …'): name others.")
    return found


def evidence(passage: Passage, quote: str) -> Evidence:
    """Where `passage` says `quote`."""
    return Evidence(quote, passage.source, passage.page, passage.title, passage.id)
