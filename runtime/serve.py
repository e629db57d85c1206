"""The desk's web server in a thread of the desk loop, so that heartbeat and end are those of every loop."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

from hustings.errors import ConfigError
from runtime.config import Config
from runtime.events import Events

if TYPE_CHECKING:
    import uvicorn

    from desk.web.services import DeskServices

__all__ = ["DeskServer", "require_free_port", "serve_desk"]


class DeskServer:
    """A running server."""

    def __init__(self, server: uvicorn.Server, listening: socket.socket, *, address: str) -> None:
        self.address = address
        self._server = server
        self._socket = listening
        self._thread = threading.Thread(target=server.run, args=([listening],), name="desk-server", daemon=True)
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def close(self) -> None:
        """Let running requests end, then stop."""
        self._server.should_exit = True
        self._thread.join(timeout=5)
        self._socket.close()


def require_free_port(config: Config) -> None:
    """Raises `ConfigError` when the desk could not listen at its address."""
    _listening(config).close()


def _listening(config: Config) -> socket.socket:
    bind, port = config.desk.bind, config.desk.port
    try:
        return socket.create_server((bind, port), reuse_port=False)
    except OSError as error:
        raise ConfigError(f"{config.path}: desk: cannot listen at {bind}:{port}: {error.strerror}") from error


def serve_desk(config: Config, services: DeskServices, *, events: Events) -> DeskServer:
    """Listen at the configured address; raises `ConfigError` when it is taken."""
    import uvicorn

    from desk.web.app import create_app

    listening = _listening(config)
    address = f"http://{config.desk.bind}:{listening.getsockname()[1]}"
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(services),
            log_config=None,
            access_log=False,  # addresses of pages would say who looked at what
            server_header=False,
            timeout_graceful_shutdown=3,
            lifespan="off",
        )
    )
    events.info("desk_listening", address=address)
    return DeskServer(server, listening, address=config.base_url if config.desk.base_url else address)
