"""The decoding strategies of the course, and what each keeps of the next-token distribution.

One path decodes everything: `distribution` turns logits into the probabilities a token is drawn
from, `kept` says which tokens a strategy leaves in, `choose` draws. The lab and the tests go
through the same three functions as real text. Beam search looks ahead over whole sequences
and is therefore the engine's own (see rag/engines/local.py); here it has only its settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch

from ingest.errors import BadRequest

Name = Literal["greedy", "random", "top-k", "top-p", "min-p", "beam"]
NAMES: tuple[Name, ...] = get_args(Name)


@dataclass(frozen=True, slots=True)
class Decoding:
    """How the next token is chosen.

    greedy  the likeliest token, every time.
    random  drawn from the whole distribution (ancestral sampling).
    top-k   drawn from the k likeliest (Fan, Lewis, Dauphin 2018, arXiv 1805.04833).
    top-p   nucleus sampling: drawn from the smallest set whose total reaches p
            (Holtzman et al. 2020, arXiv 1904.09751).
    min-p   drawn from tokens at least min_p times as likely as the likeliest
            (Nguyen et al. 2024, arXiv 2407.01082).
    beam    the likeliest whole sequence among `beams` kept at each step (Reddy 1977).

    temperature divides the logits before anything is kept (Ackley, Hinton, Sejnowski 1985);
    0 is greedy. k, p and min_p combine: each removes tokens, in the order k, p, min-p; None
    leaves that step out.
    """

    name: Name = "greedy"
    temperature: float = 1.0  # 0..5
    k: int | None = None  # 1..1000
    p: float | None = None  # above 0, at most 1
    min_p: float | None = None  # above 0, at most 1
    beams: int = 1  # 1..8
    seed: int = 0  # the same seed gives the same text

    def __post_init__(self) -> None:
        """Raise BadRequest where a setting is outside its range or does not go with the name."""
        if self.name not in NAMES:
            raise BadRequest(f"Unknown decoding '{self.name}': choose one of {', '.join(NAMES)}.")
        if not 0 <= self.temperature <= 5:
            raise BadRequest(f"temperature must be between 0 and 5, not {self.temperature}.")
        if self.k is not None and not 1 <= self.k <= 1000:
            raise BadRequest(f"k must be between 1 and 1000, not {self.k}.")
        if self.p is not None and not 0 < self.p <= 1:
            raise BadRequest(f"p must be above 0 and at most 1, not {self.p}.")
        if self.min_p is not None and not 0 < self.min_p <= 1:
            raise BadRequest(f"min-p must be above 0 and at most 1, not {self.min_p}.")
        if not 1 <= self.beams <= 8:
            raise BadRequest(f"beams must be between 1 and 8, not {self.beams}.")
        if not 0 <= self.seed < 2**63:
            raise BadRequest(f"seed must be a whole number from 0 up, not {self.seed}.")
        for name, needed in (("top-k", self.k), ("top-p", self.p), ("min-p", self.min_p)):
            if self.name == name and needed is None:
                raise BadRequest(f"{name} decoding needs its {name[-1] if name != 'min-p' else 'min-p'}.")
        if (self.name == "beam") != (self.beams > 1):
            raise BadRequest("beam search needs beams of 2 or more, and only beam search takes beams.")

    @property
    def deterministic(self) -> bool:
        """Whether every seed gives the same text."""
        return self.name in ("greedy", "beam") or self.temperature == 0


GREEDY = Decoding()


def decoding(
    name: str = "greedy",
    temperature: float | None = None,
    k: int | None = None,
    p: float | None = None,
    min_p: float | None = None,
    beams: int | None = None,
    seed: int = 0,
) -> Decoding:
    """A Decoding with the usual value wherever one is not given.

    temperature 1, k 40, p 0.9, min-p 0.1, beams 4. Raises BadRequest on an unknown name or a
    value out of range.
    """
    return Decoding(
        name=name,  # type: ignore[arg-type]  # __post_init__ refuses any other string
        temperature=1.0 if temperature is None else temperature,
        k=40 if k is None and name == "top-k" else k,
        p=0.9 if p is None and name == "top-p" else p,
        min_p=0.1 if min_p is None and name == "min-p" else min_p,
        beams=beams if beams is not None else 4 if name == "beam" else 1,
        seed=seed,
    )


def kept(probabilities: torch.Tensor, how: Decoding) -> torch.Tensor:
    """Which tokens stay in the draw: bool (vocabulary,), given float (vocabulary,) summing to 1."""
    if how.name == "greedy" or how.temperature == 0:
        mask = torch.zeros_like(probabilities, dtype=torch.bool)
        mask[probabilities.argmax()] = True
        return mask
    # Ties are broken by position, so that exactly k stay and the nucleus is the smallest set.
    ordered, order = probabilities.sort(descending=True, stable=True)
    stay = torch.ones_like(ordered, dtype=torch.bool)
    if how.k is not None:
        stay[how.k :] = False
    if how.p is not None:
        # A token stays while the total before it has not reached p. The total is that of what
        # top-k left, and a float's error must not decide: .5 + .3 reaches .8.
        left = ordered * stay
        left = left.double() / left.double().sum()
        stay &= left.cumsum(0) - left < how.p - 1e-6
    if how.min_p is not None:
        stay &= ordered >= how.min_p * ordered[0]
    mask = torch.empty_like(stay)
    mask[order] = stay
    return mask


def distribution(logits: torch.Tensor, how: Decoding) -> torch.Tensor:
    """The probabilities a token is drawn from: float (vocabulary,), zero for what is not kept."""
    logits = logits.float()
    if how.temperature > 0:
        logits = logits / how.temperature
    probabilities = logits.softmax(-1)
    probabilities = probabilities * kept(probabilities, how)
    return probabilities / probabilities.sum()


def choose(logits: torch.Tensor, how: Decoding, generator: torch.Generator) -> int:
    """Draw the next token's id; `generator` is read only where there is something to draw."""
    if how.name == "greedy" or how.temperature == 0:
        return int(logits.argmax())
    return int(torch.multinomial(distribution(logits, how), 1, generator=generator))
