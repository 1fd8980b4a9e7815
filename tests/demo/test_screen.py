"""What people read, also where standard output is a file instead of a terminal."""

from __future__ import annotations

import pytest

from kitchen_watch.demo.district import Login
from kitchen_watch.demo.screen import Screen
from kitchen_watch.demo.summary import CameraLine, Summary

LOGINS = [Login("admin", "Root", "admin"), Login("officer", "Li", "grid_officer")]


def welcome(passwords: dict[str, str]) -> None:
    Screen(as_json=False).welcome(
        address="http://127.0.0.1:8000", logins=LOGINS, passwords=passwords, streams={}, status="http://edge"
    )


def row(text: str, username: str) -> str:
    (found,) = [line for line in text.splitlines() if f" {username} " in line]
    return found


def test_a_log_file_gets_one_plain_line_instead_of_a_bar(capsys: pytest.CaptureFixture[str]) -> None:
    with Screen(as_json=False).bar("rendering the sample cameras (once)") as progress:
        progress(1, 2)

    assert capsys.readouterr().out == "Rendering the sample cameras (once)...\n"


def test_only_who_chose_a_password_is_said_to_have_one(capsys: pytest.CaptureFixture[str]) -> None:
    welcome({"officer": "abcd-efgh-2345"})

    said = capsys.readouterr().out
    assert "as you chose it" in row(said, "admin")
    assert "abcd-efgh-2345" in row(said, "officer")
    assert "Passwords that were chosen earlier still hold" in said


def test_nothing_is_said_of_chosen_passwords_while_nobody_chose_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    welcome({"admin": "wxyz-wxyz-6789", "officer": "abcd-efgh-2345"})

    said = capsys.readouterr().out
    assert "chose" not in said


def test_the_summary_says_what_was_wanted_reached_and_replaced(capsys: pytest.CaptureFixture[str]) -> None:
    summary = Summary(
        seconds=60.0,
        wanted_per_second=5.0,
        cameras=(CameraLine("demo-stove", "streaming", 720, 290, 3, 4.8),),
        delivered=26,
        accepted_by_backend=26,
        known_to_backend=0,
    )

    Screen(as_json=False).summarise(summary)

    said = capsys.readouterr().out
    assert "4.8" in row(said, "demo-stove")
    assert "Wanted are 5 analysed frames a second of each camera. Replaced" in said
    assert "due for analysis and gave way to a newer one" in said
    assert "dropped" not in said
    assert "of this run: delivered 26, accepted by the backend 26, known to it already 0" in said


def test_cameras_that_take_turns_are_not_said_to_want_it_all_the_time(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Screen(as_json=False).summarise(Summary(seconds=60.0, wanted_per_second=5.0, at_once=2))

    said = capsys.readouterr().out
    assert "Wanted are 5 analysed frames a second of each camera whose turn it is, 2 at a time." in said
