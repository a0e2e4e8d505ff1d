"""The pages to sign in and out at, as HTML: no script, nothing is fetched, everything is escaped."""

from __future__ import annotations

from html import escape
from pathlib import Path
from urllib.parse import quote

from rag.people import LONGEST, LONGEST_NAME, SHORTEST, Person

_STYLE = (Path(__file__).parent / "signin.css").read_text(encoding="utf-8")
# What these pages may do; the style is theirs.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)


def signin(
    next_page: str, name: str = "", wrong: str = "", university: str = "", passwords: bool = True
) -> str:
    """The page to sign in at.

    Args:
        next_page: where it leads to, a path on this site.
        name: what is in the field already.
        wrong: what went wrong, '' for nothing.
        university: what the button to a university's sign-in says, '' for none.
        passwords: whether anybody has a password here.
    """
    parts = ["<h1>Sign in</h1>", _wrong(wrong)]
    if passwords:
        first, second = (" autofocus", "") if not name else ("", " autofocus")
        invalid = ' aria-invalid="true" aria-describedby="wrong"' if wrong else ""
        parts.append(
            '<form method="post" action="signin">'
            f'<input type="hidden" name="next" value="{escape(next_page)}">'
            '<label for="name">Name</label>'
            f'<input id="name" name="name" value="{escape(name)}" autocomplete="username" required'
            f' maxlength="{LONGEST_NAME}" autocapitalize="none" spellcheck="false"{invalid}{first}>'
            f"{_password('password', 'Password', 'current-password', f'{invalid}{second}')}"
            '<button type="submit">Sign in</button></form>'
        )
    if passwords and university:
        parts.append('<p class="or">or</p>')
    if university:
        kind = "button second" if passwords else "button"
        to = f"signin/university?next={quote(next_page, safe='')}"
        parts.append(f'<a class="{kind}" href="{to}">{escape(university)}</a>')
    return _page("Sign in", "".join(parts))


def account(who: Person, wrong: str = "", done: str = "") -> str:
    """Who is signed in, another password, and the way out."""
    role = "An instructor" if who.teaches else "A student"
    parts = [
        f"<h1>{escape(who.name)}</h1>",
        f'<p class="good" role="status">{escape(done)}</p>' if done else "",
        f'<p class="hint">{role} of this course.</p>',
        '<form method="post" action="signout"><button type="submit">Sign out</button></form>',
    ]
    if who.has_password:
        enough = f' minlength="{SHORTEST}"'
        parts += [
            "<h2>Another password</h2>",
            _wrong(wrong),
            '<form method="post" action="account">'
            f'<input type="hidden" name="name" value="{escape(who.name)}" autocomplete="username">',
            _password("password", "The password now", "current-password"),
            _password("new", f"The new one, {SHORTEST} characters or more", "new-password", enough),
            _password("again", "The new one again", "new-password", enough),
            '<button type="submit" class="second">Change the password</button></form>',
        ]
    parts.append('<a class="back" href="./">Back to the chat</a>')
    return _page("Your account", "".join(parts))


def told(words: str) -> str:
    """A page that says one thing."""
    return _page(
        "Unitutor", f'<h1>Not here</h1><p>{escape(words)}</p><a class="back" href="./">Back to the chat</a>'
    )


def _password(name: str, label: str, kind: str, more: str = "") -> str:
    return (
        f'<label for="{name}">{label}</label><input id="{name}" name="{name}" type="password"'
        f' autocomplete="{kind}" required maxlength="{LONGEST}"{more}>'
    )


def _wrong(words: str) -> str:
    return f'<p class="bad" id="wrong" role="alert">{escape(words)}</p>' if words else ""


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)} – Unitutor</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><main>"
        '<p class="brand"><b>Unitutor</b><span>answers from your notes</span></p>'
        f"{body}</main></body></html>"
    )
