"""What the routes of the API share: the tutor, the line, keys, limits, counters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from rag.apikeys import ApiKey, ApiKeys
from rag.requestlog import RequestLog
from ui.api.errors import Refused
from ui.api.metrics import Metrics
from ui.queueing import Queue

if TYPE_CHECKING:
    from ui.living import LivingTutor
    from ui.tutor import Tutor
    from ui.uploads import Uploads

KEY = "unitutor.key"  # where in a request's scope its key is
NOTED = "unitutor.noted"  # and what the log is to say of it

_bearer = HTTPBearer(auto_error=False, description="A key of `unitutor keys create`.")


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a request may ask for."""

    bytes: int = 2 << 20  # of a body
    upload: int = 50 << 20  # bytes of a body that brings a file
    arriving: float = 30.0  # seconds in which a body must be there, more for a file
    uploading: float = 300.0
    answering: float = 600.0  # seconds from the request to the end of its answer


@dataclass(frozen=True)
class Door:
    """All that a route needs."""

    tutor: Tutor | LivingTutor
    queue: Queue
    keys: ApiKeys
    log: RequestLog
    uploads: Uploads | None = None  # None where no notes can be taken
    bounds: Bounds = Bounds()
    texts: bool = False  # whether the log keeps what was asked
    metrics: Metrics = field(default_factory=Metrics)


def needs(scope: str) -> Any:
    """The key of a request to a route that asks for `scope`, as a dependency."""

    def key(
        request: Request, _: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)] = None
    ) -> ApiKey:
        found: ApiKey | None = request.scope.get(KEY)
        if found is None:  # ui/api/guard.py lets none through without one
            raise Refused(401, "This needs a key.")
        if scope not in found.scopes:
            raise Refused(403, f"This key may not do this: it needs the scope {scope}.")
        return found

    return Depends(key)


MayChat = Annotated[ApiKey, needs("chat")]
MaySearch = Annotated[ApiKey, needs("search")]
MayGround = Annotated[ApiKey, needs("ground")]
MayQuiz = Annotated[ApiKey, needs("quiz")]
MayNotes = Annotated[ApiKey, needs("notes")]
MayMeasure = Annotated[ApiKey, needs("metrics")]


def owner(key: ApiKey) -> str:
    """Whose turn a request takes in the line: the person's or, without accounts, the key's own."""
    return key.owner or f"key {key.id}"


def noter(request: Request) -> Callable[..., None]:
    """What adds to the line that the log will have of this request."""
    noted: dict[str, Any] = request.scope.setdefault(NOTED, {})
    return noted.update
