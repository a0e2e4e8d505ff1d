"""Item-writing flaws that stand in the options, or between options and stem.

Each rule takes an item and returns what is wrong, in a line that names the words at fault, or ''. Only
multiple choice has options to compare. What is not here: flaws of the stem alone (rag/items/wording.py)
and the list of all (rag/items/flaws.py).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from statistics import mean

from ingest.words import tokens
from rag.followup import content_stems
from rag.items.forms import apart, number_value, plain, shape
from rag.items.types import Item
from rag.items.wording import true_false

LONGER = 1.25  # times the mean length from which an option stands out
WELL_LONGER = 1.5  # times the second longest, where words do not tell
FAMILY = 0.7  # of the shorter of two stems, with which words of one family begin: 'maintain', 'maintenance'
FRAME = 0.34  # share of words, by Jaccard, from which two options are built alike

_ALL = re.compile(
    r"(?i)^\W*(?:all|everything|any)\s*(?:of\s+)?(?:the\s+)?(?:above|these|those|them|others?|options|"
    r"answers|"
    r"(?:are|is)\s+(?:correct|true|right))\b"
)
_NONE = re.compile(
    r"(?i)^\W*(?:none|nothing|no\s+(?:option|answer))\W*$|^\W*none\s+(?:of\s+)?(?:the\s+)?(?:above|these|"
    r"those|them|"
    r"others?|options|answers|(?:are|is)\s+(?:correct|true|right))\b"
)
_ENTRY = r"\(?(?:[A-D]|[a-d]|[1-5]|I{1,3}|IV|V|i{1,3}|iv|v)\)?"
_COMBINES = re.compile(
    rf"^\W*(?:only\s+)?{_ENTRY}(?:\s*,\s*{_ENTRY})*\s*,?\s*(?:and|&|or)\s+{_ENTRY}(?:\s+only)?\W*$"
    rf"|^\W*(?i:both|neither|either)\s+{_ENTRY}\s+(?i:and|nor|or)\s+{_ENTRY}\W*$"
    rf"|^\W*{_ENTRY}\s+only\W*$|^\W*only\s+{_ENTRY}\W*$"
    r"|^\W*(?i:both|neither|either)(?:\s+(?i:of\s+(?:the\s+)?(?:above|these|them)|are\s+(?:correct|"
    r"true)))?\W*$"
)
_ABSOLUTE = re.compile(
    r"(?i)(?<![\w-])(?:always|never|only|all|every|everyone|everybody|everything|none|nobody|"
    r"completely|"
    r"entirely|absolutely?|totally|solely|exclusively|invariably|in every case|without exception)(?![\w-])"
)
_VAGUE = re.compile(
    r"(?<![\w-])(?:(?i:often|usually|sometimes|frequently|occasionally|rarely|seldom|generally|typically|"
    r"mostly|"
    r"normally|commonly|might|possibly|probably|perhaps|somewhat|in (?:some|most|many) cases|a lot|"
    r"at times|now and then)|may|May(?= [a-z]))(?![\w-])"
)
_OPPOSITES = (
    ("increase", "decrease"), ("raise", "lower"), ("rise", "fall"), ("larger", "smaller"), ("more", "less"),
    ("more", "fewer"), ("higher", "lower"), ("faster", "slower"), ("longer", "shorter"),
    ("sharper", "flatter"), ("first", "last"),
    ("stronger", "weaker"), ("increases", "reduces"), ("grow", "shrink"), ("before", "after"),
    ("with", "without"), ("gain", "lose"), ("expand", "contract"), ("up", "down"), ("above", "below"),
    ("maximize", "minimize"), ("improve", "worsen"), ("open", "close"), ("add", "remove"), ("hot", "cold"),
    ("greater", "smaller"), ("better", "worse"), ("early", "late"), ("left", "right"), ("inside", "outside"),
    ("accelerate", "slow"), ("positive", "negative"), ("acid", "base"), ("encode", "decode"),
)  # fmt: skip
_PAIRS = frozenset(frozenset((tokens(one)[0], tokens(other)[0])) for one, other in _OPPOSITES)
_IDLE = frozenset(  # stems of words that stand in questions of any subject
    """
    follow statement best describ kind type part main one two three make made happen name set after
    befor between dure each other becaus can most mani much main process method approach techniqu system
    thing way number amount valu result form caus effect reason purpos role goal step first last new old
    larg small high low same differ differenc onli all ani no not then than also their your our just
    even per via take get give use model data network answer option correct true come go becom keep let
    say show tell call term mean
    """.split()
)
_JOINT = re.compile(r"\s*(?:,|;|/|\+|&|\band\b|\bwith\b|\bplus\b|\bbut\b)\s*", re.IGNORECASE)
_SILLY = re.compile(
    r"(?i)^\W*(?:asdf\w*|qwerty\w*|lorem\b.*|xyz|foo|bar|foobar|n\s*/\s*a|lol|idk|tbd|todo|"
    r"placeholder.*|"
    r"(?:option|choice|answer|distractor)\s*(?:[a-d]|\d)?|random (?:text|words?|answer)|wrong answer|banana|"
    r"i (?:do not|don['’]t) know|who knows)?\W*$"
)


def texts(item: Item) -> list[str]:
    """The options of a multiple-choice item; none of others."""
    return [one.text for one in item.options] if item.kind == "multiple-choice" else []


def distractors(item: Item) -> list[str]:
    """Its options without the key."""
    return [text for place, text in enumerate(texts(item)) if place != item.key]


def implausible(item: Item) -> str:
    """An option that nobody would take. Rules see fillers and jokes; nonsense in good words they do not."""
    found = next((text for text in distractors(item) if _SILLY.match(text)), None)
    return f"no answer at all: '{found}'" if found is not None else ""


def none_of_the_above(item: Item) -> str:
    """It tells only that wrong options were seen to be wrong."""
    found = next((text for text in texts(item) if _NONE.match(text)), None)
    return f"an option is '{found}'" if found is not None else ""


def all_of_the_above(item: Item) -> str:
    """Two options known to be right give it away."""
    found = next((text for text in texts(item) if _ALL.match(text)), None)
    return f"an option is '{found}'" if found is not None else ""


def k_type(item: Item) -> str:
    """Combinations of other options, or of what the stem numbers."""
    found = next((text for text in texts(item) if _COMBINES.match(text)), None)
    return f"an option combines others: '{found}'" if found is not None else ""


def longest(item: Item) -> str:
    """The key is more carefully worded, and so longer, than every distractor."""
    others = distractors(item)
    key = item.answer
    if not others or _ALL.match(key) or _NONE.match(key):
        return ""
    second = max(map(len, others))
    by_words = len(key.split()) >= max(len(one.split()) for one in others) + 2 and len(key) >= 1.2 * second
    by_length = len(key.split()) > 1 and len(key) >= max(second + 10, WELL_LONGER * second)
    if len(key) > LONGER * mean(map(len, texts(item))) and (by_words or by_length):
        return f"the key is the longest option by {len(key) - second} characters: '{key}'"
    return ""


def absolute(item: Item) -> str:
    """'Always' and 'never' are seldom right, and students know it."""
    if item.kind == "true-false":
        found = _ABSOLUTE.search(item.stem) if item.answer.lower() == "false" else None
        return f"'{found[0]}' gives away that the statement is false" if found else ""
    options = [text for text in texts(item) if not (_ALL.match(text) or _NONE.match(text))]
    if k_type(item) or not options:
        return ""
    asked = {found.lower() for found in _ABSOLUTE.findall(item.stem)}
    words = [{found.lower() for found in _ABSOLUTE.findall(text)} - asked for text in options]
    count = Counter(word for own in words for word in own)
    for text, own in zip(options, words, strict=True):
        # One that most options share, as in 'only the encoder', 'only the decoder', tells nothing.
        telling = [word for word in own if count[word] * 2 < len(options) or len(options) < 3]
        if telling:
            return f"'{min(telling)}' in the option '{text}'"
    return ""


def vague(item: Item) -> str:
    """'Often' means another share of cases to each reader."""
    shown = [item.stem] if item.kind == "true-false" else texts(item)
    asked = "" if item.kind == "true-false" else item.stem.lower()
    for text in shown:
        for found in _VAGUE.findall(text):
            if found.lower() not in asked:
                return f"'{found}' in '{text}'"
    return ""


def word_repeats(item: Item) -> str:
    """A word of the stem stands in the key and in no distractor (a clang association)."""
    return _repeated(item, _IDLE, 3)


def echoes(item: Item) -> str:
    """The same of any word: one that is common in the subject, as 'data' may be, leads to the key as well."""
    return _repeated(item, frozenset(("term",)), 2)


def _repeated(item: Item, idle: frozenset[str], shortest: int) -> str:
    asked = _stems(item.stem) - idle
    if item.kind == "fill-in":
        shared = _stems(item.answer) & asked
    else:
        others = {stem for text in distractors(item) for stem in _stems(text)}
        shared = _kin(_stems(item.answer), asked) - _kin(others, asked) if others else set()
    # A word kin to an idle one may be idle.
    shared = {stem for stem in shared - idle if len(stem) >= shortest}
    if not shared:
        return ""
    word = next((w for w in re.findall(r"[\w'-]+", item.answer) if shared & set(tokens(w))), min(shared))
    return f"'{word}' in the key '{item.answer}' is a word of the stem, or kin to one, and in no other option"


def _stems(text: str) -> set[str]:
    """Its content words, and 'name', by their stems; Greek letters by name, since 'beta-VAE' repeats 'β', and
    whose a thing is as it stands: 'Bayes' theorem' leads to 'Bayesian'."""
    text = re.sub(r"[α-ω]", lambda found: f" {unicodedata.name(found[0]).split()[-1]} ", text.lower())
    owners = set(re.findall(r"\w+(?=['’](?:s\b|\W|$))", text))
    return content_stems(text) | ({"name"} & set(tokens(text))) | owners


def _kin(words: set[str], asked: set[str]) -> set[str]:
    """The words, by their stems, that are among those asked with or of one family: 'scale', 'scalability'."""
    return {one for one in words if any(one == other or _family(one, other) for other in asked)}


def _family(one: str, other: str) -> bool:
    short = min(len(one), len(other))
    begin = max(4, round(FAMILY * short))
    return short > 4 and one[:begin] == other[:begin]


def convergence(item: Item) -> str:
    """The key is made of the parts that come up most often among the options."""
    options = texts(item)
    if len(options) < 3 or k_type(item):
        return ""
    parts = [{plain(part) for part in _JOINT.split(text) if plain(part)} for text in options]
    if sum(len(found) > 1 for found in parts) < len(options) - 1 or len(parts[item.key]) < 2:
        return ""
    count = Counter(part for found in parts for part in found)
    scores = [sum(count[part] - 1 for part in found) for found in parts]
    best = max(score for place, score in enumerate(scores) if place != item.key)
    common = [part for part in parts[item.key] if count[part] > 1]
    if scores[item.key] > best and len(common) > 1:
        return f"the parts of the key come up most often: '{item.answer}'"
    return ""


def logical(item: Item) -> str:
    """Key and one distractor are opposites, and the others are built otherwise: one of the two is right."""
    options = texts(item)
    if len(options) < 4:
        return ""
    words = [tokens(text) for text in options]
    key = words[item.key]
    for place, other in enumerate(words):
        if place == item.key or len(other) != len(key) or len(key) < 2:
            continue
        differ = [pair for pair in zip(key, other, strict=True) if pair[0] != pair[1]]
        if len(differ) == 1 and frozenset(differ[0]) in _PAIRS:
            rest = [one for at, one in enumerate(words) if at not in (place, item.key)]
            if not any(_built_alike(one, key) for one in rest):
                return f"opposites, and no other option like them: '{item.answer}', '{options[place]}'"
    return ""


def _built_alike(one: Sequence[str], other: Sequence[str]) -> bool:
    together = set(one) | set(other)
    return one[:1] == other[:1] or len(set(one) & set(other)) >= FRAME * max(1, len(together))


def more_than_one(item: Item) -> str:
    """Two options say the same, or the key says what an option says and more (or less)."""
    options = texts(item)
    if k_type(item) or true_false(item):  # 'True' and 'True for some': a flaw that has its name
        return ""
    for place, text in enumerate(options):
        for other in options[:place]:
            if plain(text) and plain(text) == plain(other):
                return f"two options are the same: '{other}', '{text}'"
    key = plain(item.answer)
    for text in distractors(item):
        short, long = sorted((key, plain(text)), key=len)
        if re.search(r"[=()^*<>$\\]", item.answer + text):  # formulas have no words to hold
            continue
        if short and f" {short} " in f" {long} " and not apart(short, long):
            return f"one option holds the other: '{item.answer}', '{text}'"
    return ""


def lost_sequence(item: Item) -> str:
    """Numbers and dates stand in no order."""
    options = texts(item)
    values = [number_value(text) for text in options]
    known = [value for value in values if value is not None]
    if len(options) < 3 or len(known) < len(options) or k_type(item):
        return ""
    if known in (sorted(known), sorted(known, reverse=True)):
        return ""
    return f"numbers in no order: {', '.join(options)}"


def grammatical(item: Item) -> str:
    """The stem's grammar goes with some options only, or options are of different grammar."""
    options = texts(item)
    if len(options) < 3:
        return ""
    stem = re.sub(r"[\s:_.…]+$", "", item.stem)
    if found := re.search(r"(?i)(?<![\w-])(an?)$", stem):
        fits = [re.match(r"(?i)\W*(?:[aeiou]|h(?:our|onest))", text) is not None for text in options]
        want = found[1].lower() == "an"
        if any(fit != want for fit in fits):
            return f"'{found[1]}' at the end of the stem goes with some options only"
    if re.search(r"(?i)\b(?:are|were)(?: called| known as| named)?$", stem):
        single = [text for text in options if re.match(r"(?i)an?\s", text.strip())]
        if single and len(single) < len(options):
            return f"'{stem.split()[-1]}' asks for several and '{single[0]}' is one"
    if re.search(r"(?i)\b(?:is|was)(?: called| known as| named)?$", stem):
        several = [
            text for text in options if re.match(r"(?i)(?:two|three|several|many|these)\s", text.strip())
        ]
        if several and len(several) < len(options):
            return f"'{stem.split()[-1]}' asks for one and '{several[0]}' are several"
    shapes = {text: shape(text) for text in options}
    sure = {found for found in shapes.values() if found}
    if len(sure) > 1:
        first, second = sorted(sure)[:2]
        pair = [next(text for text, found in shapes.items() if found == one) for one in (first, second)]
        return f"options of different form: '{pair[0]}' is {first}, '{pair[1]}' is {second}"
    return ""
