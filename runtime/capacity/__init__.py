"""How much hardware a stream needs, reckoned from what was measured.

measured.py   the figures that `make bench CLUSTER=1` leaves in measured.json
plan.py       the arithmetic: a stream, assumptions and the figures give numbers of workers, servers, pieces, bytes
page.py       docs/capacity.md, the same in words
"""
