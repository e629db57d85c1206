"""`hustings setup`: makes on the servers what the loops only use."""

from __future__ import annotations

from runtime.commands.config_path import ConfigPath

__all__ = ["setup"]


def setup(config: ConfigPath) -> None:
    """Make topics, indices and tables on the servers that a configuration names.

    What exists stays as it is: run it before the first start and after each upgrade. Without servers there is nothing
    to make but the desk's tables, which the first start would make too.

    Example: hustings setup my.toml
    """
    from runtime.commands.terminal import say
    from runtime.config import load_config
    from runtime.servers import set_up

    for line in set_up(load_config(config)):
        say(line)
