"""A quiz as HTML: the question to answer, what is told after, the score, how the making went.

The sheet is shown by a gr.Markdown, which renders formulas and lets no button and no field through:
what can be done is a link to a name that quiz.js knows, and quiz.js makes the options and the fields
of what is written here. Nothing of an item but its stem and the texts of its options is in the sheet
before `Attempt.told`, not even its topic, which may be the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ingest.pages import page_name
from rag.items.attempts import Attempt
from rag.items.marking import WRITTEN
from rag.items.results import Score, scores
from rag.items.types import Item, Quiz
from ui.web.text import escaped, passage_html

RIGHT, WRONG, NONE = "✓", "✗", "–"


def sheet(attempt: Attempt, at: int, back: bool = False) -> str:
    """The page of an attempt for a gr.Markdown: one question, or all; the score once it is over.

    `back` offers the way back to the quiz before this one.
    """
    if attempt.ended is not None:
        places: Sequence[int] = range(len(attempt.items))
        above = score(attempt)
    else:
        at = min(max(at, 0), len(attempt.items) - 1)
        places = range(len(attempt.items)) if attempt.all_at_once else (at,)
        above = ""
    shown = "".join(_question(attempt, place) for place in places)
    return f'<div class="qz-sheet">{_head(attempt, back)}{above}{shown}{_foot(attempt)}</div>'


def score(attempt: Attempt) -> str:
    """The score of an attempt that is over, and each topic's, the weakest first."""
    whole, topics = scores([attempt])
    rows = "".join(_topic(one) for one in topics)
    clock = f" in {_clock(whole.seconds)}" if whole.seconds >= 1 else ""
    return (
        f'<section class="qz-score" id="qz-score"><h2>{whole.right} of {whole.asked} right</h2>'
        f'<p class="qz-quiet">{round(100 * whole.share)}%{clock}. What was missed comes back under '
        f"“Due today”.</p><table><tr><th>Topic</th><th>Right</th><th></th></tr>{rows}</table>"
        f'<p class="qz-ways">{_act("again", 0, "Take it again", "qz-button")}'
        f"{_act('leave', 0, 'Another quiz', 'qz-button')}</p></section>"
    )


def made(quiz: Quiz, running: bool) -> str:
    """How the making goes, or went: 'asked for 10, wrote 16, 10 passed', and why the others did not."""
    passed = len(quiz.items)
    if running:
        words = (
            f"Question {min(passed + 1, quiz.asked)} of {quiz.asked}: wrote {quiz.written}, {passed} passed"
        )
        bar = f'<progress value="{passed}" max="{quiz.asked}" aria-label="Progress"></progress>'
        return f'<div class="qz-making" role="status"><p>{words}</p>{bar}</div>{rejections(quiz)}'
    words = f"Asked for {quiz.asked}, wrote {quiz.written}, {passed} passed."
    if quiz.stopped:
        words = f"Stopped. {words}"
    elif passed < quiz.asked:
        words += " The notes chosen gave no more that pass every check."
    return f'<p class="qz-made" role="status">{words}</p>{rejections(quiz)}'


def begun(words: str) -> str:
    """What is being done before the first question is tried."""
    bar = '<progress aria-label="Progress"></progress>'
    return f'<div class="qz-making" role="status"><p>{words}</p>{bar}</div>'


def rejections(quiz: Quiz) -> str:
    """How many were rejected for each reason, as bars with their numbers; '' where none was."""
    if not quiz.rejected:
        return ""
    most = max(quiz.rejected.values())
    count = sum(quiz.rejected.values())
    rows = "".join(
        f'<li><span>{escaped(reason)}</span><i style="width:{100 * number / most:.0f}px"></i>'
        f"<b>{number}</b></li>"
        for reason, number in sorted(quiz.rejected.items(), key=lambda pair: (-pair[1], pair[0]))
    )
    head = f"<figcaption>{count} did not pass, by reason</figcaption>"
    return f'<figure class="qz-rejects">{head}<ul>{rows}</ul></figure>'


def listed(attempts: Sequence[Attempt]) -> str:
    """Earlier attempts, each with its score and what can be done with it."""
    if not attempts:
        return ""
    rows = "".join(_listed(one) for one in attempts)
    return (
        '<section class="qz-earlier"><h2>Your quizzes</h2><table><thead><tr><th scope="col">Quiz</th>'
        f'<th scope="col">Begun</th><th scope="col">Score</th><th></th></tr></thead><tbody>{rows}</tbody>'
        "</table></section>"
    )


def where(item: Item) -> str:
    """'unit-1.pdf, p. 7' of an item's evidence, escaped."""
    page = page_name(item.evidence.source, item.evidence.page)
    return escaped(item.evidence.source) + (f", {page}" if page else "")


def _question(attempt: Attempt, place: int) -> str:
    item = attempt.items[place]
    told = attempt.told(place)
    body = _written(attempt, place) if item.kind in WRITTEN else _options(attempt, place)
    state = "done" if told else "open"
    return (
        f'<section class="qz-item qz-{state}" id="q-{place}"><h3 class="qz-number">Question {place + 1} of '
        f'{len(attempt.items)}</h3><p class="qz-stem">{passage_html(item.stem)}</p>{body}'
        f"{_told(attempt, place) if told else ''}{_buttons(attempt, place)}</section>"
    )


def _options(attempt: Attempt, place: int) -> str:
    item, response = attempt.items[place], attempt.responses.get(place)
    rows = []
    for shown, at in enumerate(attempt.orders[place]):
        option = item.options[at]
        mine = response is not None and response.chosen == at
        classes = "qz-option" + (" qz-on" if mine else "")
        note = ""
        if attempt.told(place):
            if at == item.key:
                classes += " qz-right"
                note = _note(RIGHT, "Your answer is right" if mine else "The right answer", option.feedback)
            elif mine:
                classes += " qz-wrong"
                note = _note(WRONG, "Your answer is not right", option.feedback)
        rows.append(
            f'<li class="{classes}" id="q-{place}-{shown}"><span class="qz-key">{shown + 1}</span>'
            f'<span class="qz-text">{passage_html(option.text)}{note}</span></li>'
        )
    return f'<ul class="qz-options">{"".join(rows)}</ul>'


def _written(attempt: Attempt, place: int) -> str:
    response = attempt.responses.get(place)
    given = escaped(response.text) if response else ""
    if not attempt.told(place):
        return f'<p class="qz-write" id="w-{place}">{given}</p>'
    item = attempt.items[place]
    if response is None:
        return f'<p class="qz-given">{_note(NONE, f"The answer is: {passage_html(item.answer)}")}</p>'
    sign, words = (RIGHT, "right") if response.right else (WRONG, "not right")
    mine = f'<span class="qz-{"right" if response.right else "wrong"}">'
    mine += f"{_note(sign, f'Your answer, {words}: {given}')}</span>"
    wanted = "" if response.right else _note(RIGHT, f"The answer is: {passage_html(item.answer)}")
    return f'<p class="qz-given">{mine}{wanted}</p>'


def _told(attempt: Attempt, place: int) -> str:
    """The verdict, why, the words of the notes, and where they stand."""
    item, response = attempt.items[place], attempt.responses.get(place)
    right = response is not None and response.right
    sign, words = (
        (RIGHT, "Right.") if right else (WRONG, "Not right.") if response else (NONE, "Not answered.")
    )
    general = " This is general knowledge as well." if item.general else ""
    heading = f" · {escaped(item.evidence.heading)}" if item.evidence.heading else ""
    ways = _act("look", place, "See the page", "" if right else "qz-button")
    if not right:
        ways += _act("fresh", place, "A fresh question from this page", "qz-button")
    return (
        f'<div class="qz-told {"qz-yes" if right else "qz-no"}"><p><b>{sign} {words}</b> '
        f"{passage_html(item.explanation)}{general}</p>"
        f'<p class="qz-quote"><mark>{passage_html(item.evidence.quote)}</mark></p>'
        f'<p class="qz-where">{where(item)}{heading}</p><p class="qz-ways">{ways}</p></div>'
    )


def _buttons(attempt: Attempt, place: int) -> str:
    """What leads on from a question. The first button of a question is what Enter does."""
    if attempt.ended is not None:
        return ""
    if attempt.all_at_once:
        if attempt.at_the_end or attempt.told(place):
            return ""
        return f'<p class="qz-ways">{_act("answer", place, "Answer", "qz-button qz-go")}</p>'
    last = place == len(attempt.items) - 1
    on = "See the score" if last else "Next question"
    if not attempt.at_the_end:
        if attempt.told(place):
            forth = (
                _act("finish", place, on, "qz-button qz-go")
                if last
                else _act("next", place, on, "qz-button qz-go")
            )
            return f'<p class="qz-ways">{forth}</p>'
        skip = _act("finish", place, on) if last else _act("next", place, "Skip")
        return f'<p class="qz-ways">{_act("answer", place, "Answer", "qz-button qz-go")}{skip}</p>'
    forth = _act(
        "finish" if last else "next", place, "Finish" if last else "Next question", "qz-button qz-go"
    )
    back = _act("back", place, "Back") if place else ""
    return f'<p class="qz-ways">{forth}{back}</p>'


def _head(attempt: Attempt, back: bool) -> str:
    count, done = len(attempt.items), len(attempt.responses)
    state = "" if attempt.ended is not None else f"{done} of {count} answered"
    if attempt.all_at_once and attempt.ended is None:
        state = f"{count} question{'' if count == 1 else 's'}"  # more are answered before this is shown anew
    if attempt.at_the_end and attempt.ended is None:
        state += "; what is right is told at the end"
    way = _act("return", 0, "Back to the quiz before") if back else _act("leave", 0, "Leave the quiz")
    return (
        f'<header class="qz-head"><h2>{escaped(attempt.title or "Quiz")}</h2>'
        f'<p class="qz-quiet">{state and f"<span>{state}</span>"}{way}</p></header>'
    )


def _foot(attempt: Attempt) -> str:
    if attempt.ended is not None or not attempt.all_at_once:
        return ""
    return f'<p class="qz-ways qz-end">{_act("finish", 0, "Finish and see the score", "qz-button")}</p>'


def _topic(one: Score) -> str:
    share = round(100 * one.share)
    return (
        f'<tr><td>{escaped(one.topic)}</td><td class="qz-figure">{one.right} of {one.asked}</td>'
        f'<td><span class="qz-meter qz-share-{round(share / 10)}"></span></td></tr>'
    )


def _listed(attempt: Attempt) -> str:
    name = escaped(attempt.id)
    begun = f"{datetime.fromtimestamp(attempt.started).astimezone():%Y-%m-%d %H:%M}"
    count = len(attempt.items)
    if attempt.ended is None:
        state, act, words = f"{len(attempt.responses)} of {count} answered", "open", "Continue"
    else:
        state, act, words = f"{scores([attempt])[0].right} of {count} right", "open", "Look back"
    title = escaped(attempt.title or "Quiz")
    button = f'<button type="button" data-id="{name}" data-act'
    return (
        f'<tr><th scope="row">{title}</th><td>{begun}</td><td class="qz-figure">{state}</td><td>'
        f'{button}="{act}" aria-label="{words}: {title}">{words}</button>'
        f'{button}="again" aria-label="Take again: {title}">Take again</button></td></tr>'
    )


def _note(sign: str, words: str, feedback: str = "") -> str:
    """A sign and a word; `words` are HTML, `feedback` is an item's own text."""
    more = f" {passage_html(feedback)}" if feedback else ""
    return f'<span class="qz-note"><b>{sign} {words}.</b>{more}</span>'


def _act(name: str, place: int, words: str, classes: str = "") -> str:
    return f'<a href="#{name}-{place}" class="qz-do {classes}">{words}</a>'


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
