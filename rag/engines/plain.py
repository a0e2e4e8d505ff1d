"""Text that spells a chat template's own tokens, made to stay text: it may come from the notes.

A tokenizer, or a model server that tokenizes the whole rendered conversation, takes '<|im_start|>' in
a note for the beginning of a turn. A space behind its first character keeps it from that and still
reads alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

# How the common families write theirs: ChatML and Llama 3, DeepSeek, Llama 2 and Mistral, Gemma, tools.
_CONTROL = re.compile(
    r"<(?=[|｜])"
    r"|<(?=/?(?:s|bos|eos|pad|unk|mask|start_of_turn|end_of_turn|tools?|tool_call|tool_response|think)>)"
    r"|<(?=</?SYS>>)"
    r"|\[(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\])"
)


def plain(text: str, own: Iterable[str] = ()) -> str:
    """`text` without control tokens, neither the common ones nor a tokenizer's `own`."""
    text = _CONTROL.sub(lambda found: f"{found[0]} ", text)
    for token in own:
        if token[:1] in "<[" and len(token) > 2:  # others may be words or spaces
            text = text.replace(token, f"{token[0]} {token[1:]}")
    return text
