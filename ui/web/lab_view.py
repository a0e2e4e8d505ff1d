"""An experiment of the lab as HTML: a column a strategy, the chart of a token, how much all vary."""

from __future__ import annotations

from rag.decoding import Decoding
from rag.lab import Experiment, Run
from ui.web.cards import place
from ui.web.chart import chart, shown
from ui.web.text import escaped

NAMES = {
    "greedy": "Greedy decoding",
    "random": "Random sampling",
    "top-k": "Top-k sampling",
    "top-p": "Top-p (nucleus) sampling",
    "min-p": "Min-p sampling",
    "beam": "Beam search",
}
LEGEND = {
    "Greedy decoding": "keeps the most probable token and nothing else: the same text every time.",
    "Random sampling": "keeps every token and draws from the full distribution.",
    "Top-k": "keeps the k most probable tokens, however probable they are.",
    "Top-p (nucleus)": "keeps the smallest set of most probable tokens whose probabilities add up to "
    "at least p.",
    "Min-p": "keeps each token at least min-p times as probable as the best one.",
    "Temperature": "keeps everything: it divides the logits by T before the softmax, so that T < 1 sharpens "
    "the distribution and T > 1 flattens it.",
    "Beam search": "keeps the B best partial sentences, not tokens of one distribution; it draws nothing.",
}
HINT = (
    '<p class="lab-hint">Choose a token, with a click or the arrow keys, to see what it was drawn from. '
    "<mark>Marked</mark>: not the most probable token.</p>"
)
TAIL = 60  # characters of the text before a token that its chart repeats
NONE = "–"


def titled(how: Decoding) -> str:
    """A strategy as a heading: 'Top-k sampling, k = 40'."""
    parts = [NAMES[how.name]]
    parts += [f"k = {how.k}"] if how.k is not None else []
    parts += [f"p = {how.p:g}"] if how.p is not None else []
    parts += [f"min-p = {how.min_p:g}"] if how.min_p is not None else []
    parts += [f"B = {how.beams}"] if how.name == "beam" else []
    return ", ".join(parts)


def columns(lab: Experiment, picked: tuple[int, int] | None, running: bool) -> str:
    """The last round's runs side by side, the picked token marked."""
    runs = "".join(_column(run, picked, running) for run in lab.latest)
    return f'<div class="lab-columns">{runs}</div>{HINT}' if runs else ""


def passages(lab: Experiment) -> str:
    """The passages that all strategies were shown, behind a fold."""
    items = "".join(
        f"<li><b>{escaped(c.source)}</b>{' ' + where if (where := place(c.source, c.page)) else ''}"
        f"{': ' + escaped(c.heading) if c.heading else ''}<br>{escaped(c.text)}</li>"
        for c in lab.citations
    )
    count = len(lab.citations)
    return (
        f'<details class="lab-passages"><summary>The same {count} passage{"s" if count > 1 else ""} '
        f"for all of them</summary><ol>{items}</ol></details>"
    )


def token_chart(lab: Experiment, picked: tuple[int, int]) -> str:
    """The chart of a token of the last round; '' where there is none."""
    run_place, token_place = picked
    run = lab.latest[run_place] if run_place < len(lab.latest) else None
    if run is None or not 0 <= token_place < len(run.tokens):
        return ""
    token = run.tokens[token_place]
    before = "".join(one.text for one in run.tokens[:token_place])
    tail = ("…" if len(before) > TAIL else "") + before[-TAIL:]
    after = f"after “{escaped(tail.strip())}”" if tail.strip() else "at the start"
    caption = (
        f"<h3>Token {token_place + 1} of {len(run.tokens)}: <code>{shown(token.drawn.text)}</code></h3>"
        f"<p>{titled(run.decoding)}{_settings(run.decoding)}, {after}</p>"
        f'<span class="lab-steps">{_step("previous", "Previous token", "←", token_place > 0)}'
        f"{_step('next', 'Next token', '→', token_place + 1 < len(run.tokens))}</span>"
    )
    return chart(token, run.decoding, caption)


def first_choice(lab: Experiment) -> tuple[int, int] | None:
    """The token to show before one is picked: the first that was not the likeliest, or just the first."""
    own = [(number, run) for number, run in enumerate(lab.latest) if run.tokens]
    for place_ in range(max((len(run.tokens) for _, run in own), default=0)):
        for number, run in own:
            if place_ < len(run.tokens) and not run.tokens[place_].candidates[0].drawn:
                return number, place_
    return (own[0][0], 0) if own else None


def variation_table(lab: Experiment) -> str:
    """How much each strategy varies over the seeds tried; '' for one seed."""
    rows = []
    for strategy, (how, found) in enumerate(zip(lab.hows, lab.variation, strict=True)):
        if found is None:
            continue
        texts = dict.fromkeys(run.text.strip() for run in lab.of(strategy) if run.done)
        items = "".join(f"<li>{escaped(text)}</li>" for text in texts)
        rows.append(
            f'<tr><th scope="row">{titled(how)}{_temperature(how)}</th><td>{found.texts}</td>'
            f"<td>{_meter(found.new)}</td><td>{_meter(found.distance)}</td></tr>"
            f'<tr class="lab-texts"><td colspan="4"><details><summary>{_count(len(texts))}</summary>'
            f"<ol>{items}</ol></details></td></tr>"
        )
    if not rows:
        return ""
    return (
        '<section class="lab-variation"><h2>How much each strategy varies</h2><table><thead><tr>'
        '<th scope="col">Strategy</th><th scope="col">Seeds</th><th scope="col">New texts</th>'
        '<th scope="col">Mean distance</th></tr></thead><tbody>'
        f"{''.join(rows)}</tbody></table>"
        "<p>New texts: the share of texts after the first that no earlier seed gave. Mean distance: "
        "1 − the Jaccard index of two texts’ bigrams, over all pairs; 0 is the same wording, 1 no bigram in "
        "common.</p></section>"
    )


def legend() -> str:
    """The course's terms, each with what it keeps."""
    items = "".join(f"<dt>{term}</dt><dd>{escaped(words)}</dd>" for term, words in LEGEND.items())
    return (
        f'<section class="lab-legend"><h2>What each strategy keeps</h2><dl>{items}</dl>'
        "<p><b>distinct-2</b>: different bigrams per bigram; less than 1 means repetition. <b>Grounding</b>: "
        "how far the notes support the text’s sentences, on average, by their wording. <b>Seed</b>: the same "
        "seed, prompt and settings give the same draw. The text is the model’s own: nothing is checked, "
        "completed or refused here.</p></section>"
    )


def _column(run: Run, picked: tuple[int, int] | None, running: bool) -> str:
    on = picked[1] if picked and picked[0] == run.strategy else -1
    waits = '<span class="lab-wait">…</span>' if running and not run.done else ""
    body = escaped(run.text) if not run.tokens else _tokens(run, on)
    stopped = '<span class="lab-stopped">stopped</span>' if not run.done and not running else ""
    if run.decoding.name == "beam" and running and not run.text:
        waits = '<span class="lab-wait">compares whole sentences and comes last…</span>'
    return (
        f'<article class="lab-column" data-run="{run.strategy}"><header><h3>{titled(run.decoding)}</h3>'
        f"<p>{_settings(run.decoding).removeprefix(', ') or 'nothing is drawn'}</p></header>"
        f'<div class="lab-text" role="group" aria-label="Tokens of {titled(run.decoding)}">'
        f"{body}{waits}{stopped}</div>{_figures(run)}</article>"
    )


def _tokens(run: Run, on: int) -> str:
    """Each token as a button; the arrows go from one to the next, so that one of them takes Tab."""
    at = on if 0 <= on < len(run.tokens) else 0
    parts = []
    for number, token in enumerate(run.tokens):
        end = number == len(run.tokens) - 1 and not token.text
        names = "lab-token" + ("" if token.candidates[0].drawn else " rare") + (" on" if number == on else "")
        text = "■" if end else escaped(token.text) or "·"  # a part of a character is a token, too
        label = ' aria-label="end of the text"' if end else "" if token.text else ' aria-label="no text"'
        parts.append(
            f'<span class="{names}" role="button" tabindex="{0 if number == at else -1}" '
            f'data-token="{number}"{label} aria-pressed="{str(number == on).lower()}">{text}</span>'
        )
    return "".join(parts)


def _figures(run: Run) -> str:
    cells = (
        ("Seconds", f"{run.seconds:.1f}" if run.seconds else NONE),
        ("Tokens/s", f"{run.tokens_per_second:.1f}" if run.tokens_per_second else NONE),
        ("distinct-2", NONE if run.distinct_2 is None else f"{run.distinct_2:.2f}"),
        ("Grounding", NONE if run.grounding is None else f"{run.grounding:.2f}"),
    )
    return (
        '<dl class="lab-figures">'
        + "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in cells)
        + "</dl>"
    )


def _settings(how: Decoding) -> str:
    return "" if how.name in ("greedy", "beam") else f", temperature {how.temperature:g}, seed {how.seed}"


def _temperature(how: Decoding) -> str:
    return "" if how.temperature == 1 else f", temperature {how.temperature:g}"


def _step(act: str, label: str, sign: str, can: bool) -> str:
    off = "" if can else " disabled"
    return f'<button type="button" data-step="{act}" aria-label="{label}"{off}>{sign}</button>'


def _meter(share: float) -> str:
    return f'<span class="lab-meter"><i style="width:{100 * share:.0f}%"></i></span>{share:.2f}'


def _count(texts: int) -> str:
    return f"{texts} different text{'' if texts == 1 else 's'}"
