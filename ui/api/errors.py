"""Errors in the shape that clients of OpenAI's API read: {"error": {message, type, param, code}}."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from ingest.errors import BadRequest, NotesError, UnitutorError
from ui.queueing import RETRY, QueueFull
from ui.terminal import one_line

# What each status is called, where nothing more is known.
TYPES = {
    400: ("invalid_request_error", None),
    401: ("invalid_request_error", "invalid_api_key"),
    403: ("invalid_request_error", "insufficient_permissions"),
    404: ("invalid_request_error", "not_found"),
    405: ("invalid_request_error", "method_not_allowed"),
    408: ("invalid_request_error", "request_timeout"),
    413: ("invalid_request_error", "request_too_large"),
    429: ("rate_limit_error", "rate_limit_exceeded"),
    503: ("server_error", "unavailable"),
}
LONGEST = 500  # characters of a message


class Refused(HTTPException):
    """A request that is not answered, and why."""

    def __init__(
        self,
        status: int,
        message: str,
        param: str | None = None,
        code: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(status, message, headers)
        self.param = param
        self.code = code


def error(status: int, message: str, param: str | None = None, code: str | None = None) -> dict[str, Any]:
    """The error as plain JSON values."""
    kind, usual = TYPES.get(status, ("invalid_request_error" if status < 500 else "server_error", None))
    said = one_line(message, LONGEST)
    return {"error": {"message": said, "type": kind, "param": param, "code": code or usual}}


def response(refused: HTTPException) -> JSONResponse:
    """What is sent for it."""
    param, code = getattr(refused, "param", None), getattr(refused, "code", None)
    values = error(refused.status_code, str(refused.detail), param, code)
    return JSONResponse(values, refused.status_code, headers=refused.headers)


def refusal(problem: UnitutorError) -> Refused:
    """What a user caused is 4xx; a part that does not work now is 503."""
    if isinstance(problem, QueueFull):
        return Refused(429, str(problem), code="queue_full", headers={"Retry-After": str(RETRY)})
    if isinstance(problem, BadRequest | NotesError):
        return Refused(400, str(problem))
    return Refused(503, str(problem), headers={"Retry-After": str(RETRY)})


def handle(app: FastAPI) -> None:
    """Have all errors of `app` sent in this shape."""

    @app.exception_handler(HTTPException)
    async def refused(_: Request, problem: HTTPException) -> JSONResponse:
        return response(problem)

    @app.exception_handler(UnitutorError)
    async def caused(_: Request, problem: UnitutorError) -> JSONResponse:
        return response(refusal(problem))

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, problem: RequestValidationError) -> JSONResponse:
        first = problem.errors()[0]
        where = ".".join(str(part) for part in first["loc"][1:])
        if first["type"] == "json_invalid":
            return response(Refused(400, "The body is not JSON.", code="invalid_json"))
        said = f"{where}: {first['msg']}" if where else str(first["msg"])
        return response(Refused(400, said, one_line(where, 80) or None))

    @app.exception_handler(Exception)
    async def bug(_: Request, problem: Exception) -> JSONResponse:
        return JSONResponse(error(500, "This should not have happened: see the server's log."), 500)
