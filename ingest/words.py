"""Text to the words that lexical search compares: lower-cased, stemmed, the same for notes and questions."""

from __future__ import annotations

import re
import threading

import Stemmer

_local = threading.local()  # a stemmer keeps a cache and is not safe to share

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
_WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+(?:[-\u2010\u2011_'’./][^\W_{_CJK}]+)*(?:\+\+|#)?")
_NUMBER = re.compile(r"\d+(?:\.\d+)+")
_JOINT = re.compile(r"[-\u2010\u2011_./]")


def tokens(text: str) -> list[str]:
    """The stems of `text`, in order; a compound gives itself and its parts ('top-k': top-k, top, k).

    Numbers stay whole. Scripts without spaces give one token a character.
    """
    stemmer = getattr(_local, "stemmer", None)
    if stemmer is None:
        stemmer = _local.stemmer = Stemmer.Stemmer("english")
    words: list[str] = []
    for found in _WORD.findall(text.lower()):
        word = found.replace("’", "'").replace("\u2010", "-").replace("\u2011", "-")
        words.append(word)
        if not _NUMBER.fullmatch(word):
            parts = _JOINT.split(word)
            words += parts if len(parts) > 1 else []
    return list(stemmer.stemWords(words))
