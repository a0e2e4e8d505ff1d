"""What the model left out or put in words that nothing supports, said in the notes' own words.

A small model answers half of a two-part question, or paraphrases until the meaning is gone. The
sentence that is nearest to the question is known before it writes: where the answer does not hold
what that sentence says, the sentence is added, verbatim and cited.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from ingest.sentences import is_row
from ingest.types import Encoder
from rag.followup import content_stems
from rag.retrieve import asks, is_option
from rag.select import Choice
from rag.types import Sentence

NEAREST = 0.05  # how far below the nearest sentence's cosine another may be added
LEAST = 0.45  # least cosine with the question
LEAST_IF_SURE = 0.25  # the same where the notes are known to hold the answer and nothing else is backed
SAID = 0.5  # share of a sentence's news that the answer must hold for it to count as said
MOST = 1  # sentences added to an answer
_EXERCISE = re.compile(
    r"(?i)(?:\d+[.)]\s*)?(?:compare|explain|name|list|describe|discuss|compute|calculate|state|define|sketch)\b"
)
SHORTEST = 6  # words; less is a title or an item without its list


def nearest(choices: Sequence[Choice], cosines: Sequence[np.ndarray]) -> list[tuple[float, int, int]]:
    """The sentences shown that tell something by themselves, the nearest to the question first.

    `cosines` as `left_out` takes them. Each with its cosine, the marker of its passage and its place there.
    """
    near = [
        (float(values[place]), marker, place)
        for marker, (choice, values) in enumerate(zip(choices, cosines, strict=True), 1)
        if not asks(choice.passage)
        for place in choice.places
        if _says(choice.passage.sentences[place])
    ]
    return sorted(near, key=lambda one: -one[0])


def left_out(
    question: str,
    answer: str,
    choices: Sequence[Choice],
    cosines: Sequence[np.ndarray],
    least: float = LEAST,
) -> list[Sentence]:
    """Sentences of the passages shown that the question asks for and the answer does not say.

    `cosines`: per choice float (sentences,), nearness of each of its passage's sentences to the
    question; what is not as near as `least` is not asked for. Best first, at most MOST, each with
    the marker of its passage.
    """
    asked, said = content_stems(question), content_stems(answer)
    near = nearest(choices, cosines)
    found: list[Sentence] = []
    for cosine, marker, place in near:
        sentence = choices[marker - 1].passage.sentences[place]
        if cosine < max(least, near[0][0] - NEAREST) or len(found) == MOST:
            break
        news = content_stems(sentence) - asked
        if len(news) > 1 and len(news & said) / len(news) < SAID:
            found.append(Sentence(sentence, 1.0, "supported", (marker,)))
            said |= news
    return found


def wanting(question: str, claims: Sequence[Sentence], added: Sequence[Sentence], encoder: Encoder) -> bool:
    """Whether the sentences to be added still help an answer that makes these claims.

    Where each of them is supported, only if an added one is nearer to the question than all of them:
    on dev 11 of 12 others told nothing that was asked.
    """
    if not added or any(claim.label != "supported" for claim in claims):
        return bool(added)
    asked, *vectors = encoder.encode([question, *(one.text for one in (*claims, *added))])
    near = [float(asked @ vector) for vector in vectors]
    return max(near[len(claims) :]) > max(near[: len(claims)], default=0.0)


def _says(sentence: str) -> bool:
    """Whether the sentence tells something by itself: no title, question, exercise, option or table row."""
    if sentence.endswith((":", "?")) or is_row(sentence) or is_option(sentence) or _EXERCISE.match(sentence):
        return False
    return len(sentence.split()) >= SHORTEST
