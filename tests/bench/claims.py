"""Claims with their evidence and a label, of public sets and of our own, in one form.

    python -m tests.bench.claims --shared ../shared/eval --notes ../shared/notes

prints how many there are. The public sets stay out of the repository:

| set | file | from |
| --- | --- | --- |
| wice | wice_claim_dev.jsonl | Kamoi et al. 2023, arXiv 2303.01432: Wikipedia against its sources |
| fm2 | fool_me_twice_dev.jsonl | Eisenschlos et al. 2021, arXiv 2104.04725: claims written to mislead |
| snli | snli_dev.jsonl | Bowman et al. 2015, arXiv 1508.05326: captions of pictures |
| halueval | halueval_qa_one.jsonl | Li et al. 2023, arXiv 2305.11747: a right and a made-up answer each |
| qags | mturk_cnndm.jsonl | Wang et al. 2020, arXiv 2004.04228: summaries of news against the news |
| own | data/eval/claims.jsonl | sentences of our own answers, labelled by hand |

Supported means all of the claim: WiCE's 'partially_supported' counts as not supported, and so does
SNLI's 'neutral'. A HaluEval claim is its question and one of its answers, a space between. Of QAGS's three
readers most decide; nothing is fitted on it.
What is not here: what a check makes of a claim (tests/bench/grounding.py reports that).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingest.errors import NotesError
from ingest.sentences import sentences

SHARED = Path("../shared/eval")
SIZES = {"wice": 0, "fm2": 300, "snli": 200, "halueval": 200, "qags": 0}  # claims taken of each, 0 for all


@dataclass(frozen=True)
class Claim:
    """One claim and what it is to be checked against."""

    id: str  # 'set:…', unique
    set: str
    claim: str
    evidence: tuple[str, ...]  # sentences, in order
    label: bool  # whether the evidence supports all of the claim
    kind: str  # the set's own label
    supporting: tuple[frozenset[int], ...] = ()  # places in evidence that do, each enough; () if unknown
    question: str = ""
    group: str = ""  # claims of one group share evidence: keep them in one fold
    headings: tuple[str, ...] = ()  # own: per sentence of evidence the heading path of its passage
    passages: tuple[str, ...] = ()  # own: per sentence of evidence the id of its passage
    split: str = ""  # 'test' where nothing is fitted on it; own: or 'dev'
    made: bool = False  # own: written by hand from an answer's sentence, not said by the engine
    notes: str = ""  # own: which notes, 'unit' or 'shared'
    against: tuple[frozenset[int], ...] = ()  # own: for a contradicted claim, as `supporting`
    edit: str = ""  # own: what was done to a made claim: 'number', 'order', …, 'paraphrase'
    origin: str = ""  # own: 'chat', 'raw' (the model with no check after it) or 'made'


def load(name: str, shared: Path = SHARED, size: int | None = None, seed: int = 0) -> list[Claim]:
    """`size` claims of a public set (0 for all; default SIZES), as many supported as not if it can be.

    Raises NotesError, one line, where the file is missing or is not in the set's form.
    """
    file, read = PUBLIC[name]
    claims = _read(shared / file, name, read)
    return sample(claims, SIZES[name] if size is None else size, seed)


def generic(path: Path) -> list[Claim]:
    """The claims of any JSONL of {claim, evidence, label} and perhaps id, question, group, supporting.

    `evidence` is a text or a list of sentences; `label` true, 1, 'supported', 'supports' or 'entailment'
    for a supported claim, anything else for one that is not; the set's name is the file's.
    Raises NotesError, one line, where the file is missing or a line is not like that.
    """
    return _read(path, path.stem, _generic)


def sample(claims: Sequence[Claim], size: int, seed: int = 0) -> list[Claim]:
    """`size` of the claims, half of each label as far as they go, in their order; 0 for all.

    Which ones depends on the seed and their ids only, so that more claims in the file change few.
    Where all groups are pairs of a supported claim and another, pairs are taken whole.
    """
    if not size or size >= len(claims):
        return list(claims)
    groups: defaultdict[str, list[Claim]] = defaultdict(list)
    for one in claims:
        groups[one.group or one.id].append(one)
    if all(sorted(one.label for one in some) == [False, True] for some in groups.values()):
        taken = set(_drawn(groups, size // 2, seed))
        return [one for one in claims if (one.group or one.id) in taken]
    right = [one.id for one in claims if one.label]
    wrong = [one.id for one in claims if not one.label]
    half = min(len(right), max(size - size // 2, size - len(wrong)))
    chosen = {*_drawn(right, half, seed), *_drawn(wrong, size - half, seed)}
    return [one for one in claims if one.id in chosen]


def _drawn(ids: Iterable[str], count: int, seed: int) -> list[str]:
    return sorted(ids, key=lambda one: hashlib.sha256(f"{seed}:{one}".encode()).digest())[:count]


def _read(path: Path, name: str, form: Callable[[str, dict[str, Any]], list[Claim]]) -> list[Claim]:
    if not path.is_file():
        raise NotesError(f"{name}: no file {path}: put the set there or leave it out")
    found: list[Claim] = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            found += form(f"{name}:{number}", json.loads(line))
        except (KeyError, TypeError, ValueError, AttributeError) as err:
            raise NotesError(f"{name}: line {number} of {path} is not in the set's form: {err!r}") from err
    return found


def _wice(key: str, row: dict[str, Any]) -> list[Claim]:
    kind = row["label"]
    if kind not in ("supported", "partially_supported", "not_supported"):
        raise ValueError(kind)
    group = f"wice:{row['meta']['claim_title']}"
    return [
        Claim(
            f"wice:{row['meta']['id']}",
            "wice",
            row["claim"],
            tuple(row["evidence"]),
            kind == "supported",
            kind,
            _alternatives(row["supporting_sentences"], len(row["evidence"])),
            group=group,
        )
    ]


def _alternatives(given: Sequence[Sequence[int]], count: int) -> tuple[frozenset[int], ...]:
    found = tuple(frozenset(some) for some in given if some)
    if any(not 0 <= place < count for some in found for place in some):
        raise ValueError(f"a supporting sentence that is none of {count}")
    return found


def _fm2(key: str, row: dict[str, Any]) -> list[Claim]:
    kind = row["label"]
    if kind not in ("SUPPORTS", "REFUTES"):
        raise ValueError(kind)
    lines = tuple(row["evidence"])
    return [Claim(key, "fm2", row["claim"], lines, kind == "SUPPORTS", kind, group=f"fm2:{lines[0]}")]


def _snli(key: str, row: dict[str, Any]) -> list[Claim]:
    kind, premise = row["label"], row["premise"].strip()
    if kind not in ("entailment", "neutral", "contradiction"):
        raise ValueError(kind)
    claim, group = row["hypothesis"].strip(), f"snli:{premise}"
    return [Claim(key, "snli", claim, (premise,), kind == "entailment", kind, group=group)]


def _halueval(key: str, row: dict[str, Any]) -> list[Claim]:
    # The set has its paragraphs one behind the other with no space: '… in 1846.First for Women is …'.
    lines = tuple(sentences(re.sub(r"(?<=[a-z0-9)\"])\.(?=[A-Z])", ". ", row["knowledge"].strip())))
    question = row["question"].strip()
    return [
        Claim(
            f"{key}:{kind}",
            "halueval",
            f"{question} {row[field].strip()}",
            lines,
            kind == "right",
            kind,
            question=question,
            group=key,
        )
        for kind, field in (("right", "right_answer"), ("hallucinated", "hallucinated_answer"))
    ]


def _qags(key: str, row: dict[str, Any]) -> list[Claim]:
    lines, found = tuple(sentences(row["article"].strip())), []
    for place, one in enumerate(row["summary_sentences"]):
        said = [each["response"] for each in one["responses"]]
        if not said or set(said) - {"yes", "no"}:
            raise ValueError(said)
        label = said.count("yes") * 2 > len(said)
        claim, kind = one["sentence"].strip(), "yes" if label else "no"
        found.append(Claim(f"{key}:{place}", "qags", claim, lines, label, kind, group=key, split="test"))
    return found


def _generic(key: str, row: dict[str, Any]) -> list[Claim]:
    given, kind = row["evidence"], row["label"]
    lines = tuple(sentences(given) if isinstance(given, str) else map(str, given))
    if not lines or not isinstance(kind, str | int | float):
        raise ValueError("no evidence" if not lines else f"label {kind!r}")
    return [
        Claim(
            f"{key.rsplit(':', 1)[0]}:{row['id']}" if "id" in row else key,
            key.rsplit(":", 1)[0],
            str(row["claim"]),
            lines,
            str(kind).lower() in ("true", "1", "1.0", "supported", "supports", "entailment"),
            str(kind),
            _alternatives(row.get("supporting", ()), len(lines)),
            str(row.get("question", "")),
            str(row.get("group", "")),
        )
    ]


PUBLIC: dict[str, tuple[str, Callable[[str, dict[str, Any]], list[Claim]]]] = {
    "wice": ("wice_claim_dev.jsonl", _wice),
    "fm2": ("fool_me_twice_dev.jsonl", _fm2),
    "snli": ("snli_dev.jsonl", _snli),
    "halueval": ("halueval_qa_one.jsonl", _halueval),
    "qags": ("mturk_cnndm.jsonl", _qags),
}


def available(shared: Path = SHARED, seed: int = 0) -> tuple[list[Claim], list[str]]:
    """The default sample of every public set that is there, and a line for each that is not."""
    found: list[Claim] = []
    missing: list[str] = []
    for name in PUBLIC:
        try:
            found += load(name, shared, seed=seed)
        except NotesError as err:
            missing.append(str(err))
    return found, missing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder of the public sets")
    options = parser.parse_args()
    claims, missing = available(options.shared)
    for line in missing:
        print(line)
    for name, count in Counter(one.set for one in claims).items():
        kinds = Counter(one.kind for one in claims if one.set == name)
        print(f"{name}: {count}: " + ", ".join(f"{kinds[kind]} {kind}" for kind in sorted(kinds)))


if __name__ == "__main__":
    main()
