"""Temporary chats: held in this process for one tab, written nowhere, gone with the tab.

A temporary chat goes by one name in every tab; what is behind it is the tab's own. What is not here: the
log and the memory, which ask `Ask.private` and the database, and so know nothing of it.
"""

from __future__ import annotations

import copy
import itertools
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field, replace

from rag.decoding import GREEDY
from rag.sessions import Conversation, Record, Sessions, State
from rag.types import Answer

TEMPORARY = "temporary"  # no id of a conversation: those are 32 hex digits
TITLE = "Temporary chat"
MOST = 1000  # tabs whose temporary chat is held

_ids = itertools.count(-1, -1)  # below those of the database


@dataclass(slots=True)
class _Chat:
    """What was said in one tab."""

    began: float = field(default_factory=time.time)
    records: list[Record] = field(default_factory=list)


class Passing:
    """The temporary chats of all tabs."""

    def __init__(self) -> None:
        """None yet."""
        self._chats: OrderedDict[str, _Chat] = OrderedDict()
        self._lock = threading.Lock()

    def start(self, tab: str) -> None:
        """Begin one in a tab; the one before it there is gone."""
        with self._lock:
            self._chats[tab] = _Chat()
            self._chats.move_to_end(tab)
            while len(self._chats) > MOST:
                self._chats.popitem(last=False)

    def end(self, tab: str) -> None:
        """Forget the tab's, if there is one."""
        with self._lock:
            self._chats.pop(tab, None)

    def over(self, sessions: Sessions, tab: str) -> Sessions:
        """The conversations, with the tab's temporary chat among them under its name."""
        with self._lock:
            held = self._chats.get(tab)
        return sessions if held is None else _WithOne(sessions, held)


class _WithOne(Sessions):
    """Sessions that know a temporary chat by its name, and never write it or list it."""

    def __init__(self, sessions: Sessions, held: _Chat) -> None:
        self.__dict__.update(copy.copy(sessions).__dict__)
        self._held = held

    def get(self, id: str) -> Conversation | None:
        if id != TEMPORARY:
            return super().get(id)
        return Conversation(TEMPORARY, TITLE, self._held.began, self._held.began)

    def records(self, id: str) -> tuple[Record, ...]:
        return super().records(id) if id != TEMPORARY else tuple(self._held.records)

    def begin(self, id: str, question: str, keep: int | None = None, seen: float | None = None) -> int:
        if id != TEMPORARY:
            return super().begin(id, question, keep, seen)
        if keep is not None:
            del self._held.records[keep:]
        made = Record(next(_ids), Answer(question, GREEDY), "unfinished", time.time())
        self._held.records.append(made)
        return made.id

    def truncate(self, id: str, keep: int, seen: float | None = None) -> None:
        if id != TEMPORARY:
            return super().truncate(id, keep, seen)
        del self._held.records[keep:]
        return None

    def _set(self, turn: int, answer: Answer, finished: bool) -> None:
        if turn >= 0:
            return super()._set(turn, answer, finished)
        for place, one in enumerate(self._held.records):
            if one.id == turn:
                state: State = "whole" if finished else "unfinished"
                self._held.records[place] = replace(one, answer=answer, state=state)
        return None
