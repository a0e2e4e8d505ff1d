"""The routes of the notes: /v1/notes lists them, takes more, and takes away what was brought here."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, File, Path, Request, UploadFile
from starlette.concurrency import run_in_threadpool

from ui.api.door import Door, MayNotes, noter
from ui.api.errors import Refused
from ui.uploads import Upload, Uploads

NONE = "This server takes no notes."


def routes(door: Door) -> APIRouter:
    """The routes."""
    router = APIRouter()

    @router.get("/v1/notes", tags=["notes"])
    def listed(_: MayNotes) -> dict[str, Any]:
        """The files in the index, and those brought here with how far their indexing is."""
        brought = door.uploads.list() if door.uploads else ()
        uploads = [_values(one, door.uploads) for one in brought if door.uploads]
        return {"object": "list", "data": uploads, "sources": list(door.tutor.sources)}

    @router.post("/v1/notes", tags=["notes"], status_code=201)
    async def take(file: Annotated[UploadFile, File()], request: Request, key: MayNotes) -> dict[str, Any]:
        """Bring a file of notes. It is checked before this answers, and indexed soon after."""
        if door.uploads is None:
            raise Refused(404, NONE)
        noter(request)(bytes=file.size)
        made = await run_in_threadpool(door.uploads.take, file.filename or "", file.file, key.id)
        return _values(made, door.uploads)

    @router.delete("/v1/notes/{id}", tags=["notes"])
    def remove(id: Annotated[str, Path(max_length=40)], _: MayNotes) -> dict[str, Any]:
        """Take away a file that was brought here."""
        gone = door.uploads.remove(id) if door.uploads else None
        if gone is None:
            raise Refused(404, "No notes of this id were brought here: see GET /v1/notes.", "id")
        return {"id": gone.id, "object": "notes", "deleted": True}

    return router


def _values(upload: Upload, uploads: Uploads) -> dict[str, Any]:
    return {
        "id": upload.id,
        "object": "notes",
        "name": upload.name,
        "source": upload.source,
        "bytes": upload.bytes,
        "sha256": upload.sha256,
        "created": int(upload.created),
        "state": uploads.state(upload),
    }
