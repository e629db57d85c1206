"""What a check expects to be refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hustings.errors import StoreError

__all__ = ["expect_store_error"]


@contextmanager
def expect_store_error() -> Iterator[None]:
    """What is done inside must raise `StoreError`."""
    try:
        yield
    except StoreError:
        return
    raise AssertionError("this must raise StoreError")
