"""The fixed start of prompts, kept on disk: read once, trusted only where whole, never in the way."""

import shutil
from pathlib import Path

import pytest
import torch

from ingest.errors import ModelUnusable
from rag.engines import prefix, tensors, weights
from rag.engines.local import LocalModel
from tests.tiny_model import asked, prepared, tiny_model


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tiny_model(), tmp_path_factory.mktemp("prepared"))


def opened(folder: Path) -> LocalModel:
    """As a new process opens it."""
    model, _ = weights.load_int8(folder, kernel="packed")
    return LocalModel(model, tiny_model()._tokenizer, max_new_tokens=24, folder=folder)


def held(model: LocalModel, text: str) -> int:
    return int(model.invoke(asked(text)).usage_metadata["input_token_details"]["cache_read"])


def warmed(folder: Path) -> tuple[LocalModel, int]:
    """A model opened anew and warmed, and how often it was called for that."""
    model, calls = opened(folder), []
    hook = model._model.register_forward_hook(lambda *_: calls.append(1))
    model.warm(asked("w80 w81 w82 w83"))
    hook.remove()
    return model, len(calls)


def test_a_new_process_does_not_read_it_again(folder: Path, tmp_path: Path) -> None:
    here = Path(shutil.copytree(folder, tmp_path / "model"))
    first, calls = warmed(here)
    assert calls == 1
    second, calls = warmed(here)
    assert calls == 0
    cold = opened(here)
    question = "w80 w81 w82 w83 w5 w6"
    wanted = cold._read(cold._tokenize(asked(question)), None)[0].logits
    for model in (first, second):
        reading, had = model._read(model._tokenize(asked(question)), None)
        assert had > 8
        assert torch.allclose(reading.logits, wanted, atol=0.05)


def test_other_prompts_do_not_push_it_out(folder: Path) -> None:
    model, _ = warmed(folder)
    for number in range(6):
        held(model, " ".join(f"w{number + place}" for place in range(60)))
    assert held(model, "w80 w81 w82 w83") > 8


@pytest.mark.parametrize("damage", ["short", "other", "flipped", "empty"])
def test_a_damaged_file_is_read_again(folder: Path, tmp_path: Path, damage: str) -> None:
    here = Path(shutil.copytree(folder, tmp_path / "model"))
    warmed(here)
    (file,) = here.glob("prefix-*.safetensors")
    data = bytearray(file.read_bytes())
    if damage == "flipped":
        data[-20] ^= 0x40
    elif damage == "other":
        data = bytearray((here / "int8.safetensors").read_bytes())
    file.write_bytes(data[: {"short": 100, "empty": 0}.get(damage, len(data))])
    assert warmed(here)[1] == 1
    assert warmed(here)[1] == 0  # and it is whole again
    assert not list(here.glob(".prefix-*"))


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Path(shutil.copytree(folder, tmp_path / "model"))

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tensors.tempfile, "mkstemp", refuse)
    model, _ = warmed(here)
    assert held(model, "w80 w81 w82 w83") > 8


def test_old_ones_go(folder: Path, tmp_path: Path) -> None:
    here = Path(shutil.copytree(folder, tmp_path / "model"))
    model = opened(here)
    for number in range(prefix.FILES + 2):
        model.warm(asked(f"w{number}"))
    assert len(list(here.glob("prefix-*.safetensors"))) == prefix.FILES


def test_another_kernel_or_text_has_another_file(tmp_path: Path) -> None:
    names = {prefix.path(tmp_path, ids, kernel) for ids in ([1, 2], [1, 3]) for kernel in ("packed", "plain")}
    assert len(names) == 4


@pytest.mark.parametrize("damage", ["weights", "header", "config", "tokenizer"])
def test_a_damaged_model_folder_is_one_line(folder: Path, tmp_path: Path, damage: str) -> None:
    here = Path(shutil.copytree(folder, tmp_path / "model"))
    name = {"config": "config.json", "tokenizer": "tokenizer.json"}.get(damage, "int8.safetensors")
    data = bytearray((here / name).read_bytes())
    data[8:60] = b"\0" * 52
    if damage == "weights":
        data = data[:-200]
        (here / "manifest.json").write_text(f'{{"sizes": {{"int8.safetensors": {len(data)}}}}}')
    (here / name).write_bytes(data)
    with pytest.raises(ModelUnusable, match="damaged") as error:
        weights.load_int8(here)
    assert "\n" not in str(error.value)
