"""Every JSON file of a model's folder, spoilt: refused as a model's error, never with an error of the decoder."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from classifiers.encoder.codes import read_codes
from classifiers.encoder.heads import read_heads
from classifiers.narratives.columns import codes_given
from hustings.errors import ModelError


@pytest.mark.parametrize("read", [read_codes, read_heads, codes_given])
@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b'["\xff"]', "not UTF-8 at byte 3"),
        (b'{"a": 1, "a": 1}', "the key 'a' stands twice"),
        (b"[" * 100_000, "nested deeper than 64"),
        (b"3", "Expected `"),
        (b"", "not_json"),
    ],
)
def test_a_spoilt_file_of_codes_or_heads_is_refused(
    read: Callable[[bytes, str], object], raw: bytes, told: str
) -> None:
    with pytest.raises(ModelError, match=rf"^here: (codes|heads)\.json: .*{told}"):
        read(raw, "here")
