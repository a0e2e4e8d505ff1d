"""Time as a student writes it: 'last week', 'on Monday', 'in October', 'three days ago' to a span of days.

Plain rules. Libraries such as dateparser read such words as a moment ('last week' is this hour a week
ago); what is asked about earlier questions is a span: the whole week, the whole day. What is not here:
clock times, holidays, and languages other than English.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december",
)  # fmt: skip
_NUMBERS = {
    word: number
    for number, words in enumerate(
        "a an one|two couple|three few|four|five|six|seven|eight|nine|ten|eleven|twelve".split("|"), 1
    )
    for word in words.split()
}
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)}|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec)\.?"
_DAY = rf"(?P<weekday>{'|'.join(_DAYS)}|mon|tues?|wed|thu(?:rs)?|fri|sat|sun)"
_COUNT = rf"(?P<count>\d{{1,3}}|{'|'.join(_NUMBERS)})(?:\s+of)?"
_UNIT = r"(?P<unit>hour|day|week|month|year)s?"
_NTH = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>(?:19|20)\d\d)"


@dataclass(frozen=True, slots=True)
class Days:
    """Whole days from `since` to before `until`; None where that end is open."""

    since: date | None = None
    until: date | None = None

    @property
    def bounded(self) -> bool:
        """Whether it limits anything."""
        return self.since is not None or self.until is not None


def span(text: str, today: date) -> tuple[Days, str]:
    """The days that `text` speaks of, and the text without the words that say so.

    Without such words, no limits and the text as it is. Of several, all are taken together where they
    are joined ('between Monday and Wednesday'), else the first.
    """
    found = _all(text, today)
    if not found:
        return Days(), text
    (start, end, days), *more = found
    if more and re.search(r"\b(?:between|from)\W+$", text[:start], re.IGNORECASE):
        other = more[0]
        if re.fullmatch(r"\W*(?:and|to|until|till|-|–)\W*", text[end : other[0]], re.IGNORECASE):
            end, days = other[1], Days(days.since, other[2].until)
            start = re.search(r"\b(?:between|from)\W+$", text[:start], re.IGNORECASE).start()  # type: ignore[union-attr]
            return days, _without(text, start, end)
    lead = re.search(
        r"\b(?P<word>since|after|before|until|till|(?:(?:back|sometime|some time|from|on|in|during|of|over|"
        r"within|all)\s+)+|from)\s*$",
        text[:start],
        re.IGNORECASE,
    )
    if lead:
        start, word = lead.start(), lead["word"].lower()
        if word == "since":
            days = Days(days.since)
        elif word == "after":
            days = Days(days.until)
        elif word in ("before", "until", "till"):
            days = Days(None, days.since)
    return days, _without(text, start, end)


def _without(text: str, start: int, end: int) -> str:
    return f"{text[:start].rstrip(' ,')} {text[end:].lstrip()}".strip()


def _all(text: str, today: date) -> list[tuple[int, int, Days]]:
    """Where days are spoken of, in order, none within another, and which they are."""
    found: list[tuple[int, int, Days]] = []
    for pattern, read in _RULES:
        for match in pattern.finditer(text):
            if any(start < match.end() and match.start() < end for start, end, _ in found):
                continue
            try:
                found.append((match.start(), match.end(), read(match, today)))
            except (ValueError, OverflowError):  # 31 June, a thousand years ago
                continue
    return sorted(found, key=lambda one: one[0])


def _of_day(day: date) -> Days:
    return Days(day, day + timedelta(1))


def _of_week(day: date) -> Days:
    monday = day - timedelta(day.weekday())
    return Days(monday, monday + timedelta(7))


def _of_month(day: date) -> Days:
    first = day.replace(day=1)
    return Days(first, (first + timedelta(31)).replace(day=1))


def _of_year(day: date) -> Days:
    return Days(date(day.year, 1, 1), date(day.year + 1, 1, 1))


def _months_ago(day: date, count: int) -> date:
    months = day.year * 12 + day.month - 1 - count
    return date(months // 12, months % 12 + 1, 1)


_OF: dict[str, Callable[[date], Days]] = {"week": _of_week, "month": _of_month, "year": _of_year}


def _ago(unit: str, count: int, today: date) -> Days:
    """The day, week, month or year that lies `count` of them back."""
    if unit == "hour":
        return _of_day(today - timedelta(count // 24))
    if unit == "day":
        return _of_day(today - timedelta(count))
    if unit == "week":
        return _of_week(today - timedelta(7 * count))
    if unit == "month":
        return _of_month(_months_ago(today, count))
    return _of_year(date(today.year - count, 1, 1))


def _named(match: re.Match[str], today: date) -> Days:
    back = {"today": 0, "tonight": 0, "yesterday": 1, "last night": 1, "yesternight": 1}
    words = " ".join(match[0].lower().split())
    if words.startswith("the day before"):
        return _of_day(today - timedelta(2))
    return _of_day(today - timedelta(back.get(words.removesuffix("'s"), 0)))


def _counted(match: re.Match[str], today: date) -> Days:
    return _ago(match["unit"].lower(), _number(match["count"]), today)


def _recent(match: re.Match[str], today: date) -> Days:
    """'in the last 7 days', 'over the past week': up to now."""
    unit, count = match["unit"].lower(), _number(match["count"] or "one")
    days = {"hour": 1, "day": 1, "week": 7, "month": 30, "year": 365}[unit]
    return Days(today - timedelta(count * days if unit != "hour" else count // 24))


def _relative(match: re.Match[str], today: date) -> Days:
    return _ago(match["unit"].lower(), 1 if match["which"].lower() == "last" else 0, today)


def _lately(_match: re.Match[str], today: date) -> Days:
    return Days(today - timedelta(14))


def _weekday(match: re.Match[str], today: date) -> Days:
    wanted = next(place for place, name in enumerate(_DAYS) if name.startswith(match["weekday"].lower()[:3]))
    if match["that"]:  # 'Monday last week', 'Tuesday of this week'
        monday = today - timedelta(today.weekday() + (7 if "last" in match["that"].lower() else 0))
        return _of_day(monday + timedelta(wanted))
    back = (today.weekday() - wanted) % 7
    return _of_day(today - timedelta(back or 7))


def _dated(match: re.Match[str], today: date) -> Days:
    """A day of a month; without a year the last time that there was one."""
    month, day = _month_number(match["month"]), int(match["day"])
    if match["year"]:
        return _of_day(date(int(match["year"]), month, day))
    for year in range(today.year, today.year - 5, -1):  # 29 February
        try:
            found = date(year, month, day)
        except ValueError:
            continue
        if found <= today:
            return _of_day(found)
    raise ValueError


def _iso(match: re.Match[str], _today: date) -> Days:
    return _of_day(date(int(match["year"]), int(match["month"]), int(match["day"])))


def _month(match: re.Match[str], today: date) -> Days:
    month = _month_number(match["month"])
    year = int(match["year"]) if match["year"] else today.year - (month > today.month)
    return _of_month(date(year, month, 1))


def _nth(match: re.Match[str], today: date) -> Days:
    day = int(match["day"])
    for back in range(3):
        try:
            found = _months_ago(today, back).replace(day=day)
        except ValueError:
            continue
        if found <= today:
            return _of_day(found)
    raise ValueError


def _year(match: re.Match[str], _today: date) -> Days:
    return _of_year(date(int(match["year"]), 1, 1))


def _month_number(name: str) -> int:
    return next(n for n, month in enumerate(_MONTHS, 1) if month.startswith(name.lower()[:3]))


def _number(text: str) -> int:
    return int(text) if text.isdigit() else _NUMBERS[text.lower()]


def _rule(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"\b{pattern}(?!\w)", re.IGNORECASE)


# Longer ones first: what one has taken, none after it takes.
_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], date], Days]], ...] = (
    (_rule(r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"), _iso),
    (_rule(rf"(?:the\s+)?{_NTH}\s+(?:of\s+)?{_MONTH}(?:,?\s+{_YEAR})?"), _dated),
    (_rule(rf"{_MONTH}\s+(?:the\s+)?{_NTH}(?:,?\s+{_YEAR})?"), _dated),
    (_rule(rf"(?:the\s+)?(?:last|past|previous)\s+{_COUNT}\s+{_UNIT}"), _recent),
    (_rule(rf"(?:in|over|during|within)\s+the\s+(?:last|past)\s+(?P<count>)?{_UNIT}"), _recent),
    (_rule(rf"the\s+past\s+(?P<count>)?{_UNIT}"), _recent),
    (_rule(rf"(?:a\s+)?{_COUNT}\s+{_UNIT}\s+(?:ago|back|earlier)"), _counted),
    (_rule(r"the\s+day\s+before\s+yesterday"), _named),
    (
        _rule(
            rf"(?:last\s+|this\s+|past\s+)?{_DAY}(?P<that>,?\s+(?:of\s+)?(?:last|this)\s+week)?"
            r"(?:\s+(?:morning|afternoon|evening|night))?"
        ),
        _weekday,
    ),
    (
        _rule(r"(?:today|tonight|last\s+night|yesterday)(?:'s)?(?=\s+(?:morning|afternoon|evening)|\b)"),
        _named,
    ),
    (_rule(r"(?:earlier\s+)?this\s+(?:morning|afternoon|evening)"), _named),
    (_rule(r"(?:earlier\s+)?(?P<which>last|this|previous)\s+(?P<unit>week|month|year)"), _relative),
    (_rule(rf"(?:last\s+|this\s+)?{_MONTH}(?:,?\s+(?:of\s+)?{_YEAR})?"), _month),
    (_rule(rf"(?<=on )the\s+{_NTH}"), _nth),
    (_rule(rf"(?<=in ){_YEAR}"), _year),
    (_rule(r"(?:recently|lately|the\s+other\s+day|these\s+days)"), _lately),
)
