"""iCalendar files for closed and open days: what they hold becomes part of the document that names them."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from schemas.definitions import Level, Loaded, load, load_documents
from schemas.definitions.ical import EVENTS_MOST, read_ical
from schemas.definitions.stretch import parse_stretch
from schemas.definitions.values import MalformedError
from sla.units import HOUR_MS
from sla.working_time import WorkingTime
from tests.working_time.naive import utc

BERLIN = """\
    apiVersion: forewarn/v1
    kind: Calendar
    metadata: {name: office}
    spec:
      timezone: Europe/Berlin
      hours: {mon-fri: ["09:00-17:00"]}
"""


def ics(*events: str) -> str:
    """A file of events, each given by its lines."""
    body = "".join(f"BEGIN:VEVENT\nUID:{n}\n{dedent(each).strip()}\nEND:VEVENT\n" for n, each in enumerate(events))
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:test\n{body}END:VCALENDAR\n"


def held(*events: str, closes: bool = True) -> list[str]:
    found = read_ical(ics(*events).encode(), "Europe/Berlin", closes=closes)
    assert found.problems == []
    return [str(each) for each in found.stretches]


def loaded(folder: Path, spec: str, /, **files: str) -> Loaded:
    for name, text in files.items():
        (folder / f"{name}.ics").write_text(text, encoding="utf-8")
    (folder / "office.yaml").write_text(dedent(BERLIN) + f"  {spec}\n", encoding="utf-8")
    return load([folder / "office.yaml"])


def office(loaded: Loaded) -> WorkingTime:
    assert loaded.catalogue is not None, [str(each) for each in loaded.findings]
    return loaded.catalogue.calendars["office"]


@pytest.mark.parametrize(
    ("event", "stretches"),
    [
        ("DTSTART;VALUE=DATE:20261224\nSUMMARY:Heiligabend", ["2026-12-24 Heiligabend"]),
        # the end of a day is the first that is not meant
        ("DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261227", ["2026-12-24/2026-12-26"]),
        ("DTSTART;VALUE=DATE:20261224\nDURATION:P2D", ["2026-12-24/2026-12-25"]),
        ("DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261224", ["2026-12-24"]),
        # a time without a zone is the calendar's
        ("DTSTART:20261224T120000\nDTEND:20261224T130000", ["2026-12-24T11:00:00.000Z/2026-12-24T12:00:00.000Z"]),
        ("DTSTART:20261224T120000Z\nDURATION:PT90M", ["2026-12-24T12:00:00.000Z/2026-12-24T13:30:00.000Z"]),
        (
            "DTSTART;TZID=America/New_York:20261224T120000\nDTEND;TZID=America/New_York:20261224T130000",
            ["2026-12-24T17:00:00.000Z/2026-12-24T18:00:00.000Z"],
        ),
        ("DTSTART:20261224T120000", []),  # takes no time
        ("DTSTART;VALUE=DATE:20261224\nSTATUS:CANCELLED", []),
        # holidays are published as days that are free; an hour that is free closes nothing
        ("DTSTART;VALUE=DATE:20261224\nTRANSP:TRANSPARENT", ["2026-12-24"]),
        ("DTSTART:20261224T120000Z\nDURATION:PT1H\nTRANSP:TRANSPARENT", []),
        ("DTSTART;VALUE=DATE:20260510\nSUMMARY:Mother's Day\nDESCRIPTION:Observance\\nTo hide observances, …", []),
        # rules
        ("DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=YEARLY;COUNT=2", ["2026-12-24", "2027-12-24"]),
        ("DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=DAILY;UNTIL=20261226", ["2026-12-24", "2026-12-25", "2026-12-26"]),
        (
            "DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE;VALUE=DATE:20261225\nRDATE;VALUE=DATE:20261231",
            ["2026-12-24", "2026-12-26", "2026-12-31"],
        ),
        # the third Thursday of November, at the same time of the wall's clock on both sides of its change
        (
            "DTSTART;TZID=Europe/Berlin:20261023T100000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=2",
            [
                "2026-10-23T08:00:00.000Z/2026-10-23T09:00:00.000Z",
                "2026-10-30T09:00:00.000Z/2026-10-30T10:00:00.000Z",
            ],
        ),
        (
            "DTSTART:20261224T120000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;UNTIL=20261225T120000Z",
            [
                "2026-12-24T12:00:00.000Z/2026-12-24T13:00:00.000Z",
                "2026-12-25T12:00:00.000Z/2026-12-25T13:00:00.000Z",
            ],
        ),
    ],
)
def test_an_event_becomes_days_or_times(event: str, stretches: list[str]) -> None:
    assert held(event) == stretches


def test_a_rule_without_an_end_is_followed_to_the_middle_of_the_century_whatever_the_clock_says() -> None:
    yearly = held("DTSTART;VALUE=DATE:20061224\nRRULE:FREQ=YEARLY")
    assert (yearly[0], yearly[-1], len(yearly)) == ("2006-12-24", "2050-12-24", 45)


def test_an_occurrence_that_was_moved_stands_where_it_was_moved_to() -> None:
    text = ics("DTSTART;VALUE=DATE:20261224\nRRULE:FREQ=YEARLY;COUNT=3").replace(
        "END:VCALENDAR",
        "BEGIN:VEVENT\nUID:0\nRECURRENCE-ID;VALUE=DATE:20271224\nDTSTART;VALUE=DATE:20271223\nEND:VEVENT\n"
        "BEGIN:VEVENT\nUID:0\nRECURRENCE-ID;VALUE=DATE:20281224\nDTSTART;VALUE=DATE:20281224\nSTATUS:CANCELLED\n"
        "END:VEVENT\nEND:VCALENDAR",
    )
    assert [str(each) for each in read_ical(text.encode(), "UTC", closes=True).stretches] == [
        "2026-12-24",
        "2027-12-23",
    ]


def test_free_time_and_observances_open_what_they_say() -> None:
    assert held("DTSTART:20261227T100000Z\nDURATION:PT4H\nTRANSP:TRANSPARENT", closes=False) != []


def test_what_a_file_holds_is_in_the_document_and_needs_no_file_after_that(tmp_path: Path) -> None:
    read = loaded(
        tmp_path,
        'closed: [2026-11-23, "2026-11-24/2026-11-25 move", {ical: days.ics}]\n'
        '  open: [{2026-11-28: ["10:00-12:00"]}, {ical: more.ics}]',
        days=ics("DTSTART;VALUE=DATE:20261224\nSUMMARY:Heiligabend", "DTSTART:20261130T100000\nDURATION:PT2H"),
        more=ics("DTSTART:20261129T100000\nDURATION:PT2H", "DTSTART;VALUE=DATE:20261206"),
    )
    assert read.documents[0]["spec"]["closed"][2] == {
        "ical": "days.ics",
        "events": ["2026-11-30T09:00:00.000Z/2026-11-30T11:00:00.000Z", "2026-12-24 Heiligabend"],
    }
    for calendar in (office(read), office(load_documents(read.documents))):
        assert calendar.elapsed_ms(utc("2026-11-23"), utc("2026-11-28")) == 2 * 8 * HOUR_MS  # Thursday and Friday
        assert calendar.elapsed_ms(utc("2026-11-28"), utc("2026-11-30")) == 4 * HOUR_MS  # both days of the weekend
        assert calendar.elapsed_ms(utc("2026-11-30"), utc("2026-12-01")) == 6 * HOUR_MS
        assert calendar.elapsed_ms(utc("2026-12-06T12:00"), utc("2026-12-07")) == 11 * HOUR_MS  # all of a Sunday
        reasons = calendar.why_closed(utc("2026-12-24"), utc("2026-12-25"))
        assert [each.name for each in reasons] == ["Heiligabend", ""]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", None, "no event"),
        ("BEGIN:VCALENDAR\nVERSION:2.0\nwhat is this\nEND:VCALENDAR\n", 3, "is no line of iCalendar"),
        (ics(), None, "no event"),
        (ics("SUMMARY:x"), 4, "DTSTART"),
        (ics("DTSTART;VALUE=DATE:20261301"), 4, "20261301"),
        (ics("DTSTART;VALUE=DATE:20261224\nDTEND:20261225T000000Z"), 4, "not both dates"),
        (ics("DTSTART:20261224T120000Z\nDURATION:PT1H\nRRULE:FREQ=SECONDLY"), 4, "DAILY, WEEKLY"),
        (ics("DTSTART;VALUE=DATE:19700101\nRRULE:FREQ=DAILY"), 4, f"{EVENTS_MOST:,} times"),
        (ics("DTSTART;VALUE=DATE:20261224\nEXRULE:FREQ=DAILY"), 4, "EXDATE"),
    ],
)
def test_a_bad_file_is_told_with_its_line(text: str, line: int | None, words: str, tmp_path: Path) -> None:
    read = loaded(tmp_path, "closed: [{ical: days.ics}]", days=text)
    (error,) = [each for each in read.findings if each.level is Level.ERROR]
    assert (error.rule, error.file, error.line) == ("ical-malformed", str(tmp_path / "days.ics"), line)
    assert words in error.message


def test_a_file_that_is_not_there_or_not_here_is_told_at_the_line_that_names_it(tmp_path: Path) -> None:
    for named, words in (("gone.ics", "cannot be read"), ("https://example.org/days.ics", "save it beside")):
        (error,) = loaded(tmp_path, f"closed: [{{ical: '{named}'}}]").findings
        assert (error.rule, error.line) == ("unreadable", 7)
        assert words in error.message
    (refused,) = load_documents(
        [{**loaded(tmp_path, "closed: []").documents[0], "spec": {"closed": [{"ical": "x"}]}}]
    ).findings
    assert "is not read here" in refused.message


def test_a_feed_with_more_than_days_off_is_warned_of(tmp_path: Path) -> None:
    observances = ["DTSTART;VALUE=DATE:20260510\nSUMMARY:Mother's Day\nDESCRIPTION:Observance"] * 3
    weekly = "DTSTART;VALUE=DATE:20260105\nRRULE:FREQ=WEEKLY;COUNT=30\nSUMMARY:team day"
    read = loaded(tmp_path, "closed: [{ical: days.ics}]", days=ics(*observances, weekly))
    told = {each.rule: (each.level, each.line, each.message) for each in read.findings}
    assert told["ical-left-aside"][:2] == (Level.WARNING, 4)
    assert '"Mother\'s Day" says that it is no day off' in told["ical-left-aside"][2]
    assert "2 more" in told["ical-left-aside"][2]
    assert told["calendar-closed-often"][2].startswith("30 days with hours are closed in 2026")


@pytest.mark.parametrize(
    "text", ["2026-12-24", "2026-12-24/2026-12-26 a name", "2026-12-24T11:00:00.000Z/2026-12-24T17:00:00.000Z x"]
)
def test_a_stretch_is_written_as_it_is_read(text: str) -> None:
    assert str(parse_stretch(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "2026-13-01",
        "2026-12-24/2026-12-20",
        "2026-01-01/2028-01-01",
        "now",
        5,
        "2026-12-24T11:00:00Z/2026-12-24T11:00:00Z",
    ],
)
def test_a_malformed_stretch_is_refused(text: object) -> None:
    with pytest.raises(MalformedError):
        parse_stretch(text)
