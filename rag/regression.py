"""The regression set: questions, and what an instructor expects of their answers. One JSON line a case.

    {"question": "Who introduced the VAE?", "facts": [["kingma"], ["2013"]], "sources": [["models.pdf", 2]]}
    {"turns": ["What is a GAN?", "who paid for it?"], "must_refuse": true}
    {"question": "…", "must_not_repeat": "An answer that was rejected."}
    {"question": "…", "must_not_cite": [["models.pdf", 7]]}

`facts` are those of data/eval: each a list of wordings of which one must stand in the answer. Of
`sources` one must be cited; the page may be null. `must_refuse: false` forbids a refusal. What is
cited must not be just the places of `must_not_cite`. What is not here: asking the questions and
comparing two runs (rag/recheck.py), and what a student had set: cases are asked with the ordinary
settings.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Literal

from ingest.errors import BadRequest, UnitutorError
from rag import jsonlines
from rag.claims import numbers
from rag.followup import content_stems, content_words
from rag.types import MARKER, Answer

FACTS = 5  # that an approved answer is held to, at most
SHORTEST_STEM = 5  # letters; a shorter one stands in too many words
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
    must_not_cite: tuple[Place, ...] = ()  # all that an answer cited that was rejected for its page
    answer: str = ""  # the text of the answer it was made from; '' if it was written by hand

    @property
    def id(self) -> str:
        """The same for the same turns and expectations, and for no others."""
        said = replace(self, answer="")
        return hashlib.sha256(json.dumps(astuple(said)).encode()).hexdigest()[:16]

    @property
    def approved(self) -> bool:
        """Whether it was made from an answer that was approved."""
        return bool(self.answer and not (self.must_not_repeat or self.must_not_cite))


@contextmanager
def keeping(path: Path) -> Iterator[None]:
    """Raises CannotKeep where what is done to `path` fails."""
    try:
        yield
    except OSError as error:
        raise CannotKeep(f"Cannot write {path}: {error.strerror}.") from error


def beside(index: Path) -> Path:
    """Where the set of the index in a folder lies: data/regression.jsonl for data/index."""
    own = "" if index.name == "index" else f"{index.name}."
    return index.with_name(f"{own}regression.jsonl")


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


def save(
    path: Path, answer: Answer, verdict: Judged, earlier: Sequence[str] = (), wrong_page: bool = False
) -> None:
    """Make a case of an answer that was approved or rejected; `earlier` are the questions it followed.

    With `wrong_page` it is not the text of the answer that was rejected but what it cites. The
    case takes the place of what was said of the same answer before, and an approved one that of
    another answer approved to the same question. Raises CannotKeep where the file cannot be written,
    BadRequest where the answer is empty.
    """
    if not _plainly(answer):
        raise BadRequest("There is no answer to this question yet.")
    case = approved(answer, earlier) if verdict == "approved" else rejected(answer, earlier, wrong_page)

    def with_it(lines: list[bytes]) -> list[bytes]:
        kept = [line for line in lines if not _replaces(case, _on(line))]
        return [*kept, jsonlines.as_line(_values(case)).rstrip(b"\n")]

    _change(path, with_it)


def forget(path: Path, answer: Answer, earlier: Sequence[str] = ()) -> None:
    """Take the case made from this answer out again, if there is one. Raises CannotKeep."""
    case = rejected(answer, earlier)
    if path.exists():
        _change(path, lambda lines: [line for line in lines if not _replaces(case, _on(line))])


def approved(answer: Answer, earlier: Sequence[str] = ()) -> Case:
    """What another answer to this question must hold to be as good as this one.

    Numbers and names first, then the longest words that stand both in the answer and in what it
    quotes, none of them words of the question: what the notes say, however it is put.
    """
    turns = (*earlier, answer.question)
    text = _plainly(answer)
    if answer.refused:
        return Case(turns, must_refuse=True, answer=text)
    cited = tuple(dict.fromkeys(places(answer)))
    return Case(turns, _key_terms(answer), cited, must_refuse=False, answer=text)


def rejected(answer: Answer, earlier: Sequence[str] = (), wrong_page: bool = False) -> Case:
    """What another answer to this question must not be: the same again, or from the same wrong pages."""
    turns, text = (*earlier, answer.question), _plainly(answer)
    if answer.refused:
        return Case(turns, must_refuse=False, must_not_repeat=text, answer=text)
    if wrong_page and answer.citations:
        return Case(turns, must_not_cite=tuple(dict.fromkeys(places(answer))), answer=text)
    return Case(turns, must_not_repeat=text, answer=text)


def places(answer: Answer) -> list[Place]:
    """Where the citations of an answer lead."""
    return [(one.source, one.page) for one in answer.citations]


def facts_found(facts: Sequence[Sequence[str]], answer: str) -> list[bool]:
    """Which facts the answer states, one for each; case, spaces and dashes do not matter.

    A wording may stand within a word ('classif'), but a number not within a longer number.
    """
    text = plain(answer)
    return [any(_stands(plain(wording), text) for wording in fact) for fact in facts]


def cites(sources: Collection[Place], cited: Collection[Place]) -> bool:
    """Whether one of `sources` is cited; where it has no page, any page of the file will do."""
    files = {source for source, _ in cited}
    return any(place in cited or (place[1] is None and place[0] in files) for place in sources)


def _key_terms(answer: Answer) -> tuple[tuple[str, ...], ...]:
    held = [one.text for one in answer.sentences if one.label in ("supported", "partly")]
    text = _ORDINAL.sub("", MARKER.sub("", "\n".join(held) or answer.answer))
    asked = content_stems(answer.question)
    names = [name.lower() for name in _NAME.findall(text) if content_stems(name) - asked]
    counts = [number for number in numbers(text) if number not in answer.question]
    quoted = content_stems(" ".join(f"{one.heading} {one.quote}" for one in answer.citations))
    words = [word for word in content_words(text) if len(word) > 3 and content_stems(word) <= quoted - asked]
    terms: dict[str, tuple[str, ...]] = {}
    for term in (*counts, *names, *sorted(dict.fromkeys(words), key=len, reverse=True)):
        stem = " ".join(sorted(content_stems(term))) or term
        wordings = (term, stem) if len(stem) >= SHORTEST_STEM and term not in names else (term,)
        terms.setdefault(stem, tuple(dict.fromkeys(wordings)))
    return tuple(list(terms.values())[:FACTS])


def _plainly(answer: Answer) -> str:
    return MARKER.sub("", answer.answer).strip()


def plain(text: str) -> str:
    """Text as facts are looked for in it: no markers, small letters, one space for spaces and dashes."""
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
    facts = values.get("facts", [])
    if not isinstance(facts, list) or not all(map(_texts, facts)):
        return "has facts that are no list of lists of strings"
    sources, wrong = _places(values.get("sources", [])), _places(values.get("must_not_cite", []))
    if sources is None or wrong is None:
        return 'has sources, or a must_not_cite, that are no list of ["file", page], with null for any page'
    refuse, repeat, judged = (values.get(key) for key in ("must_refuse", "must_not_repeat", "answer"))
    if not isinstance(refuse, bool | None):
        return "has a must_refuse that is not true or false"
    if not isinstance(repeat, str | None) or not isinstance(judged, str | None):
        return "has a must_not_repeat, or an answer, that is no text"
    if not (facts or sources or wrong or repeat) and refuse is None:
        return "expects nothing: give it facts, sources, must_refuse, must_not_repeat or must_not_cite"
    wordings = tuple(tuple(fact) for fact in facts)
    return Case(tuple(turns), wordings, sources, refuse, repeat or "", wrong, judged or "")


def _texts(values: Any) -> bool:
    return isinstance(values, list) and bool(values) and all(isinstance(v, str) and v.strip() for v in values)


def _places(values: Any) -> tuple[Place, ...] | None:
    found = [_place(one) for one in values] if isinstance(values, list) else [None]
    known = tuple(place for place in found if place)
    return known if len(known) == len(found) else None


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
    values: dict[str, Any] = {"question": case.turns[0]} if one else {"turns": case.turns}
    values |= {
        key: value for key, value in asdict(case).items() if key != "turns" and value not in ("", (), None)
    }
    return {**values, "made": date.today().isoformat()}


def _on(line: bytes) -> Case | None:
    """The case of a line that was made from an answer; None for all others."""
    values = jsonlines.parsed(line)
    found = values if isinstance(values, str) else _case(values)
    return None if isinstance(found, str) or not found.answer else found


def _replaces(case: Case, found: Case | None) -> bool:
    if found is None or found.turns != case.turns:
        return False
    return found.answer == case.answer or (found.approved and case.approved)


def _change(path: Path, changed: Callable[[list[bytes]], list[bytes]]) -> None:
    with keeping(path):
        jsonlines.change(path, changed)
