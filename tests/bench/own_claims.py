"""Our own labelled sentences (data/eval/claims.jsonl) with the evidence that they were labelled against.

    python -m tests.bench.own_claims --shared-notes ../shared/notes

prints how many there are. The notes' text is not in those files: passages are named by id, sentences by
a hash, and both are looked up among the passages that the notes give now. No index and no model is
needed. What is not here: public sets (tests/bench/claims.py).
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.clean import clean
from ingest.duplicates import merged
from ingest.errors import NotesError
from ingest.read import read
from ingest.split import split
from ingest.types import Passage
from tests.bench.claims import Claim
from tests.bench.labelled import EVAL

CLAIMS = EVAL / "claims.jsonl"
EVIDENCE = EVAL / "claims_evidence.jsonl"
NOTES = EVAL.parent / "notes"
SHARED_NOTES = Path("../shared/notes")
LEAST = 0.5  # share of a passage's sentences by which it is known again after its id has changed


@dataclass(frozen=True)
class Own:
    """The claims whose evidence was found, and a line for each thing that was not."""

    claims: tuple[Claim, ...]
    missing: tuple[str, ...]


def own_claims(notes: Path = NOTES, shared_notes: Path | None = SHARED_NOTES) -> Own:
    """Our claims, in the order of the file; those on notes that are not there are left out and named.

    Raises NotesError where a file of notes cannot be read.
    """
    folders = {"unit": notes, "shared": shared_notes}
    missing: list[str] = []
    held: dict[str, list[Passage]] = {}
    for name, folder in folders.items():
        if folder is not None and folder.is_dir():
            held[name] = passages(folder)
        else:
            missing.append(f"own: no folder {folder} with the {name} notes: claims on them are left out")
    shown: dict[str, list[Passage]] = {}
    asked: dict[str, str] = {}
    for row in _lines(EVIDENCE):
        if row["notes"] not in held:
            continue
        found = [_known(one, held[row["notes"]]) for one in row["passages"]]
        lost = [one["id"] for one, passage in zip(row["passages"], found, strict=True) if passage is None]
        if lost:
            missing.append(f"own: {row['question_id']}: passage {', '.join(lost)} is no longer in the notes")
        else:
            shown[row["question_id"]] = [passage for passage in found if passage]
            asked[row["question_id"]] = row["question"]
    claims = []
    for row in _lines(CLAIMS):
        if row["question_id"] in shown:
            claim = _claim(row, shown[row["question_id"]], asked[row["question_id"]])
            if isinstance(claim, str):
                missing.append(claim)
            else:
                claims.append(claim)
    return Own(tuple(claims), tuple(missing))


def passages(folder: Path) -> list[Passage]:
    """The passages that an index of `folder` would hold."""
    drafts: list[Passage] = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        drafts += split(clean(read(path, folder)))
    return merged(drafts)[0]


def digest(sentence: str) -> str:
    """What names a sentence in our files: 10 hex digits of SHA-256 over its words."""
    return hashlib.sha256(" ".join(sentence.split()).encode()).hexdigest()[:10]


def _known(one: dict[str, Any], every: Sequence[Passage]) -> Passage | None:
    """The passage of that id, or else the one of its file that holds most of its sentences."""
    for passage in every:
        if passage.id == one["id"]:
            return passage
    wanted = set(one["sentences"])
    shares = [
        (len(wanted & set(map(digest, passage.sentences))) / len(wanted), -place, passage)
        for place, passage in enumerate(every)
        if passage.source == one["source"]
    ]
    share, _, passage = max(shares, default=(0.0, 0, None), key=lambda some: some[:2])
    return passage if share >= LEAST else None


def _claim(row: dict[str, Any], shown: Sequence[Passage], question: str) -> Claim | str:
    lines = [(sentence, passage) for passage in shown for sentence in passage.sentences]
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, (sentence, _) in enumerate(lines):
        places[digest(sentence)].append(place)
    bearing = {}
    for key in ("supporting", "against"):
        if any(one not in places for some in row[key] for one in some):
            return f"own: {row['id']}: a sentence that it was labelled by is no longer in the notes"
        bearing[key] = tuple(choice for some in row[key] for choice in _choices([places[s] for s in some]))
    return Claim(
        id=f"own:{row['id']}",
        set="own",
        claim=row["claim"],
        evidence=tuple(sentence for sentence, _ in lines),
        label=row["label"] == "supported",
        kind=row["label"],
        supporting=bearing["supporting"],
        question=question,
        group=f"own:{row['question_id']}",
        headings=tuple(passage.title for _, passage in lines),
        passages=tuple(passage.id for _, passage in lines),
        split=row["split"],
        made=row["made"],
        notes=row["notes"],
        against=bearing["against"],
        edit=row["edit"],
        origin=row["origin"],
    )


def _choices(places: Sequence[Sequence[int]]) -> list[frozenset[int]]:
    """One place of each: where a sentence stands twice in the evidence, either will do."""
    found: list[frozenset[int]] = [frozenset()]
    for some in places:
        found = [one | {place} for one in found for place in some]
    return found


def _lines(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        raise NotesError(f"own: no file {path}: it belongs to the repository, fetch it again")
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--notes", type=Path, default=NOTES)
    parser.add_argument("--shared-notes", type=Path, default=SHARED_NOTES)
    options = parser.parse_args()
    own = own_claims(options.notes, options.shared_notes)
    for line in own.missing:
        print(line)
    for half in ("dev", "test"):
        some = [one for one in own.claims if one.split == half]
        for what, made in (("of answers", False), ("made", True)):
            kinds = Counter(one.kind for one in some if one.made == made)
            print(f"{half}, {what}: " + ", ".join(f"{kinds[kind]} {kind}" for kind in sorted(kinds)))


if __name__ == "__main__":
    main()
