"""Asks a port whether a PostgreSQL server that takes logins is behind it, without any driver."""

from __future__ import annotations

import socket
import struct

PROTOCOL_3 = 196608
STARTING_UP = b"57P03"


def answers(host: str, port: int, *, timeout: float = 1.0) -> bool:
    """Whether a server there would take a login now; one that is starting up would not."""
    parameters = b"user\0postgres\0database\0postgres\0\0"
    message = struct.pack("!II", 8 + len(parameters), PROTOCOL_3) + parameters
    try:
        with socket.create_connection((host, port), timeout=timeout) as connection:
            connection.sendall(message)
            said = connection.recv(1024)
    except OSError:
        return False
    # "R" asks for a password; an error other than "starting up" (no such database) is an answer too.
    return said[:1] == b"R" or (said[:1] == b"E" and STARTING_UP not in said)
