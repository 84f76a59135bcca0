"""Names and addresses under which the page may be requested."""

import ipaddress
import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ..errors import SR4IRError

LOOPBACK, EVERY_ADDRESS = ('127.0.0.1', '::1', 'localhost'), ('0.0.0.0', '::')
#: the value of the header 'Host': a name or an address, perhaps with a port
HEADER = re.compile(r'(?:\[(?P<v6>[0-9a-f:.]+)\]|(?P<name>[\w.-]+))(?::\d+)?', re.ASCII | re.IGNORECASE)


class Hosts:
    """Names and addresses under which the page may be requested, with any port.

    Whoever owns a name can let it point to this machine, so that the browser takes this page for one of theirs (DNS
    rebinding). Such requests carry that name, so all names must be known. Addresses cannot be pointed elsewhere: a page
    that listens on every address accepts them all.

    Args:
        listen (str): Address that the page listens on: it is accepted, as are the loopback addresses. '0.0.0.0' and
            '::' stand for every address and the machine's name.
        names (Sequence[str]): Other names and addresses to accept.

    Raises:
        SR4IRError: If one of the names is neither a name nor an address.

    Example:
        >>> hosts = Hosts('127.0.0.1', ['gpu1.example.org'])
        >>> [header in hosts for header in ('localhost:7860', 'gpu1.example.org', 'other.example.org')]
        [True, True, False]
    """

    def __init__(self, listen: str, names: Sequence[str] = ()) -> None:
        for name in names:
            if not re.fullmatch(r'[\w.-]+', name) and not _is_address(name):
                raise SR4IRError(f"'{name}' is not a name or an address: write it without http:// and port.")
        self.every_address = listen in EVERY_ADDRESS
        own_names = [socket.gethostname()] if self.every_address else []
        self.names = {_plain(name) for name in (*LOOPBACK, listen, *own_names, *names)}

    def __contains__(self, header: str) -> bool:
        match = HEADER.fullmatch(header)
        if not match:
            return False
        host = _plain(match['v6'] or match['name'])
        return host in self.names or (self.every_address and _is_address(host))


def check_address(host: str, port: int | None) -> None:
    """Check that a server can listen on an address: Gradio would wait for it forever.

    Raises:
        SR4IRError: If it cannot.
    """
    with listening(host, port):
        family, kind, protocol, _, address = socket.getaddrinfo(host or None, port or 0, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as after a page that has just ended
            server.bind(address)


@contextmanager
def listening(host: str, port: int | None) -> Iterator[None]:
    """Turn the errors of an address that a server cannot listen on into one message.

    Raises:
        SR4IRError: If the code inside fails in this way.
    """
    try:
        yield
    except (OSError, OverflowError, UnicodeError) as error:
        where = f'{host}, port {port}' if port else f"'{host}'"
        raise SR4IRError(
            f'The page cannot listen on {where}: another program uses the port, or the machine has no such address '
            f'({error}). Choose another --port or --host.'
        ) from error


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a host."""
    return ipaddress.ip_address(host).is_loopback if _is_address(host) else host == 'localhost'


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _plain(host: str) -> str:
    return ipaddress.ip_address(host).compressed if _is_address(host) else host.lower()
