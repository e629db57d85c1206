"""Tips: from the form and from programs, into the table that the `tips` source reads."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import httpx
import msgspec
import pytest

from desk.web.pages.tips import FIELDS
from tests.desk_world import START, TIPS_TOKEN, World


def kept(world: World) -> list[dict[str, str]]:
    return [msgspec.json.decode(raw) for raw in world.services.memory.entries("tips").values()]


def send(world: World, body: bytes, token: str = TIPS_TOKEN, **headers: str) -> httpx.Response:
    headers |= {"authorization": f"Bearer {token}"}
    return world.browser().client.post("/api/tips", content=body, headers=headers)


def test_a_tip_from_the_form_is_put_down_without_who_sent_it(world: World) -> None:
    browser = world.signed_in("viewer")
    answer = browser.submit(browser.get("/tip"), "/tip", text=" Buses are cancelled\r\n", url="https://x.example/1")
    assert "The tip has arrived" in browser.follow(answer).text
    assert kept(world) == [
        {"text": "Buses are cancelled", "url": "https://x.example/1", "received_at": "2027-03-10T12:00:00Z"}
    ]


def test_a_tip_that_a_form_sends_twice_is_put_down_once(world: World) -> None:
    browser = world.signed_in("viewer")
    page = browser.get("/tip")
    for _ in range(2):
        answer = browser.submit(page, "/tip", text="Buses are cancelled")
        assert "The tip has arrived" in browser.follow(answer).text
        world.clock.advance(timedelta(seconds=6))
    assert len(kept(world)) == 1


def test_a_tip_that_was_handed_over_meanwhile_is_put_down_under_its_id_when_the_form_comes_again(world: World) -> None:
    browser = world.signed_in("viewer")
    page = browser.get("/tip")
    browser.submit(page, "/tip", text="Buses are cancelled")
    (tip_id,) = world.services.memory.entries("tips")
    world.services.memory.delete("tips", tip_id)
    world.clock.advance(timedelta(minutes=1))
    browser.submit(page, "/tip", text="Buses are cancelled")
    assert list(world.services.memory.entries("tips")) == [tip_id]


def test_other_words_from_the_same_form_and_the_same_words_from_another_are_tips_of_their_own(world: World) -> None:
    browser = world.signed_in("viewer")
    page = browser.get("/tip")
    browser.submit(page, "/tip", text="Buses are cancelled")
    browser.submit(page, "/tip", text="Trams are cancelled")
    browser.submit(browser.get("/tip"), "/tip", text="Buses are cancelled")
    assert len(kept(world)) == 3


def test_which_form_sent_a_tip_is_forgotten_after_minutes(world: World) -> None:
    browser = world.signed_in("viewer")
    browser.submit(browser.get("/tip"), "/tip", text="Buses are cancelled")
    world.clock.advance(timedelta(minutes=5, seconds=1))
    reader = world.signed_in("viewer")
    reader.submit(reader.get("/tip"), "/tip", text="Trams are cancelled")
    assert len(world.services.memory.entries("tips_sent")) == 1


def test_an_empty_tip_is_refused_and_keeps_what_was_written(world: World) -> None:
    browser = world.signed_in("viewer")
    answer = browser.submit(browser.get("/tip"), "/tip", text="  ", title="a headline")
    assert answer.status_code == 400
    assert 'value="a headline"' in answer.text
    assert kept(world) == []


def test_a_program_sends_a_tip_with_the_token(world: World) -> None:
    answer = send(world, '{"text": "باصات", "lang": "ar"}'.encode())
    assert answer.status_code == 202
    tip_id = answer.json()["id"]
    assert tip_id.startswith(f"{int(START.timestamp() * 1000):013d}-")
    assert kept(world) == [{"text": "باصات", "lang": "ar", "received_at": "2027-03-10T12:00:00Z"}]


def test_a_tip_that_a_program_sends_again_under_its_key_is_put_down_once(world: World) -> None:
    key = {"idempotency-key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}
    first = send(world, b'{"text": "Buses are cancelled", "lang": "en"}', **key)
    world.clock.advance(timedelta(minutes=4))
    again = send(world, b'{"lang": "en", "text": "Buses are cancelled"}', **key)
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert len(kept(world)) == 1


def test_the_request_in_the_docs_is_taken_and_its_keys_are_those_that_there_are(world: World) -> None:
    page = (Path(__file__).parent.parent / "docs" / "tips.md").read_text()
    asked, _, body = page.split("```")[1].strip().partition("\n\n")
    named = dict(line.split(": ", 1) for line in asked.splitlines()[1:])
    assert send(world, body.encode(), **{"idempotency-key": named["Idempotency-Key"]}).status_code == 202
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == list(FIELDS)


def test_other_words_another_key_or_none_make_tips_of_their_own(world: World) -> None:
    body = b'{"text": "Buses are cancelled"}'
    answers = [
        *(send(world, body, **{"idempotency-key": key}) for key in ("one", "two", "", " ")),
        send(world, b'{"text": "Trams are cancelled"}', **{"idempotency-key": "one"}),
    ]
    assert len({answer.json()["id"] for answer in answers}) == len(kept(world)) == 5
    world.clock.advance(timedelta(minutes=5, seconds=1))
    send(world, body, **{"idempotency-key": "one"})
    assert len(kept(world)) == 6


def test_ids_of_tips_sort_by_time(world: World) -> None:
    ids = []
    for _ in range(3):
        ids.append(send(world, b'{"text": "x"}').json()["id"])
        world.clock.advance(timedelta(milliseconds=7))
    assert ids == sorted(ids)


@pytest.mark.parametrize("token", ["", "wrong", TIPS_TOKEN + "x", TIPS_TOKEN[:-1], "tökén"])
def test_without_the_token_nothing_is_put_down(world: World, token: str) -> None:
    headers = {"authorization": f"Bearer {token}".encode()}
    answer = world.browser().client.post("/api/tips", content=b'{"text": "x"}', headers=headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert kept(world) == []


def test_a_desk_without_a_token_takes_no_tips_from_programs(world: World) -> None:
    assert send(world.over(tips_token=""), b'{"text": "x"}', token="").status_code == 401


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not_json"),
        (b"nonsense", "not_json"),
        (b'{"text": NaN}', "not_json"),
        (b"[]", "not_an_object"),
        (b"{}", "missing_key"),
        (b'{"text": ""}', "out_of_range"),
        (b'{"text": 7}', "wrong_type"),
        (b'{"text": "x", "sender": "me"}', "unknown_key"),
        (b'{"text": "x", "text": "y"}', "duplicate_key"),
        (b'{"text": "\\ud800"}', "lone_surrogate"),
    ],
)
def test_an_unusable_tip_is_answered_with_its_reason(world: World, body: bytes, reason: str) -> None:
    answer = send(world, body)
    assert (answer.status_code, answer.json()["error"]) == (400, reason)
    assert kept(world) == []


def test_a_tip_beyond_a_megabyte_is_refused(world: World) -> None:
    assert send(world, b'{"text": "' + b"x" * 1_000_001 + b'"}').status_code == 413


def test_many_tips_in_a_short_time_are_slowed_down(world: World) -> None:
    browser = world.signed_in("viewer")
    page = browser.get("/tip")
    answers = [browser.submit(page, "/tip", text=f"tip {number}").status_code for number in range(12)]
    assert answers == [303] * 10 + [429] * 2
    world.clock.advance(timedelta(seconds=10))
    assert browser.submit(page, "/tip", text="later").status_code == 303
    assert world.signed_in("reviewer").submit(world.signed_in("reviewer").get("/tip"), "/tip", text="x").status_code


def test_programs_are_slowed_down_too_and_told_when_to_come_back(world: World) -> None:
    answers = [send(world, b'{"text": "x"}').status_code for _ in range(121)]
    assert answers[:120] == [202] * 120
    late = send(world, b'{"text": "x"}')
    assert (late.status_code, late.headers["retry-after"]) == (429, "1")
