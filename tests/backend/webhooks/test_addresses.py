"""Which addresses may be called."""

from __future__ import annotations

import pytest

from kitchen_watch.backend.webhooks.addresses import check_url, resolve
from kitchen_watch.errors import InvalidRequest


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/in",
        "ftp://example.com/in",
        "https://user:word@example.com/",
        "https://example.com/#part",
        "https:///nowhere",
        "https://[::1/",
        "https://127.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://100.100.100.200/",
        "https://10.0.0.1/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://[::1]/",
        "https://[fe80::1]/",
        "https://[fd00:ec2::254]/",
        "https://[::ffff:169.254.169.254]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://[2002:a9fe:a9fe::]/",
    ],
)
def test_what_only_this_server_could_reach_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequest):
        check_url(url, ())


@pytest.mark.parametrize("url", ["https://example.com/in", "https://8.8.8.8:8443/in"])
def test_public_addresses_over_https_are_called(url: str) -> None:
    check_url(url, ())


def test_the_operator_may_open_a_closed_network() -> None:
    check_url("http://10.20.3.4:8080/in", ("10.20.0.0/16",))
    with pytest.raises(InvalidRequest, match=r"10\.21\.0\.1 is not a public address"):
        check_url("https://10.21.0.1/in", ("10.20.0.0/16",))
    with pytest.raises(InvalidRequest, match="https only"):
        check_url("http://8.8.8.8/in", ("10.20.0.0/16",))


async def test_a_name_is_judged_by_where_it_leads() -> None:
    with pytest.raises(InvalidRequest, match="not a public address"):
        await resolve("https://localhost/in", ())
    target = await resolve("http://localhost:9/in", ("127.0.0.0/8", "::1/128"))
    assert target.host == "localhost"
    assert target.address in {"127.0.0.1", "::1"}


def test_numbers_in_disguise_are_judged_when_they_are_resolved() -> None:
    import asyncio

    with pytest.raises(InvalidRequest, match="not a public address"):
        asyncio.run(resolve("https://2130706433/", ()))  # 127.0.0.1 as one number
