"""Logging in, being logged in, and being locked out."""

from __future__ import annotations

from tests.backend.support import PASSWORD, Backend


def test_a_person_logs_in_and_out(backend: Backend) -> None:
    browser = backend.logged_in("manager_a")
    me = browser.get("/api/v1/session").json()
    assert (me["username"], me["role"], me["scope_name"]) == ("manager_a", "premises_manager", "甲饭店")
    assert browser.delete("/api/v1/session").status_code == 204
    assert browser.get("/api/v1/session").status_code == 401


def test_a_wrong_password_is_a_problem_in_words(backend: Backend) -> None:
    answer = backend.client().post("/api/v1/session", json={"username": "admin", "password": "wrong"})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "not_authenticated"
    assert PASSWORD not in answer.text
