"""What every request to the API passes first: its key, its rate, its size; and what is noted of it after.

It stands before the routes, so that a route which was forgotten is closed and not open. A body is read
only for a known key. What is not here: which scope a route asks for (ui/api/door.py).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException

from ingest.errors import UnitutorError
from rag.apikeys import ApiKey
from ui.api.door import KEY, NOTED, Door
from ui.api.errors import Refused, refusal, response

BACK = 2.0  # seconds by which a clock may be set back without a word
PUBLIC = ("/healthz", "/openapi.json", "/docs")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


class Guard:
    """ASGI middleware around the routes of the API."""

    def __init__(self, app: App, door: Door) -> None:
        """`door` has the keys, the bounds, the log and the counters."""
        self._app = app
        self._door = door
        self._rates = MovingWindowRateLimiter(MemoryStorage())
        self._last = 0.0  # when a rate was last looked at

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), 500
        noted: dict[str, Any] = scope.setdefault(NOTED, {})

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = int(message["status"])
            await send(message)

        try:
            try:
                key = await self._known(scope)
                self._within(key)
                scope[KEY] = key
                await self._app(scope, self._bounded(scope, receive), sending)
            except (HTTPException, UnitutorError) as problem:
                said = problem if isinstance(problem, HTTPException) else refusal(problem)
                await response(said)(scope, receive, sending)
        finally:
            self._noted(scope, status, time.monotonic() - began, noted)

    async def _known(self, scope: MutableMapping[str, Any]) -> ApiKey | None:
        """The request's key, None where none is asked for. Raises Refused for a stranger."""
        if scope["path"] in PUBLIC:
            return None
        said = Headers(scope=scope).get("authorization", "")
        kind, _, text = said.partition(" ")
        headers = {"WWW-Authenticate": "Bearer"}
        if kind.lower() != "bearer" or not text.strip():
            raise Refused(401, "This needs a key: Authorization: Bearer ut-…", headers=headers)
        found = await run_in_threadpool(self._door.keys.known, text.strip())
        if found is None:
            raise Refused(401, "This key is not known, or was revoked.", headers=headers)
        return found

    def _within(self, key: ApiKey | None) -> None:
        """Raises Refused where the key has asked too often in the last minute."""
        if key is None:
            return
        now = time.time()
        if now < self._last - BACK:  # a clock set back would refuse a key until it is where it was
            self._rates = MovingWindowRateLimiter(MemoryStorage())
        self._last = now
        rate = RateLimitItemPerMinute(key.per_minute)
        if not self._rates.hit(rate, key.id):
            reset = self._rates.get_window_stats(rate, key.id).reset_time
            wait = max(1, min(60, int(reset - time.time()) + 1))
            said = f"This key may ask {key.per_minute:,} times a minute: try again in {wait} s."
            raise Refused(429, said, headers={"Retry-After": str(wait)})

    def _bounded(self, scope: MutableMapping[str, Any], receive: Receive) -> Receive:
        """What the body is read from: no further than its bound, and not for ever. Raises Refused."""
        headers, bounds = Headers(scope=scope), self._door.bounds
        file = headers.get("content-type", "").lower().startswith("multipart/")
        most = bounds.upload if file else bounds.bytes
        until = time.monotonic() + (bounds.uploading if file else bounds.arriving)
        large = Refused(413, f"The request is larger than {most / 2**20:.0f} MB: send less at a time.")
        length = headers.get("content-length", "0")
        if not length.isdecimal() or len(length) > 15:
            raise Refused(400, "The Content-Length is none.")
        if int(length) > most:
            raise large
        size, whole = 0, False

        async def bounded() -> Message:
            nonlocal size, whole
            if whole:
                return await receive()  # that the client has gone
            try:
                message = await asyncio.wait_for(receive(), max(0.01, until - time.monotonic()))
            except TimeoutError:
                raise Refused(408, "The request did not arrive in time.") from None
            if message["type"] == "http.request":
                size += len(message.get("body", b""))
                whole = not message.get("more_body")
                if size > most:
                    raise large
            return message

        return bounded

    def _noted(
        self, scope: MutableMapping[str, Any], status: int, seconds: float, noted: dict[str, Any]
    ) -> None:
        route = getattr(scope.get("route"), "path", "")  # never the path itself: anyone may ask for anything
        door, key = self._door, scope.get(KEY)
        door.metrics.requests.labels(route, str(status)).inc()
        door.metrics.seconds.labels(route).observe(seconds)
        values = {
            "time": round(time.time(), 3),
            "key": key.id if key else "",
            "method": scope["method"] if scope["method"].isalpha() else "",
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 1),
            **noted,
        }

        def used() -> None:
            with suppress(UnitutorError):  # that a key was used now is no reason to lose an answer
                if key:
                    door.keys.use(key)

        door.log.note(values, used)
