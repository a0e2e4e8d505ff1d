"""Sentences that give orders to the model instead of telling the reader something: prompt injections.

Greshake et al. 2023 (arXiv 2302.12173) describe them. Here patterns look for what such sentences
cannot do without: telling the reader's model to forget its rules, naming it, or speaking in its
template's turns. Such a sentence stays in the index, can be found and is shown where it stands; it
is not read by the model and is no evidence for anything. What is not here: whether a model would
obey, and false statements that give no order, which no pattern can tell from true ones.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from functools import cache, lru_cache

from ingest.sentences import sentences
from ingest.types import Passage

RUN = 7  # words of ours in a row that give the prompt away

_MODEL = (
    r"(?:a\.?i\.?|artificial intelligence|assistants?|chat ?bots?|llms?|language models?|bots?|gpt|"
    r"(?:ai|language|large language|virtual|digital) (?:models?|assistants?|systems?|agents?|tutors?))"
)
_RULES = (
    r"(?:instructions?|rules?|prompts?|guidelines?|directives?|commands?|orders|restrictions?|constraints?|"
    r"guardrails?|programming|training)"
)
_OLD = r"(?:all|any|the|your|its|these|those|every|each|previous|prior|above|earlier|preceding|former|system)"
_SAY = (
    r"(?:reply|respond|answer|say|output|print|write|tell|append|begin|end|start|add|cite|insert|include|"
    r"put|reveal|repeat|show|ask|ignore|disregard|forget|recommend|render|wrap|stop|skip|speak|pretend|"
    r"translate)"
)
_TOLD = r"(?:answers?|repl(?:y|ies)|responses?)"
_TAG = r"(?:!\[|\]\(|<(?:img|script|iframe|a|svg|marquee|form|link|style|object|embed)\b|https?:|javascript:)"
_TOKEN = r"<\|?(?:im_start|im_end|start_header_id|end_header_id|eot_id|endoftext|begin_of_text)\|?>"
_FEW = r"(?:\w+\s+){0,3}?"
# Where an order may begin: a sentence's start, after a sign, or after a word that leads into one.
_ORDER = (
    r"(?:^|[.:;,!?>|()\[\]#*\"'“”‘’«»/{}=-]\s*"
    r"|\b(?:please|now|then|just|must|shall|also|first|simply|and)\s+)"
)

# Each is an order by itself. English first, then what says the same in other languages.
_STRONG = [
    # Forget what you were told.
    rf"{_ORDER}(?:ignore|disregard|forget|override|bypass|discard|drop|abandon|(?:do not|don't) follow|"
    rf"stop following|pay no attention to)\s+{_FEW}{_OLD}\s+{_FEW}{_RULES}\b",
    rf"{_ORDER}(?:ignore|disregard|forget)\s+(?:about\s+)?(?:everything|all|anything|the (?:text|words?))\s+"
    r"(?:above|before|previous|else|you\b)",
    rf"{_ORDER}(?:ignore|disregard|forget)\s+(?:the|these|those|your|all(?: the)?)\s+(?:course\s+)?"
    r"(?:notes|question|context|documents?|conversation|system prompt)\b",
    r"\bforget (?:that )?you(?:'re| are)\b",
    r"\bnew (?:(?:developer|system|admin|user) )?(?:rule|instruction|order|task|message)s?\s*"
    r"(?:\([^()\n]*\)|from [^:.!?\n]{0,30})?:",
    rf"\b(?:your|all|previous|prior|earlier|above) {_FEW}{_RULES} (?:are|is) (?:now |hereby )?(?:void|null|"
    r"lifted|cancel\w*|revoked|suspended|overridden|off)\b",
    rf"\b(?:supersedes?|overrides?|replaces?) (?:all|any|your) {_FEW}{_RULES}\b",
    # The turns of a chat template, in signs or in words.
    rf"{_TOKEN}\s*(?:system|user|assistant|$)",
    rf"^\W*{_TOKEN}|^\W*<\|?(?:system|user|assistant)\|?>",
    r"^\W*(?:<s>\s*)?\[/?INST\]|^\W*<</?SYS>>",
    r"^\W*</?(?:system|instructions?|assistant|notes|context|start_of_turn|end_of_turn)>",
    r"^\W*(?:#{2,}\s*)?(?:system|assistant|developer|admin(?:istrator)?)\s+"
    r"(?:prompt|message|override|notice|instruction|update|command|mode)s?\b"
    r"[^.!?\n]{0,30}[:\]>]",
    r"^\W*(?:system|assistant|developer|tutor|a\.?i\.?(?:\s+(?:tutor|assistant|model))?|model)\s*:\s*"
    rf"(?:(?:please\s+)?{_SAY}\b|.*(?:\byou\b|\byour\b|\bnew (?:session|rules?|task)\b"
    rf"|\bthe (?:reader|student|user)\b|\b(?:next|every|each|all) {_TOLD}\b"
    r"|\b(?:rules|restrictions) are (?:lifted|off|void)\b))",
    r"^\W*#{2,}\s*(?:system|instructions?|response)\s*:\s*$",
    # A model is spoken to.
    r"^\W*(?:important\s+)?(?:speaker\s+)?(?:notes?|messages?|instructions?|memo|reminder|attention|dear|hey|"
    rf"hello|attn)\b[\s,:]*(?:to|for)?\s*(?:the|any|all|every|our|an|you)?\s*{_MODEL}\b"
    r"[^.!?\n:,]{0,40}[:,!]",
    rf"{_ORDER}(?:{_MODEL}|the model)[^.!?\n]{{0,40}}?,\s*(?:please\s+)?{_SAY}\b",
    rf"\b{_MODEL}\s+(?:(?:that|who|which)\s+)?(?:is |are )?(?:reads?|reading|process\w*|summari\w+|"
    r"transcrib\w+|answer\w*|using|pars\w+|index\w*)\s[^.!?\n]{0,30}?\b(?:this|these)\b",
    rf"\bif you(?:'re| are) (?:an? |the )?(?:\w+ )?{_MODEL}\b",
    rf"\b{_MODEL}\s+(?:must|should|shall|has to|have to|needs? to|will)\s+(?:\w+\s+)?{_SAY}\b[^.!?\n]*"
    rf"\b(?:its|their|every|each|all) (?:\w+ )?{_TOLD}\b",
    rf"\byou (?:must|should|shall|will) (?:now )?(?:always |only )?{_SAY}\b[^.!?\n]{{0,20}}\b"
    r"(?:every|each|any|all) (?:quer(?:y|ies)|prompts?|messages?|requests?)\b",
    # What it shall be from now on.
    r"\bfrom (?:now|here|this point|the next answer) on(?:ward)?s?,?\s*(?:you\b|I\b|your\b|only\b|pretend\b|"
    rf"(?:always |never |only |every |all |each )*(?:{_SAY}|{_TOLD})\b)",
    r"\byou are (?:now (?:a |an |the )?(?:free|unrestricted|unbound|unfiltered|jailbroken|dan\b|\w+bot\b|"
    r"pirate)|no longer (?:a |an |the )?(?:tutor|assistant|bound|limited|restricted|chatbot))",
    r"\byou are now in \w+ mode\b|\b(?:dan|jailbreak|god|unrestricted) mode\b",
    # The prompt shall be told.
    rf"{_ORDER}(?:print|reveal|recite|disclose|leak|output|divulge|expose|display|list)\s+(?:me\s+)?{_FEW}"
    r"(?:your|hidden|secret|system)\s+(?:\w+\s+){0,2}?(?:prompts?|instructions?|rules)\b",
    rf"{_ORDER}(?:print|reveal|output|show|repeat|recite|disclose)\s+the (?:\w+ )?(?:prompt|instructions?)\b"
    r"[^.!?\n]{0,20}\b(?:you (?:were|have been|got|are)|given)\b",
    rf"{_ORDER}(?:show|repeat|tell|give|list|copy|quote|write|paste|summari[sz]e|translate|encode|convert|"
    r"what (?:is|are)|i)\s+(?:\w+\s+){0,4}?(?:your|my)\s+(?:\w+\s+)?(?:system|hidden|secret|initial|"
    r"original|internal|exact|own|confidential|developer)?\s*(?:system )?(?:prompt|instructions)\b"
    r"(?![^.!?\n]{0,12}\bat the\b)",
    rf"{_ORDER}(?:show|repeat|print|copy|output|write|recite)\s+{_FEW}(?:everything|text|words?|lines?|all)"
    r"[^.!?\n]{0,12}\babove\b",
    # Something shall stand in each answer.
    rf"\b(?:your|each|every|all|the|its|their|whole) (?:\w+ ){{0,2}}?{_TOLD}\b[^\n]{{0,80}}?{_TAG}",
    rf"{_TAG}[^\n]{{0,120}}\b(?:your|each|every|all|its|their) (?:\w+ )?{_TOLD}\b",
    r"\b(?:conversation|question|chat|answer|reply)s?\b[^\n]{0,60}\b(?:into|in|as|to) (?:a|the) "
    r"(?:link|url)\b",
    rf"{_ORDER}(?:answer|meet|treat) (?:to )?(?:every|any|all|each) questions?\s+(?:with|by saying)\s+"
    r"(?:the (?:word|sentence|phrase|number)|[\"'“‘A-Z0-9])",
    r"\b(?:right|correct|only|true) answer to (?:every|any|all|each) questions?\b",
    r"\bwhatever (?:is|was|the \w+|they|you are|you're) ask(?:ed|s)?,?\s*(?:\w+ )?"
    r"(?:reply|respond|answer|say|write)\b",
    # The reader shall be kept in the dark, or give something away.
    rf"{_ORDER}(?:do not|don't|never) (?:tell|inform|alert|warn) (?:the )?(?:user|student|reader|anyone)s?\b",
    rf"{_ORDER}(?:decode|decrypt|translate)\b[^.!?\n]{{0,50}}\band (?:do|follow|obey|execute|carry out)\b",
    rf"{_ORDER}(?:ask|tell|get) the (?:student|user|reader) (?:to|for)\b[^.!?\n]{{0,60}}"
    r"\b(?:password|pin|card number|login)\b",
    # Forget what you were told, in other languages.
    r"\b(?:ignorier\w*|vergiss)\b[^.!?\n]{0,40}\b(?:anweisung|regel|vorgabe|befehl|notizen)\w*",
    r"\b(?:ignore[rz]?|oublie[rz]?)\s+(?:toutes?|les|ces|vos|tes)\b[^.!?\n]{0,30}"
    r"\b(?:instructions|consignes|règles)\b",
    r"\b(?:ignora|olvida|ignore|omite|esquece|dimentica)\w*\b[^.!?\n]{0,30}"
    r"\b(?:instrucci\w+|instru[çc][õo]es|istruzion\w+|reglas|regras|regole)\b",
    r"\bnegeer\b[^.!?\n]{0,30}\b(?:instructies|regels)\b",
    r"(?:игнорируй|забудь)\w*[^.!?\n]{0,30}(?:инструкц|указан|правил)\w*",
    r"(?:忽略|无视|無視|忘记)[^。！？\n]{0,12}(?:指示|指令|说明|提示|规则)",
    r"(?:指示|命令|ルール)[^。！？\n]{0,6}(?:無視|忘れ)",
    r"(?:निर्देश|नियम)\w*[^।\n]{0,20}(?:अनदेखा|भूल)",
]
_ORDERS = re.compile("|".join(f"(?:{one})" for one in _STRONG), re.IGNORECASE | re.MULTILINE)
_QUOTED = re.compile(r"“[^”\n]*”|\"[^\"\n]*\"|«[^»\n]*»|(?<!\w)['‘][^'’\n]{3,}['’](?!\w)|`[^`\n]+`")
_INVISIBLE = re.compile("[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")
_UNQUOTED = 4  # words outside of quotation marks from which what stands inside is mentioned, not said


def commands(text: str) -> bool:
    """Whether one sentence, or a line of a block of code, gives the model an order.

    What it only quotes is a mention.
    """
    lines = text.splitlines()
    return _orders(text) or (len(lines) > 1 and any(map(_orders, lines)))


def _orders(text: str) -> bool:
    plain = " ".join(_INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).split())
    bare = _QUOTED.sub(" … ", plain)
    if len(re.findall(r"\w+", bare)) >= _UNQUOTED:
        return _ORDERS.search(bare) is not None or _speaks_as_turn(plain)
    return _ORDERS.search(plain) is not None


def _speaks_as_turn(plain: str) -> bool:
    return re.match(r"\W*<\|(?:im_start|im_end|eot_id|system|assistant)", plain) is not None


@lru_cache(maxsize=1000)
def injected(passage: Passage) -> frozenset[int]:
    """Places of the passage's sentences that are orders, or that go on after one in its paragraph."""
    found: set[int] = set()
    line_of = _lines(passage)
    tainted = -1
    for place, sentence in enumerate(passage.sentences):
        if commands(sentence):
            tainted = line_of[place]
        if line_of[place] == tainted:
            found.add(place)
    return frozenset(found)


def _lines(passage: Passage) -> list[int]:
    """For each sentence, which paragraph of the passage's text it stands in; an item is one of its own."""
    found, at, line = [], 0, 0
    for sentence in passage.sentences:
        start = passage.text.find(sentence, at)
        if start >= 0:
            line += passage.text.count("\n", at, start)
            at = start
        found.append(line)
    return found


def trusted(passage: Passage) -> Passage:
    """The passage without the sentences that are orders; itself, mostly."""
    out = injected(passage)
    heading = tuple(one for one in passage.heading if not commands(one))
    if not out and heading == passage.heading:
        return passage
    kept = tuple(one for place, one in enumerate(passage.sentences) if place not in out)
    text = passage.text
    for place in out:
        text = text.replace(passage.sentences[place], "")
    return replace(passage, heading=heading, sentences=kept, text=re.sub(r"\n\s*\n+", "\n\n", text).strip())


def asked_part(question: str) -> str:
    """The question without the sentences that are orders to the model; '' where nothing else is left."""
    if not commands(question) and not any(map(commands, sentences(question))):
        return question
    kept = [one for one in sentences(question) if not commands(one)]
    return " ".join(kept)


def leaks(text: str, own: Sequence[str], shown: str) -> bool:
    """Whether `text` says RUN words in a row of `own`, what we tell the model, that `shown` does not hold."""
    said = _words(text)
    if len(said) < RUN:
        return False
    found = _runs(said) & _own_runs(tuple(own))
    if not found:
        return False
    held = " ".join(_words(shown))
    return any(run not in held for run in found)


@cache
def _own_runs(own: tuple[str, ...]) -> frozenset[str]:
    # The same few texts for every word of every answer.
    return frozenset(run for text in own for run in _runs(_words(text)))


def _runs(words: list[str]) -> set[str]:
    return {" ".join(words[at : at + RUN]) for at in range(len(words) - RUN + 1)}


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())
