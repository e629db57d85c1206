"""What every `contracts.Memory` keeps to. Parametrise a test over `CHECKS`, handing each a fresh, empty memory."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from hustings.contracts import Memory
from hustings.errors import StoreError

__all__ = ["CHECKS"]


def check_unknown_key_is_none(memory: Memory) -> None:
    assert memory.get("cursors", "feed") is None
    assert memory.entries("cursors") == {}


def check_put_is_read_back_byte_for_byte(memory: Memory) -> None:
    raw = bytes(range(256)) * 40
    memory.put("cursors", "feed", raw)
    assert memory.get("cursors", "feed") == raw


def check_empty_value_is_not_absent(memory: Memory) -> None:
    memory.put("cursors", "feed", b"")
    assert memory.get("cursors", "feed") == b""
    assert memory.entries("cursors") == {"feed": b""}


def check_last_put_wins(memory: Memory) -> None:
    memory.put("cursors", "feed", b"1")
    memory.put("cursors", "feed", b"2")
    assert memory.get("cursors", "feed") == b"2"
    assert memory.entries("cursors") == {"feed": b"2"}


def check_tables_do_not_mix(memory: Memory) -> None:
    memory.put("cursors", "feed", b"1")
    memory.put("health", "feed", b"2")
    assert memory.entries("cursors") == {"feed": b"1"}
    assert memory.get("health", "feed") == b"2"


def check_any_text_is_a_key(memory: Memory) -> None:
    keys = ["", " ", "a/b", "ключ", "鍵", "%_'\"", "x" * 512]
    for number, key in enumerate(keys):
        memory.put("tips", key, str(number).encode())
    assert memory.entries("tips") == {key: str(number).encode() for number, key in enumerate(keys)}


def check_entries_come_in_the_order_of_their_keys(memory: Memory) -> None:
    for key in ("0003", "0001", "0002"):
        memory.put("tips", key, key.encode())
    assert list(memory.entries("tips")) == ["0001", "0002", "0003"]


def check_deleted_key_is_gone_and_deleting_it_again_is_no_error(memory: Memory) -> None:
    memory.put("tips", "1", b"x")
    memory.delete("tips", "1")
    memory.delete("tips", "1")
    assert memory.get("tips", "1") is None


def check_many_threads_may_write_at_once(memory: Memory) -> None:
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda number: memory.put("heartbeats", str(number), b"alive"), range(160)))
    assert len(memory.entries("heartbeats")) == 160


def check_a_number_counts_up_from_nothing_and_is_kept_as_digits(memory: Memory) -> None:
    assert [memory.add("active", "epoch"), memory.add("active", "epoch", 41), memory.add("active", "other")] == [
        1,
        42,
        1,
    ]
    assert memory.get("active", "epoch") == b"42"
    memory.put("active", "epoch", b"7")
    assert [memory.add("active", "epoch"), memory.add("active", "epoch", -9)] == [8, -1]


def check_a_value_is_replaced_only_while_it_is_the_former_one(memory: Memory) -> None:
    tried = [(None, b"one"), (None, b"two"), (b"two", b"three"), (b"one", b"four"), (b"four", b"")]
    assert [memory.replace("claims", "all", *pair) for pair in tried] == [True, False, False, True, True]
    assert memory.get("claims", "all") == b""
    assert memory.replace("claims", "all", b"", b"five")


def check_of_many_threads_that_replace_none_undoes_another(memory: Memory) -> None:
    def grow(letter: str) -> None:
        while True:
            former = memory.get("claims", "all")
            if memory.replace("claims", "all", former, (former or b"") + letter.encode()):
                return

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(grow, "abcdefghijkl"))
    assert sorted((memory.get("claims", "all") or b"").decode()) == list("abcdefghijkl")


def check_what_is_no_number_cannot_be_added_to(memory: Memory) -> None:
    memory.put("active", "model", b"abuse-en")
    said = ""
    try:
        memory.add("active", "model")
    except StoreError as error:
        said = str(error)
    assert "model" in said
    assert "abuse-en" not in said  # a value may be anything, also what nobody should read
    assert memory.get("active", "model") == b"abuse-en"


def check_many_threads_that_add_get_a_number_each(memory: Memory) -> None:
    with ThreadPoolExecutor(16) as pool:
        numbers = list(pool.map(lambda _: memory.add("active", "epoch"), range(160)))
    assert sorted(numbers) == list(range(1, 161))
    assert memory.get("active", "epoch") == b"160"


CHECKS: tuple[Callable[[Memory], None], ...] = (
    check_unknown_key_is_none,
    check_put_is_read_back_byte_for_byte,
    check_empty_value_is_not_absent,
    check_last_put_wins,
    check_tables_do_not_mix,
    check_any_text_is_a_key,
    check_entries_come_in_the_order_of_their_keys,
    check_deleted_key_is_gone_and_deleting_it_again_is_no_error,
    check_many_threads_may_write_at_once,
    check_a_number_counts_up_from_nothing_and_is_kept_as_digits,
    check_what_is_no_number_cannot_be_added_to,
    check_many_threads_that_add_get_a_number_each,
    check_a_value_is_replaced_only_while_it_is_the_former_one,
    check_of_many_threads_that_replace_none_undoes_another,
)
