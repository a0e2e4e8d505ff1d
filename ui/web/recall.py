"""What the chat says before it asks the notes: what was asked earlier, or that this was answered already.

Neither goes to a language model or into the log, and neither is kept in a conversation: it stands over
the box until something else is asked. What is not here: how questions are recognised (rag/recall.py,
rag/repeats.py) and what is found (rag/memory.py).
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from ingest.errors import UnitutorError
from rag.memory import Found, Memory
from rag.recall import Recall, recall, remembered
from rag.repeats import repeated
from rag.sessions import Sessions, history
from rag.transcript import shortened
from ui.recalled import first_sentence, moment, told
from ui.web.beside import passage_text
from ui.web.controls import chosen_sources
from ui.web.temporary import TEMPORARY
from ui.web.text import escaped

if TYPE_CHECKING:
    from ui.living import LivingTutor
    from ui.tutor import Tutor
    from ui.web.view import Changes, Parts, View

# What is clicked in it: a turn opened, a question asked all the same, the card put away.
JS = """
element.addEventListener('click', (event) => {
  const chosen = event.target.closest('[data-act]');
  if (!chosen) return;
  event.preventDefault();
  const {act, id, turn, question} = chosen.dataset;
  if (act === 'open') unitutor.turn(id, turn, () => trigger('open', {id, turn}));
  if (act === 'afresh') trigger('afresh', {question});
  if (act === 'shut') { trigger('shut', {}); unitutor.ask(); }
});
element.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') { event.stopPropagation(); trigger('shut', {}); unitutor.ask(); }
});
"""


class Recalling:
    """The memory behind one app's pages, and what is said from it."""

    def __init__(self, tutor: Tutor | LivingTutor, sessions: Sessions, parts: Parts) -> None:
        """Without notes to search there is no encoder, and so no memory."""
        self.tutor = tutor
        self.parts = parts
        self.memory: Memory | None = None
        if tutor.retriever is not None:
            course = tutor.folder.name if tutor.folder else ""
            self.memory = Memory(sessions.database, tutor.retriever.encoder, course, tutor.folder)
            self.heard(None)

    def heard(self, owner: str | None) -> None:
        """Something has been said by `owner`, or before the pages were opened: embed it, beside the rest."""
        if self.memory is None:
            return

        def embed(memory: Memory) -> None:
            with contextlib.suppress(UnitutorError):  # a search embeds what is lacking then
                memory.catch_up(owner)

        threading.Thread(target=embed, args=(self.memory,), name="memory", daemon=True).start()

    def before(self, question: str, values: Changes, view: View) -> Changes:
        """What to show in the place of an answer; {} where the question is one for the notes.

        Where the memory cannot be read, every question is.
        """
        if self.memory is None or not question.strip():
            return {}
        owner, p = view.sessions.owner, self.parts
        try:
            wanted = recall(question, date.today())
            if wanted is not None:
                found = remembered(self.memory, owner, wanted)
                return {p.recall: _recalled(question, wanted, found), p.line: "", p.box: view.box(text="")}
            where = values[p.where]
            if where == TEMPORARY:
                return {}
            records = view.sessions.records(where) if where else ()
            earlier = repeated(
                self.memory,
                owner,
                question,
                history(record.answer for record in records),
                lambda key: passage_text(self.tutor, key),
                chosen_sources(p.controls, values, self.tutor.sources),
            )
        except UnitutorError:
            return {}
        if earlier is None:
            return {}
        return {p.recall: _offered(question, earlier), p.line: "", p.box: view.box(text="")}


def _recalled(question: str, wanted: Recall, found: Sequence[Found]) -> str:
    rows = "".join(f"<li>{_turn(one)}</li>" for one in found)
    listed = f"<ul>{rows}</ul>" if found else ""
    return _card(
        told(wanted, found), f"{listed}{_afresh(question, 'Ask the notes this instead')}", "Recalled"
    )


def _offered(question: str, earlier: Found) -> str:
    body = (
        f'<p class="ut-was">{_link(earlier, "Show that answer")}{_afresh(question, "Answer afresh")}</p>'
        '<p class="ut-quiet">The notes behind it have not changed.</p>'
    )
    title = f"You asked this on {moment(earlier.created)}: ‘{shortened(earlier.answer.question, 90)}’"
    return _card(title, body, "Answered before")


def _card(title: str, body: str, name: str) -> str:
    return (
        f'<section class="ut-recall" role="status" aria-label="{name}"><header><p>{escaped(title)}</p>'
        '<button type="button" data-act="shut" title="Close (Esc)" aria-label="Close">×</button></header>'
        f"{body}</section>"
    )


def _turn(found: Found) -> str:
    return f"{_link(found)}<span>{moment(found.created)} · {escaped(first_sentence(found))}</span>"


def _link(found: Found, words: str = "") -> str:
    at = f"?c={escaped(found.conversation)}#turn-{found.place + 1}"
    data = f'data-act="open" data-id="{escaped(found.conversation)}" data-turn="{found.place + 1}"'
    return f'<a href="{at}" {data}>{escaped(words or shortened(found.answer.question, 200))}</a>'


def _afresh(question: str, words: str) -> str:
    return (
        f'<button type="button" class="ut-afresh" data-act="afresh" data-question="{escaped(question)}">'
        f"{words}</button>"
    )
