"""Asking the regression set again: what each answer meets now, and what that is beside an earlier run.

A run that was interrupted is taken up where it stopped, as long as `mark` says that it is the same
index and model. What is not here: the set itself (rag/regression.py), and what is shown of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ingest.errors import BadRequest, ModelUnusable, UnitutorError
from ingest.pages import page_name
from ingest.types import Progress, silent
from rag import jsonlines
from rag.decoding import GREEDY
from rag.followup import content_stems
from rag.regression import Case, Place, cites, facts_found, keeping, places
from rag.types import MARKER, Answer

SAME = 0.8  # share of content stems in common from which two answers say the same
_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|\b(?:no|not|never|none|cannot|without)\b|n't\b")

Ask = Callable[[tuple[str, ...]], Answer]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a case: its answer, and each thing that was expected with whether it was met."""

    answer: str
    refused: bool
    cited: tuple[Place, ...]
    met: dict[str, bool]  # by the expectation in words: 'states 2013'


@dataclass(frozen=True, slots=True)
class Compared:
    """A case beside its earlier result."""

    case: Case
    before: Result
    now: Result

    @property
    def lost(self) -> tuple[str, ...]:
        """What was met and no longer is."""
        return tuple(words for words, was in self.before.met.items() if was and not self.now.met.get(words))

    @property
    def gained(self) -> tuple[str, ...]:
        """What was not met and now is."""
        return tuple(words for words, met in self.now.met.items() if met and not self.before.met.get(words))

    @property
    def unmet(self) -> tuple[str, ...]:
        """What is not met now."""
        return tuple(words for words, met in self.now.met.items() if not met)


def judged(case: Case, answer: Answer) -> Result:
    """What `answer` meets of the case's expectations."""
    text = MARKER.sub("", answer.answer).strip()
    cited = places(answer)
    everywhere = [*cited, *((also.source, also.page) for one in answer.citations for also in one.also)]
    met: dict[str, bool] = {}
    if case.must_refuse is not None:
        met["is refused" if case.must_refuse else "is answered"] = answer.refused == case.must_refuse
    for fact, found in zip(case.facts, facts_found(case.facts, text), strict=True):
        met[f"states {fact[0]}"] = found
    if case.sources:
        met[f"cites {_shown(case.sources)}"] = cites(case.sources, everywhere)
    if case.must_not_repeat:
        met["does not repeat what was rejected"] = not repeats(text, case.must_not_repeat)
    if case.must_not_cite:
        met[f"cites more than {_shown(case.must_not_cite)}"] = set(cited) != set(case.must_not_cite)
    return Result(text, answer.refused, tuple(dict.fromkeys(cited)), met)


def repeats(text: str, rejected: str) -> bool:
    """Whether `text` says what `rejected` said, in much the same words.

    The same numbers and as many negations, and SAME of all content stems of the two in common
    (Jaccard): an answer that only another year or a 'not' mends is another answer.
    """
    stems, others = content_stems(text), content_stems(rejected)
    if sorted(_TOKEN.findall(text.lower())) != sorted(_TOKEN.findall(rejected.lower())):
        return False
    return len(stems & others) >= SAME * len(stems | others)


def run(
    cases: Sequence[Case],
    ask: Ask,
    at: Path,
    mark: str,
    progress: Progress = silent,
) -> dict[str, Result]:
    """The result of each case, by its id. Results are kept beside the set `at` until all are there.

    A question that is refused as unfit counts as not answered; a model that fails ends the run.
    Raises CannotKeep where the results cannot be kept.
    """
    beside = at.with_name(f".{at.name}.running")
    results = _taken_up(beside, mark)
    wanted = {case.id for case in cases}
    results = {id: result for id, result in results.items() if id in wanted}
    with keeping(beside):
        start = [{"mark": mark}, *({"id": id, **asdict(result)} for id, result in results.items())]
        jsonlines.replace(beside, b"".join(map(jsonlines.as_line, start)))
    for case in cases:
        progress("Checking", len(results), len(cases))
        if case.id in results:
            continue
        try:
            result = judged(case, ask(case.turns))
        except ModelUnusable:
            raise
        except UnitutorError as error:
            result = Result(str(error), False, (), dict.fromkeys(judged(case, _nothing(case)).met, False))
        results[case.id] = result
        with keeping(beside):
            jsonlines.append(beside, {"id": case.id, **asdict(result)})
    progress("Checking", len(results), len(cases))
    beside.unlink(missing_ok=True)
    return results


def compare(cases: Sequence[Case], accepted: dict[str, Result], now: dict[str, Result]) -> list[Compared]:
    """Each case beside its accepted result.

    Where none was accepted yet, an approved answer met all, a rejected one did not meet what it
    was rejected for, and a case written by hand counts as met: it says how things should be.
    """
    return [
        Compared(case, accepted.get(case.id) or _expected(case, now[case.id]), now[case.id]) for case in cases
    ]


def load(at: Path) -> dict[str, Result]:
    """The accepted run of the set `at`, empty if there is none. Raises BadRequest where it is damaged."""
    path = accepted_path(at)
    if not path.exists():
        return {}
    try:
        values = json.loads(path.read_bytes())
        return {id: _result(one) for id, one in values["cases"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadRequest(f"The accepted run in {path} cannot be read: remove the file.") from error


def accept(at: Path, results: dict[str, Result]) -> None:
    """Make a run what later ones are compared with. Raises CannotKeep."""
    made = datetime.now().astimezone().isoformat(timespec="seconds")
    values = {"made": made, "cases": {id: asdict(result) for id, result in results.items()}}
    with keeping(accepted_path(at)):
        jsonlines.replace(
            accepted_path(at), json.dumps(values, ensure_ascii=False, indent=1).encode("utf-8", "replace")
        )


def accepted_path(at: Path) -> Path:
    """Where the accepted run of the set `at` lies."""
    return at.with_suffix(".accepted.json")


def _taken_up(beside: Path, mark: str) -> dict[str, Result]:
    """The results of an interrupted run of the same index and model; a torn last line is left out."""
    if not beside.exists():
        return {}
    lines = [values for _, values in jsonlines.read(beside) if not isinstance(values, str)]
    if not lines or lines[0].get("mark") != mark:
        return {}
    try:
        return {line["id"]: _result(line) for line in lines[1:]}
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


def _result(values: dict[str, Any]) -> Result:
    cited = tuple((str(source), page) for source, page in values["cited"])
    met = {str(words): bool(was) for words, was in values["met"].items()}
    return Result(str(values["answer"]), bool(values["refused"]), cited, met)


def _expected(case: Case, now: Result) -> Result:
    """What counts as the result before any run was accepted."""
    rejected = bool(case.answer) and not case.approved
    refused = case.must_refuse is False if rejected else bool(case.must_refuse)
    return Result(case.answer, refused, (), dict.fromkeys(now.met, not rejected))


def _nothing(case: Case) -> Answer:
    return Answer(case.turns[-1], GREEDY, stage="done")


def _shown(found: Sequence[Place]) -> str:
    return " or ".join(f"{source}, {page_name(source, page)}" if page else source for source, page in found)
