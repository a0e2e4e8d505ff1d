"""Where an index lies: its folder, and whether its vectors are in that folder or in Milvus.

An index is always a folder. `--index milvus:./notes.db` names the folder `notes.db.milvus`, whose
vectors are in Milvus Lite at `notes.db`; `--index milvus:http://host:19530` the folder
`data/http-host-19530.milvus`, whose vectors are in that server. The folder's name says where they are
and nothing inside it does: a stranger's folder cannot send questions elsewhere unseen.
"""

from __future__ import annotations

import re
from pathlib import Path

from ingest.errors import IndexUnusable

SUFFIX = ".milvus"
CLUSTERS = Path("data")  # where the folders of indexes in servers lie
_NAMED = re.compile(r"milvus:(?:(https?):/+([A-Za-z0-9._-]+):(\d+)/?|(.+\.db))")
_SERVER = re.compile(r"(https?)-([A-Za-z0-9._-]+)-(\d+)")


def located(index: Path) -> Path:
    """The folder of an index as the command line names it: 'milvus:…', or the folder itself.

    Raises IndexUnusable for a 'milvus:' that names neither a path ending in .db nor http://HOST:PORT.
    """
    text = index.as_posix()  # which has made '//' one '/'
    if not text.startswith("milvus:"):
        return index
    found = _NAMED.fullmatch(text)
    if not found:
        raise IndexUnusable(f"{text} names no Milvus: write milvus:./NAME.db or milvus:http://HOST:19530")
    scheme, host, port, path = found.groups()
    return Path(path + SUFFIX) if path else CLUSTERS / f"{scheme}-{host}-{port}{SUFFIX}"


def milvus_uri(folder: Path) -> str | None:
    """Where Milvus has the vectors of the index in `folder`; None if they are in the folder itself."""
    if folder.suffix != SUFFIX:
        return None
    if folder.stem.endswith(".db"):
        return str(folder.with_suffix(""))
    found = _SERVER.fullmatch(folder.stem)
    return f"{found[1]}://{found[2]}:{found[3]}" if found else None
