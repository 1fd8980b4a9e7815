"""Two homes behind symmetric NAT and a TURN server between them, as network namespaces of this machine.

::

    viewer 10.2.0.2 ── router ┐                        ┌ router ── edge 10.1.0.2
                       203.0.113.3 ── world 203.0.113.1 ── 203.0.113.2
                                      (coturn)

Routers give every connection another random port (so no hole can be punched) and let nothing in that
was not asked for. Needs root.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import require

TURN_ADDRESS, TURN_PORT = "203.0.113.1", 3478
HOMES = {"edge": ("10.1.0", "203.0.113.2"), "viewer": ("10.2.0", "203.0.113.3")}
RULES = """
table ip home {
  chain out { type nat hook postrouting priority 100; oifname "wan" masquerade random,fully-random; }
  chain through {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname "lan" oifname "wan" accept
  }
}
"""
ASK = """
import socket, sys
asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
asker.settimeout(2)
asker.sendto(bytes.fromhex("000100002112a442") + b"kitchenwatch", (sys.argv[1], int(sys.argv[2])))
asker.recv(100)
"""
ECHO = """
import socket, sys
echo = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
echo.bind(("0.0.0.0", int(sys.argv[1])))
print("ready", flush=True)
while True:
    data, address = echo.recvfrom(100)
    echo.sendto(data, address)
"""


def run(*command: str, given: str | None = None) -> str:
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr or done.stdout}")
    return done.stdout


class Network:
    """The namespaces; ``inside`` is a command's beginning that runs it in one of them."""

    def __init__(self) -> None:
        self._prefix = f"kw{os.getpid()}"
        self._names: list[str] = []

    def inside(self, place: str) -> tuple[str, ...]:
        return ("ip", "netns", "exec", f"{self._prefix}-{place}")

    def build(self) -> None:
        self._add("world")
        self._ip("world", "link", "add", "net", "type", "bridge")
        self._ip("world", "addr", "add", f"{TURN_ADDRESS}/24", "dev", "net")
        self._ip("world", "link", "set", "net", "up")
        for place, (home, public) in HOMES.items():
            router = f"{place}-router"
            self._add(place)
            self._add(router)
            self._cable((place, "lan"), (router, "lan"))
            self._cable((router, "wan"), ("world", f"to-{place}"))
            self._ip("world", "link", "set", f"to-{place}", "master", "net")
            self._ip(place, "addr", "add", f"{home}.2/24", "dev", "lan")
            self._ip(router, "addr", "add", f"{home}.1/24", "dev", "lan")
            self._ip(router, "addr", "add", f"{public}/24", "dev", "wan")
            self._ip(place, "route", "add", "default", "via", f"{home}.1")
            run(*self.inside(router), "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
            run(*self.inside(router), "nft", "-f", "-", given=RULES)

    def remove(self) -> None:
        for name in self._names:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False)

    def reaches(self, place: str, address: str, port: int) -> bool:
        """Whether a STUN request over UDP is answered from there."""
        command = [*self.inside(place), sys.executable, "-c", ASK, address, str(port)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    @contextlib.contextmanager
    def answering(self, place: str, port: int) -> Iterator[None]:
        """Somebody who answers every packet in a home."""
        command = [*self.inside(place), sys.executable, "-c", ECHO, str(port)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield
        finally:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()

    def _add(self, place: str) -> None:
        name = f"{self._prefix}-{place}"
        run("ip", "netns", "add", name)
        self._names.append(name)
        self._ip(place, "link", "set", "lo", "up")

    def _cable(self, one: tuple[str, str], other: tuple[str, str]) -> None:
        run(
            "ip", "-n", f"{self._prefix}-{one[0]}", "link", "add", one[1], "type", "veth",
            "peer", "name", other[1], "netns", f"{self._prefix}-{other[0]}",
        )  # fmt: skip
        self._ip(one[0], "link", "set", one[1], "up")
        self._ip(other[0], "link", "set", other[1], "up")

    def _ip(self, place: str, *arguments: str) -> None:
        run("ip", "-n", f"{self._prefix}-{place}", *arguments)


@contextlib.contextmanager
def two_homes() -> Iterator[Network]:
    """The network, or a skip with the reason where this machine cannot have it."""
    for program, why in (
        ("turnserver", "the relay is a real coturn (apt-get install coturn)"),
        ("nft", "NAT is made by nftables (apt-get install nftables)"),
        ("ip", "namespaces are made by iproute2 (apt-get install iproute2)"),
    ):
        require(program=program, why=why)
    network = Network()
    try:
        try:
            network.build()
        except RuntimeError as error:
            if os.geteuid() == 0 and os.environ.get("CI") == "true":
                pytest.fail(f"no network namespaces with NAT here: {error}")
            pytest.skip(f"no network namespaces with NAT here (root is needed): {error}")
        yield network
    finally:
        network.remove()


@contextlib.contextmanager
def coturn(network: Network, secret: str, home: Path) -> Iterator[Path]:
    """A real coturn in the world that takes credentials minted from ``secret``; yields its log."""
    log = home / "turn.log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [
                *network.inside("world"), "turnserver", "-n", "--use-auth-secret",
                f"--static-auth-secret={secret}", "--realm=kitchen.example", f"--listening-ip={TURN_ADDRESS}",
                f"--relay-ip={TURN_ADDRESS}", f"--listening-port={TURN_PORT}", "--no-tls", "--no-dtls",
                "--no-cli", "--log-file=stdout", "--verbose", f"--pidfile={home / 'turn.pid'}",
                f"--userdb={home / 'turn.db'}",
            ],
            stdout=out, stderr=subprocess.STDOUT, cwd=home,
        )  # fmt: skip
        try:
            until = time.monotonic() + 20
            while f":{TURN_PORT}" not in run(*network.inside("world"), "ss", "-Hlun"):
                if process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(f"coturn did not start: {log.read_text()[-2000:]}")
                time.sleep(0.1)
            yield log
        finally:
            process.kill()
            process.wait()
