"""The distractors of a question, chosen among what rivals its key.

Near the key by the notes' own structure, and then by meaning, is what makes a distractor plausible; what
means the same, or is told in the same words, would be right as well. What is not here: what rivals a
key at all (rag/items/facts.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ingest.types import Encoder
from rag.items.fact import Fact, Rival
from rag.items.names import same

Reach = tuple[float, float, float]  # as CLOSE has them
Encode = Callable[[Sequence[str]], np.ndarray]  # texts to unit vectors, float32 (texts, dimension)

# Cosines from which two may both be right: of their names, of what is said of them, and of both together.
# Looked at on 40 pairs, most from machine learning: such pairs have .74 to .92 by name or .7 to .85 by what
# is said of them; so have many opposites, which are lost with them. Of the pairs that stood in 102 questions
# those of 1.14 to 1.2 together were six of which both may be right, and two of which they are not.
ALIKE, TOLD, TOGETHER = 0.75, 0.7, 1.13
FAR = 0.15  # cosine of two sentences of the notes below which they speak of nothing that could be confused
# The two cosines together from which another name is near enough to be taken for the key: one of its own
# section, and any other. Of 76 questions labelled by hand no distractor of the section was one that nobody
# would take (of 95), of the others 30 of 133, while they were chosen from the 16 nearest in the outline.
# The third is for what is said of something elsewhere, with the cosine of the whole sentences.
CLOSE = (0.4, 0.65, 0.45)
WIDE = (0.25, 0.5, 0.38)  # the same where little is to choose from
CROWD = 12  # names of one section from which standing there says no more: a glossary from A to Z
BEHIND = 0.015  # of cosine: what a place further down in the notes' own order costs a rival


def remembered(encoder: Encoder) -> Encode:
    """Encodes as `encoder` does, each text once: what the notes name rivals many a key."""
    known: dict[str, np.ndarray] = {}

    def encode(texts: Sequence[str]) -> np.ndarray:
        if new := [text for text in dict.fromkeys(texts) if text not in known]:
            known.update(zip(new, encoder.encode(new), strict=True))
        return np.array([known[text] for text in texts])

    return encode


def distractors(
    fact: Fact, place: int, encode: Encode | None = None, reach: Reach = CLOSE
) -> tuple[Rival, ...] | None:
    """The three best of the key's kind that are about as long; None where there are not so many.

    Of numbers, which stand in order, as many are smaller as lets the key stand at `place`. Without
    `encode` meaning counts for nothing.
    """
    if fact.kind == "number":
        below = [one for one in fact.rivals if float(one.text) < float(fact.key)]
        above = [one for one in fact.rivals if float(one.text) > float(fact.key)]
        small = below[: max(place, 3 - len(above))]
        return (*small, *above[: 3 - len(small)]) if len(small) + len(above) >= 3 else None
    fit = fitting(fact, encode, reach)
    best = fit[:3]
    longer = next((one for one in fit if len(one.text) >= len(fact.key)), None)
    if longer is not None and not any(len(one.text) >= len(fact.key) for one in best):
        best = [*best[:2], longer]  # else the longest option is the key
    return tuple(best) if len(best) == 3 else None


def fitting(fact: Fact, encode: Encode | None = None, reach: Reach = CLOSE) -> list[Rival]:
    """Those of its rivals that may stand beside the key, the best first; of numbers all, as they come."""
    if fact.kind == "number":
        return list(fact.rivals)
    words = len(fact.key.split())
    alike: list[Rival] = []
    for one in fact.rivals:
        fits = 0.5 * words - 1 <= len(one.text.split()) <= 1.7 * words + 1
        if fits and not any(same(one.text, other.text) for other in alike):
            alike.append(one)
    if encode is not None and len(alike) > 2 and fact.kind != "person":
        alike = _by_meaning(fact, alike, encode, reach)
    return alike


def _by_meaning(fact: Fact, rivals: Sequence[Rival], encode: Encode, reach: Reach) -> list[Rival]:
    """Those that do not mean the same as the key or as a better one of them, the best first.

    What the key's own section names comes first. One that the notes speak of in quite another connection
    goes as well: nobody would take it. Cells of a table stand in one column, whatever is said of them.
    """
    names = encode([fact.key, *(one.text for one in rivals)])
    near = names[1:] @ names[0]
    told = np.zeros(len(rivals))
    plausible = np.ones(len(rivals), bool)
    beside = np.array([one.beside for one in rivals])
    crowded = beside.sum() > CROWD
    beside &= not crowded
    if fact.kind == "term":  # of other kinds what is said is the option itself, or the row around it
        said = encode([fact.after, *(_without(one) or one.text for one in rivals)])
        told = said[1:] @ said[0]
        plausible = near + told >= np.where(beside, *reach[:2])
    if fact.kind != "cell":
        whole = encode([fact.sentence, *(one.said or one.text for one in rivals)])
        spoken = whole[1:] @ whole[0]
        plausible &= spoken >= FAR
        if fact.kind == "meaning":
            plausible &= beside | (near + spoken >= reach[2])
    behind = 0.0 if crowded else BEHIND
    ranks = [(not beside[at], behind * at - max(near[at], told[at])) for at in range(len(rivals))]
    kept: list[int] = []
    for at in sorted(range(len(rivals)), key=ranks.__getitem__):
        alike = near[at] >= ALIKE or told[at] >= TOLD or near[at] + told[at] >= TOGETHER
        if alike or not plausible[at]:
            continue
        if all(float(names[at + 1] @ names[other + 1]) < ALIKE for other in kept):
            kept.append(at)
    return [rivals[at] for at in kept]


def _without(one: Rival) -> str:
    """What is said of a rival, its own name left out."""
    return one.said.replace(one.text, "").strip(" :")
