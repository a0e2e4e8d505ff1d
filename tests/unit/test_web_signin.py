"""Signing in and out by HTTP: the cookie, wrong passwords, another password, where a sign-in leads to."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.classroom import HTML, WORD, Class
from ui.web.signin import local


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Class:
    return Class(tmp_path_factory.mktemp("class"))


def test_the_cookie(course: Class) -> None:
    told = course.client().post("/signin", data={"name": "Ada", "password": WORD, "next": "/quiz?c=1"})
    assert told.headers["location"] == "/quiz?c=1"
    cookie = told.headers["set-cookie"].lower()
    assert cookie.startswith("unitutor=") and "httponly" in cookie and "samesite=lax" in cookie
    assert "path=/" in cookie and "secure" not in cookie and course.ids["Ada"] not in cookie
    secure = TestClient(course.app, base_url="https://testserver", follow_redirects=False)
    told = secure.post(
        "/signin", data={"name": "Ada", "password": WORD}, headers={"origin": "https://testserver"}
    )
    cookie = told.headers["set-cookie"]
    assert cookie.startswith("__Host-unitutor=") and "Secure" in cookie and "Domain" not in cookie
    assert secure.get("/", headers=HTML).status_code == 200
    assert secure.get("/", headers=HTML).headers["cache-control"] == "no-store"


def test_signing_out_is_told_to_the_server(course: Class) -> None:
    browser = course.client("Ada")
    kept = dict(browser.cookies)
    assert browser.get("/", headers=HTML).status_code == 200
    assert browser.post("/signout").headers["location"] == "/signin"
    assert browser.get("/config").status_code == 401
    assert course.client().get("/config", cookies=kept).status_code == 401


def test_wrong_passwords(course: Class) -> None:
    browser = course.client()
    for name in ("Bob", "Nobody <b>"):
        told = [browser.post("/signin", data={"name": name, "password": "wrong one"}) for _ in range(6)]
        assert [one.status_code for one in told] == [403] * 5 + [429]
        assert 0 < int(told[-1].headers["retry-after"]) <= 300 and "wait" in told[-1].text
        assert (
            "The name or the password is wrong." in told[0].text
            and "<b>" not in told[0].text.partition("<h1>")[2]
        )
        assert all("set-cookie" not in one.headers for one in told)
    told = [browser.post("/signin", data={"name": "Bob", "password": WORD}) for _ in range(1)]
    assert told[0].status_code == 429  # even the right one


def test_another_password(course: Class) -> None:
    course.people.add("Cyd", WORD)
    one, other = course.client("Cyd"), course.client("Cyd")

    def change(old: str, new: str, again: str) -> Any:
        return one.post("/account", data={"password": old, "new": new, "again": again})

    assert "is another" in change("wrong one", "another horse", "another horse").text
    assert "two ways" in change(WORD, "another horse", "another h0rse").text
    assert "8 to 200" in change(WORD, "short", "short").text
    assert other.get("/config").status_code == 200
    told = change(WORD, "another horse", "another horse")
    assert told.status_code == 200 and "is changed" in told.text
    assert one.get("/config").status_code == 200 and other.get("/config").status_code == 401
    assert course.people.verified("Cyd", WORD) is None


@pytest.mark.parametrize(
    "to",
    [
        "//evil.example",
        "http://evil.example",
        "/\\evil.example",
        "javascript:x",
        "",
        "x",
        "/" + "x" * 3000,
        "/a\nb",
    ],
)
def test_a_sign_in_leads_to_no_other_site(course: Class, to: str) -> None:
    assert local(to) == "/"
    told = course.client().post("/signin", data={"name": "Ada", "password": WORD, "next": to})
    assert told.headers["location"] == "/"
