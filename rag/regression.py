"""The regression set: questions, and what an instructor expects of their answers. One JSON line a case.

    {"question": "Who introduced the VAE?", "facts": [["kingma"], ["2013"]], "sources": [["models.pdf", 2]]}
    {"turns": ["What is a GAN?", "who paid for it?"], "must_refuse": true}
    {"question": "…", "must_not_repeat": "An answer that was rejected."}

`facts` are those of data/eval: each a list of wordings of which one must stand in the answer. Of
`sources` one must be cited; the page may be null. `must_refuse: false` forbids a refusal. What is
not here: asking the questions and comparing two runs (rag/recheck.py), and the sources, decoding
and strictness a student chose: cases are asked with the ordinary ones.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

from ingest.errors import BadRequest, UnitutorError
from rag import jsonlines
from rag.followup import content_stems, content_words
from rag.types import MARKER, Answer

FACTS = 5  # that an approved answer is held to, at most
SHORTEST_STEM = 5  # letters; a shorter one stands in too many words
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NAME = re.compile(r"(?<![.!?:\n•-] )(?<!^)\b[A-Z][\w-]+|\b\w*[A-Z]\w*[A-Z]\w*")
_ORDINAL = re.compile(r"(?m)^\s*\d+[.)]\s+")

Judged = Literal["approved", "rejected"]
Place = tuple[str, int | None]  # file and page


class CannotKeep(UnitutorError):
    """A file beside the index that cannot be written."""


@dataclass(frozen=True, slots=True)
class Case:
    """A question, the last of `turns`, and what is expected of its answer."""

    turns: tuple[str, ...]
    facts: tuple[tuple[str, ...], ...] = ()
    sources: tuple[Place, ...] = ()
    must_refuse: bool | None = None  # None: either will do
    must_not_repeat: str = ""  # the text of an answer that was rejected
    approved: str = ""  # the text of the answer it was made from

    @property
    def id(self) -> str:
        """The same for the same turns and expectations, and for no others."""
        said = [
            self.turns,
            self.facts,
            self.sources,
            self.must_refuse,
            self.must_not_repeat,
        ]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def read(path: Path) -> list[Case]:
    """The cases of a file, each once. Raises BadRequest, with the line's number, where one cannot be read."""
    cases: dict[str, Case] = {}
    for number, values in jsonlines.read(path):
        case = values if isinstance(values, str) else _case(values)
        if isinstance(case, str):
            raise BadRequest(f"Line {number} of {path} {case}: mend or remove it.")
        cases.setdefault(case.id, case)
    if not cases:
        raise BadRequest(f"{path} has no cases: approve or reject answers in the chat, or write some.")
    return list(cases.values())


def save(path: Path, answer: Answer, verdict: Judged, earlier: Sequence[str] = ()) -> None:
    """Make a case of an answer that was approved or rejected; `earlier` are the questions it followed.

    It takes the place of what was said of the same answer before, and an approved one that of
    another answer approved to the same question. Raises CannotKeep where the file cannot be written.
    """
    case = approved(answer, earlier) if verdict == "approved" else rejected(answer, earlier)

    def with_it(lines: list[bytes]) -> list[bytes]:
        kept = [line for line in lines if not _same(line, case, _plainly(answer), verdict == "approved")]
        return [*kept, jsonlines.as_line(_values(case)).rstrip(b"\n")]

    _change(path, with_it)


def forget(path: Path, answer: Answer, earlier: Sequence[str] = ()) -> None:
    """Take the case made from this answer out again, if there is one. Raises CannotKeep."""
    case = approved(answer, earlier)
    if path.exists():
        _change(
            path, lambda lines: [line for line in lines if not _same(line, case, _plainly(answer), False)]
        )


def approved(answer: Answer, earlier: Sequence[str] = ()) -> Case:
    """What another answer to this question must hold to be as good as this one.

    Numbers and names first, then the longest words that stand both in the answer and in what it
    quotes, none of them words of the question: what the notes say, however it is put.
    """
    turns = (*earlier, answer.question)
    text = _plainly(answer)
    if answer.refused:
        return Case(turns, must_refuse=True, approved=text)
    cited = dict.fromkeys((one.source, one.page) for one in answer.citations)
    return Case(turns, _key_terms(answer), tuple(cited), must_refuse=False, approved=text)


def rejected(answer: Answer, earlier: Sequence[str] = ()) -> Case:
    """What another answer to this question must not be: the same again."""
    turns = (*earlier, answer.question)
    if answer.refused:
        return Case(turns, must_refuse=False, must_not_repeat=_plainly(answer))
    return Case(turns, must_not_repeat=_plainly(answer))


def facts_found(facts: Sequence[Sequence[str]], answer: str) -> list[bool]:
    """Which facts the answer states, one for each; case, spaces and dashes do not matter.

    A wording may stand within a word ('classif'), but a number not within a longer number.
    """
    text = _plain(answer)
    return [any(_stands(_plain(wording), text) for wording in fact) for fact in facts]


def cites(sources: Collection[Place], cited: Collection[Place]) -> bool:
    """Whether one of `sources` is cited; where it has no page, any page of the file will do."""
    files = {source for source, _ in cited}
    return any(place in cited or (place[1] is None and place[0] in files) for place in sources)


def _key_terms(answer: Answer) -> tuple[tuple[str, ...], ...]:
    held = [one.text for one in answer.sentences if one.label in ("supported", "partly")]
    text = _ORDINAL.sub("", MARKER.sub("", "\n".join(held) or answer.answer))
    asked = content_stems(answer.question)
    names = [name.lower() for name in _NAME.findall(text) if content_stems(name) - asked]
    numbers = [number for number in _NUMBER.findall(text) if number not in answer.question]
    quoted = content_stems(" ".join(f"{one.heading} {one.quote}" for one in answer.citations))
    words = [word for word in content_words(text) if len(word) > 3 and content_stems(word) <= quoted - asked]
    terms: dict[str, tuple[str, ...]] = {}
    for term in (*numbers, *names, *sorted(dict.fromkeys(words), key=len, reverse=True)):
        stem = " ".join(sorted(content_stems(term))) or term
        wordings = (term, stem) if len(stem) >= SHORTEST_STEM and term not in names else (term,)
        terms.setdefault(stem, tuple(dict.fromkeys(wordings)))
    return tuple(list(terms.values())[:FACTS])


def _plainly(answer: Answer) -> str:
    return MARKER.sub("", answer.answer).strip()


def _plain(text: str) -> str:
    text = re.sub(r"\s*\[\d+\]", "", text.lower()).replace("’", "'")
    return re.sub(r"[\s\-‐‑–_]+", " ", text)


def _stands(wording: str, text: str) -> bool:
    before = r"(?<!\d)(?<!\d[.,])" if wording[:1].isdigit() else ""
    after = r"(?![.,]?\d)" if wording[-1:].isdigit() else ""
    return re.search(before + re.escape(wording) + after, text) is not None


def _case(values: dict[str, Any]) -> Case | str:
    """The case of a line's object, or what is wrong with it."""
    if ("question" in values) == ("turns" in values):
        return "needs either a question or turns"
    turns = values["turns"] if "turns" in values else [values["question"]]
    if not _texts(turns):
        return "needs a question that is a string, or turns that are a list of strings"
    facts, sources = values.get("facts", []), values.get("sources", [])
    if not isinstance(facts, list) or not all(map(_texts, facts)):
        return "has facts that are no list of lists of strings"
    places = [_place(one) for one in sources] if isinstance(sources, list) else [None]
    if None in places:
        return 'has sources that are no list of ["file", page] with a page or null'
    refuse, repeat = values.get("must_refuse"), values.get("must_not_repeat", "")
    if not isinstance(refuse, bool | None) or not isinstance(repeat, str):
        return "has a must_refuse that is not true or false, or a must_not_repeat that is no text"
    if not (facts or places or repeat) and refuse is None:
        return "expects nothing: give facts, sources, must_refuse or must_not_repeat"
    judged = values.get("approved", "")
    wordings = tuple(tuple(fact) for fact in facts)
    known = tuple(place for place in places if place)
    return Case(tuple(turns), wordings, known, refuse, repeat, judged if isinstance(judged, str) else "")


def _texts(values: Any) -> bool:
    return isinstance(values, list) and bool(values) and all(isinstance(v, str) and v.strip() for v in values)


def _place(value: Any) -> Place | None:
    if isinstance(value, str):
        return value, None
    if not isinstance(value, list) or len(value) != 2 or not isinstance(value[0], str):
        return None
    page = value[1]
    return (value[0], page) if page is None or (isinstance(page, int) and page is not True) else None


def _values(case: Case) -> dict[str, Any]:
    """The case as the object of a line; what is not expected is left out."""
    one = len(case.turns) == 1
    values: dict[str, Any] = {"question": case.turns[0]} if one else {"turns": list(case.turns)}
    if case.facts:
        values["facts"] = [list(fact) for fact in case.facts]
    if case.sources:
        values["sources"] = [list(place) for place in case.sources]
    if case.must_refuse is not None:
        values["must_refuse"] = case.must_refuse
    if case.must_not_repeat:
        values["must_not_repeat"] = case.must_not_repeat
    if case.approved:
        values["approved"] = case.approved
    return {**values, "made": date.today().isoformat()}


def _same(line: bytes, case: Case, text: str, any_approved: bool) -> bool:
    """Whether a line is about this very answer; with `any_approved`, or about another one approved."""
    values = jsonlines.parsed(line)
    found = values if isinstance(values, str) else _case(values)
    if isinstance(found, str) or found.turns != case.turns:
        return False
    judged = found.approved or found.must_not_repeat
    return bool(judged) and (judged == text or (any_approved and bool(found.approved)))


def _change(path: Path, changed: Any) -> None:
    try:
        jsonlines.change(path, changed)
    except OSError as error:
        raise CannotKeep(f"Cannot write {path}: {error.strerror}.") from error
