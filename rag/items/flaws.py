"""The item-writing flaws of multiple-choice questions that rules can see, each with name and source.

The 19 criteria are those of Moore, Nguyen, Chen and Stamper 2023 ('Assessing the quality of
multiple-choice questions using GPT-4 and rule-based methods', arXiv 2307.08161), who took them from
Tarrant, Knierim, Hayes and Ware 2006 ('The frequency of item writing flaws in multiple-choice questions
used in high stakes nursing assessments', Nurse Education Today 26). Those rest on the guidelines of
Haladyna, Downing and Rodriguez 2002 ('A review of multiple-choice item-writing guidelines for classroom
assessment', Applied Measurement in Education 15), whose numbers are given here. The rules are our own.
A false alarm throws a good question away, so a rule speaks up only on words it can name. What no rule
sees: nonsense in good words, two right answers in different words, a term that is ambiguous to experts;
those are left to the gate (rag/items/gate.py). Measured by tests/bench/flaws.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rag.items import choices, wording
from rag.items.forms import alike
from rag.items.types import Item

__all__ = ["RULES", "Flaw", "Rule", "alike", "flaws"]

_TARRANT = "Tarrant et al. 2006"


def _haladyna(number: str) -> str:
    return f"Haladyna, Downing and Rodriguez 2002, guideline {number}"


@dataclass(frozen=True, slots=True)
class Flaw:
    """A flaw found in an item."""

    name: str  # as the literature calls it
    source: str  # who says that it is one
    what: str  # one line for the instructor: the words at fault


@dataclass(frozen=True, slots=True)
class Rule:
    """One of the 19 criteria, and what looks for it."""

    name: str
    source: str
    look: Callable[[Item], str]  # what is wrong, or ''


RULES = (
    Rule("ambiguous information", _haladyna("14"), wording.ambiguous),
    Rule("implausible distractors", _haladyna("29"), choices.implausible),
    Rule("none of the above", _haladyna("25"), choices.none_of_the_above),
    Rule("longest option correct", _haladyna("24"), choices.longest),
    Rule("gratuitous information", _haladyna("16"), wording.gratuitous),
    Rule("true/false question", _TARRANT, wording.true_false),
    Rule("convergence cues", _haladyna("28e"), choices.convergence),
    Rule("logical cues", _haladyna("28e"), choices.logical),
    Rule("all of the above", _haladyna("26"), choices.all_of_the_above),
    Rule("fill-in-the-blank", _TARRANT, wording.fill_in),
    Rule("absolute terms", _haladyna("28a"), choices.absolute),
    Rule("word repeats", _haladyna("28b"), choices.word_repeats),
    Rule("unfocused stem", _haladyna("15"), wording.unfocused),
    Rule("complex or K-type", _haladyna("9"), choices.k_type),
    Rule("grammatical cues", _haladyna("28c"), choices.grammatical),
    Rule("lost sequence", _haladyna("21"), choices.lost_sequence),
    Rule("vague terms", _TARRANT, choices.vague),
    Rule("more than one correct", _haladyna("19"), choices.more_than_one),
    Rule("negatively worded", _haladyna("17"), wording.negative),
)


def flaws(item: Item) -> tuple[Flaw, ...]:
    """The flaws of an item, in the order of RULES; () for one that no rule minds.

    Rules on options look at multiple choice alone; those on wording at the other kinds too, as far
    as they make sense there.
    """
    found = ((rule, rule.look(item)) for rule in RULES)
    return tuple(Flaw(rule.name, rule.source, what) for rule, what in found if what)
