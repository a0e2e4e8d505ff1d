"""Notes over the API: checked by content, kept under names made here, indexed, and taken away again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.store import peek
from tests.api_server import Api, serving
from tests.ingest_fakes import pdf
from ui.api.door import Bounds
from ui.uploads import roots

WOOD = b"# Wood\n\nOak is heavy and burns slowly in the stove of a house.\n"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with serving(tmp_path_factory.mktemp("notes"), bounds=Bounds(upload=200_000)) as running:
        yield running


def bring(api: Api, name: str, content: bytes) -> Any:
    with api.client() as client:
        return client.post("/v1/notes", files={"file": (name, content)})


def settled(api: Api) -> None:
    assert api.door.uploads is not None and api.door.uploads.settled(60)


def made_of(api: Api) -> set[str]:
    known = peek(api.folder / "index")
    assert known is not None
    return set(known.made_of)


def lying(api: Api) -> set[str]:
    folder = api.folder / "kept" / "uploads"
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def test_brought_listed_indexed_and_taken_away(api: Api) -> None:
    before = lying(api)
    made = bring(api, "../../Wood & Trees (1).md", WOOD)
    assert made.status_code == 201
    one = made.json()
    assert one["name"] == "Wood & Trees (1).md" and one["source"] == f"wood-trees-1-{one['id']}.md"
    assert lying(api) - before == {one["source"], f".{one['id']}.json"}
    assert roots(api.notes, api.folder / "kept") == (api.notes, api.folder / "kept" / "uploads")
    settled(api)
    assert made_of(api) == {"metals.md", one["source"]}
    with api.client() as client:
        (listed,) = client.get("/v1/notes").json()["data"]
        assert listed == {**one, "state": "indexed"}
        again = bring(api, "other.md", WOOD)
        assert again.status_code == 400 and one["id"] in again.text
        assert client.delete(f"/v1/notes/{one['id']}").json()["deleted"]
        assert client.delete(f"/v1/notes/{one['id']}").status_code == 404
        assert client.get("/v1/notes").json()["data"] == []
    settled(api)
    assert made_of(api) == {"metals.md"} and lying(api) == before
    assert roots(api.notes, api.folder / "kept") == (api.notes,)


@pytest.mark.parametrize(
    "name, content",
    [
        ("program.md", b"\x7fELF\x02\x01\x01" + b"\0" * 100),
        ("zeros.txt", b"text\0text"),
        ("a.pdf", b"# No PDF at all\n"),
        ("a.pdf", b"%PDF-1.7\nbroken"),
        ("a.docx", b"PK\x03\x04broken"),
        ("a.exe", b"MZ"),
        ("a.zip", b"PK\x03\x04"),
        ("notes", b"text"),
        ("empty.md", b""),
        ("blank.md", b" \n"),
        ("x" * 300 + ".exe", b"x"),
    ],
)
def test_what_is_no_notes_leaves_nothing(api: Api, name: str, content: bytes) -> None:
    before = lying(api)
    refused = bring(api, name, content)
    assert refused.status_code == 400, refused.text
    assert refused.json()["error"]["message"] and lying(api) == before


def test_too_large_is_413_and_no_file_is_400(api: Api) -> None:
    before = lying(api)
    assert bring(api, "large.md", b"word " * 100_000).status_code == 413
    with api.client() as client:
        assert client.post("/v1/notes", data={"file": "text"}).status_code == 400
        assert (
            client.post(
                "/v1/notes", content=b"x", headers={"Content-Type": "multipart/form-data"}
            ).status_code
            == 400
        )
    assert lying(api) == before


def test_a_pdf_is_read_before_it_is_taken(api: Api) -> None:
    made = bring(api, "Übung.pdf", pdf([[("Birch trees", 18), ("Birch bark is white and peels.", 11)]]))
    assert made.status_code == 201 and made.json()["source"].startswith("ubung-")
    settled(api)
    with api.client() as client:
        client.delete(f"/v1/notes/{made.json()['id']}")
    settled(api)


def test_an_index_without_its_notes_takes_none(tmp_path: Path) -> None:
    with serving(tmp_path) as api:
        shutil.rmtree(api.notes)
        refused = bring(api, "wood.md", WOOD)
        assert refused.status_code == 400 and "--notes" in refused.text
        settled(api)
        assert made_of(api) == {"metals.md"} and lying(api) == set()
