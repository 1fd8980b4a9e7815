"""A viewer cannot make the edge look around in its network, and a browser next door still gets in."""

from __future__ import annotations

import asyncio
from ipaddress import ip_network

import pytest

from kitchen_watch.errors import InvalidRequest
from kitchen_watch.live.candidates import MAX_CANDIDATES, Candidates, Network
from kitchen_watch.live.relay import Relay
from kitchen_watch.live.session import ViewerSession
from tests.live.peers import Viewer


def line(address: str, port: int = 50000) -> str:
    return f"a=candidate:1 1 udp 2130706431 {address} {port} typ host"


@pytest.mark.parametrize("address", ["192.168.1.20", "10.3.2.1", "203.0.113.9", "fd12::7", "2001:db8::7"])
def test_addresses_that_browsers_have_are_tried(address: str) -> None:
    (found,) = Candidates().later([line(address)])
    assert found.ip == address


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", "169.254.169.254", "::ffff:169.254.169.254",
        "100.100.100.200", "fe80::1", "fd00:ec2::254", "239.255.255.250", "ff02::fb", "255.255.255.255",
        "router", "a1b2.local", "127.1",
    ],
)  # fmt: skip
def test_the_machine_itself_its_link_and_cloud_metadata_are_not(address: str) -> None:
    assert Candidates().later([line(address)]) == []
    assert address not in Candidates().sifted(f"v=0\r\n{line(address)}\r\na=end-of-candidates\r\n")


def test_where_networks_are_named_nothing_else_is_tried() -> None:
    networks = [ip_network("10.7.0.0/16"), ip_network("127.0.0.0/8")]
    lines = [line(one) for one in ("10.7.3.3", "10.8.0.1", "127.0.0.1", "2001:db8::7")]
    assert [one.ip for one in Candidates(networks).later(lines)] == ["10.7.3.3", "127.0.0.1"]


def test_an_offer_and_what_comes_later_are_counted_together() -> None:
    candidates = Candidates()
    scan = [line(f"192.168.1.{number}") for number in range(1, 255)]
    offer = candidates.sifted("\r\n".join(["v=0", *scan]))
    assert offer.count("a=candidate") == MAX_CANDIDATES
    with pytest.raises(InvalidRequest, match="too many"):
        candidates.later([line("192.168.2.1")])


@pytest.mark.integration
@pytest.mark.parametrize("networks", [(), (ip_network("127.0.0.0/8"),)], ids=["usual", "loopback named"])
async def test_a_service_of_the_edge_itself_hears_nothing_of_an_offer_that_names_it(
    networks: tuple[Network, ...],
) -> None:
    loop = asyncio.get_running_loop()
    heard = asyncio.Event()

    class Service(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: object) -> None:
            heard.set()

    service, _ = await loop.create_datagram_endpoint(Service, local_addr=("127.0.0.1", 0))
    named = line("127.0.0.1", service.get_extra_info("sockname")[1])
    viewer, session = Viewer(), ViewerSession(Relay(), networks=networks)
    offer = (await viewer.offer()).replace("a=end-of-candidates", named)
    await session.answer(offer)
    try:
        async with asyncio.timeout(0.7 if not networks else 5):
            await heard.wait()
    except TimeoutError:
        pass
    assert heard.is_set() == bool(networks)  # where the operator allows it, the check does arrive
    await session.close()
    await viewer.close()
    service.close()
