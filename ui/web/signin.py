"""Signing in and out: the addresses that answer to who is not signed in yet, and the cookie.

The cookie holds a random number; the row it leads to says who it is (rag/signins.py). What is not here:
how the pages look (ui/web/signin_page.py), and a university's sign-in (ui/web/oidc.py).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from ingest.errors import BadRequest, UnitutorError
from rag.people import People, Person
from rag.signins import LONGEST, SignIns
from ui.web import signin_page
from ui.web.gate import cookie_name, same_origin, token
from ui.web.tries import Tries

if TYPE_CHECKING:
    from ui.web.oidc import University

WRONG = "The name or the password is wrong."
ELSEWHERE = "This did not come from a page of this site: load the page and try again."
LARGEST = 16 * 1024  # bytes of a form
Answer = Callable[[Request], Awaitable[Response]]


class SignIn:
    """The handlers."""

    def __init__(self, people: People, signins: SignIns, university: University | None) -> None:
        """`university` is another way in, or None."""
        self.people = people
        self.signins = signins
        self.university = university
        self.tries = Tries()

    def routes(self) -> list[Route]:
        """Where they answer."""
        routes = [
            Route("/signin", self._answered(self.show), methods=["GET"]),
            Route("/signin", self._answered(self.enter), methods=["POST"]),
            Route("/signout", self._answered(self.leave), methods=["POST"]),
            Route("/account", self._answered(self.account), methods=["GET"]),
            Route("/account", self._answered(self.change), methods=["POST"]),
        ]
        if self.university is not None:
            routes += [
                Route("/signin/university", self._answered(self.depart), methods=["GET"]),
                Route("/signin/back", self._answered(self.arrive), methods=["GET"]),
            ]
        return routes

    # By name and password

    async def show(self, request: Request) -> Response:
        """The page to sign in at; who is signed in goes on at once."""
        to = local(request.query_params.get("next", ""))
        if await self._who(request) is not None:
            return _redirect(request, to)
        return self._page(to)

    async def enter(self, request: Request) -> Response:
        """A name and a password."""
        form = await _form(request)
        name, to = form.get("name", ""), local(form.get("next", ""))
        address = request.client.host if request.client else ""
        if wait := self.tries.begin(name, address):
            words = f"Too many tries: wait {_minutes(wait)}, then try again."
            return self._page(to, name, words, 429, {"retry-after": str(wait)})
        found = await run_in_threadpool(self.people.verified, name, form.get("password", ""))
        if found is None:
            self.tries.failed(address)
            return self._page(to, name, WRONG, 403)
        self.tries.right(name, address)
        return await self._entered(request, found, to)

    async def leave(self, request: Request) -> Response:
        """Sign out."""
        if not same_origin(request.scope):
            return _told(ELSEWHERE, 403)
        await run_in_threadpool(self.signins.end, token(request.scope))
        response = _redirect(request, "/signin")
        self._cookie(request, response, "", 0)
        return response

    async def account(self, request: Request) -> Response:
        """Who is signed in."""
        who = await self._who(request)
        return _redirect(request, "/signin?next=/account") if who is None else _html(signin_page.account(who))

    async def change(self, request: Request) -> Response:
        """Another password: every other browser is signed out."""
        form = await _form(request)
        who = await self._who(request)
        if who is None or not who.has_password:
            return _redirect(request, "/signin?next=/account")
        address = request.client.host if request.client else ""
        if wait := self.tries.begin(who.name, address):
            words = f"Too many tries: wait {_minutes(wait)}, then try again."
            return _html(signin_page.account(who, words), 429, {"retry-after": str(wait)})
        try:
            if await run_in_threadpool(self.people.verified, who.name, form.get("password", "")) is None:
                self.tries.failed(address)
                raise BadRequest("The password now is another.")
            if form.get("new", "") != form.get("again", ""):
                raise BadRequest("The new password was typed in two ways.")
            await run_in_threadpool(self.people.set_password, who.name, form.get("new", ""))
        except BadRequest as error:
            return _html(signin_page.account(who, str(error)), 403)
        self.tries.right(who.name, address)
        self.signins.forget(who.id)
        made = await run_in_threadpool(self.signins.begin, who)
        done = "The password is changed, and you are signed out everywhere else."
        response = _html(signin_page.account(who, done=done))
        self._cookie(request, response, made, int(LONGEST))
        return response

    # By a university's sign-in

    async def depart(self, request: Request) -> Response:
        """Go to the university's page."""
        assert self.university is not None
        url, kept = await self.university.begin(_base(request) + "/signin/back")
        kept["next"] = local(request.query_params.get("next", ""))
        response = RedirectResponse(url, 303)
        held = await run_in_threadpool(self.signins.hold, kept)
        self._cookie(request, response, held, 15 * 60)
        return response

    async def arrive(self, request: Request) -> Response:
        """Come back from there."""
        assert self.university is not None
        kept = await run_in_threadpool(self.signins.held, token(request.scope))
        if kept is None:
            raise BadRequest("This sign-in took too long, or began in another browser: begin again.")
        to = local(str(kept.pop("next", "")))
        said = await self.university.end(kept, request)
        found = await run_in_threadpool(
            self.people.known, self.university.issuer, said.subject, said.name, said.role
        )
        self.signins.forget(found.id)
        return await self._entered(request, found, to)

    async def _entered(self, request: Request, who: Person, to: str) -> Response:
        await run_in_threadpool(self.signins.end, token(request.scope))  # whoever was signed in before
        made = await run_in_threadpool(self.signins.begin, who)
        response = _redirect(request, to)
        self._cookie(request, response, made, int(LONGEST))
        return response

    async def _who(self, request: Request) -> Person | None:
        return await run_in_threadpool(self.signins.person, token(request.scope))

    def _page(
        self,
        to: str,
        name: str = "",
        wrong: str = "",
        status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> Response:
        words = self.university.words if self.university is not None else ""
        return _html(signin_page.signin(to, name, wrong, words), status, headers)

    def _cookie(self, request: Request, response: Response, value: str, seconds: int) -> None:
        response.set_cookie(
            cookie_name(request.scope),
            value,
            max_age=seconds,
            path="/",
            httponly=True,
            samesite="lax",  # a university's page leads back here, and so does a link in a mail
            secure=request.scope["scheme"] == "https",
        )

    def _answered(self, handler: Answer) -> Answer:
        async def answered(request: Request) -> Response:
            try:
                return await handler(request)
            except BadRequest as error:
                return self._page("/", wrong=str(error), status=400)
            except UnitutorError as error:
                return _told(str(error), 503)

        return answered


def local(to: str) -> str:
    """An address below this site that a sign-in may lead to: '/' where it is none."""
    parts = urlsplit(to)
    usual = to.startswith("/") and not to.startswith("//") and "\\" not in to and to.isprintable()
    return to if usual and not parts.scheme and not parts.netloc and len(to) < 2000 else "/"


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form of ours. Raises BadRequest where it is none."""
    if not same_origin(request.scope):
        raise BadRequest(ELSEWHERE)
    size = 0
    parts = []
    async for part in request.stream():
        size += len(part)
        if size > LARGEST:
            raise BadRequest("This is too large.")
        parts.append(part)
    try:
        return dict(parse_qsl(b"".join(parts).decode(), keep_blank_values=True, max_num_fields=20))
    except ValueError as error:
        raise BadRequest("This form did not arrive whole: load the page and try again.") from error


def _base(request: Request) -> str:
    return str(request.base_url).rstrip("/")


def _redirect(request: Request, to: str) -> Response:
    root = request.scope.get("root_path", "").rstrip("/")
    return RedirectResponse(root + to, 303, headers={"cache-control": "no-store"})


def _told(words: str, status: int) -> Response:
    return _html(signin_page.told(words), status)


def _html(text: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    own: dict[str, Any] = {
        "cache-control": "no-store",
        "content-security-policy": signin_page.POLICY,
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
    }
    return HTMLResponse(text, status, {**own, **(headers or {})})


def _minutes(seconds: int) -> str:
    if seconds < 90:
        return f"{seconds} seconds"
    return f"{-(-seconds // 60)} minutes"
