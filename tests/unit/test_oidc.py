"""A university's sign-in, against a provider on loopback that signs with real keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from ingest.errors import BadRequest
from rag.database import Database
from rag.people import People
from rag.signins import SignIns
from tests.oidc_provider import CLIENT, SECRET, Provider
from ui.web.oidc import Settings, University, settings
from ui.web.signin import SignIn


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.close()


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> People:
    return People(Database(tmp_path_factory.mktemp("kept") / "sessions.sqlite"))


@pytest.fixture(autouse=True)
def honest(provider: Provider) -> None:
    provider.spoil, provider.claims = "", {"sub": "7", "name": "Ada Lovelace"}
    provider.asked.clear()


def browser(people: People, provider: Provider, **how: object) -> TestClient:
    """A browser at a Unitutor that knows the provider."""
    set_so = Settings(provider.issuer, CLIENT, SECRET, **how)  # type: ignore[arg-type]
    app = Starlette(routes=SignIn(people, SignIns(people.database), University(set_so)).routes())
    return TestClient(app, follow_redirects=False)


def signed_in(at: TestClient, to: str = "/") -> httpx.Response:
    """What a Unitutor says to a browser that comes back from the provider."""
    leaves = at.get(f"/signin/university?next={to}")
    assert leaves.status_code == 303, leaves.text
    comes = httpx.get(leaves.headers["location"])  # the provider's page
    back = urlsplit(comes.headers["location"])
    return at.get(f"{back.path}?{back.query}")


def test_a_person_is_made_at_the_first_sign_in_and_found_again(people: People, provider: Provider) -> None:
    one, two = browser(people, provider), browser(people, provider)
    assert "Sign in with your university" in one.get("/signin").text
    told = signed_in(one, "/quiz%3Fc%3D1")
    assert told.status_code == 303 and told.headers["location"] == "/quiz?c=1"
    assert "Ada Lovelace" in one.get("/account").text and "Another password" not in one.get("/account").text
    (ada,) = [who for who in people.list() if who.subject == f"{provider.issuer} 7"]
    assert ada.role == "student" and not ada.has_password
    assert signed_in(two).status_code == 303
    provider.claims = {"sub": "8", "name": "Ada Lovelace"}
    assert signed_in(two).status_code == 303
    assert [who.name for who in people.list()] == ["Ada Lovelace", "Ada Lovelace (2)"]
    asked = provider.asked[0]
    assert asked["code_challenge_method"] == "S256" and asked["scope"] == "openid profile"
    assert len(asked["state"]) >= 20 and len(asked["nonce"]) >= 20
    assert len({one[key] for one in provider.asked for key in ("state", "nonce")}) == 6


@pytest.mark.parametrize(
    "spoil",
    ["state", "denied", "no ID token", "metadata", "weak only", "late", "issuer", "audience", "nonce",
     "no signature", "signed with the secret", "another's key"],
)  # fmt: skip
def test_what_is_not_as_it_should_be_signs_nobody_in(people: People, provider: Provider, spoil: str) -> None:
    provider.spoil, provider.claims = spoil, {"sub": "99", "name": "Mallory"}
    at = browser(people, provider)
    told = at.get("/signin/university") if spoil in ("metadata", "weak only") else signed_in(at)
    assert told.status_code == 400 and "sign-in did not work" in told.text
    assert at.get("/account").status_code == 303
    assert not [who for who in people.list() if who.name == "Mallory"]


def test_an_answer_works_once_and_in_its_own_browser(people: People, provider: Provider) -> None:
    one, other = browser(people, provider), browser(people, provider)
    leaves = one.get("/signin/university")
    back = urlsplit(httpx.get(leaves.headers["location"]).headers["location"])
    stolen = f"{back.path}?{back.query}"
    for stranger in (other, browser(people, provider)):
        assert stranger.get(stolen).status_code == 400
    other.get("/signin/university")
    assert other.get(stolen).status_code == 400  # its own sign-in has another state
    cookies = dict(one.cookies)
    assert one.get(stolen).status_code == 303
    again = browser(people, provider)
    assert again.get(stolen, cookies=cookies).status_code == 400


def test_a_claim_may_say_who_teaches(people: People, provider: Provider) -> None:
    at = browser(people, provider, claim="groups", instructors=("staff", "ta"))
    for number, (groups, role) in enumerate(
        ((["students", "ta"], "instructor"), ("staff", "instructor"), ("a staff", "instructor"),
         (["students"], "student"), ("staffing", "student"), (None, "student"), ({"staff": 1}, "student"))
    ):  # fmt: skip
        provider.claims = {"sub": f"role-{number}", "name": "Somebody", "groups": groups}
        assert signed_in(at).status_code == 303
        (who,) = [one for one in people.list() if one.subject.endswith(f" role-{number}")]
        assert who.role == role, groups
    provider.claims = {"sub": "role-0", "name": "Somebody", "groups": []}
    signed_in(at)
    (who,) = [one for one in people.list() if one.subject.endswith(" role-0")]
    assert who.role == "student"  # no longer


def test_a_provider_that_does_not_answer_is_one_line(people: People, provider: Provider) -> None:
    gone = Provider()
    at = browser(people, gone)
    gone.close()
    told = at.get("/signin/university")
    assert told.status_code == 400 and "did not work" in told.text and "Traceback" not in told.text


def test_settings() -> None:
    whole = {
        "UNITUTOR_OIDC_ISSUER": "https://u.example",
        "UNITUTOR_OIDC_CLIENT_ID": "unitutor",
        "UNITUTOR_OIDC_CLIENT_SECRET": "s",
    }
    assert settings({}) is None
    found = settings(whole)
    assert found is not None and found.claim == "" and found.instructors == ()
    roles = {"UNITUTOR_OIDC_ROLE_CLAIM": "groups", "UNITUTOR_OIDC_INSTRUCTORS": "staff, ta"}
    found = settings(whole | roles)
    assert found is not None and found.instructors == ("staff", "ta")
    for name, value in (("CLIENT_ID", ""), ("CLIENT_SECRET", " "), ("ISSUER", "http://u.example"),
                        ("ROLE_CLAIM", ""), ("INSTRUCTORS", "")):  # fmt: skip
        with pytest.raises(BadRequest, match=f"UNITUTOR_OIDC_{name}"):
            settings(whole | roles | {f"UNITUTOR_OIDC_{name}": value})


def test_what_is_kept_on_the_way_is_not_in_the_cookie(
    people: People, provider: Provider, tmp_path: Path
) -> None:
    at = browser(people, provider)
    at.get("/signin/university")
    (cookie,) = at.cookies.values()
    state = provider.asked
    assert state == [] and "." not in cookie and len(cookie) < 60
