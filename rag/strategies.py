"""Decoding strategies as a word or two: 'greedy', 'top-k:40', 'top-k:40+temperature:0.7'."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ingest.errors import BadRequest
from rag.decoding import NAMES, Decoding, decoding

FEWEST, MOST = 2, 5  # strategies compared at once
_FILTERS = ("top-k", "top-p", "min-p")
_USUAL = {"top-k": "40", "top-p": "0.9", "min-p": "0.1", "beam": "4"}
_WHOLE = ("top-k", "beam")  # take a whole number
_LONGEST = 30  # characters of a bad word that an error repeats


def strategy(spec: str, seed: int = 0) -> Decoding:
    """The Decoding that `spec` names: a name, or names joined by '+', each with ':value' or its usual one.

    greedy, random, top-k:40, top-p:0.9, min-p:0.1 and beam:4 are names, and so is temperature:0.7;
    the three filters combine with each other, temperature with everything that draws. Raises
    BadRequest for anything else and for a value out of range.
    """
    values = _values(spec)
    filters = [name for name in _FILTERS if name in values]
    alone = [name for name in ("greedy", "beam", "random") if name in values]
    if len(alone + filters) > 1 and alone:
        raise BadRequest(f"{alone[0]} does not combine with {(alone[1:] + filters)[0]}: name one of the two.")
    if "temperature" in values and alone and alone[0] != "random":
        raise BadRequest(f"Temperature changes nothing in {alone[0]} decoding: leave it out.")
    name = (alone + filters or ["random"])[0]
    heat = values.get("temperature")
    return decoding(
        name,
        temperature=None if heat is None else _number("temperature", heat),
        k=int(_number("top-k", values["top-k"])) if "top-k" in values else None,
        p=_number("top-p", values["top-p"]) if "top-p" in values else None,
        min_p=_number("min-p", values["min-p"]) if "min-p" in values else None,
        beams=int(_number("beam", values["beam"])) if "beam" in values else None,
        seed=seed,
    )


def spelled(how: Decoding) -> str:
    """The spec that `strategy` reads as `how`, its seed left out."""
    if how.name == "greedy":
        return "greedy"
    if how.name == "beam":
        return f"beam:{how.beams}"
    parts = [f"top-k:{how.k}"] if how.k is not None else []
    parts += [f"top-p:{how.p:g}"] if how.p is not None else []
    parts += [f"min-p:{how.min_p:g}"] if how.min_p is not None else []
    parts = parts or ["random"]
    parts += [f"temperature:{how.temperature:g}"] if how.temperature != 1 else []
    return "+".join(parts)


def comparable(hows: Sequence[Decoding]) -> tuple[Decoding, ...]:
    """`hows`, if they can be compared: two to five, none twice. Raises BadRequest otherwise."""
    if not FEWEST <= len(hows) <= MOST:
        raise BadRequest(f"{FEWEST} to {MOST} strategies can be compared, not {len(hows)}.")
    for place, how in enumerate(hows):
        # A seed changes nothing where nothing is drawn.
        if any(_seedless(how) == _seedless(other) for other in hows[:place]):
            seed = "" if how.deterministic else f" with seed {how.seed}"
            raise BadRequest(f"{spelled(how)}{seed} is there twice: change one of the two.")
    return tuple(hows)


def _seedless(how: Decoding) -> Decoding:
    return replace(how, seed=0) if how.deterministic else how


def _values(spec: str) -> dict[str, str]:
    """Each name of a spec with its value as written; '' for those that take none."""
    values: dict[str, str] = {}
    for part in spec.strip().lower().split("+"):
        name, colon, value = (piece.strip() for piece in part.partition(":"))
        if name not in (*NAMES, "temperature"):
            raise BadRequest(
                f"Unknown strategy '{name[:_LONGEST]}': choose from {', '.join(NAMES)}, each with "
                "temperature if it draws, as in top-k:40+temperature:0.7."
            )
        if name in values:
            raise BadRequest(f"'{spec[:_LONGEST]}' names {name} twice.")
        if name in ("greedy", "random") and colon:
            raise BadRequest(f"{name} takes no value: write {name} alone.")
        if not value and (colon or name == "temperature"):
            raise BadRequest(f"{name} needs a value after its colon, as in {name}:{_USUAL.get(name, '0.7')}.")
        values[name] = value or _USUAL.get(name, "")
    return values


def _number(name: str, value: str) -> float:
    if name in _WHOLE and not re.fullmatch(r"-?\d{1,9}", value, re.ASCII):
        raise BadRequest(f"{name} takes a whole number, not '{value[:_LONGEST]}'.")
    if not re.fullmatch(r"-?(\d{1,9}(\.\d{0,12})?|\.\d{1,12})", value, re.ASCII):
        raise BadRequest(f"{name} takes a number, not '{value[:_LONGEST]}'.")
    return float(value)
