"""Item-writing flaws that stand in the stem: what is asked, how it is put, what it leans on.

Each rule takes an item and returns what is wrong, in a line that names the words at fault, or ''.
What is not here: the flaws of options (rag/items/choices.py) and the list of all (rag/items/flaws.py).
"""

from __future__ import annotations

import re

from ingest.sentences import sentences
from rag.followup import content_stems
from rag.items.types import BLANK, Item

LONG = 50  # words of a stem; a case that needs more is not read by students either
BRIEF = 30  # words up to which several sentences are a case and no padding

_GAP = re.compile(r"_{2,}|\.{3,}|…|\[\s*(?:blank|\.\.\.)?\s*\]|\(\s*\)")
_ASKS = re.compile(
    r"(?i)\b(?:what|which|who|whom|whose|when|where|why|how|name|give|state|list|identify|define|explain)\b"
)
_VERB = re.compile(
    r"(?i)\b(?:is|are|was|were|be|do|does|did|has|have|had|can|could|may|might|must|will|would|shall|should|"
    r"makes?|means?|gives?|uses?|takes?|gets?|keeps?|turns?|becomes?|contains?|consists?|depends?|shows?|"
    r"produces?|causes?|allows?|needs?|lets?|called|belongs?|refers?|results?|occurs?|happens?|returns?)\b"
)
_JUDGED = r"(?:true|correct|false|right|wrong|incorrect|accurate|valid|untrue|best)"
_UNFOCUSED = re.compile(
    rf"(?i)^\W*(?:which|what)(?:\s+(?:one|ones|of|the|these|following|statements?|options?|answers?|"
    rf"sentences?|"
    rf"claims?|assertions?))*\s+(?:is|are|holds?|applies|apply)\s*(?:most\s+|the\s+)?(?:{_JUDGED})?"
    rf"(?:\s+(?:statement|answer|option|one))?\s*(?:about|of|for|regarding|concerning|in|with)?\b[^?]*\??$"
)
_JUDGES = re.compile(
    rf"(?i)\b(?:(?:is|are)\s+(?:most\s+)?{_JUDGED}|holds?\s+true|applies|apply)\s*"
    r"(?:\?|:|\.|$|(?:about|of|for|regarding|concerning|in)\b)"
)
_CHOOSE = re.compile(
    rf"(?i)^\W*(?:choose|select|pick|mark|tick|indicate|find)\s+(?:the|a|all|one)\s+(?:{_JUDGED}\s+)?"
    r"(?:answers?|options?|statements?|ones?|alternatives?)\b"
)
_TOPIC = re.compile(
    r"(?i)^\W*(?:regarding|concerning|about|with respect to|with regard to|as for|consider)\b"
)
_POINTS = re.compile(
    r"(?i)^\W*(?:what|which|how|why|when|where|who)\s+(?:\w+\s+)?(?:does|do|did|is|are|was|were|can|could|"
    r"has|have|"
    r"will|would|should)\s+(?:it|they|this|these|those|he|she|that|them)\b(?!\s+(?:\w+\s+)?(?:model|method|"
    r"is "
    r"called))"
)
_UNSEEN = re.compile(
    r"(?i)\b(?:(?:according to|based on|as (?:shown|stated|described|mentioned|given|seen|explained|"
    r"discussed) in|in|"
    r"from|by)\s+(?:the|this|these)\s+(?:given\s+|above\s+|provided\s+|following\s+)?"
    r"(?:passage|text|excerpt|paragraph|figure|diagram|picture|table|chart|graph|slide|lecture|notes?|"
    r"document|"
    r"chapter|section|reading|context|course material)s?\b"
    r"|the (?:passage|text|excerpt|paragraph|authors?|lecturer|speaker|slides?|document)\s+(?:above|below|"
    r"mean|say|"
    r"state|mention|describe|show|suggest|argue|claim)s?\b|did the authors? mean\b"
    r"|\b(?:above|below|aforementioned|previously mentioned|mentioned earlier)\b(?=\s*[,?.]|\s+(?:text|"
    r"passage|"
    r"example|figure|code))|\bin this case\b)"
)
_WHY = re.compile(r"(?i)^\W*(?:why|how|what (?:happens|is meant|does it mean))\b")
_STRONG_NOT = re.compile(r"\b(?:NOT|EXCEPT|LEAST|NEVER|FALSE|INCORRECT)\b")
_EXCEPT = re.compile(r"(?i)\bexcept\b(?!\s+(?:for|that|when)\b)|\bother than\b(?=\W*$)")
_LEAST = re.compile(r"(?i)(?<!at )\bleast\b(?!\s+(?:squares?|common|one|two|significant))")
_FALSE = re.compile(
    r"(?i)\b(?:is|are)\s+(?:a\s+|an\s+|the\s+)?(?:false|incorrect|untrue|wrong|invalid|inaccurate)\b"
)
_NOT = re.compile(
    r"(?i)\b(?:is|are|was|were|does|do|did|can|could|has|have|will|would|should|"
    r"may)(?:\s+\w+){0,2}?\s*(?:not\b|n['’]t\b)"
    r"|\bcannot\b"
)
_INNER = re.compile(r"(?i)\b(?:that|who|whose|when|if|because|while|although|but|where|not only|whether)\b")
_TRUE_FALSE = re.compile(r"(?i)\btrue\s+or\s+(?:false|untrue)\b|\bright\s+or\s+wrong\b|\byes\s+or\s+no\b")
_YES = re.compile(r"(?i)^\W*(?:yes|no|true|false)\b")


def question(item: Item) -> str:
    """The last sentence of the stem, which asks."""
    return (sentences(item.stem) or [item.stem])[-1]


def ambiguous(item: Item) -> str:
    """Something that the question does not show or name is needed to understand it."""
    if found := _UNSEEN.search(item.stem):
        return f"the stem points to what is not shown: '{found[0].strip()}'"
    parts = sentences(item.stem)
    if len(parts) == 1 and (found := _POINTS.match(item.stem)):
        return f"the stem does not say what '{found[0].split()[-1]}' is"
    return ""


def gratuitous(item: Item) -> str:
    """More is told than the question needs."""
    parts = sentences(item.stem)
    count = len(item.stem.split())
    if count > LONG:
        return f"the stem has {count} words"
    if len(parts) < 3 or count <= BRIEF:
        return ""
    needed = content_stems(parts[-1]) | {stem for one in item.options for stem in content_stems(one.text)}
    idle = [part for part in parts[:-1] if not re.search(r"\d", part) and not content_stems(part) & needed]
    return f"not needed to answer: '{idle[0]}'" if len(idle) > 1 else ""


def true_false(item: Item) -> str:
    """A question of yes or no in the clothes of multiple choice."""
    if item.kind != "multiple-choice":
        return ""
    if found := _TRUE_FALSE.search(item.stem):
        return f"the stem asks '{found[0]}'"
    judged = [one.text for one in item.options if _YES.match(one.text)]
    return f"options judge a statement: '{judged[0]}', '{judged[1]}'" if len(judged) > 1 else ""


def fill_in(item: Item) -> str:
    """A gap within the stem: what stands behind it must be kept in mind while options are tried."""
    if item.kind == "fill-in":
        gaps = item.stem.count(BLANK)
        return "" if gaps == 1 else f"{gaps} blanks in the stem"
    if item.kind != "multiple-choice":
        return ""
    for gap in _GAP.finditer(item.stem):
        after = item.stem[gap.end() :]
        if re.search(r"\w", after):
            return f"a gap in the middle of the stem, before '{' '.join(after.split()[:4])}'"
    return ""


def unfocused(item: Item) -> str:
    """What is asked cannot be told, or answered, without reading the options."""
    stem = item.stem.strip()
    if item.kind not in ("multiple-choice", "short-answer"):
        return ""
    if _CHOOSE.match(stem) or (_UNFOCUSED.match(stem) and _JUDGES.search(stem)):
        return f"answered only with the options in sight: '{stem}'"
    if _TOPIC.match(stem) and not stem.endswith("?"):
        return f"a topic and no question: '{stem}'"
    if stem.endswith("?") or _GAP.search(stem) or _ASKS.search(stem):
        return ""
    bare = stem.rstrip(" :.…")
    if len(bare.split()) <= 4 and not _VERB.search(bare):
        return f"no question and no verb: '{stem}'"
    return ""


def negative(item: Item) -> str:
    """What does not hold is asked for."""
    asked = question(item)
    if item.kind == "true-false":
        found = re.search(r"(?i)\b(?:not|cannot|never)\b|n['’]t\b", asked)
        return f"a statement with '{found[0]}' is hard to call true or false" if found else ""
    if item.kind == "fill-in":
        return ""
    found = _STRONG_NOT.search(asked) or _EXCEPT.search(asked) or _LEAST.search(asked) or _FALSE.search(asked)
    if not found and not _WHY.match(asked):
        found = _NOT.search(asked)
        inner = _INNER.search(asked)
        if found and inner and inner.start() < found.end():  # 'a token that is not in the vocabulary'
            found = None
    return f"the stem is negative: '{found[0].strip()}'" if found else ""
