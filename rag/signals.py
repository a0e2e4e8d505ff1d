"""What can be told of a claim and its evidence in milliseconds, without a language model.

Each signal is a number that says by itself little; rag/support.json weighs them. Copied spans and
bigrams after Grusky et al. 2018 (arXiv 1804.11283), who call them extractive fragments; the others
look for what a copied sentence with one wrong word gives away: a number, a name, a 'not', two
things that changed places.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import pairwise

from ingest.words import tokens
from rag.claims import holds_number, new_names, numbers
from rag.followup import content_stems

CHEAP = (
    "coverage",  # of the claim's tokens by the evidence's, late interaction
    "first",  # the same by the best sentence alone
    "weakest",  # the same, of the fourth of the tokens that are covered worst
    "stems",  # share of the claim's content stems that the evidence has
    "bigrams",  # share of its bigrams of stems
    "span",  # longest run of its stems that stands in one sentence of the evidence, as a share
    "numbers",  # numbers of the claim that the evidence lacks, at most 2
    "names",  # the same of names
    "negation",  # 1 where one of claim and nearest sentence denies and the other does not
    "copied",  # bigrams, where nothing of numbers, names and negation speaks against it; or else 0
    "order",  # share of neighbouring content stems that stand the other way round in the evidence
    "length",  # content stems of the claim, at most 20, as a share of that
    "missing",  # numbers, names and facts (rag/invented.py) that a long text lacks; 0 against a short one
)
_NEGATION = re.compile(
    r"\b(?:not|no|never|none|nothing|neither|nor|cannot|without|unlike|fails?|unable|hardly|"
    r"rather than|instead of)\b|n['’]t\b",
    re.IGNORECASE,
)


def lexical(claim: str, evidence: Sequence[str], question: str = "") -> dict[str, float]:
    """Those of CHEAP that need these words alone, and 'whole': how far one sentence alone says it.

    'copied' takes all sentences together, so that what two of them say, joined wrongly, seems copied.

    `evidence`: the sentences chosen, the nearest first, each with what it needs to be understood.
    Words of the `question` are no news in a claim, but no evidence for its numbers either.
    """
    words = tokens(claim)
    stems = content_stems(claim) or set(words)
    held = [tokens(line) for line in evidence]
    known = {stem for line in held for stem in line}
    pairs = list(pairwise(words))
    seen = {pair for line in held for pair in pairwise(line)}
    text = "\n".join(evidence)
    bigrams = sum(pair in seen for pair in pairs) / len(pairs) if pairs else 0.0
    missing = sum(not holds_number(text, number) for number in numbers(claim))
    new = len(new_names(claim, text, question))
    negation = bool(evidence) and denies(claim) != denies(evidence[0])
    against = bool(missing or new or negation)
    return {
        "stems": len(stems & known) / len(stems) if stems else 0.0,
        "bigrams": bigrams,
        "span": max((_longest(words, line) for line in held), default=0) / max(len(words), 1),
        "numbers": float(min(2, missing)),
        "names": float(min(2, new)),
        "negation": float(negation),
        "copied": 0.0 if against else bigrams,
        "order": _turned(words, stems, held),
        "length": min(20, len(stems)) / 20,
        "whole": 0.0 if against else _by_one(pairs, stems, held),
    }


def _by_one(pairs: list[tuple[str, str]], stems: set[str], held: list[list[str]]) -> float:
    """Share of the claim's bigrams in a single sentence that has all of its content stems; the most."""
    whole = [set(pairwise(line)) for line in held if stems <= set(line)]
    return max((sum(pair in line for pair in pairs) / max(len(pairs), 1) for line in whole), default=0.0)


def denies(text: str) -> bool:
    """Whether a sentence says that something is not so, an even number of times counting as none."""
    return len(_NEGATION.findall(text)) % 2 == 1


def _longest(words: list[str], line: list[str]) -> int:
    return SequenceMatcher(None, words, line, autojunk=False).find_longest_match().size


def _turned(words: list[str], stems: set[str], held: list[list[str]]) -> float:
    """Of the pairs of neighbouring content stems that a sentence has both of, the share it has in reverse."""
    mine = [word for word in words if word in stems]
    both = turned = 0
    for before, after in pairwise(mine):
        for line in held:
            if before != after and before in line and after in line:
                both += 1
                turned += all(line.index(after) < place for place, word in enumerate(line) if word == before)
                break
    return turned / both if both else 0.0
