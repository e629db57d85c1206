"""What every `Index` must do, as checks that anybody can run on an implementation of their own.

    @pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
    def test_my_index(check, tmp_path):
        check(lambda: MyIndex(tmp_path))

A check is a function of a factory. Each is given a factory of an empty index, and may call it several times: every call
opens the same index again, as another process would. The check closes what it opened. `check_agreement` is for a test
that generates posts and queries (`hustings.testing.query_strategies`).
"""

from __future__ import annotations

from hustings.testing.check_index_hits import HITS
from hustings.testing.check_index_search import SEARCHING, check_agreement
from hustings.testing.check_index_writing import WRITING
from hustings.testing.index_world import IndexCheck, IndexFactory

__all__ = ["CHECKS", "IndexCheck", "IndexFactory", "check_agreement"]

CHECKS: tuple[IndexCheck, ...] = (*WRITING, *SEARCHING, *HITS)
