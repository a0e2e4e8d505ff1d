"""A tutor that answers from a script: the pages' tests need no model."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from langchain_core.runnables import Runnable, RunnableGenerator

from ingest.errors import BadRequest, ModelUnusable
from rag.journal import Journal
from rag.types import Answer, Ask, Citation, Quote, Sentence, Timings

GAN = (
    "A generative adversarial network trains two networks against each other. The generator turns "
    "random noise into samples that should look real, and the discriminator learns to tell them from "
    "the training data. Training ends, in theory, where the discriminator can do no better than chance."
)
LOSS = (
    "The two play a minimax game: the discriminator maximises $V(D, G)$ and the generator minimises it. "
    "In practice the generator maximises $\\log D(G(z))$, because its gradient is larger early on."
)
CITATIONS = (
    Citation(
        1, "unit-1-generative-ai.pdf", 7, "Model families > GANs", GAN.split(". ")[0] + ".", 0.93, "a1", GAN
    ),
    Citation(
        2,
        "slides/training.pptx",
        12,
        "Training > Adversarial loss",
        "The two play a minimax game: the discriminator maximises $V(D, G)$ and the generator minimises it.",
        0.71,
        "b2",
        LOSS,
    ),
    Citation(3, "people.txt", None, "People", "Ian Goodfellow described GANs in 2014.", 0.44, "c3",
             "Ian Goodfellow described GANs in 2014. " + "He was then a student in Montréal. " * 18),
)  # fmt: skip
TEXT = (
    "A GAN trains **two networks** against each other [1]. The *generator* makes samples from noise, and the "
    "*discriminator* tells them from real data [1]. They play a minimax game [2]:\n\n"
    "$$\\min_G \\max_D V(D, G) = \\mathbb{E}_x[\\log D(x)] + \\mathbb{E}_z[\\log(1 - D(G(z)))]$$\n\n"
    "- The generator never sees a real sample; it costs $5 or $6 to train.\n"
    "- Ian Goodfellow described GANs in 2014 [3].\n"
    "- Training ends when the discriminator never errs.\n\n"
    "I hope this helps!"
)
QUOTES = tuple(Quote(c.quote, c.source, c.page, c.passage_id, 0.9) for c in CITATIONS)
END = Quote(GAN.split(". ")[2], "unit-1-generative-ai.pdf", 7, "a1", 0.6)
SENTENCES = (
    Sentence("A GAN trains **two networks** against each other", 0.97, "supported", (1,), QUOTES[:2]),
    Sentence(
        "The *generator* makes samples from noise, and the *discriminator* tells them from real data",
        0.93,
        "supported",
        (1,),
        QUOTES[:1],
    ),
    Sentence("They play a minimax game", 0.6, "partly", (2,), QUOTES[1:2]),
    Sentence(
        "The generator never sees a real sample; it costs $5 or $6 to train.",
        0.1,
        "unsupported",
        (),
    ),
    Sentence("Ian Goodfellow described GANs in 2014", 0.995, "supported", (3,), QUOTES[2:]),
    Sentence("Training ends when the discriminator never errs.", 0.03, "contradicted", (), (END,)),
    Sentence("I hope this helps!", 1.0, "not-a-claim", ()),
)
REFUSAL = "The notes do not answer this question."
HOSTILE = (
    "<script>window.__x=1</script><img src=x onerror=\"window.__x=1\"><img src='http://evil.invalid/a.png'> "
    "![p](http://evil.invalid/b.png) [link](javascript:window.__x=1) [out](http://evil.invalid/c) "
    "http://evil.invalid/d www.evil.invalid <http://evil.invalid/e> a@evil.invalid &lt;b&gt; "
    "${window.__x=1} {{#each this}}{{this}}{{/each}} <svg onload=window.__x=1> "
    "\\[ \\href{javascript:window.__x=1}{x} \\includegraphics{http://evil.invalid/f.png} \\]\n\n"
    "[ref]: http://evil.invalid/g\n[ref] ![ref]\n\n"
    "<iframe src=\"http://evil.invalid/h\"></iframe><style>@import 'http://evil.invalid/i';</style>\n\n"
    "```mermaid\ngraph TD; A[\"<img src='http://evil.invalid/j.png' onerror='window.__x=1'>\"]\n```\n"
)


@dataclass(frozen=True)
class ScriptedTutor:
    """The attributes of the real one."""

    chain: Runnable[Ask, Answer]
    sources: tuple[str, ...] = ("people.txt", "slides/training.pptx", "unit-1-generative-ai.pdf")
    starters: tuple[str, ...] = (
        "What is generative AI?",
        "How does a GAN train its two networks?",
        "What is nucleus sampling?",
        "Why are conversations stored in a vector database?",
    )
    model: object = None  # the lab compares on none, unless a test gives it one
    retriever: object = None
    folder: Path | None = None
    notes: tuple[Path, ...] = ()
    notice: str = ""
    journal: Journal | None = None
    entailment: None = None


def tutor(pause: float = 0.02, reading: float = 0.4) -> ScriptedTutor:
    """A tutor whose words come `pause` seconds apart, `reading` seconds after its citations."""

    def stream(asks: Iterator[Ask]) -> Iterator[Answer]:
        for ask in asks:
            yield from _answers(ask, pause, reading)

    # As of langchain-core 1.x a generator runnable takes the iterator of its inputs.
    return ScriptedTutor(RunnableGenerator(stream))


def _answers(ask: Ask, pause: float, reading: float) -> Iterator[Answer]:
    question = ask.question.strip()
    if not question:
        raise BadRequest("Type a question first.")
    if len(question) > 4000:
        raise BadRequest(f"A question may have 4,000 characters, not {len(question):,}: shorten it.")
    if "broken engine" in question:
        raise ModelUnusable("The language model ran out of memory: close other programs and ask again.")
    start = time.monotonic()
    answer = Answer(ask.question, ask.decoding)
    yield answer
    time.sleep(reading)
    if "weather" in question:
        timings = Timings(retrieve_ms=40, total_ms=reading * 1000)
        yield replace(
            answer, stage="done", answer=REFUSAL, refused=True, closest=CITATIONS[:2], timings=timings
        )
        return
    text, cited, sentences = TEXT, CITATIONS, SENTENCES
    if "hostile" in question:
        text = HOSTILE + " and a marker [1]."
        cited = (Citation(1, HOSTILE[:80], 1, HOSTILE, HOSTILE[:60], 0.5, "h", HOSTILE),)
        nasty = Quote(HOSTILE, HOSTILE[:80], 1, "h", 0.5)
        sentences = (Sentence("and a marker", 0.2, "contradicted", (), (nasty,)),)
    if "history" in question:
        text = f"{len(ask.history)} earlier turns, {len(ask.sources)} sources, seed {ask.decoding.seed}."
    if "long" in question:
        text = " ".join([TEXT] * 15)  # longer than any test takes: it is stopped
    answer = replace(answer, stage="reading", citations=cited, timings=Timings(retrieve_ms=40))
    yield answer
    time.sleep(reading)
    first = (time.monotonic() - start) * 1000
    words = text.split(" ")
    for count in range(1, len(words) + 1):
        if ask.stop.is_set():
            break
        answer = replace(
            answer,
            stage="writing",
            answer=" ".join(words[:count]),
            timings=Timings(40, first, 0, 412, 300, count),
        )
        yield answer
        time.sleep(pause)
    stopped = ask.stop.is_set()
    if "check" in question and not stopped:  # the quick check, then as long as anyone waits the full one
        yield replace(
            answer, stage="checking", sentences=(replace(SENTENCES[0], label="unsupported", support=0.3),)
        )
        ask.stop.wait(30)
    total = (time.monotonic() - start) * 1000
    yield replace(
        answer,
        stage="done",
        stopped=stopped,
        sentences=() if stopped else sentences,
        rewritten=2 if ask.strict else 0,
        dropped=1 if ask.strict else 0,
        timings=replace(answer.timings, total_ms=total),
    )
