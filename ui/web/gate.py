"""What stands before the pages where there are accounts: who is not signed in, or may not, gets no further.

It knows the few addresses that Gradio's own pages ask for, and refuses the others: its sign-in, uploads,
files, its API. A page's session belongs to who used it first, so with another's nothing is found. What
is the instructor's is refused to students by the function that is called, whatever page asked for it.
What is not here: the sign-in itself (ui/web/signin.py).
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from ingest.errors import UnitutorError
from rag.people import Person
from rag.signins import SignIns
from ui.web import signin_page
from ui.web.who import SCOPE

if TYPE_CHECKING:
    import gradio as gr
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

INSTRUCTORS = ("desk", "gaps")  # the pages that students have no business on
LARGEST = 96 * 1024 * 1024  # bytes of a request: a file of conversations that is imported has up to 64 MB
SESSIONS = 100_000  # pages whose owner is remembered
COOKIE = "unitutor"
API = "/gradio_api"
ASKED = re.compile(  # what may be read of Gradio, beside the pages
    r"/(config/?|theme\.css|favicon\.ico|robots\.txt|manifest\.json|pwa_icon(/\d+)?"
    r"|(static|assets|svelte)/.+)"
    rf"|{API}/(theme\.css|startup-events|queue/data|heartbeat/[^/]+|info/?|custom_component/.+)"
)
CALLED = re.compile(rf"{API}/(queue/join|run/[^/]+/?|cancel|reset/?)")  # and what may be sent to it
PAGES = re.compile(r"/[a-z]*/?")
_HEADERS = {"x-frame-options": "SAMEORIGIN", "x-content-type-options": "nosniff"}


class Refused(Exception):
    """A request that goes no further."""

    def __init__(self, status: int, words: str) -> None:
        """`words` are for who asked."""
        super().__init__(words)
        self.status = status
        self.words = words


class Gate:
    """ASGI: Gradio's pages behind it, for people who are signed in."""

    def __init__(self, app: ASGIApp, blocks: gr.Blocks, signins: SignIns) -> None:
        """`blocks` are the pages that `app` serves."""
        self._app = app
        self._signins = signins
        self._page_of = {number: str(fn.page) for number, fn in blocks.fns.items()}
        self._pages = {f"/{name}" for name, *_ in blocks.pages} | {"/"}
        self._sessions: OrderedDict[str, str] = OrderedDict()  # a page's session to its person's id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] == "websocket":  # the pages use none
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = path_of(scope)
        try:
            found = await run_in_threadpool(self._signins.person, token(scope))
        except UnitutorError as error:
            await JSONResponse({"detail": str(error)}, 503)(scope, receive, send)
            return
        if found is None:
            await _stranger(scope, path)(scope, receive, send)
            return
        try:
            receive = await self._checked(scope, receive, path, found)
        except Refused as refused:
            await _refusal(scope, refused)(scope, receive, send)
            return
        await self._app({**scope, SCOPE: found}, receive, _marked(send))

    async def _checked(self, scope: Scope, receive: Receive, path: str, who: Person) -> Receive:
        """Raises Refused, or gives what the request's body is to be read from."""
        if scope["method"] in ("GET", "HEAD"):
            self._may_read(scope, path, who)
            return receive
        if scope["method"] != "POST" or not CALLED.fullmatch(path):
            raise Refused(404, "There is nothing here.")
        if not same_origin(scope):
            raise Refused(403, "This did not come from a page of this site.")
        return await self._call(receive, path, who)

    def _may_read(self, scope: Scope, path: str, who: Person) -> None:
        if PAGES.fullmatch(path) and (path.rstrip("/") or "/") in self._pages:
            if path.strip("/") in INSTRUCTORS and not who.teaches:
                raise Refused(403, "This page is for instructors.")
            return
        if not ASKED.fullmatch(path):
            raise Refused(404, "There is nothing here.")
        asked = parse_qs(scope["query_string"].decode("latin-1"))
        for name in asked.get("session_hash", []):
            self._own(name, who)
        if path.startswith(f"{API}/queue/data") and len(asked.get("session_hash", [])) != 1:
            raise Refused(400, "Which page is this?")
        if path.startswith(f"{API}/heartbeat/"):
            self._own(path.rpartition("/")[2], who)

    async def _call(self, receive: Receive, path: str, who: Person) -> Receive:
        raw = await _body(receive)
        try:
            sent = await run_in_threadpool(json.loads, raw)
        except (ValueError, RecursionError) as error:
            raise Refused(400, "This is not JSON.") from error
        if not isinstance(sent, dict):
            raise Refused(400, "This is no call of a page.")
        if not path.startswith(f"{API}/reset"):
            self._own(sent.get("session_hash"), who)
            called = sent.get("fn_index")
            if type(called) is not int or called not in self._page_of:
                raise Refused(404, "There is no such function.")
            if self._page_of[called] in INSTRUCTORS and not who.teaches:
                raise Refused(403, "This is for instructors.")
        # As it was understood here, so that nobody behind understands it otherwise.
        text = await run_in_threadpool(json.dumps, sent)
        return _replayed(text.encode(), receive)

    def _own(self, session: Any, who: Person) -> None:
        """Raises Refused where a page's session is another's."""
        if not isinstance(session, str) or not 0 < len(session) <= 100:
            raise Refused(400, "Which page is this?")
        if self._sessions.setdefault(session, who.id) != who.id:
            raise Refused(403, "This page is not yours: load it again.")
        self._sessions.move_to_end(session)
        if len(self._sessions) > SESSIONS:
            self._sessions.popitem(last=False)


def token(scope: Scope) -> str:
    """What the browser's cookie holds, '' without one."""
    return HTTPConnection(scope).cookies.get(cookie_name(scope), "")


def cookie_name(scope: Scope) -> str:
    """Over https no other site can set it (RFC 6265bis, 4.1.3.2)."""
    return f"__Host-{COOKIE}" if scope["scheme"] == "https" else COOKIE


def path_of(scope: Scope) -> str:
    """The path of a request below where the app is mounted."""
    path: str = scope["path"]
    root = scope.get("root_path", "")
    return path[len(root) :] or "/" if root and path.startswith(root) else path


def same_origin(scope: Scope) -> bool:
    """Whether a page of this very site sent this, by the headers that no other site can forge."""
    headers = Headers(scope=scope)
    if site := headers.get("sec-fetch-site"):
        return site == "same-origin"
    origin = headers.get("origin", "")
    return bool(origin) and urlsplit(origin).netloc.lower() == headers.get("host", "").lower()


def _stranger(scope: Scope, path: str) -> Response:
    """Who is not signed in is led to where that is done; a page's script learns it in a word."""
    if scope["method"] in ("GET", "HEAD") and "text/html" in Headers(scope=scope).get("accept", ""):
        query = scope["query_string"].decode("latin-1")
        to = quote(path + (f"?{query}" if query else ""), safe="")
        return RedirectResponse(f"{scope.get('root_path', '').rstrip('/')}/signin?next={to}", 303)
    return JSONResponse({"detail": "Sign in first."}, 401)


def _refusal(scope: Scope, refused: Refused) -> Response:
    if scope["method"] == "GET" and "text/html" in Headers(scope=scope).get("accept", ""):
        return HTMLResponse(signin_page.told(refused.words), refused.status)
    return JSONResponse({"detail": refused.words}, refused.status)


def _marked(send: Send) -> Send:
    """Pages of a person are not kept by caches, and stand in no other site's frame."""

    async def marked(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            if headers.get("content-type", "").startswith(("text/html", "application/json")):
                headers["cache-control"] = "no-store"
        await send(message)

    return marked


async def _body(receive: Receive) -> bytes:
    """Raises Refused where it is too large, or the browser has gone."""
    parts, size = [], 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise Refused(400, "The request did not arrive whole.")
        size += len(message.get("body", b""))
        if size > LARGEST:
            raise Refused(413, "This is too large.")
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            return await receive()  # the browser's going is told as before
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed
