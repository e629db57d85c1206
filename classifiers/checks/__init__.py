"""Functional tests of detection, in the manner of HateCheck but our own: ElectionCheck and the abuse functions.

A function is one thing that a detector must tell (a wrong date stated, the same date debunked); its cases are made from
templates in `election/<language>.toml` and `abuse/<language>.toml`. Start at `suite`.
"""
