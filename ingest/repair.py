"""Characters put right, line by line: mojibake, 'Al' read for 'AI', markup that only set a typeface.

What is not here: whole lines that go (ingest/noise.py) and lines that belong together (ingest/lines.py).
"""

from __future__ import annotations

import re

import ftfy

from ingest.removed import Tell, told, unheard

_SPEAKS_OF_AI = re.compile(r"\bAI\b|\bartificial intelligence\b|\bOpenA[Il]\b|\bgenerative A[Il]\b", re.I)
_ALUMINIUM = re.compile(r"\balumini?um\b", re.I)
_PEOPLE = (
    "Gore|Jazeera|Pacino|Capone|Franken|Roker|Yankovic|Qaeda|Jolson|Bundy|Sharpton|Unser|Green|Hirt"
    "|Hilal|Azhar|Aqsa|Ain|Nahda|Khwarizmi|Biruni|Kindi|Farabi|Jazari|Haytham|Battani|Ghazali|Arabiya"
)
_AFTER_HYPHEN = (
    "Powered|Generated|Driven|Assisted|Based|Enabled|Enhanced|Human|Native|Related|Created|Composed"
    "|First|Ready|Focused|Augmented|Supported|Specific|Written|Produced|Led|Aided|Only|Centric|Centered"
)
# 'Al' alone or as the end of a name like OpenAl; never 'et Al.', Al-Khwarizmi, Al Gore or Al2O3.
_AL = re.compile(
    r"(?<![A-Za-z])(?<![Ee]t )Al"
    rf"(?!\s(?:{_PEOPLE})\b)(?!-(?!(?:{_AFTER_HYPHEN})\b)[A-Z])(?![A-Za-z0-9])"
    r"|(?<=[a-z])Al(?![A-Za-z0-9])"
)
_LOST_APOSTROPHE = re.compile(r"(?<=[a-zA-Z]{3})â(?=s\b)")
_TAG = re.compile(
    r"</?(?:b|u|i|em|strong|span|font|mark|small|big|center|div|p|a|s|del|ins|kbd|sub)\b[^<>]*>", re.I
)
_BREAK = re.compile(r"<br\s*/?>", re.I)
_SUP = re.compile(r"<sup>(.*?)</sup>", re.I)
_COMMENT = re.compile(r"<!--.*?-->", re.S)
_LINK = re.compile(r"(?<!!)\[([^\[\]]+)\]\((https?://[^()\s]+)\)")
# Mathematics and code are left alone: a star or a low line means something there.
_VERBATIM = re.compile(r"(\$\$.+?\$\$|\$[^$\n]+?\$|`[^`\n]+`)")
_STRONG = re.compile(r"(\*\*\*|\*\*|___|__)(?=\S)(.+?)(?<=\S)\1")
_EMPHASIS = re.compile(r"(?<![\w*\\])\*(?=[^\s*])([^*\n]+?)(?<=[^\s*])\*(?![\w*])")
_LOW = re.compile(r"(?<![\w\\])_(?=[^\s_])([^_\n]+?)(?<=[^\s_])_(?!\w)")
_ARROW = {r"$\rightarrow$": "→", r"$\to$": "→", r"$\leftarrow$": "←", r"$\Rightarrow$": "⇒"}
# \frac and its like, where some program took '\f' for a form feed.
_EATEN = re.compile(r"(?<![\\A-Za-z])(rac(?=\{)|inom(?=\{)|ext(?=\{)|egin(?=\{)|heta\b|imes\b)")
_WHOLE = {"rac": "frac", "inom": "binom", "ext": "text", "egin": "begin", "heta": "theta", "imes": "times"}
_SPACES = re.compile("[\u00a0\u2000-\u200a\u202f\u3000]")
_INVISIBLE = re.compile("[\u200b\u200c\u2060\ufeff\u00ad\u200e\u200f]")
_FENCE = re.compile(r"^\s*(```|~~~)")
_FTFY = ftfy.TextFixerConfig(explain=False, unescape_html=False)


def speaks_of_ai(text: str) -> bool:
    """Whether 'Al' in this document can be taken for a misread 'AI'."""
    return bool(_SPEAKS_OF_AI.search(text)) and not _ALUMINIUM.search(text)


def ai_for_al(text: str) -> str:
    """`text` with 'Al' read as the misread 'AI' it mostly is; people called Al keep their name."""
    return _AL.sub("AI", text)


def repair(text: str, ai: bool, page: int = 0, tell: Tell = unheard) -> str:
    """`text` with its characters put right; `ai` says whether 'Al' stands for 'AI' in it.

    `tell` hears of the words that are no longer there as they were, with the index `page`.
    """
    whole = ftfy.fix_text(text, _FTFY).replace("\f", "\n")
    told(tell, page, text, whole, "garbled, put right")
    text = _COMMENT.sub("", whole)
    told(tell, page, whole, text, "comment")
    out, fenced = [], False
    for written in text.split("\n"):
        line = _INVISIBLE.sub("", _SPACES.sub(" ", written)).rstrip(" \r")
        told(tell, page, written, line, "parted by invisible characters, joined")
        fence = bool(_FENCE.match(line))
        if not (fenced or fence):
            bare = _markup(line)
            told(tell, page, line, bare, "markup")
            line = ai_for_al(bare) if ai else bare
            told(tell, page, bare, line, "'Al' where the notes speak of AI")
        fenced ^= fence
        out.append(line)
    return "\n".join(out)


def _markup(line: str) -> str:
    line = _LOST_APOSTROPHE.sub("'", line)
    line = _LINK.sub(r"\1 (\2)", _TAG.sub("", _SUP.sub(r"^\1", _BREAK.sub(" ", line))))
    for code, sign in _ARROW.items():
        line = line.replace(code, sign)
    if "$" in line:
        line = _VERBATIM.sub(lambda maths: _EATEN.sub(lambda word: "\\" + _WHOLE[word[1]], maths[0]), line)
    if not any(mark in line for mark in "*_"):
        return line
    parts = _VERBATIM.split(line)
    # A pair of stars may enclose mathematics, so pairs are sought with it folded away.
    kept = parts[1::2]
    folded = "".join(part if i % 2 == 0 else f"\ue000{i // 2}\ue001" for i, part in enumerate(parts))
    for _ in range(2):  # bold within italics
        folded = _LOW.sub(r"\1", _EMPHASIS.sub(r"\1", _STRONG.sub(r"\2", folded)))
    return re.sub("\ue000(\\d+)\ue001", lambda found: kept[int(found[1])], folded)
