"""Names and addresses under which the page may be requested."""

import ipaddress
import re
import socket
from collections.abc import Sequence

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
