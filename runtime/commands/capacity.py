"""`hustings capacity`: how many workers, servers and disks a stream needs, from measured figures."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["capacity"]


def capacity(
    posts_per_second: Annotated[
        float, typer.Option("--posts-per-second", min=0.001, max=1_000_000, help="on average, day and night")
    ] = 50.0,
    days: Annotated[int, typer.Option("--days", min=1, max=3_650, help="how long posts are kept")] = 30,
    post_bytes: Annotated[
        float, typer.Option("--post-bytes", min=0, help="mean size of a post as JSON; 0: as the measured ones")
    ] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
    as_page: Annotated[bool, typer.Option("--page", help="as docs/capacity.md")] = False,
) -> None:
    """Reckon what a stream needs, and ten and a hundred times that stream.

    Workers, partitions, brokers, index nodes, shards, disk. It follows from what one of each carried in a run of `make
    bench CLUSTER=1`, and from assumptions that it says.

    Example: hustings capacity --posts-per-second 200 --days 60
    """
    import msgspec

    from classifiers.pipeline import shipped_models
    from classifiers.store import serving
    from runtime.capacity.measured import read_measured
    from runtime.capacity.page import STEPS, carried_rows, page, plan_rows, said_assumptions, said_of_models
    from runtime.capacity.plan import Assumptions, Stream, plan_for
    from runtime.commands.terminal import complain, say, table

    measured, assumptions, models = read_measured(), Assumptions(), tuple(serving(shipped_models()))
    stream = Stream(posts_per_s=posts_per_second, days=days, post_bytes=post_bytes or measured.post_bytes)
    plans = [plan_for(stream.times(step), measured, assumptions) for step in STEPS]
    if as_page:
        say(page(measured, assumptions, plans, days=days, models=models).removesuffix("\n"))
        return
    if as_json:
        found = {"measured": measured, "assumptions": assumptions, "plans": plans}
        say(msgspec.json.encode(found).decode())
        return
    table(
        f"Carried on {measured.machine}, {measured.at}",
        ["one", "carried", "processor time", "so a core carries"],
        carried_rows(measured),
    )
    table(
        "Needed",
        ["", *(f"{plan.posts_per_s:,g} posts/s" for plan in plans)],
        plan_rows(plans, days=days),
    )
    for line in said_assumptions(assumptions):
        say(f"- {line}")
    for line in said_of_models(measured, models):
        complain(line)
    for plan in plans:
        for line in plan.beyond:
            complain(f"{plan.posts_per_s:,g} posts/s: {line}")
