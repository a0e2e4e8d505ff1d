"""A class with accounts in a real browser: signing in and out, and nothing of another's to be seen."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import argon2
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from rag.database import Database
from rag.people import People
from rag.sessions import Sessions
from tests.browser.scripted import CITATIONS, tutor
from tests.browser.scripted_quiz import Maker, quizzing
from tests.oidc_provider import CLIENT, SECRET, Provider
from ui.web.app import build_app
from ui.web.mounting import Served, mounted
from ui.web.oidc import Settings

pytestmark = pytest.mark.browser
WORD = "correct horse"
QUESTION = "How does a GAN train?"
LOOKS = (("light", 1280, 800), ("dark", 1280, 800), ("light", 390, 844), ("dark", 390, 844))


@dataclass
class School:
    """The pages with accounts, and the browsers that look at them."""

    url: str
    people: People
    sessions: Sessions
    browser: Browser
    contexts: list[BrowserContext]
    errors: list[str]
    outside: list[str]

    def visitor(self, scheme: str = "light", width: int = 1280, height: int = 860) -> Page:
        """A browser of its own."""
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,  # type: ignore[arg-type]
        )
        self.contexts.append(context)
        page = context.new_page()
        local = ("http://127.0.0.1:", "data:", "blob:")
        page.on("request", lambda r: None if r.url.startswith(local) else self.outside.append(r.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        return page

    def signed_in(self, name: str, to: str = "") -> Page:
        """Somebody's browser, at a page."""
        page = self.visitor()
        page.goto(self.url + to)
        expect(page.locator("h1")).to_have_text("Sign in")
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(WORD)
        page.keyboard.press("Enter")
        return page

    def talk(self, name: str) -> str:
        """The id of somebody's latest conversation."""
        found = self.people.find(name)
        assert found is not None
        return self.sessions.of(found.id).list()[0].id


@pytest.fixture(scope="module")
def school(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    database = Database(tmp_path_factory.mktemp("kept") / "sessions.sqlite")
    people = People(database, argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    for name, role in (("Ada", "student"), ("Bob", "student"), ("Cyd", "student"), ("Eve", "instructor")):
        people.add(name, WORD, role)
    provider = Provider({"sub": "7", "name": "Grace"})
    set_so = Settings(provider.issuer, CLIENT, SECRET)
    pages = build_app(tutor(), Sessions(database), quizzing(Maker()), accounts=True)  # type: ignore[arg-type]
    served = Served(mounted(pages, people, set_so), "127.0.0.1", _free())
    made = School(served.url, people, Sessions(database), browser, [], [], [])
    yield made
    served.stop()
    provider.close()
    database.close()


@pytest.fixture(autouse=True)
def nothing_amiss(school: School) -> Iterator[None]:
    """After each test: no page raised an error or asked for anything beyond this machine."""
    yield
    for context in school.contexts:
        context.close()
    school.contexts.clear()
    assert school.errors == [] and school.outside == []


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ready(page: Page) -> None:
    page.wait_for_selector("#ut-box textarea")
    page.wait_for_function("document.querySelector('#ut-conversations .prose')?.innerText.trim()")


def ask(page: Page, question: str = QUESTION) -> None:
    page.fill("#ut-box textarea", question)
    page.keyboard.press("Enter")
    expect(page.locator("#ut-chat .bot-row .ut-foot").last).to_be_visible(timeout=20_000)


def test_nobody_sees_what_is_anothers(school: School) -> None:
    ada = school.signed_in("Ada")
    ready(ada)
    ask(ada, "A private matter of GANs?")
    expect(ada.locator("#ut-conversations")).to_contain_text("A private matter")
    ada.locator(".ut-card .ut-page").first.click()
    expect(ada.locator("#ut-view .ut-view")).to_contain_text(CITATIONS[0].source)
    talk = school.talk("Ada")
    ada.goto(school.url + f"?c={talk}")
    ready(ada)
    expect(ada.locator("#ut-chat")).to_contain_text("A private matter")

    for name in ("Bob", "Eve"):
        page = school.signed_in(name, f"?c={talk}")
        expect(page).to_have_url(re.compile(r"\?c="))
        ready(page)
        expect(page.locator(".ut-links")).to_contain_text(f"{name} · Sign out")
        assert "private matter" not in page.content()
        expect(page.locator("#ut-conversations")).to_contain_text("will be listed here")
        if name == "Eve":
            continue
        page.goto(school.url + f"quiz?c={talk}")
        expect(page.locator("#quiz-run")).to_be_visible()
        assert "private matter" not in page.content()
        page.goto(school.url + "check")
        page.get_by_label("A conversation").click()
        expect(page.get_by_label("Conversation", exact=True)).to_be_visible()
        page.get_by_label("Conversation", exact=True).click()
        assert "private matter" not in page.content()

    bob = school.signed_in("Bob")
    ready(bob)
    ask(bob)
    assert school.talk("Bob") != talk
    ada.reload()
    ready(ada)
    expect(ada.locator("#ut-conversations .ut-open")).to_have_count(1)
    assert QUESTION not in ada.content()


def test_the_instructors_pages_are_the_instructors(school: School) -> None:
    bob, eve = school.signed_in("Bob"), school.signed_in("Eve")
    ready(bob)
    ready(eve)
    expect(eve.locator(".ut-links")).to_contain_text("Eve")
    assert eve.locator(".ut-links a").all_inner_texts() == [
        "Quiz", "Check a text", "Review desk", "What the notes lack", "Decoding lab", "Eve · Sign out"
    ]  # fmt: skip
    expect(bob.locator(".ut-links")).to_contain_text("Bob")
    assert bob.locator(".ut-links a").all_inner_texts() == [
        "Quiz",
        "Check a text",
        "Decoding lab",
        "Bob · Sign out",
    ]
    for path in ("desk", "gaps"):
        bob.goto(school.url + path)
        expect(bob.locator("main")).to_contain_text("for instructors")
        eve.goto(school.url + path)
        expect(eve.locator("main h1, .lab-head h1").first).to_be_visible()
    bob.get_by_text("Back to the chat").click()
    ready(bob)


def test_a_quiz_belongs_to_who_took_it(school: School) -> None:
    ada = school.signed_in("Ada", "quiz")
    expect(ada.locator("#quiz-run")).to_be_visible()
    ada.locator("#quiz-count input").fill("2")
    ada.click("#quiz-run")
    ada.click("#quiz-begin")
    expect(ada.locator("#quiz-sheet .qz-stem, #quiz-sheet h2").first).to_be_visible()
    expect(ada).to_have_url(re.compile(r"a=[0-9a-f]{32}"))
    taken = ada.url
    bob = school.signed_in("Bob", taken.removeprefix(school.url))
    expect(bob.locator("#quiz-line")).to_contain_text("not there any more")
    assert bob.locator("#quiz-sheet .qz-stem").count() == 0
    expect(ada.locator("#quiz-sheet")).not_to_be_empty()


def test_signing_in_and_out(school: School) -> None:
    page = school.visitor()
    page.goto(school.url + "quiz")
    expect(page).to_have_url(re.compile(r"/signin\?next=%2Fquiz$"))
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("cyd")
    page.keyboard.press("Tab")
    page.keyboard.type("a wrong one")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("The name or the password is wrong.")
    expect(page.get_by_label("Name")).to_have_value("cyd")
    expect(page.get_by_label("Password")).to_be_focused()
    page.keyboard.type(WORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(school.url + "quiz")
    page.goto(school.url)
    ready(page)
    page.get_by_text("Cyd · Sign out").click()
    expect(page.locator("h1")).to_have_text("Cyd")
    page.get_by_label("The password now").fill(WORD)
    page.get_by_label("The new one, 8").fill("another horse")
    page.get_by_label("The new one again").fill("another horse")
    page.get_by_role("button", name="Change the password").click()
    expect(page.get_by_role("status")).to_contain_text("is changed")
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("h1")).to_have_text("Sign in")
    page.goto(school.url)
    expect(page.locator("h1")).to_have_text("Sign in")
    assert school.people.verified("Cyd", "another horse") is not None


def test_a_universitys_sign_in(school: School) -> None:
    page = school.visitor()
    page.goto(school.url + "quiz")
    page.get_by_role("link", name="Sign in with your university").click()
    expect(page).to_have_url(school.url + "quiz")
    page.goto(school.url)
    ready(page)
    expect(page.locator(".ut-links")).to_contain_text("Grace · Sign out")
    ask(page)
    page.reload()
    ready(page)
    expect(page.locator("#ut-conversations")).to_contain_text(QUESTION)


def test_how_it_looks(school: School) -> None:
    """Nothing is cut off on a phone, and text stands out from its ground; $SHOTS keeps the pictures."""
    for scheme, width, height in LOOKS:
        page = school.visitor(scheme, width, height)
        page.goto(school.url + "signin")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        tall = page.locator("button, .button, input:not([type=hidden])").evaluate_all(
            "all => all.map(one => one.getBoundingClientRect().height)"
        )
        assert len(tall) == 4 and min(tall) >= 44
        for shown in ("h1", "label", "button", ".button", ".brand span", ".or"):
            assert _contrast(page, shown) >= 4.5, (scheme, shown)
        page.fill("#name", "Nobody")
        page.fill("#password", "a wrong one")
        page.keyboard.press("Enter")
        assert _contrast(page, ".bad") >= 4.5, scheme
        if kept := os.environ.get("SHOTS"):
            page.screenshot(path=f"{kept}/signin-{scheme}-{width}.png")
            page.fill("#name", "Ada")
            page.fill("#password", WORD)
            page.keyboard.press("Enter")
            ready(page)
            page.goto(school.url + "account")
            page.screenshot(path=f"{kept}/account-{scheme}-{width}.png", full_page=True)


def _contrast(page: Page, shown: str) -> float:
    """The contrast of a text with what lies behind it (WCAG 2.2, 1.4.3)."""
    found: float = page.locator(shown).first.evaluate(
        """(one) => {
        const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
        const light = (colour) => parts(colour).slice(0, 3).map((c) => c / 255)
          .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
          .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
        let behind = one;
        const clear = (at) => (parts(getComputedStyle(at).backgroundColor)[3] ?? 1) === 0;
        while (clear(behind) && behind.parentElement) behind = behind.parentElement;
        const [a, b] = [light(getComputedStyle(one).color), light(getComputedStyle(behind).backgroundColor)];
        return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        }"""
    )
    return found
