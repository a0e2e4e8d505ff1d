"""Reading the notes before anyone asks."""

import threading
from pathlib import Path

import pytest

from ingest.types import Passage
from rag import prompts
from rag.ahead import read_ahead
from rag.engines import weights
from rag.engines.local import LocalModel
from tests.tiny_model import prepared, tiny_model
from tests.waiting import until
from ui import reading


def passage(number: int) -> Passage:
    sentences = (f"w{number} w{number + 1}", f"w{number + 2}")
    return Passage(str(number), "a.md", None, ("w1",), "\n".join(sentences), sentences)


@pytest.fixture
def model(tmp_path: Path) -> LocalModel:
    folder = tmp_path / "model"
    folder.mkdir()
    prepared(tiny_model(), folder)
    loaded, _ = weights.load_int8(folder, kernel="packed")
    return LocalModel(loaded, tiny_model()._tokenizer, max_new_tokens=24, folder=folder)


def test_every_passage_is_read_once(model: LocalModel, tmp_path: Path) -> None:
    passages, told = [passage(n) for n in (10, 20, 30)], []
    assert read_ahead(model, passages, threading.Event(), lambda *step: told.append(step)) == 3
    assert told[0] == ("Reading ahead", 0, 3) and told[-1] == ("Reading ahead", 3, 3)
    assert len(list((tmp_path / "model" / "modules").iterdir())) == 3
    calls: list[int] = []
    model._model.register_forward_hook(lambda *_: calls.append(1))
    assert read_ahead(model, passages, threading.Event()) == 3
    assert not calls


def test_it_goes_on_where_it_was_stopped(model: LocalModel) -> None:
    passages, halt = [passage(n) for n in (10, 20, 30)], threading.Event()

    def after_one(_what: str, done: int, _total: int) -> None:
        if done == 1:
            halt.set()

    assert read_ahead(model, passages, halt, after_one) == 1
    assert read_ahead(model, passages, threading.Event()) == 3


def test_a_damaged_module_is_removed_when_it_is_met_and_read_again(model: LocalModel, tmp_path: Path) -> None:
    read_ahead(model, [passage(10)], threading.Event())
    (file,) = (tmp_path / "model" / "modules").iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:-5] + b"other")
    messages = prompts.answer_prompt("w1", [prompts.shown(passage(10))])
    assert any(model.next_logits(messages, ("yes", "no")))  # it answers all the same
    assert not file.exists()
    assert read_ahead(model, [passage(10)], threading.Event()) == 1
    assert file.stat().st_size == len(whole)


def test_a_model_that_keeps_nothing_reads_nothing_ahead() -> None:
    assert read_ahead(tiny_model(), [passage(10)], threading.Event()) == 0
    assert read_ahead(object(), [passage(10)], threading.Event()) == 0


class Opened:
    """A retriever as far as reading ahead sees it."""

    def __init__(self, *passages: Passage) -> None:
        self.index = type("Index", (), {"passages": passages})


def test_a_new_index_is_read_too(model: LocalModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_LOOK", 0.01)
    now, stop = [Opened(passage(10))], threading.Event()
    thread = threading.Thread(target=reading.while_idle, args=(model, lambda: now[0], stop))
    thread.start()
    folder = tmp_path / "model" / "modules"
    until(lambda: folder.exists() and len(list(folder.glob("*.safetensors"))) == 1)
    now[0] = Opened(passage(10), passage(40))
    until(lambda: len(list(folder.glob("*.safetensors"))) == 2)
    stop.set()
    thread.join(30)
    assert not thread.is_alive()
