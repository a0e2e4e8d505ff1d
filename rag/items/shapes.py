"""What a defining sentence is made of: words that can be a term, noun phrases that say what a thing is.

Closed lists of English words, no parser. What is not here: the patterns (rag/items/terms.py).
"""

from __future__ import annotations

import re

_I = re.IGNORECASE
# Verbs that say what a thing does; those in -s for one, the bare ones for several or for an order.
_STEMS = (
    "add allow apply assign break build capture combine compare compress compute contain control convert "
    "create decode define describe determine divide draw encode enhance evaluate extend extract "
    "fill find focus form generate give group handle hide identify improve integrate keep learn let link "
    "lower map maximize maximise measure minimize minimise multiply normalize pick predict process produce "
    "provide pull read receive reconstruct reduce remove replace represent rescale run select separate "
    "smooth sort split squeeze stabilize stack store take tell train transform translate turn use weigh "
    "choose redraw propose send repeat assess adjust collect conduct dispose ensure establish explain gather "
    "implement introduce maintain obtain optimize optimise preserve validate verify specify analyze analyse "
    "retrieve simulate".split()
)


def _third(verb: str) -> str:
    if verb.endswith(("s", "sh", "ch", "x", "z")):
        return f"{verb}es"
    return f"{verb[:-1]}ies" if verb.endswith("y") and verb[-2] not in "aeiou" else f"{verb}s"


VERBS = "|".join(map(_third, _STEMS))
BASE = "|".join(_STEMS)
# Of those, the ones that say what a thing is for where it is the subject of a whole sentence.
_WORKS = (
    "assign add break capture combine compress compute consist convert create decode describe encode "
    "evaluate "
    "generate give learn let map measure multiply predict produce pull receive reconstruct remove split "
    "store train transform translate turn weigh".split()
)
ONE_DOES = "|".join(map(_third, _WORKS))
MANY_DO = "|".join(verb for verb in _WORKS if verb != "learn")

_STATES = re.compile(rf"[\w-]+ (?:{VERBS}) [\w-]", _I)  # 'Entropy measures uncertainty'

_EMPTY = re.compile(
    r"(?:it|its?|they|this|that|these|those|there|here|what|which|who|when|where|why|how|if|each|every|both|"
    r"all|"
    r"one|two|three|four|five|some|another|other|first|second|third|last|next|final|result|reason|idea|"
    r"question|answer|step|stage|phase|task|goal|aim|limit|best|main|most|output|input|price|same|at|for|"
    r"with|on|of|in|by|to|from|as|so|but|and|or|because|usual|common|typical|real|simple|used|example|"
    r"difference|problem|picture|lower|higher|larger|smaller|more|less|many|few|low|high|good|bad|better|"
    r"worse|"
    r"new|old|such|only|not|no|we|you|your|our|my|their|his|her|one-page|lack|ability|use|rest|point|"
    r"key|important|current|today|also|then|thus|hence|however|instead|below|above|general|specific|"
    r"the|an?|always|never|early|late|recent|hint|tip|note|remember|imagine|think|suppose|let|popular|"
    r"resulting|corresponding|following|given|chosen|selected|figure|table|slide|page|chapter|section|lecture|unit|part|course|article|chart|paper|book|study)\b",
    _I,
)
# A name of one of these alone says nothing, and a name that holds one of those is a clause.
_BARE = re.compile(
    r"(?:models?|methods?|systems?|data|networks?|process|values?|texts?|images?|words?|numbers?|"
    r"algorithms?|users?|"
    r"content|people|students?|approach(?:es)?|techniques?|tools?|functions?|things?|companies|work|time|"
    r"concern|works?|learning|program|file|message|machine|task|layer|sample|samples|features?|sentence)$",
    _I,
)
_CLAUSE = re.compile(
    r"\b(?:that|which|who|is|are|was|were|be|been|can|may|might|will|would|could|should|must|has|have|had|"
    r"not|"
    r"than|then|and|or|but|if|when|while|because|as|for|with|in|on|at|from|by|to|into|about|it|they|does|do|"
    r"did|after|before|its|their|this|these)\b",
    _I,
)
# What stands before a colon to sort the text, and is no term.
_LABEL = re.compile(
    r"(?:concepts?|examples?|issues?|purpose|objectives?|usages?|uses?|use cases?|applications?|benefits?|"
    r"advantages?|disadvantages?|training|training process|how it works|architecture|strengths?|"
    r"weakness(?:es)?|"
    r"capabilities|features?|key \w+|unique \w+|functionality|types?|framework|summary|importance|"
    r"characteristics?|"
    r"challenges?|opportunities|variants?|components?|properties|notes?|hints?|answers?(?: \d+)?|"
    r"questions?(?: \d+)?|tips?|limits?|limitations?|goals?|steps?(?: \d+)?|stages?(?: \d+)?|output|input|"
    r"\w+ examples?|in short|for example|in essence|warning|remember|careful|exception|proof|theorem|"
    r"integration|"
    r"lemma|sources?|references?|(?:further|suggested|recommended) reading|(?:fun )?(?:trivia|facts?)|"
    r"conclusion|comparison|result|results|idea|main idea|key idea|mitigation.*|"
    r"what \w+.*|who .*|why .*|when .*|where .*|how .*|case study|pros|cons|cost|probabilities|word|"
    r"attention|"
    r"(?:types|kinds|forms|classes|categories|families|examples|lists?|overview|definitions?) of .*)$",
    _I,
)
_OTHERS = re.compile(
    r"\b(?:applications?|uses?|use cases?|benefits?|challenges?|advantages|limits|limitations|"
    r"considerations?|"
    r"ethic\w*|future|trends?|opportunit\w+|pros|cons|strengths|weakness\w*|examples?|history|timeline|"
    r"people|"
    r"figures|importance|potential|impact|implications?|questions?|issues|concerns?|lifecycle|stages?|steps|"
    r"workflow|projects?|risks?|analogy|goes wrong|society|business|software|responsible|governance|"
    r"principles|take-?aways?|summary|objectives|health\w*|education|entertainment|programming|multiple "
    r"choice)\b",
    _I,
)
# Words that praise or point and do not say what kind of thing something is.
_JUDGES = re.compile(
    r"(?:an?|the|any|one)\s+(?:very|rather|quite|truly)\s+\w+\s"
    r"|(?:an?|the|any|one)\s+(?:(?:more|most|so|key)\s+)?(?:same|better|best|main|"
    r"first|second|"
    r"third|last|latest|next|reason|result|case|example|problem|only|one|ones|valuable|powerful|useful|great|"
    r"good|bad|big|major|growing|significant|important|crucial|popular|common|usual|favourite|game|"
    r"challenge|question|answer|idea|goal|aim|way forward|must|lot|bit|little|few|future|cornerstone|"
    r"default|rest|opposite|price|cost|risk|danger|matter|sign|fact)\b",
    _I,
)
_LEADS = re.compile(
    r"\b(?:that|which|who|whom|where|whose|of|for|with|used|based|designed|made|by|to|from|between|when|in|"
    r"without|"
    r"before|after|about|composed|creating|using|consisting|given|per|focused|whether|how|over|learned|drawn|"
    r"inside|among|through)\b|:",
    _I,
)
_ARTICLE = re.compile(r"(?:not an? [\w -]{1,30} but )?(?:an?|the|any|one)\s", _I)
_FREE = re.compile(
    r"(?:[\w-]+ ){0,4}?(?!(?:is|was|has|does|this) )[\w-]+s "
    r"(?:that|which|where|whose|who|in which|creating|used|based|designed|composed)\b"
    r"|[\w-]+ (?:where|in which|whose) |what (?:an?|the) |any \w+ that ",
    _I,
)
_PARTICIPLE = re.compile(r"(?:\w+(?:ed|ly|ing)|used|built|made|known|able|often|not|in|on|at|of|for)\b", _I)
_MODAL = re.compile(r"(?:may|can|might|will|could|must|should|is|are|was|were|has|have|do|does|gets?)$", _I)


def name_like(term: str) -> bool:
    """Whether `term` can name a concept: one to five words, no clause, no pronoun, no mere number."""
    words = term.split()
    if not 1 <= len(words) <= 5 or any(one.match(term) for one in (_EMPTY, _BARE, _STATES)):
        return False
    if _CLAUSE.search(term):
        return False
    letters = sum(c.isalpha() for c in term)
    if letters < 2 or (letters == 2 and not term.isupper()) or term.endswith(("'s", "’s")):
        return False
    return not (says_little(term) or term.endswith("ly") or re.search(r"\.\s|\d{4}", term))


def says_little(label: str) -> bool:
    """Whether what stands before a colon sorts the text ('Example:', 'Use cases:') and names nothing."""
    return _LABEL.match(label.strip()) is not None


def skips(heading: str) -> bool:
    """Whether items under a heading are uses, worries or steps of work rather than terms explained."""
    return _OTHERS.search(heading) is not None


def bare_noun(text: str) -> bool:
    """Whether a text begins with a noun that needs no article: 'audio or video of a person made by …'."""
    first = text.split()[0].rstrip(",;:")
    if _PARTICIPLE.match(text) or re.search(r"(?:ive|al|ous|ful|less|[ai]ble|ic|ent|ant|part|one)$", first):
        return False
    return re.match(r"(?:[\w-]+,? ){1,6}?(?:of an?|that|which)\s", text) is not None and len(text.split()) > 5


def clause(text: str) -> bool:
    """Whether a text says what something does or suffers: 'the generator finds a few outputs that …'."""
    verb = r"(?:\w+(?<![suio])s|may|can|might|must|will|is|are|does|do|has|have)"
    return re.match(rf"(?:an?|the|one|each|some\w+)\s(?:[\w-]+ ){{1,4}}{verb} ", text, _I) is not None


def noun_phrase(text: str) -> bool:
    """Whether a text says what kind of thing something is, and which: 'a vector of numbers that …'.

    An article, a noun and what sets it apart; with the verb first, as in 'the generator finds …',
    it is a clause.
    """
    if len(text.split()) < 4 or _JUDGES.match(text) or re.match(r"(?:one|some|any) of\b", text, _I):
        return False
    if not _ARTICLE.match(text):
        return _FREE.match(text) is not None and not _PARTICIPLE.match(text)
    rest = _ARTICLE.sub("", text, count=1)
    lead = _LEADS.search(rest)
    if not lead or len(rest[: lead.start()].split()) > 6:
        return False
    kind = rest[: lead.start()].replace(",", " ").split()
    if not kind or any(_MODAL.match(word) for word in kind):
        return False
    # 'a named person answers for the system': one thing, and a word in -s that must be its verb.
    if re.match(r"(?:an?|one)\s", text, _I) and re.search(r"(?<!serie)(?<!mean)(?<![suio])s$", kind[-1]):
        return False
    # 'the generator finds a few outputs that': a verb in -s that a determiner follows.
    return (
        re.search(r"\w+s (?:an?|the|its|their|each|some\w*|it|no|in|to|with) ?", rest[: lead.end()], _I)
        is None
    )


_RELATIVE = re.compile(r"\b(?:that|which|whose|where|who|when)\b")
_FINITE = re.compile(
    rf"\b(?:is|are|was|were|may|might|can|could|will|would|must|should|has|have|had|does|do|did|poses?|raises?|"
    rf"leaves?|makes|knows|needs|shows|says|states|finds|comes|becomes?|sits|changes|answers|works|means|holds|"
    rf"stays?|allows|leads?|{VERBS})\b"
)
_HEAD = re.compile(
    r"(?:(?P<article>an?|the|one|any) )?(?P<head>(?:[\w'-]+ ){1,3}?)(?P<then>that|which|whose|where|who|of|"
    r"for|from|with|in which|in|on|at|to|used|saved|based|focused|made|by|not|inside|between|through)\b"
)


_ORDER = re.compile(rf"(?:always |first |then |never |\w+ly )?(?:{VERBS}|{BASE})\b(?! of\b)", _I)
_OF_LIST = re.compile(r"\s*(?:,|;|/|&|\band\b|\bor\b)\s*", _I)


def leads_with_verb(text: str) -> bool:
    """Whether a text has no subject: it says what something does, or orders what to do."""
    return _ORDER.match(text) is not None


def lists(text: str) -> bool:
    """Whether a text only lists things: 'paintings, drawings, digital art'."""
    parts = [part for part in _OF_LIST.split(text.strip(" .")) if part]
    return (
        len(parts) > 1
        and all(len(part.split()) <= 3 for part in parts)
        and not _ORDER.match(text)
        and not _FINITE.search(text)
    )


def names_what(text: str, name: str) -> bool:
    """Whether the text is a noun phrase that can stand for `name`, as 'a space in which items lie' does.

    By closed lists: it opens with a few words that a clause or a preposition ends, no verb stands
    outside such a clause, and it is of one thing or of several as the name is.
    """
    opening = _HEAD.match(text)
    if opening is None or not is_thing(text):
        return False
    many = plural(opening["head"])
    if many and opening["then"] not in ("that", "which", "whose", "where", "who", "of"):
        return False  # as in 'the model learns from …'
    return many == plural(name) and bool(many or opening["article"])


def is_thing(text: str) -> bool:
    """Whether a text opens as a noun phrase and no verb stands outside a clause that sets the thing apart."""
    clause = _RELATIVE.search(text)
    outside = text[: clause.start()] if clause else text
    return _HEAD.match(text[:1].lower() + text[1:]) is not None and not _FINITE.search(outside)


def several(text: str, name: str) -> bool:
    """Whether a text is a noun phrase of several things and the name that of one."""
    opening = _HEAD.match(text)
    if opening is None or leads_with_verb(text) or _FINITE.search(text):
        return False
    if opening["article"] or re.search(r"\b(?:an?|the|its|their|our)\b", opening["head"]):
        return False  # 'lines the cans that …' begins with a verb
    return plural(opening["head"]) and not plural(name)


def of_several(text: str) -> bool:
    """Whether a noun phrase is of several things, as its opening tells."""
    opening = _HEAD.match(text[:1].lower() + text[1:])
    return opening is not None and plural(opening["head"])


def plural(name: str) -> bool:
    """Whether a name is of several things, as its last word tells."""
    word = name.split()[-1]
    return word.lower().endswith("s") and not word.lower().endswith(("ss", "us", "is", "ias", "ics"))
