"""Which addresses may be called: the guard against requests into the operator's own network.

Whoever may name a receiver could otherwise let this server ask things that only it can reach: other
services on the machine, or a cloud's metadata. So only public addresses over https are called; what
else is wanted, the operator names in ``outgoing.allowed_networks``. The address that was judged is
the address that is called: a name that answers differently the second time gains nothing.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from kitchen_watch.errors import BackendUnreachable, InvalidRequest

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_DISGUISES = (
    ipaddress.ip_network("64:ff9b::/96"),  # NAT64
    ipaddress.ip_network("2002::/16"),  # 6to4
    ipaddress.ip_network("2001::/32"),  # Teredo
)
"""Ranges of IPv6 that lead to an IPv4 address within them."""


@dataclass(frozen=True, slots=True)
class Target:
    """An address that may be called: where it leads, and under which name."""

    host: str
    address: str


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet and hides no other address."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if any(address in network for network in _DISGUISES):
            return False
    return address.is_global and not address.is_multicast


def is_allowed(address: Address, networks: Sequence[str]) -> bool:
    """Whether the operator has named a network with this address."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in ipaddress.ip_network(network) for network in networks)


def check_url(url: str, networks: Sequence[str]) -> None:
    """Return if a receiver may have this address, as far as it can be told without asking for its name.

    Raises:
        InvalidRequest: it may not, and why.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise InvalidRequest("This is not an address. Give one like https://events.example.cn/in.") from None
    if parts.scheme not in {"https", "http"} or not host or port == 0 or not url.isprintable() or " " in url:
        raise InvalidRequest("This is not an address. Give one like https://events.example.cn/in.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise InvalidRequest("An address must carry neither a user name nor a part after #.")
    if parts.scheme == "http" and not networks:
        raise InvalidRequest(
            "Only https is called; plain http needs its network in outgoing.allowed_networks."
        )
    try:
        literal = ipaddress.ip_address(host)
    except ValueError:
        return
    _judge([literal], https=parts.scheme == "https", networks=networks)


async def resolve(url: str, networks: Sequence[str]) -> Target:
    """The address to call, judged now.

    Raises:
        InvalidRequest: the name leads where nothing may be called.
        BackendUnreachable: the name leads nowhere.
    """
    check_url(url, networks)
    parts = urlsplit(url)
    host = str(parts.hostname)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise BackendUnreachable(f"{host} cannot be found.") from None
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    _judge(addresses, https=parts.scheme == "https", networks=networks)
    return Target(host, str(addresses[0]))


def _judge(addresses: Sequence[Address], *, https: bool, networks: Sequence[str]) -> None:
    for address in addresses:
        if is_allowed(address, networks):
            continue
        if not is_public(address):
            raise InvalidRequest(
                f"{address} is not a public address. If it may be called, add its network to "
                "outgoing.allowed_networks."
            )
        if not https:
            raise InvalidRequest("Public addresses are called over https only.")
