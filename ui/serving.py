"""Put the pages on an address of this machine, and say so once they answer."""

from __future__ import annotations

import socket

from ingest.errors import UnitutorError


class CannotServe(UnitutorError):
    """An address that the pages cannot be put on."""


def check_port(host: str, port: int) -> None:
    """Raise CannotServe where `host` and `port` cannot be listened on, before anything is loaded."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as trial:
            # Without this the port of a server that has just stopped would count as taken.
            if hasattr(socket, "SO_REUSEPORT"):
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except (OSError, OverflowError, UnicodeError) as error:
        raise CannotServe(
            f"Cannot listen on {host}:{port} ({getattr(error, 'strerror', None) or error}): "
            "stop the program that uses it, or choose another with --port."
        ) from error
