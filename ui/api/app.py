"""The HTTP API as a FastAPI app, and how it stands beside the pages under one address."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from pydantic import BaseModel
from starlette.responses import HTMLResponse, Response

from ui.api import chat, checks, errors, notes
from ui.api.door import Door, MayMeasure
from ui.api.guard import PUBLIC, App, Guard
from ui.api.metrics import CONTENT_TYPE
from ui.api.work import Left
from ui.web import api_page

PATHS = (*PUBLIC, "/metrics", "/v1")  # what is the API's; all else is the pages'
ABOUT = (
    "Answers from a course's own notes. /v1/chat/completions and /v1/models are as OpenAI has them. "
    "Everything under /v1, and /metrics, needs a key: Authorization: Bearer ut-…"
)


class Problem(BaseModel):
    """What went wrong."""

    message: str
    type: str
    param: str | None = None
    code: str | None = None


class Failure(BaseModel):
    """Every answer with a status from 400 up."""

    error: Problem


def build_api(door: Door) -> FastAPI:
    """The API over what is behind `door`."""
    app = FastAPI(
        title="Unitutor",
        version="1",
        description=ABOUT,
        docs_url=None,  # FastAPI's own page loads its scripts from elsewhere
        redoc_url=None,
        responses={status: {"model": Failure} for status in (400, 401, 403, 408, 413, 429, 503)},
    )
    for part in (chat, checks, notes):
        app.include_router(part.routes(door))

    @app.get("/healthz", tags=["server"])
    def healthz() -> dict[str, str]:
        """Whether questions can be answered now."""
        door.keys.list(owner="nobody")  # raises what a client is told as 503
        return {"status": "ok"}

    @app.get("/metrics", tags=["server"], response_class=Response)
    def metrics(_: MayMeasure) -> Response:
        """What Prometheus asks for, with a key that has the scope metrics."""
        return Response(door.metrics.text(*door.queue.busy()), media_type=CONTENT_TYPE)

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        """The schema as a page that fetches nothing."""
        return HTMLResponse(api_page.page_html(app.openapi()))

    @app.exception_handler(Left)
    async def left(_: Request, __: Left) -> Response:
        return Response(status_code=499)  # nobody reads it; the log does

    errors.handle(app)
    app.add_middleware(Guard, door=door)
    _described(app)
    return app


def beside(pages: FastAPI, api: FastAPI) -> FastAPI:
    """The pages' app, with the API answering what is its own."""
    pages.add_middleware(_Beside, api=api)
    return pages


class _Beside:
    """Sends a request where it belongs, before anything else looks at it."""

    def __init__(self, app: App, api: App) -> None:
        self._pages, self._api = app, api

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path", "")
        ours = scope["type"] == "http" and any(path == one or path.startswith(f"{one}/") for one in PATHS)
        await (self._api if ours else self._pages)(scope, receive, send)


def _described(app: FastAPI) -> None:
    """Say in the schema what is sent for a request that is not understood: 400, where FastAPI has 422."""
    described = app.openapi

    def schema() -> dict[str, Any]:
        if app.openapi_schema is None:
            for path in described()["paths"].values():
                for method in path.values():
                    method.get("responses", {}).pop("422", None)
        return described()

    app.openapi = schema  # type: ignore[method-assign]
