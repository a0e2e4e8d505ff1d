"""The decision to answer, and what is added when the model leaves something out."""

import numpy as np
import pytest

from ingest.types import Hit, Passage
from rag.complete import left_out
from rag.engines.local import LocalModel
from rag.gate import FITTED, Signals, answers, layer, probability, signals, sure
from rag.logistic import weights
from rag.select import Choice


@pytest.mark.parametrize("known", [2, 3, 4], ids=["retrieval", "covered", "yes"])
def test_nearer_notes_are_likelier_to_answer(known: int) -> None:
    def near(share: float) -> Signals:
        return Signals(*(share, share, share, 2 * share)[:known])

    chances = [probability(near(share)) for share in (0.1, 0.3, 0.5, 0.7, 0.9)]
    assert chances == sorted(chances)
    assert not answers(near(0.1))
    assert answers(near(0.8))
    assert sure(near(0.95))


def test_a_question_that_one_sentence_covers_is_likelier_answered() -> None:
    assert probability(Signals(0.5, 0.5, 0.6)) > probability(Signals(0.5, 0.5, 0.2))


def test_the_models_yes_raises_the_chance() -> None:
    assert probability(Signals(0.5, 0.5, 0.4, 2.0)) > probability(Signals(0.5, 0.5, 0.4, -2.0))


def test_the_probe_reads_the_state_of_the_model_it_was_fitted_on() -> None:
    fitted = np.array(weights(FITTED)["probe"]["weights"])
    towards, away = signals([], 0.0, 0.0, fitted), signals([], 0.0, 0.0, -fitted)
    assert towards.state is not None
    assert away.state is not None
    assert towards.state > away.state
    assert probability(towards) > probability(away)
    assert layer(LocalModel.model_fields["name"].default) == weights(FITTED)["probe"]["layer"]


def test_another_models_state_is_not_read() -> None:
    assert layer("another model") is None
    assert signals([], 0.0, 0.0, np.zeros(8)).state is None  # of another width
    assert signals([], 0.0, 0.0, np.zeros(0)).state is None  # stopped before there was one


def test_a_follow_up_needs_half() -> None:
    asked = (Signals(near / 100, near / 100, near / 100, 1.0) for near in range(100))
    between = next(one for one in asked if answers(one, follow_up=True))
    assert not answers(between)


def test_nothing_found_is_not_answered() -> None:
    assert not answers(signals([]))


SENTENCES = ("Siri shipped with the iPhone 4S in 2011.", "AlexNet won the ImageNet contest.", "Training:")


def choice() -> Choice:
    passage = Passage("t", "notes.md", None, ("Timeline",), "\n".join(SENTENCES), SENTENCES)
    return Choice(Hit(passage, 1.0, 0.5, 0.5, 0), (0, 1, 2))


def test_what_the_question_asks_and_the_answer_lacks_is_added() -> None:
    (added,) = left_out("when did Siri come out?", "It came out.", [choice()], [np.array([0.8, 0.2, 0.9])])
    assert added.text == SENTENCES[0]
    assert added.markers == (1,)
    assert added.label == "supported"


def test_what_is_said_already_is_not_said_again() -> None:
    said = "Siri shipped with the iPhone 4S in 2011."
    assert left_out("when did Siri come out?", said, [choice()], [np.array([0.8, 0.2, 0.1])]) == []


def test_what_is_less_near_is_added_where_less_is_asked_for() -> None:
    near = [np.array([0.3, 0.1, 0.1])]
    assert not left_out("when did Siri come out?", "", [choice()], near)
    assert left_out("when did Siri come out?", "", [choice()], near, least=0.25)


def test_what_is_far_from_the_question_is_not_added() -> None:
    assert left_out("what is a GAN?", "", [choice()], [np.array([0.2, 0.1, 0.1])]) == []
