"""Channels: the contract, what a webhook answers to each status, signatures, the file after a crash."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from alerts.channels import CHANNELS
from alerts.channels import file as file_module
from alerts.channels.file import FileChannel
from alerts.channels.webhook import WebhookChannel
from alerts.secrets import Secret
from hustings.errors import ConfigError
from hustings.registry import names, resolve
from hustings.testing.check_channel import CHECKS, HTTP_ANSWERS, NOW, Bench, message
from hustings.testing.local_http import LocalHttp, Reply, Request
from ingest.egress import EgressSettings, GuardedEgress

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
FORMER = "whsec_" + base64.b64encode(bytes(range(32, 64))).decode()
SEED = bytes(range(64, 96))
SIGNING_KEY = "whsk_" + base64.b64encode(SEED).decode()


def no_egress() -> GuardedEgress:
    return GuardedEgress(EgressSettings())


def webhook(server: LocalHttp, *secrets: str, path: str = "/hook") -> WebhookChannel:
    settings = WebhookChannel.Settings(
        url=server.origin + path, secrets=tuple(Secret(value=secret) for secret in secrets or (SECRET,))
    )
    return WebhookChannel("hook", settings, egress=GuardedEgress(EgressSettings(allow=(server.origin,))))


def file_channel(path: Path) -> FileChannel:
    return FileChannel("archive", FileChannel.Settings(path=path), egress=no_egress())


def ids_in(path: Path) -> list[str]:
    return [json.loads(line)["id"] for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def server() -> Iterator[LocalHttp]:
    with LocalHttp(lambda _: Reply(204)) as server:
        yield server


def webhook_bench(tmp_path: Path, server: LocalHttp) -> Bench:
    def arrived() -> list[str]:
        return [request.headers["webhook-id"] for request in server.requests]

    return Bench(webhook(server), arrived, lambda: webhook(server), secrets=(SECRET, SECRET.removeprefix("whsec_")))


def file_bench(tmp_path: Path, server: LocalHttp) -> Bench:
    path = tmp_path / "deep" / "alerts.jsonl"
    return Bench(file_channel(path), lambda: ids_in(path), lambda: file_channel(path))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("bench", [webhook_bench, file_bench])
def test_channel_keeps_the_contract(
    bench: Callable[[Path, LocalHttp], Bench], check: Callable[[Bench], None], tmp_path: Path, server: LocalHttp
) -> None:
    check(bench(tmp_path, server))


def test_every_kind_in_the_table_has_settings_and_a_constructor() -> None:
    for kind in names(CHANNELS, group="hustings.channels"):
        channel = resolve(kind, CHANNELS, group="hustings.channels")
        assert channel.Settings.model_config["extra"] == "forbid"
        assert all(field.description for field in channel.Settings.model_fields.values())


# ── webhook ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("status", "result"), HTTP_ANSWERS.items())
def test_webhook_judges_the_status_as_every_channel_over_http(status: int, result: str) -> None:
    with LocalHttp(lambda _: Reply(status, headers={"location": "http://127.0.0.1:1/"})) as server:
        assert webhook(server).send(message(), now=NOW).result == result


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("120", timedelta(seconds=120)),
        ("0", timedelta(0)),
        ("Thu, 01 Oct 2026 12:05:00 GMT", timedelta(minutes=5)),
        ("Thu, 01 Oct 2026 11:00:00 GMT", timedelta(0)),
        ("99999999999999999999", timedelta(seconds=100_000_000)),
        ("-5", None),
        ("Thu, 01 Oct 99999999999999999999 12:05:00 GMT", None),
        ("soon", None),
        ("", None),
    ],
)
def test_webhook_reads_both_forms_of_retry_after(header: str, wait: timedelta | None) -> None:
    with LocalHttp(lambda _: Reply(503, headers={"retry-after": header})) as server:
        delivery = webhook(server).send(message(), now=NOW)
    assert (delivery.result, delivery.retry_after) == ("retry", wait)


def verify(request: Request, secret: str, *, at: datetime = NOW) -> object:
    """As a partner would, with the published library; its idea of now is the wall clock, so that is bent to ours."""
    from unittest import mock

    with mock.patch("standardwebhooks.webhooks.datetime") as clock:
        clock.now.return_value = at
        clock.fromtimestamp = datetime.fromtimestamp
        return Webhook(secret).verify(request.body, request.headers)


def test_partner_verifies_the_signature_with_the_standard_library(server: LocalHttp) -> None:
    webhook(server).send(message(), now=NOW)
    assert verify(server.requests[0], SECRET) == json.loads(message().body)
    with pytest.raises(WebhookVerificationError):
        verify(server.requests[0], FORMER)


def test_changed_body_does_not_verify(server: LocalHttp) -> None:
    webhook(server).send(message(), now=NOW)
    forged = server.requests[0]._replace(body=server.requests[0].body.replace(b"title", b"tit1e"))
    with pytest.raises(WebhookVerificationError):
        verify(forged, SECRET)


def test_while_keys_rotate_both_verify(server: LocalHttp) -> None:
    webhook(server, SECRET, FORMER).send(message(), now=NOW)
    assert verify(server.requests[0], SECRET) == verify(server.requests[0], FORMER)


def test_ed25519_signature_is_v1a_and_verifies_with_the_public_key(server: LocalHttp) -> None:
    webhook(server, SIGNING_KEY, SECRET).send(message(), now=NOW)
    request = server.requests[0]
    version, _, signature = request.headers["webhook-signature"].split(" ")[0].partition(",")
    content = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.body
    public = Ed25519PrivateKey.from_private_bytes(SEED).public_key()
    public.verify(base64.b64decode(signature), content)
    with pytest.raises(InvalidSignature):
        public.verify(base64.b64decode(signature), content + b" ")
    assert version == "v1a"
    assert verify(request, SECRET)


def test_id_stays_over_retries_and_the_timestamp_is_of_the_attempt(server: LocalHttp) -> None:
    channel = webhook(server)
    later = NOW + timedelta(hours=2)
    channel.send(message(), now=NOW)
    channel.send(message(), now=later)
    first, second = (request.headers for request in server.requests)
    assert first["webhook-id"] == second["webhook-id"] == "message-1"
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 7200
    assert verify(server.requests[1], SECRET, at=later)


def test_secret_is_read_from_a_file_at_each_attempt(server: LocalHttp, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(f"{FORMER}\n")
    settings = WebhookChannel.Settings(url=server.origin, secrets=(Secret(file=key),))
    channel = WebhookChannel("hook", settings, egress=GuardedEgress(EgressSettings(allow=(server.origin,))))
    channel.send(message(), now=NOW)
    key.write_text(SECRET)
    channel.send(message(), now=NOW)
    assert verify(server.requests[0], FORMER)
    assert verify(server.requests[1], SECRET)


def test_missing_secret_file_is_retried_and_named_without_content(server: LocalHttp, tmp_path: Path) -> None:
    settings = WebhookChannel.Settings(url=server.origin, secrets=(Secret(file=tmp_path / "key"),))
    delivery = WebhookChannel("hook", settings, egress=no_egress()).send(message(), now=NOW)
    assert delivery.result == "retry"
    assert "secret file" in delivery.detail
    assert server.requests == []


@pytest.mark.parametrize("key", ["secret", "whsec_", "whsec_???", "whsec_YQ==", "whsk_YQ==", "WHSEC_YQ=="])
def test_malformed_key_is_an_error_that_does_not_show_it(key: str, server: LocalHttp) -> None:
    delivery = webhook(server, key).send(message(), now=NOW)
    assert delivery.result == "retry"
    assert key not in delivery.detail.replace("whsec_ key", "").replace("whsk_ key", "") or key == "whsec_"
    assert server.requests == []


def test_secret_is_a_value_or_a_file_never_both() -> None:
    with pytest.raises(ValidationError, match="one of the two"):
        Secret.model_validate({"value": SECRET, "file": "key"})
    with pytest.raises(ValidationError, match="one of the two"):
        Secret.model_validate({})
    assert Secret.model_validate(SECRET).reveal() == SECRET
    assert SECRET not in repr(Secret.model_validate(SECRET))


def test_unreadable_secret_file_is_an_error_of_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: FileNotFoundError"):
        Secret(file=tmp_path / "none").reveal()


def test_address_that_the_guard_refuses_is_dead(server: LocalHttp) -> None:
    settings = WebhookChannel.Settings(url=server.origin, secrets=(Secret(value=SECRET),))
    delivery = WebhookChannel("hook", settings, egress=no_egress()).send(message(), now=NOW)
    assert delivery.result == "dead"
    assert "not allowed" in delivery.detail
    assert server.requests == []


def test_server_that_does_not_answer_is_retried() -> None:
    with LocalHttp(lambda _: Reply(200)) as server:
        channel = webhook(server)
    assert channel.send(message(), now=NOW).result == "retry"


def test_redirect_is_not_followed() -> None:
    with LocalHttp(lambda _: Reply(200)) as elsewhere:
        to = {"location": elsewhere.origin}
        with LocalHttp(lambda _: Reply(307, headers=to)) as server:
            assert webhook(server).send(message(), now=NOW).result == "dead"
        assert elsewhere.requests == []


@pytest.mark.parametrize(
    ("status", "headers", "result"),
    [
        (200, {}, "delivered"),
        (200, {"content-encoding": "br"}, "delivered"),
        (404, {}, "dead"),
        (503, {"retry-after": "120"}, "retry"),
    ],
)
def test_an_answer_is_judged_by_its_status_however_long_or_unreadable_its_body_is(
    status: int, headers: dict[str, str], result: str
) -> None:
    with LocalHttp(lambda _: Reply(status, body=b"x" * 2_000_000, headers=headers)) as server:
        delivery = webhook(server).send(message(), now=NOW)
    assert (delivery.result, delivery.retry_after) == (result, timedelta(seconds=120) if status == 503 else None)


def test_a_body_that_breaks_off_takes_nothing_from_a_2xx() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf of")

        threading.Thread(target=answer, daemon=True).start()
        origin = f"http://127.0.0.1:{listening.getsockname()[1]}"
        settings = WebhookChannel.Settings(url=origin, secrets=(Secret(value=SECRET),))
        channel = WebhookChannel("hook", settings, egress=GuardedEgress(EgressSettings(allow=(origin,))))
        assert channel.send(message(), now=NOW).result == "delivered"


@pytest.mark.parametrize(
    ("url", "result"),
    [
        ("https://partner.example/hook", "retry"),  # one forged answer of the name service
        ("https://10.0.0.1/hook", "dead"),  # what the operator wrote
        ("https://partner.example:8443/hook", "dead"),
        ("http://partner.example/hook", "dead"),
    ],
)
def test_a_name_that_leads_to_a_refused_address_is_tried_again_and_an_address_that_cannot_be_meant_is_dead(
    url: str, result: str
) -> None:
    egress = GuardedEgress(EgressSettings(), resolve=lambda host, port: [ip_address("10.0.0.1")])
    settings = WebhookChannel.Settings(url=url, secrets=(Secret(value=SECRET),))
    delivery = WebhookChannel("hook", settings, egress=egress).send(message(), now=NOW)
    assert delivery.result == result
    assert "not allowed" in delivery.detail


@pytest.mark.parametrize("url", ["", "ftp://host", "host/hook", "javascript:alert(1)"])
def test_webhook_address_is_http(url: str) -> None:
    with pytest.raises(ValidationError):
        WebhookChannel.Settings(url=url, secrets=(Secret(value=SECRET),))


# ── file ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_line_holds_the_message_and_its_body_as_json(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    file_channel(path).send(message(), now=NOW)
    line = json.loads(path.read_text())
    assert line["body"] == json.loads(message().body)
    assert {name: line[name] for name in ("id", "partner", "alert", "kind", "tlp", "title", "written_at")} == {
        "id": "message-1",
        "partner": "partner-1",
        "alert": "alert-1",
        "kind": "open",
        "tlp": "GREEN",
        "title": "A title",
        "written_at": "2026-10-01T12:00:00Z",
    }


def test_id_that_another_process_wrote_is_not_written_twice(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    one, other = file_channel(path), file_channel(path)
    one.send(message("m-1"), now=NOW)
    other.send(message("m-2"), now=NOW)
    one.send(message("m-2"), now=NOW)
    other.send(message("m-1"), now=NOW)
    assert ids_in(path) == ["m-1", "m-2"]


def test_half_a_line_left_by_a_crash_is_cut_off_and_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    file_channel(path).send(message("m-1"), now=NOW)
    whole = path.read_bytes()
    file_channel(path).send(message("m-2"), now=NOW)
    os.truncate(path, len(whole) + 17)
    assert file_channel(path).send(message("m-2"), now=NOW).detail == "written"
    assert ids_in(path) == ["m-1", "m-2"]


def test_file_that_was_rotated_away_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    channel = file_channel(path)
    channel.send(message("m-1"), now=NOW)
    path.rename(tmp_path / "old.jsonl")
    channel.send(message("m-2"), now=NOW)
    assert ids_in(path) == ["m-2"]


def test_many_writers_keep_lines_whole_and_ids_single(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"

    def write() -> None:
        channel = file_channel(path)
        for number in range(25):
            channel.send(message(f"m-{number}"), now=NOW)

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ids_in(path)) == sorted(f"m-{number}" for number in range(25))


def test_file_that_cannot_be_written_is_retried(tmp_path: Path) -> None:
    (tmp_path / "alerts.jsonl").mkdir()
    assert file_channel(tmp_path / "alerts.jsonl").send(message(), now=NOW).result == "retry"


def test_file_that_somebody_else_keeps_locked_is_retried_and_goes_on_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_module, "LOCK_WAIT_S", 0.05)
    path = tmp_path / "alerts.jsonl"
    channel = file_channel(path)
    with path.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert channel.send(message(), now=NOW).result == "retry"
    assert channel.send(message(), now=NOW).result == "delivered"
    assert ids_in(path) == ["message-1"]


@pytest.mark.parametrize("foreign", [b'{"id": "m-\xff"}', b"not JSON", b'{"id": 5}', b"[" * 100_000, b""])
def test_a_line_that_nobody_can_read_does_not_keep_the_next_message_out(tmp_path: Path, foreign: bytes) -> None:
    path = tmp_path / "alerts.jsonl"
    path.write_bytes(foreign + b"\n")
    assert file_channel(path).send(message(), now=NOW).result == "delivered"
    assert file_channel(path).send(message(), now=NOW).detail == "the file holds it already"
    assert json.loads(path.read_bytes().splitlines()[1])["id"] == "message-1"


def test_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    file_channel(tmp_path / "alerts.jsonl").send(message(), now=NOW)
    assert (tmp_path / "alerts.jsonl").stat().st_mode & 0o777 == 0o600
