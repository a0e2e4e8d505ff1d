"""What becomes of a model's text when its sentences are checked: markers, strict answers."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from rag.decoding import GREEDY
from rag.draft import Draft, confirmed, strict, with_markers
from rag.engines.state import Judgement
from rag.grounding import confirm
from rag.types import Answer, Quote, Sentence
from tests.tiny_model import tiny_model
from tests.unit.test_grounding import ENCODER, HELD

TEXT = "A GAN trains two networks. It was proposed in 1999. Bananas are yellow."
SAID = Quote("GANs were proposed by Ian Goodfellow in 2014.", "notes.md", 3, "p", 0.8)
OWN = (
    Sentence("A GAN trains two networks.", 0.9, "supported", (1,)),
    Sentence("It was proposed in 1999.", 0.5, "partly", (1,), (SAID,)),
    Sentence("Bananas are yellow.", 0.1, "unsupported", ()),
)
ANSWER = Answer("What is a GAN?", GREEDY)


def test_each_sentence_has_its_own_markers_and_no_others() -> None:
    text = "A GAN trains two networks [7]. It is fun."
    marked = with_markers(text, [(0, 30), (31, 41)], (OWN[0], replace(OWN[2], text="It is fun.")))
    assert marked == "A GAN trains two networks. [1] It is fun."
    assert Draft(TEXT, OWN, (OWN[0],)).marked.endswith("\n\nIn the notes: “A GAN trains two networks.” [1]")


def test_strict_puts_in_the_notes_words_what_it_can_and_drops_the_rest() -> None:
    answer, draft = strict(ANSWER, Draft(TEXT, OWN))
    assert draft.marked == (
        "A GAN trains two networks. [1] GANs were proposed by Ian Goodfellow in 2014. [1]"
    )
    assert (answer.rewritten, answer.dropped) == (1, 1)
    assert {one.label for one in draft.sentences} == {"supported"}


def test_strict_puts_nothing_there_that_points_at_another_sentence_of_the_notes() -> None:
    leans = replace(SAID, text="It was proposed by Ian Goodfellow in 2014.")
    answer, draft = strict(ANSWER, Draft(TEXT, (OWN[0], replace(OWN[1], quotes=(leans,)), OWN[2])))
    assert draft.marked == "A GAN trains two networks. [1]"
    assert (answer.rewritten, answer.dropped) == (0, 2)


def test_strict_says_nothing_twice() -> None:
    own = (*OWN[:2], replace(OWN[1], text="Bananas are yellow."))
    answer, draft = strict(ANSWER, Draft(TEXT, own))
    assert draft.marked.count("Goodfellow") == 1
    assert (answer.rewritten, answer.dropped) == (1, 1)


def test_strict_leaves_nothing_where_nothing_is_supported() -> None:
    answer, draft = strict(
        ANSWER, Draft("Sure! Bananas are yellow.", (Sentence("Sure!", 1, "not-a-claim", ()), OWN[2]))
    )
    assert (draft.text, draft.sentences, answer.dropped) == ("", (), 1)


def test_strict_keeps_lists_as_lists() -> None:
    text = "Parts:\n- the generator\n- the moon\n- the critic"
    own = tuple(
        Sentence(one, 1.0, label, (1,) if label == "supported" else ())  # type: ignore[arg-type]
        for one, label in (
            ("Parts:", "not-a-claim"),
            ("the generator", "supported"),
            ("the moon", "unsupported"),
            ("the critic", "supported"),
        )
    )
    assert strict(ANSWER, Draft(text, own))[1].marked == "Parts:\n- the generator [1]\n- the critic [1]"


class Scripted:
    """A model that judges as it is told to; the real one: tests/integration/test_answer.py."""

    name = "scripted"

    def __init__(self, yes: float) -> None:
        self.yes, self.asked = yes, 0

    def judge(self, several, words, layers, halt=None):  # type: ignore[no-untyped-def]
        self.asked += 1
        assert words == ("yes", "no")
        likely = np.full(6, -0.5 if self.yes > 0 else -9.0, np.float32)
        return [Judgement([self.yes, 0.0], likely, []) for _ in several]


def test_the_models_judgement_raises_or_lowers_support() -> None:
    one = Sentence("The encoder compresses an image into a latent vector.", 0.5, "partly", (2,))
    sure, not_sure = (confirm(one, HELD, ENCODER, Scripted(yes)) for yes in (8.0, -8.0))
    assert sure.support > not_sure.support
    assert sure.markers == (2,)
    assert sure.quotes[0].source == "notes.md"


def test_what_claims_nothing_is_not_judged_and_a_halt_ends_it() -> None:
    model = Scripted(5.0)
    talk = Sentence("Sure!", 1.0, "not-a-claim", ())
    assert confirm(talk, HELD, ENCODER, model) is talk
    halt = threading.Event()
    drafts = []
    for draft in confirmed(Draft(TEXT, OWN), HELD, ENCODER, model, "", halt):
        drafts.append(draft)
        if len(drafts) == 2:
            halt.set()
    assert (len(drafts), model.asked) == (2, 1)
    assert drafts[0].own == OWN


def test_a_real_language_model_gives_what_the_check_needs() -> None:
    model = tiny_model()
    model.name = "tiny"  # no probe was fitted on it
    one = Sentence("w5 w6", 0.5, "partly", (1,))
    judged = confirm(one, HELD, ENCODER, model)
    assert judged.text == "w5 w6"
    assert 0 <= judged.support <= 1


@pytest.mark.parametrize("layers", [(), (0, 1)])
def test_a_judgement_has_one_likelihood_a_token_and_one_state_a_layer(layers: tuple[int, ...]) -> None:
    from rag import prompts

    asked = [prompts.claim_prompt(claim, []) for claim in ("w5 w6 w7", "w8 w9", "w5 w6 w7")]
    first, other, again = tiny_model().judge(asked, ("yes", "no"), layers)
    assert first.likelihood.shape == (3,) and (first.likelihood < 0).all()
    assert [state.shape for state in first.states] == [(32,)] * len(layers)
    assert len(first.logits) == 2
    assert other.likelihood.shape == (2,) and other.logits != first.logits
    assert np.allclose(again.logits, first.logits) and np.allclose(again.likelihood, first.likelihood)
    assert all(map(np.allclose, again.states, first.states))  # nothing of one claim is left for the next
