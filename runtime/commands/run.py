"""`hustings run`: the five loops, supervised."""

from __future__ import annotations

from runtime.commands.config_path import ConfigPath

__all__ = ["run"]


def run(config: ConfigPath) -> None:
    """Run the five loops until Ctrl-C.

    Collect, analyze, watch, deliver and the desk are processes of their own, analyze and watch as many as their
    `workers` say; one that dies is started again.

    Example: hustings check my.toml && hustings run my.toml
    """
    from runtime.check import check_everything
    from runtime.config import load_config
    from runtime.events import open_events
    from runtime.only_one import only_one
    from runtime.serve import require_free_port
    from runtime.stop import Stop
    from runtime.supervisor import Supervisor

    check_everything(config)
    loaded = load_config(config)
    with only_one(loaded.data):
        require_free_port(loaded)
        events = open_events(loop="supervisor", style=loaded.logging.format, level=loaded.logging.level)
        Supervisor.of_loops(loaded, events=events).run(Stop().on_signals())
