"""Logging in, being logged in, and being locked out."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from kitchen_watch.backend.audit.tables import AuditRow
from kitchen_watch.backend.auth.passwords import one_time_password
from kitchen_watch.backend.auth.people import reset_password
from kitchen_watch.backend.auth.service import find_by_username
from kitchen_watch.backend.auth.tables import WebSessionRow
from kitchen_watch.clock import ManualClock
from tests.backend.support import PASSWORD, Backend, running

SESSION = "/api/v1/session"


def passing(backend: Backend, duration: timedelta) -> None:
    assert isinstance(backend.clock, ManualClock)
    backend.clock.advance(duration)


def test_a_person_logs_in_and_out(any_backend: Backend) -> None:
    browser = any_backend.log_in("Manager_A")
    me = browser.get(SESSION).json()
    assert (me["username"], me["role"], me["scope_name"]) == ("manager_a", "premises_manager", "甲饭店")
    assert browser.delete(SESSION).status_code == 204
    assert browser.get(SESSION).status_code == 401


def test_a_wrong_password_is_a_problem_in_words(backend: Backend) -> None:
    browser = backend.client()
    wrong = browser.post(SESSION, json={"username": "admin", "password": "nearly right"})
    nobody = browser.post(SESSION, json={"username": "nobody", "password": "nearly right"})
    assert wrong.status_code == nobody.status_code == 401
    assert wrong.headers["content-type"] == "application/problem+json"
    assert wrong.json() == nobody.json()
    assert (wrong.json()["code"], "nearly" in wrong.text) == ("not_authenticated", False)
    assert "set-cookie" not in wrong.headers


def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(tmp_path: Path) -> None:
    with running(tmp_path, public_url="https://supervision.example.cn") as backend:
        answer = backend.client().post(SESSION, json={"username": "admin", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-kw_session=")
    for part in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert part in cookie
    assert answer.headers["strict-transport-security"]


def test_only_the_hash_of_a_token_is_kept(backend: Backend) -> None:
    browser = backend.log_in("admin")
    token = browser.cookies["kw_session"]
    with backend.parts.database.read() as session:
        row = session.scalars(select(WebSessionRow)).one()
    assert token not in {row.token_hash, row.csrf_token}


def test_logging_in_again_ends_the_old_session_of_that_browser(backend: Backend) -> None:
    browser = backend.log_in("admin")
    old = browser.cookies["kw_session"]
    browser.post(SESSION, json={"username": "admin", "password": PASSWORD})
    assert browser.cookies["kw_session"] != old
    thief = backend.client()
    thief.cookies.set("kw_session", old)
    assert thief.get(SESSION).status_code == 401


def test_a_session_ends_when_idle_and_in_any_case(backend: Backend) -> None:
    idle, busy = backend.logged_in("admin"), backend.logged_in("admin")
    for _ in range(13):
        passing(backend, timedelta(hours=1))
        assert busy.get(SESSION).status_code == 200
    assert idle.get(SESSION).status_code == 401
    passing(backend, timedelta(hours=1))
    assert busy.get(SESSION).status_code == 401


def test_too_many_wrong_passwords_lock_a_login_for_a_while(any_backend: Backend) -> None:
    browser = any_backend.client()
    guesses = [browser.post(SESSION, json={"username": "admin", "password": "guess"}) for _ in range(6)]
    assert [guess.status_code for guess in guesses] == [401] * 6
    locked = browser.post(SESSION, json={"username": "admin", "password": PASSWORD})
    assert (locked.status_code, locked.json()["code"]) == (429, "locked_out")
    assert locked.headers["retry-after"] == "900"
    assert "15 more minute" in locked.json()["detail"]
    assert any_backend.log_in("regulator").get(SESSION).status_code == 200
    passing(any_backend, timedelta(minutes=15))
    any_backend.log_in("admin")


def test_login_names_that_do_not_exist_are_locked_alike(backend: Backend) -> None:
    browser = backend.client()
    for _ in range(6):
        browser.post(SESSION, json={"username": "nobody", "password": "guess"})
    locked = browser.post(SESSION, json={"username": "nobody", "password": "guess"})
    assert locked.json()["code"] == "locked_out"


def test_a_right_password_forgets_the_wrong_ones(backend: Backend) -> None:
    browser = backend.client()
    for _ in range(2):
        for _ in range(4):
            browser.post(SESSION, json={"username": "admin", "password": "guess"})
        backend.log_in("admin")


def test_one_network_address_may_not_try_for_ever(tmp_path: Path) -> None:
    with running(tmp_path, logins_per_minute=3) as backend:
        browser = backend.client()
        codes = [
            browser.post(SESSION, json={"username": f"name-{n}", "password": "guess"}).json()["code"]
            for n in range(4)
        ]
    assert codes == ["not_authenticated"] * 3 + ["throttled"]


def test_a_disabled_login_is_shut_out_at_once(backend: Backend) -> None:
    browser = backend.logged_in("manager_a")
    with backend.parts.database.write() as session:
        row = find_by_username(session, "manager_a")
        assert row is not None
        row.disabled = True
    assert browser.get(SESSION).status_code == 401
    answer = backend.client().post(SESSION, json={"username": "manager_a", "password": PASSWORD})
    assert answer.status_code == 401


def test_a_one_time_password_must_be_replaced_before_anything_else(any_backend: Backend) -> None:
    with any_backend.parts.database.write() as session:
        once = reset_password(session, "manager_a")
    browser = any_backend.log_in("manager_a", once)
    assert browser.get(SESSION).json()["must_change_password"] is True
    refused = browser.get("/api/v1/alerts")
    assert (refused.status_code, refused.json()["code"]) == (403, "password_change_needed")
    changed = browser.put(f"{SESSION}/password", json={"present": once, "new": "a better one 7"})
    assert changed.status_code == 200, changed.text
    assert browser.get("/api/v1/alerts").status_code == 200
    again = any_backend.client().post(SESSION, json={"username": "manager_a", "password": once})
    assert again.status_code == 401


def test_changing_the_password_ends_the_other_sessions(backend: Backend) -> None:
    mine, other = backend.logged_in("admin"), backend.logged_in("admin")
    mine.put(f"{SESSION}/password", json={"present": PASSWORD, "new": "a better one 7"})
    assert mine.get(SESSION).status_code == 200
    assert other.get(SESSION).status_code == 401


@pytest.mark.parametrize(
    ("present", "new", "said"),
    [
        (PASSWORD, "short", "too short"),
        (PASSWORD, "aaaaaaaaaaaa", "too few different"),
        (PASSWORD, "my admin password", "login name"),
        (PASSWORD, PASSWORD, "the old one"),
        ("wrong", "a better one 7", "present password is wrong"),
    ],
)
def test_a_password_that_is_not_good_enough_is_refused_with_the_reason(
    backend: Backend, present: str, new: str, said: str
) -> None:
    answer = backend.logged_in("admin").put(f"{SESSION}/password", json={"present": present, "new": new})
    assert (answer.status_code, said in answer.json()["detail"]) == (422, True), answer.text


def test_an_unsafe_request_needs_the_sessions_own_token(backend: Backend) -> None:
    browser = backend.logged_in("admin")
    token = browser.headers.pop("x-csrf-token")
    assert browser.delete(SESSION).status_code == 403
    assert browser.delete(SESSION, headers={"x-csrf-token": "x" * 43}).status_code == 403
    foreign = {"x-csrf-token": token, "origin": "https://evil.example"}
    assert browser.delete(SESSION, headers=foreign).status_code == 403
    other_port = {"x-csrf-token": token, "origin": "http://127.0.0.1:1"}
    assert browser.delete(SESSION, headers=other_port).status_code == 403
    own = {"x-csrf-token": token, "origin": backend.url}
    assert browser.delete(SESSION, headers=own).status_code == 204


def test_another_site_cannot_log_somebody_in(backend: Backend) -> None:
    credentials = {"username": "admin", "password": PASSWORD}
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}):
        assert backend.client().post(SESSION, json=credentials, headers=headers).status_code == 403


def test_logins_are_written_down_without_what_was_typed(backend: Backend) -> None:
    backend.client().post(SESSION, json={"username": "my-password-by-mistake", "password": "guess"})
    backend.client().post(SESSION, json={"username": "admin", "password": "guess"})
    backend.log_in("admin")
    with backend.parts.database.read() as session:
        rows = list(session.scalars(select(AuditRow).order_by(AuditRow.id)))
    assert [(row.action, row.person_id is not None) for row in rows] == [
        ("login_failed", False),
        ("login_failed", True),
        ("login", True),
    ]
    assert not any("mistake" in str(row.facts) or "guess" in str(row.facts) for row in rows)


def test_one_time_passwords_differ_and_are_easily_read() -> None:
    passwords = {one_time_password() for _ in range(100)}
    assert len(passwords) == 100
    assert all(len(password) == 14 and not set("01ilo") & set(password) for password in passwords)
