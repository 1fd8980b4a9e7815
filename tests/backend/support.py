"""A real backend on loopback with a sample district: two restaurants, two grids, everybody's login."""

from __future__ import annotations

import functools
import ssl
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from pydantic import SecretStr

from kitchen_watch.backend.app import create_app
from kitchen_watch.backend.auth.callers import cookie_name
from kitchen_watch.backend.auth.people import count_people
from kitchen_watch.backend.auth.service import find_by_username
from kitchen_watch.backend.auth.sessions import open_session
from kitchen_watch.backend.organisations.seed import apply_district
from kitchen_watch.backend.parts import Parts
from kitchen_watch.backend.serving import address_of, bind, server_for
from kitchen_watch.backend.settings import BackendSettings
from kitchen_watch.clock import Clock, ManualClock
from kitchen_watch.signing import new_secret, sign

PASSWORD = "correct horse battery"
SECRET_KEY = SecretStr("0123456789abcdefghijklmnopqrstuvwxyzABCDEF")
EDGE_SECRETS = {"edge-1": new_secret(), "edge-2": new_secret()}
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Loading the machine's certificates for every client would take long; nothing here speaks TLS."""

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


def camera(camera_id: str, edge: str = "edge-1", **more: Any) -> dict[str, Any]:
    return {"camera_id": camera_id, "edge": edge, "name": f"{camera_id} 灶台", "area": "stove", **more}


def person(username: str, role: str, **more: Any) -> dict[str, Any]:
    return {
        "username": username,
        "display_name": f"测试 {username}",
        "role": role,
        "password": PASSWORD,
        "must_change_password": False,
        **more,
    }


def sample_district() -> dict[str, Any]:
    """City → two districts. District 1: grid 1 with restaurants A and B. District 2: grid 2 with C.

    ``edge-1`` serves A (cam-a1, cam-a2) and B (cam-b1); ``edge-2`` serves C (cam-c1) alone.
    """
    return {
        "nodes": [
            {
                "code": "city", "kind": "city", "name": "银川市", "name_en": "Yinchuan",
                "children": [
                    {
                        "code": "district-1", "kind": "district", "name": "兴庆区",
                        "children": [
                            {
                                "code": "station-1", "kind": "station", "name": "解放街所",
                                "children": [
                                    {
                                        "code": "grid-1", "kind": "grid", "name": "一号网格",
                                        "premises": [
                                            {
                                                "licence_no": "JY-A", "name": "甲饭店",
                                                "name_en": "Restaurant A",
                                                "hours": {"mon": ["10:00-22:00"]},
                                                "responsible_person": "甲老板",
                                                "cameras": [camera("cam-a1"), camera("cam-a2", area="area")],
                                            },
                                            {
                                                "licence_no": "JY-B", "name": "乙饭店",
                                                "name_en": "Restaurant B",
                                                "cameras": [camera("cam-b1")],
                                            },
                                        ],
                                    }
                                ],
                            }
                        ],
                    },
                    {
                        "code": "district-2", "kind": "district", "name": "金凤区",
                        "children": [
                            {
                                "code": "grid-2", "kind": "grid", "name": "二号网格",
                                "premises": [
                                    {
                                        "licence_no": "JY-C", "name": "丙食堂", "name_en": "Canteen C",
                                        "cameras": [camera("cam-c1", edge="edge-2")],
                                    }
                                ],
                            }
                        ],
                    },
                ],
            }
        ],
        "edges": [{"edge_id": edge_id, "secret": secret} for edge_id, secret in EDGE_SECRETS.items()],
        "groups": [
            {"code": "group-0", "name": "总督查组", "sees_all": True},
            {"code": "group-2", "name": "第二督查组", "nodes": ["district-2"]},
        ],
        "people": [
            person("admin", "admin"),
            person("supervisor", "supervisor", group="group-0"),
            person("supervisor2", "supervisor", group="group-2"),
            person("regulator", "grid_officer", node="grid-1"),
            person("regulator2", "grid_officer", node="grid-2"),
            person("official_a", "responsible_official", official_for=["JY-A"], official_level="D"),
            person("manager_a", "premises_manager", premises="JY-A"),
            person("staff_a", "premises_staff", premises="JY-A"),
            person("manager_b", "premises_manager", premises="JY-B"),
            person("manager_c", "premises_manager", premises="JY-C"),
        ],
    }  # fmt: skip


@dataclass
class Backend:
    """A running backend as tests use it."""

    app: FastAPI
    url: str
    clock: Clock
    _clients: list[httpx.Client] = field(default_factory=list)
    _device: httpx.Client | None = None

    @property
    def parts(self) -> Parts:
        parts: Parts = self.app.state.parts
        return parts

    def client(self) -> httpx.Client:
        """A browser without a session."""
        client = httpx.Client(base_url=self.url, trust_env=False, timeout=20, verify=_NO_TLS)
        self._clients.append(client)
        return client

    def log_in(self, username: str, password: str = PASSWORD) -> httpx.Client:
        """A browser in which somebody has logged in; sends the CSRF token with everything."""
        client = self.client()
        answer = client.post("/api/v1/session", json={"username": username, "password": password})
        assert answer.status_code == 200, answer.text
        client.headers["x-csrf-token"] = answer.json()["csrf_token"]
        return client

    def logged_in(self, username: str) -> httpx.Client:
        """The same without typing the password, which takes a while to verify."""
        with self.parts.database.write() as session:
            row = find_by_username(session, username)
            assert row is not None, username
            opened = open_session(
                session,
                row,
                address="127.0.0.1",
                user_agent="test",
                now=self.clock.now(),
                times=self.parts.login.times,
            )
        client = self.client()
        client.cookies.set(cookie_name(self.parts), opened.token)
        client.headers["x-csrf-token"] = opened.person.csrf_token
        return client

    def signed(
        self,
        method: str,
        target: str,
        *,
        body: bytes = b"",
        edge_id: str = "edge-1",
        headers: dict[str, str] | None = None,
        fencing_token: int | None = None,
    ) -> httpx.Response:
        """A request signed by an edge, with the real time (the scheme knows no other)."""
        signature = sign(
            EDGE_SECRETS[edge_id],
            edge_id=edge_id,
            method=method,
            target=target,
            body=body,
            at=datetime.now(UTC),
            fencing_token=fencing_token,
        )
        if self._device is None:
            self._device = self.client()
        return self._device.request(method, target, content=body, headers={**signature, **(headers or {})})

    def close(self) -> None:
        for client in self._clients:
            client.close()


def make_settings(directory: Path, **more: Any) -> BackendSettings:
    return BackendSettings(
        **{
            "data_dir": directory,
            "secret_key": SECRET_KEY,
            "logins_per_minute": 10_000,
            # However full the disk is on which tests run.
            "retention": {"disk_floor_bytes": 0},
        }
        | more
    )


def make_app(settings: BackendSettings, clock: Clock | None = None) -> FastAPI:
    """The application with the sample district in its database."""
    if settings.database_url is None:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        (settings.data_dir / "backend.sqlite3").write_bytes(_template())
    app = create_app(settings, clock=clock or ManualClock(NOON))
    seed(app.state.parts)
    return app


def seed(parts: Parts) -> None:
    """Put the sample district into the database, unless it is there."""
    with parts.database.write() as session:
        if count_people(session) == 0:
            apply_district(session, sample_district(), vault=parts.vault, now=NOON)


@functools.cache
def _template() -> bytes:
    """A seeded SQLite database: hashing ten passwords for every test would take long."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory)
        app = create_app(make_settings(path), clock=ManualClock(NOON))
        parts: Parts = app.state.parts
        seed(parts)
        with parts.database.engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        parts.database.close()
        return (path / "backend.sqlite3").read_bytes()


@contextmanager
def running(directory: Path, *, clock: Clock | None = None, **settings: Any) -> Iterator[Backend]:
    """A backend with the sample district on a free port of loopback, in a thread of this process."""
    clock = clock or ManualClock(NOON)
    with serving(make_app(make_settings(directory, **settings), clock), clock) as backend:
        yield backend


@contextmanager
def serving(app: FastAPI, clock: Clock) -> Iterator[Backend]:
    """Serve an application in a thread."""
    listener = bind("127.0.0.1", 0)
    server = server_for(app, app.state.parts.settings)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    backend = Backend(app, address_of(listener), clock)
    thread.start()
    try:
        yield backend
    finally:
        backend.close()
        server.should_exit = True
        thread.join(timeout=20)
        listener.close()
        assert not thread.is_alive(), "the backend did not stop"
