"""A quiz: only what passes the gate is kept, the same seed makes the same, and stopping keeps what passed.

tests/integration/test_quiz.py does it with the real models.
"""

import json
import re
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest
from langchain_core.messages import AIMessage, BaseMessage

from ingest.build import build
from ingest.errors import BadRequest
from ingest.store import open_index
from ingest.types import Passage
from rag import quiz as quizzes
from rag.engines.state import Judgement
from rag.items import gate
from rag.items.fact import Fact, Rival
from rag.items.flaws import flaws
from rag.items.types import BLANK, Item, Quiz
from rag.items.writing import in_notes_words, meaning, naming, strays
from rag.quiz import Wanted, make_quiz
from rag.retrieve import Retriever
from tests.ingest_fakes import FakeEncoder

METALS = ("Copper", "Gold", "Iron", "Tin", "Zinc", "Lead", "Nickel", "Silver")
USES = (
    "carries current through the wires of houses",
    "keeps its shine for centuries in coins",
    "bears the weight of long bridges",
    "lines the cans that hold our food",
    "guards steel roofs against the rain",
    "stops the rays of an X-ray room",
    "hardens the blades of turbines",
    "mirrors light in large telescopes",
)


class Writer:
    """Writes a stem for any fact, and takes the option that the line it was shown gives as its answer."""

    def __init__(self, knows: bool = False, wrong: Sequence[str] = (), kin: Sequence[str] = ()) -> None:
        """`knows`: without the notes as well; `wrong`: keys that it does not find; `kin`: two that it takes
        for kinds of one another."""
        self.knows, self.wrong, self.kin = knows, wrong, kin

    def invoke(self, messages: Sequence[BaseMessage], **settings: Any) -> AIMessage:
        tail = str(messages[-1].content[-1]["text"])  # type: ignore[index,call-overload]
        line, _, rest = tail.rpartition("Line: ")[2].partition("\nAnswer: ")
        key = rest.partition("\n")[0]
        said = line.replace(key, "").strip(" :.")
        stem = f"Which of the metals {said}?"
        if settings["decoding"].name != "greedy":
            stem = f"Which metal, of all of them, {said}?"
        return AIMessage(json.dumps({"question": stem}))

    def likelihoods(
        self, messages: Sequence[BaseMessage], texts: Sequence[str], halt: threading.Event | None = None
    ) -> list[np.ndarray]:
        content = messages[-1].content
        shown = not isinstance(content, str)
        tail = str(content[-1]["text"]) if shown else str(content)  # type: ignore[index,call-overload]
        if tail.startswith("Can one say of"):
            yes = sum(one.lower() in tail for one in self.kin) == 2
            return [np.full(1, -0.1 if (text == "yes") == yes else -3.0) for text in texts]
        stem = tail.partition("Question: ")[2].split("\n")[0]
        key = next(metal for metal, use in zip(METALS, USES, strict=True) if use in stem)
        if key in self.wrong or not (shown or self.knows):
            key = "nothing"
        return [np.full(3, -0.1 if text.lower() == key.lower() else -3.0) for text in texts]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Retriever:
    folder = tmp_path_factory.mktemp("notes")
    lines = [f"- {metal}: {use}." for metal, use in zip(METALS, USES, strict=True)]
    (folder / "metals.md").write_text("# Metals\n\n## What they do\n\n" + "\n".join(lines))
    (folder / "other.md").write_text("# Wood\n\nOak is heavy and burns slowly in the stove of a house.\n")
    encoder = FakeEncoder(dimension=64)
    build([folder], folder / "index", encoder)
    return Retriever(open_index(folder / "index", encoder), encoder)


class Kin(FakeEncoder):
    """Any two texts have something in common, as what the notes say of metals has."""

    def encode(self, texts: Sequence[str]) -> Any:
        found = super().encode(texts) + 0.8 / np.sqrt(self.dimension)
        return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def made(index: Retriever, model: Any, **wanted: Any) -> Quiz:
    *_, last = make_quiz(index, model, Wanted(**wanted))
    return last


def test_what_passes_is_kept_and_what_does_not_is_counted(index: Retriever) -> None:
    kin = Retriever(index.index, Kin(dimension=64))
    quiz = made(kin, Writer(wrong=("Tin", "Gold")), count=8)
    assert 0 < len(quiz.items) <= 6
    assert {one.answer for one in quiz.items} <= set(METALS) - {"Tin", "Gold"}
    assert quiz.rejected[gate.NOT_PICKED] >= 1
    assert quiz.written == len(quiz.items) + sum(quiz.rejected.values())
    for one in quiz.items:
        assert one.evidence.quote.startswith(one.answer)
        assert len({option.text for option in one.options}) == 4
        assert one.options[one.key].feedback.startswith("Right.")
        for place, option in enumerate(one.options):
            if place != one.key:  # what is told of a distractor is what the notes say of it
                assert option.text in option.feedback and "metals.md" in option.feedback


def test_what_has_no_near_rivals_is_no_question_written(index: Retriever) -> None:
    class Strangers(FakeEncoder):
        seen: ClassVar[dict[str, int]] = {}

        def encode(self, texts: Sequence[str]) -> Any:  # no two texts have anything in common
            places = [self.seen.setdefault(text, len(self.seen)) for text in texts]
            return np.eye(self.dimension, dtype=np.float32)[places]

    strangers = Retriever(index.index, Strangers(dimension=512))
    with pytest.raises(BadRequest, match="name too little"):
        made(strangers, Writer(), count=8)


def test_the_same_seed_makes_the_same_quiz_and_another_another(index: Retriever) -> None:
    first, again, other = (made(index, Writer(), count=4, seed=seed) for seed in (5, 5, 6))
    assert first == again
    assert [one.stem for one in first.items] != [one.stem for one in other.items]


def test_the_key_stands_everywhere_alike_often() -> None:
    places = quizzes.positions(quizzes.random.Random(1))
    assert Counter(next(places) for _ in range(400)) == dict.fromkeys(range(4), 100)


def test_numbers_stand_in_order(index: Retriever) -> None:
    one = made(index, Writer(), count=1).items[0]
    options = [replace(one.options[0], text=text) for text in ("2019", "2017", "2020", "2018")]
    placed = quizzes.placed(replace(one, options=tuple(options), key=0), 3, quizzes.random.Random(0))
    assert [option.text for option in placed.options] == ["2017", "2018", "2019", "2020"]
    assert placed.answer == "2019"


@pytest.mark.parametrize("place", range(4))
def test_of_years_as_many_are_smaller_as_the_keys_place_wants(place: int) -> None:
    rivals = tuple(Rival(year) for year in ("2016", "2018", "2014", "2020", "2013", "2021"))
    passage = Passage("a", "a.md", None, (), "", ("The mill was built in 2017 by the town.",))
    fact = Fact("number", passage, 0, "The mill was built in ", "2017", " by the town.", "Mill", rivals)
    chosen = quizzes.distractors(fact, place)
    assert chosen is not None and sum(one.text < "2017" for one in chosen) == place
    assert quizzes.distractors(replace(fact, rivals=rivals[:2]), place) is None
    latest = replace(fact, rivals=tuple(Rival(year) for year in ("2016", "2014", "2013", "2012")))
    assert quizzes.distractors(latest, 0) is not None  # no later year: the key stands last


def test_stopping_keeps_what_passed(index: Retriever) -> None:
    halt = threading.Event()
    last = None
    for last in make_quiz(index, Writer(), Wanted(8), halt):
        if len(last.items) == 2:
            halt.set()
    assert last is not None and last.stopped and len(last.items) == 2


@pytest.mark.parametrize(
    ("term", "said", "asked"),
    [
        (
            "Latent space",
            "a map of few places that training draws",
            "What is a map of few places that training draws called?",
        ),
        (
            "Prompt",
            "The input that tells the model what to write.",
            "What is the term for the input that tells the model what to write?",
        ),
        (
            "Normalizing flows",
            "models that learn an exact density",
            "What is the term for models that learn an exact density?",
        ),
        (
            "Generator",
            "Turns random noise into fake data; a network.",
            "Which of these turns random noise into fake data?",
        ),
        (
            "Data cleaning",
            "Handle gaps and errors in the data.",
            "In which of these does one handle gaps and errors in the data?",
        ),
        (
            "Cleaners",
            "Remove gaps and errors in the data.",
            "Which of these remove gaps and errors in the data?",
        ),
        (
            "Smoother",
            "Improves curves between the hill and the valley",
            "Which of these improves curves between the hill and the valley?",
        ),
        (
            "Data handling",
            "Properly dispose of the data of a project",
            "In which of these does one properly dispose of the data of a project?",
        ),
        ("Quintuple", "groups of five beats", "Of which of these is this said: “groups of five beats”?"),
        ("Maker", "Creates data, and the critic judges it", ""),  # it says something of two
        (
            "Critic",
            "Compares pictures with real ones, and the maker learns from that",
            "Which of these compares pictures with real ones?",
        ),
        (  # a sentence, and no thing: it is quoted
            "Drift",
            "the world changes while the model stays as it is",
            "Of which of these is this said: “the world changes while the model stays as it is”?",
        ),
        (
            "Fear",
            "the risk of naming people poses problems",
            "Of which of these is this said: “the risk of naming people poses problems”?",
        ),
        (  # of several things, the term of one
            "Marketing",
            "texts that sell many things",
            "Which of these is described as “texts that sell many things”?",
        ),
        ("Likelihood", "This method finds what makes the data likeliest", ""),  # which method?
        (
            "Osmosis",
            "Definition: the movement of water that a membrane lets through",
            "What is the term for the movement of water that a membrane lets through?",
        ),
        (
            "Equator",
            "the plane of a globe, so it has no height",
            "What is the term for the plane of a globe?",
        ),
        ("Loss", "the sum of $x^2$ over all of them", ""),
        ("Art", "Paint, ink", ""),
    ],
)
def test_a_term_is_asked_in_the_notes_words_where_they_make_a_question(
    term: str, said: str, asked: str
) -> None:
    passage = Passage("a", "a.md", None, (), "", (f"{term}: {said}",))
    assert naming(Fact("term", passage, 0, "", term, f": {said}", term), 1) == asked


@pytest.mark.parametrize(
    ("name", "text", "asked"),
    [
        ("Prompt", "A prompt is the input of a model.", "What is meant by a prompt?"),
        ("Loss", "Loss: what training lowers. The loss is low.", "What is meant by the loss?"),
        ("Loss", "Loss: what training lowers. The loss function is low.", "What is meant by “Loss”?"),
        ("LSTM", "LSTM: a network that keeps a state.", "What is meant by LSTM?"),
    ],
)
def test_a_term_has_the_article_that_it_has_in_the_notes(name: str, text: str, asked: str) -> None:
    passage = Passage("a", "a.md", None, (), text, (text.split(". ")[0],))
    assert meaning(Fact("meaning", passage, 0, f"{name}: ", "the input of a model", "", name)) == asked


@pytest.mark.parametrize(
    ("sentence", "asked"),
    [
        ("1833: parliament frees the slaves.", "“parliament frees the slaves”"),
        ("In May 1953 two men described the double helix.", "“two men described the double helix”"),
        ("The act was passed by parliament in June 1833.", "“The act was passed by parliament”"),
        ("The act was signed in 1833 in the old hall.", "“The act was signed in the old hall”"),
        ("Penicillin (Fleming, 1928) killed the culture; it grew on.", "“Penicillin killed the culture”"),
        ("The 1833 act changed the law of the land.", ""),  # nobody asks for it
        ("Hooke (1665) argues that cells are walls.", "“Hooke argues that cells are walls”"),
        ("Two men proposed it in 1953 in a short paper.", ""),  # what?
        ("It fell in 1833.", ""),
        ("The manual of the program came out early in 1833.", "“The manual of the program came out”"),
    ],
)
def test_a_year_is_asked_for_in_the_words_around_it(sentence: str, asked: str) -> None:
    found = re.search(r"\d{4}", sentence)
    assert found is not None
    before, after = sentence[: found.start()], sentence[found.end() :]
    fact = Fact("number", Passage("a", "a.md", None, (), "", (sentence,)), 0, before, found[0], after, "Law")
    assert in_notes_words(fact, 0) == (f"To which year does this belong: {asked}?" if asked else "")


@pytest.mark.parametrize(
    ("sentence", "asked"),
    [
        (
            "Fast: WaveNet (Oord and others, 2016) widens its view of the past.",
            "is WaveNet, which “widens its view of the past”",
        ),
        (
            "Glow (2016), by two authors, adds a small convolution.",
            "is Glow, which “adds a small convolution”",
        ),
        (
            "One and Two (2016) generate images bit by bit.",
            "are One and Two, which “generate images bit by bit”",
        ),
        (
            "Gibbs sampling (Geman, 2016): redraw one variable at a time.",
            "is Gibbs sampling, described as “redraw one variable at a time”",
        ),
    ],
)
def test_what_a_thing_does_belongs_to_no_year(sentence: str, asked: str) -> None:
    before, year, after = sentence.partition("2016")
    fact = Fact("number", Passage("a", "a.md", None, (), "", (sentence,)), 0, before, year, after, "Sound")
    assert in_notes_words(fact, 0) == f"From which year {asked}?"


@pytest.mark.parametrize(
    ("sentence", "asked"),
    [
        (
            "Cells come from a book by Robert Hooke, after what was seen.",
            "Whose work is this: “Cells come from a book, after what was seen”?",
        ),
        ("Robert Hooke and others showed it in London.", ""),  # what did he show?
        ("Robert Hooke and others described cells.", ""),  # too short to be sure of
        ("Robert Hooke and others described cells in a book.", "Who described cells in a book?"),
        (
            "Robert Hooke: saw cells in cork, and wrote a book of drawings.",
            "Of whom is this said: “saw cells in cork, and wrote a book of drawings”?",
        ),
        ("As Robert Hooke wrote of cells in a book of drawings.", ""),
        (
            "1665: the word cell, by Robert Hooke and colleagues in London, stays in use today.",
            "Whose work is this: “the word cell stays in use today”?",
        ),
    ],
)
def test_a_person_is_asked_for_in_the_words_around_the_name(sentence: str, asked: str) -> None:
    before, name, after = sentence.partition("Robert Hooke")
    fact = Fact("person", Passage("a", "a.md", None, (), "", (sentence,)), 0, before, name, after, "Cells")
    assert in_notes_words(fact, 0) == asked


@pytest.mark.parametrize(
    ("head", "asked"),
    [
        ("Capital", "What is the capital of Kenya?"),
        ("Official language", "What is the official language of Kenya?"),
        ("What it exports", "For Kenya, which of these tells what it exports?"),
        ("What is grown", ""),
        ("Exports", ""),  # several, or what it does
        ("Known for", ""),
        ("Where it lies", "For Kenya, which of these tells where it lies?"),
    ],
)
def test_a_cell_is_asked_for_where_its_column_is_headed_by_a_noun(head: str, asked: str) -> None:
    passage = Passage("a", "a.md", None, (), "", ("Kenya | Nairobi",))
    assert in_notes_words(Fact("cell", passage, 0, f"Kenya, {head}: ", "Nairobi", "", "Kenya"), 0) == asked


def test_a_distractor_that_may_be_right_as_well_is_replaced(index: Retriever) -> None:
    first = item(index)
    other = first.options[first.key - 1].text
    again = made(index, Writer(kin=(first.answer, other)), count=1).items[0]
    assert again.stem == first.stem and again.answer == first.answer
    assert other not in {one.text for one in again.options}


def test_a_stem_about_a_cell_asks_for_what_the_column_is_headed_by() -> None:
    fact = Fact(
        "cell", Passage("a", "a.md", None, (), "", ("Row",)), 0, "BigGAN, Main change: ", "size", "", "BigGAN"
    )
    assert strays(fact, "Which training method do the authors of BigGAN use?")
    assert not strays(fact, "What did BigGAN change?")
    assert not strays(
        replace(fact, before="code 400, What to do: ", topic="code 400"), "How does one react to 400?"
    )


def test_no_question_of_a_quiz_holds_the_answer_of_another(
    index: Retriever, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = quizzes.about(index, Wanted(1))[0]
    both = [one, replace(one, before="In short, ", kind="property")]  # another question about the sentence
    monkeypatch.setattr(quizzes, "about", lambda *_: list(both))
    quiz = made(index, Writer(), count=2)
    assert (len(quiz.items), quiz.written) == (1, 1)
    cells = [replace(one, kind="cell"), replace(one, kind="cell", before="Its price: ")]
    monkeypatch.setattr(quizzes, "about", lambda *_: list(cells))
    assert made(index, Writer(), count=2).written == 2  # other cells of a row tell nothing of one


def test_no_stem_comes_twice(index: Retriever) -> None:
    first = made(index, Writer(), count=3)
    # Other words for the same fact are the same question.
    known = [replace(one, stem=f"{one.stem} Say it in other words!") for one in first.items]
    *_, second = make_quiz(index, Writer(), Wanted(3), earlier=known)
    assert second.items
    for items in (first.items, known):
        told = {(one.evidence.quote, one.answer) for one in items}
        assert not told & {(one.evidence.quote, one.answer) for one in second.items}


def test_what_the_model_knows_anyway_is_general_knowledge(index: Retriever) -> None:
    assert all(one.general and one.difficulty == "easy" for one in made(index, Writer(True), count=2).items)
    assert not any(one.general for one in made(index, Writer(), count=2).items)


def test_other_kinds_come_of_the_same_gate(index: Retriever) -> None:
    kinds = ("fill-in", "short-answer", "true-false")
    quiz = made(index, Writer(), count=6, kinds=kinds)
    found = {one.kind: one for one in quiz.items}
    assert found["short-answer"].options[0].text in METALS
    assert [option.text for option in found["true-false"].options] == ["True", "False"]
    for one in quiz.items:
        if one.kind == "fill-in":
            assert one.stem.count(BLANK) == 1 and one.stem.replace(BLANK, one.answer) == one.evidence.quote
        if one.kind == "true-false":
            assert (one.evidence.quote.split(":")[0] in one.stem) == (one.key == 0)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"count": 0}, "1 to 100 questions"),
        ({"count": 500}, "1 to 100 questions"),
        ({"kinds": ("essay",)}, "no kind of question"),
        ({"kinds": ()}, "at least one kind"),
        ({"topic": "zzz qqq xxx"}, "say nothing about"),
        ({"sources": ("none.pdf",)}, "none.pdf"),
        ({"sources": ("other.md",)}, "state nothing that a question could ask"),
    ],
)
def test_what_cannot_be_asked_is_said(index: Retriever, wanted: dict[str, Any], said: str) -> None:
    with pytest.raises(BadRequest, match=said):
        made(index, Writer(), **{"count": 3, **wanted})


def item(index: Retriever) -> Item:
    return made(index, Writer(), count=1).items[0]


def test_the_gate_rejects_each_fault_by_its_name(index: Retriever) -> None:
    one, model = item(index), Writer()
    passage = quizzes.passage_of(one, index)
    model.lines = {one.stem: one.answer}
    assert gate.ruling(one, passage, index.encoder, model).reason == ""
    assert gate.ruling(one, None, index.encoder, model).reason == gate.UNFOUND
    unsaid = replace(one, evidence=replace(one.evidence, quote="Gold was first mined on the moon."))
    assert gate.ruling(unsaid, passage, index.encoder, model).reason == gate.UNFOUND
    assert gate.ruling(one, passage, index.encoder, model, [one.stem]).reason == gate.REPEATED
    told = replace(one, stem=f"What is it that {one.answer} does in a house?")
    assert gate.ruling(told, passage, index.encoder, model).reason == gate.TOLD
    aside = replace(one, stem="Who paints the walls of every castle green in autumn?")
    assert gate.ruling(aside, passage, index.encoder, model).reason == gate.ASIDE
    changed = replace(one, stem=one.stem.replace("these", "these 12"))
    assert gate.ruling(changed, passage, index.encoder, model).reason == gate.ASIDE
    named = replace(one, stem=one.stem.replace("these", "these of Bohemia"))
    assert gate.ruling(named, passage, index.encoder, model).reason == gate.ASIDE
    ordered = replace(one, stem=one.stem.replace("these", "these first metals"))
    assert gate.ruling(ordered, passage, index.encoder, model).reason == gate.ASIDE
    points = replace(one, stem="What does the last line say that a metal does for houses?")
    assert gate.ruling(points, passage, index.encoder, model).reason == gate.POINTING
    several = replace(one, stem="What are some parts of a GAN?")
    assert gate.ruling(several, passage, index.encoder, model).reason == gate.SEVERAL
    common = replace(one, stem=f"Which model {one.evidence.quote.partition(': ')[2]}?")
    common = replace(common, options=tuple(replace(o, text=f"{o.text} {word}") for o, word in zip(
        one.options, ("model" if at == one.key else "net" for at in range(4)), strict=True
    )))  # fmt: skip
    assert flaws(common) == () and gate.ruling(common, passage, index.encoder, model).reason == "word repeats"
    other = one.options[one.key - 1].text
    kin = Writer(kin=(one.answer, other))
    ruled = gate.ruling(one, passage, index.encoder, kin)
    assert (ruled.reason, ruled.what) == (gate.KIND_OF, other)
    moved = replace(one, key=(one.key + 1) % 4)
    assert gate.ruling(moved, passage, index.encoder, model).reason == gate.NOT_PICKED


class Judge(Writer):
    """Finds each option supported as much as it is told."""

    name = "none"

    def __init__(self, logits: dict[str, float]) -> None:
        super().__init__()
        self.logits = logits

    def judge(self, several: Sequence[Sequence[BaseMessage]], *_: Any) -> list[Judgement]:
        return [Judgement([self.logits[self._named(messages)], 0.0], np.zeros(1), []) for messages in several]

    def _named(self, messages: Sequence[BaseMessage]) -> str:
        claim = next(
            part["text"]
            for part in messages[-1].content[::-1]
            if any(name in str(part["text"]) for name in METALS)  # type: ignore[index]
        )
        return next(name for name in METALS if name in claim)


def test_the_key_must_be_supported_and_no_other_option_more(index: Retriever) -> None:
    one = item(index)
    passage = quizzes.passage_of(one, index)
    names = [option.text for option in one.options]
    sure = {**dict.fromkeys(names, -2.0), one.answer: 3.0}
    assert gate.ruling(one, passage, index.encoder, Judge(sure)).reason == ""
    other = names[one.key - 1]
    near = gate.ruling(one, passage, index.encoder, Judge({**sure, other: 3.1 - gate.APART}))
    assert near.reason == gate.TWO_RIGHT and near.what == other
    unsure = Judge({**sure, one.answer: gate.BACKED - 0.1})
    assert gate.ruling(one, passage, index.encoder, unsure).reason == gate.DOUBTED


def test_the_first_order_in_which_the_key_does_not_lead_is_the_last_one_asked(index: Retriever) -> None:
    one, orders = item(index), list[str]()

    class Wavering(Writer):
        def likelihoods(
            self, messages: Sequence[BaseMessage], texts: Sequence[str], halt: Any = None
        ) -> list[np.ndarray]:
            orders.append(texts[0])
            lead = -0.1 if len(orders) < 2 else -9.0
            return [np.full(3, lead if text == one.answer else -3.0) for text in texts]

    ruled = gate.ruling(one, quizzes.passage_of(one, index), index.encoder, Wavering())
    assert ruled.reason == gate.NOT_PICKED and len(orders) == 2


@pytest.mark.parametrize(
    ("stem", "answer", "told"),
    [
        ("The PMF of what gives the chance of each value?", "Probability mass function", True),
        ("Which of these does the deoxyribonucleic acid hold?", "DNA", False),
        ("What is deoxyribo nucleic acid called?", "DNA", True),
        ("Which of these holds the plan of a protein?", "Messenger RNA", False),
        ("Which of these is the gross domestic product?", "Gross domestic product", True),
        ("What is the decoder of a variational autoencoder (VAE)?", "VAE decoder", True),
    ],
)
def test_a_stem_that_holds_the_key_or_its_initials_tells_it(stem: str, answer: str, told: bool) -> None:
    assert gate.tells(stem, answer) is told


def test_options_that_rules_reject_cost_no_stem(index: Retriever, monkeypatch: pytest.MonkeyPatch) -> None:
    shorter = (Rival("Tin"), Rival("Zinc"), Rival("Lead"))
    model = Writer()
    monkeypatch.setattr(quizzes, "stem", lambda *_: pytest.fail("a stem was written"))
    passage = index.index.passages[0]
    fact = Fact("term", passage, 0, "", "Copper wire for the roofs of tall houses", ": red", "Copper")
    draw = quizzes.random.Random(0)
    made, reason = quizzes.tried(
        fact, shorter, "multiple-choice", index, index.encoder.encode, model, (), 0, draw, None
    )  # type: ignore[arg-type]
    assert made is None and reason == "longest option correct"


def test_one_distractor_is_made_anew(index: Retriever) -> None:
    one = item(index)
    place = (one.key + 1) % 4
    model = Writer()
    model.lines = {one.stem: one.answer}
    other = quizzes.regenerated(one, place, index, model)  # type: ignore[arg-type]
    assert other.options[place].text not in {option.text for option in one.options}
    assert other.options[place].text in METALS and other.id == one.id
    with pytest.raises(BadRequest, match="no other distractor"):
        quizzes.regenerated(one, one.key, index, model)  # type: ignore[arg-type]
