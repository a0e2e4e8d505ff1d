"""The next-token probabilities of one token as a table with bars, before and after temperature."""

from __future__ import annotations

from rag.decoding import Decoding
from rag.engines.writing import Candidate
from rag.lab import Token
from ui.web.text import escaped

_SIGNS = str.maketrans({"\n": "↵", "\t": "⇥", "\r": "↵"})


def chart(token: Token, how: Decoding, caption: str) -> str:
    """The bar chart of `token`, drawn with `how`; `caption` is HTML that says which token it is."""
    heated = how.temperature not in (0, 1) and how.name != "greedy"
    longest = max((max(one.before, one.after) for one in token.candidates), default=1.0) or 1.0
    rows = "".join(_row(one, token.share, heated, longest) for one in token.candidates)
    rest = _rest(token, heated)
    after = f'<th scope="col">T&nbsp;=&nbsp;{how.temperature:g}</th>' if heated else ""
    return (
        f'<figure class="lab-chart"><figcaption>{caption}</figcaption>'
        '<table><thead><tr><th scope="col">Token</th><th><span class="lab-hidden">Bars</span></th>'
        f'<th scope="col">{"T&nbsp;=&nbsp;1" if heated else "Probability"}</th>{after}'
        '<th scope="col">Rescaled</th></tr></thead>'
        f"<tbody>{rows}{rest}</tbody></table>{_key(heated)}{_told(token, how, heated)}</figure>"
    )


def shown(text: str) -> str:
    """A token as it can be seen: its spaces and line ends as signs, escaped."""
    if text in ("<|im_end|>", "<|endoftext|>", "</s>"):
        return '<i class="lab-end">end of the text</i>'
    return escaped(text.replace(" ", "␣").translate(_SIGNS)) or "<i>nothing</i>"


def percent(share: float) -> str:
    """'40%', '4.2%', '<0.1%'."""
    if 0 < share < 0.0005:
        return "&lt;0.1%"
    return f"{100 * share:.0f}%" if share >= 0.0995 or not share else f"{100 * share:.1f}%"


def _row(one: Candidate, share: float, heated: bool, longest: float) -> str:
    names = " ".join(name for name, on in (("kept", one.kept), ("drawn", one.drawn)) if on)
    bars = f'<i class="before" style="width:{100 * one.before / longest:.1f}%"></i>' if heated else ""
    bars += f'<i class="after" style="width:{100 * one.after / longest:.1f}%"></i>'
    after = f"<td>{percent(one.after)}</td>" if heated else ""
    scaled = percent(one.after / share) if one.kept and share else "–"
    tag = '<span class="lab-tag">drawn</span>' if one.drawn else ""
    return (
        f'<tr class="{names}"><th scope="row"><code>{shown(one.text)}</code>{tag}</th>'
        f'<td class="lab-bars">{bars}</td><td>{percent(one.before)}</td>{after}<td>{scaled}</td></tr>'
    )


def _rest(token: Token, heated: bool) -> str:
    """All that is not shown by itself, in a row without bars."""
    before = max(0.0, 1 - sum(one.before for one in token.candidates))
    after = max(0.0, 1 - sum(one.after for one in token.candidates))
    if before < 5e-5 and after < 5e-5:
        return ""
    left = token.kept - sum(one.kept for one in token.candidates)
    kept = f"{left:,} of them kept" if left else "none of them kept"
    cells = f"<td>{percent(before)}</td>" + (f"<td>{percent(after)}</td>" if heated else "")
    return (
        f'<tr class="lab-rest"><th scope="row" colspan="2">all other tokens, {kept}</th>{cells}<td></td></tr>'
    )


def _key(heated: bool) -> str:
    before = '<span><i class="before"></i>before temperature</span>' if heated else ""
    words = "after it" if heated else "probability"
    return (
        f'<p class="lab-key">{before}<span class="kept"><i class="after"></i>{words}, kept</span>'
        f'<span><i class="after"></i>{words}, left out</span></p>'
    )


def _told(token: Token, how: Decoding, heated: bool) -> str:
    """What the strategy did here, in a sentence."""
    count = f"{token.kept:,} token{'' if token.kept == 1 else 's'}"
    words = f"Kept: {count} with {percent(token.share)} of the probability"
    words += ", rescaled to sum to 1 for the draw." if token.kept > 1 else "."
    if not heated and how.name != "greedy" and how.temperature == 1:
        words += " Temperature 1 changes nothing."
    return f'<p class="lab-told">{words}</p>'
