"""Loading a cross-encoder that reads two texts together, from a local folder or a download made before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ingest.embed import downloaded
from ingest.errors import ModelUnusable


def load_cross_encoder(model: str, what: str, offline: bool = True) -> Any:
    """A sentence-transformers CrossEncoder; `what` names its use to the user: 'reranker'.

    Unless `offline` is False, nothing is downloaded. Raises ModelUnusable if there is none, it cannot be
    loaded, or it is a model of another kind.
    """
    folder = Path(model).expanduser()
    folder = folder if folder.is_dir() else downloaded(model, what, offline)
    _check_kind(folder, model, what)
    try:
        from sentence_transformers import CrossEncoder
        from transformers.utils import logging

        logging.disable_progress_bar()
        return CrossEncoder(str(folder), local_files_only=True)
    except Exception as err:  # whatever a damaged folder makes the loaders raise
        raise ModelUnusable(f"the {what} {model!r} cannot be loaded: {line(err)}") from err


def _check_kind(folder: Path, model: str, what: str) -> None:
    # Of a model without the layer that scores, the loaders would make up a random one.
    try:
        kinds = json.loads((folder / "config.json").read_text("utf-8")).get("architectures") or [""]
    except (OSError, ValueError, AttributeError) as err:
        raise ModelUnusable(f"the {what} {model!r} cannot be loaded: no readable config.json in it") from err
    if not str(kinds[0]).endswith(("ForSequenceClassification", "ForCausalLM")):
        raise ModelUnusable(
            f"{model!r} is no {what}: it is a {kinds[0] or 'model'} without a layer that scores"
        )


def line(err: Exception) -> str:
    """What an error says, on one line."""
    return " ".join(str(err).split())[:200] or type(err).__name__
