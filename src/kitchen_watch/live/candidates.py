"""Which addresses of a viewer are tried: a viewer names them, and the edge sends checks there.

A viewer's candidates make the edge send small STUN packets to addresses of the viewer's choice. Many
would make it a scanner of the kitchen's network, so there are few, and none that no browser elsewhere
can have: this machine itself, link-local, multicast, the metadata services of clouds. Private
addresses stay, because browsers on the same network have just those. A browser whose candidates are
left out still gets through wherever its own checks reach the edge.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from aiortc.rtcicetransport import RTCIceCandidate
from aiortc.sdp import candidate_from_sdp

from kitchen_watch.errors import InvalidRequest

Network = IPv4Network | IPv6Network

MAX_CANDIDATES = 32
"""Of one view, in its offer and later. A laptop with several networks has about ten."""
_PREFIX = "a=candidate:"
_NEVER: tuple[Network, ...] = tuple(
    ip_network(one)
    for one in (
        "0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3",
        "100.100.100.200/32", "168.63.129.16/32", "192.0.0.192/32",
        "::/128", "::1/128", "fe80::/10", "ff00::/8", "fd00:ec2::254/128", "fd20:ce::254/128",
    )
)  # fmt: skip


class Candidates:
    """Counts and sifts one viewer's candidates. Without ``networks`` any address but those above is tried."""

    def __init__(self, networks: Sequence[Network] = ()) -> None:
        self._networks = networks
        self._seen = 0

    def sifted(self, offer: str) -> str:
        """The offer without candidates that are not tried.

        The end of candidates is not believed: others are found out from the viewer's own checks.

        Raises:
            InvalidRequest: a candidate cannot be read.
        """
        kept = []
        for line in offer.splitlines():
            if line.strip() == "a=end-of-candidates":
                continue
            if line.startswith("a=candidate") and self._read(line) is None:
                continue
            kept.append(line)
        return "\r\n".join(kept) + "\r\n"

    def later(self, lines: Iterable[str]) -> list[RTCIceCandidate]:
        """Candidates that came after the offer, those that are tried.

        Raises:
            InvalidRequest: a candidate cannot be read, or there are too many.
        """
        found = [self._read(line) for line in lines if line.startswith("a=candidate")]
        if self._seen > MAX_CANDIDATES:
            raise InvalidRequest("There are too many ICE candidates.")
        return [one for one in found if one is not None]

    def _read(self, line: str) -> RTCIceCandidate | None:
        try:
            candidate = candidate_from_sdp(line.removeprefix(_PREFIX))
        except (ValueError, AssertionError, IndexError):
            raise InvalidRequest("An ICE candidate cannot be read.") from None
        # Names: looking up an mDNS name takes a second and tells the local network who watches.
        if candidate.ip.endswith(".local"):
            return None
        self._seen += 1
        tried = self._seen <= MAX_CANDIDATES and 0 < candidate.port < 2**16 and self._tries(candidate.ip)
        return candidate if tried else None

    def _tries(self, address: str) -> bool:
        try:
            ip = ip_address(address)
        except ValueError:
            return False
        if ip.version == 6 and ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        if self._networks:
            return any(ip in network for network in self._networks)
        return not any(ip in network for network in _NEVER)
