"""What is said about complaints and holds."""

from __future__ import annotations

import re
from types import MappingProxyType

from kitchen_watch.backend.pages.languages import N_, Language

CHANNELS = MappingProxyType(
    {
        "12315": N_("Hotline 12315"),
        "12345": N_("Hotline 12345"),
        "visit": N_("In person"),
        "letter": N_("By letter"),
        "online": N_("By internet"),
        "other": N_("Another way"),
    }
)
KINDS = MappingProxyType(
    {
        "consultation": N_("Consultation"),
        "complaint": N_("Complaint of a customer"),
        "report": N_("Report of an offence"),
    }
)
CATEGORIES = MappingProxyType(
    {
        "hygiene": N_("Hygiene"),
        "foreign_matter": N_("Foreign matter in food"),
        "spoiled": N_("Spoiled food"),
        "illness": N_("Illness after eating"),
        "pests": N_("Pests"),
        "staff": N_("Staff and dress"),
        "licence": N_("Licence and business"),
        "other": N_("Something else"),
    }
)
STATES = MappingProxyType(
    {
        "received": (N_("to be accepted"), "warn", "wait"),
        "accepted": (N_("being handled"), "accent", "clock"),
        "answered": (N_("answered"), "ok", "ok"),
        "closed": (N_("closed"), "quiet", "ok"),
        "refused": (N_("not taken up"), "quiet", "quiet"),
    }
)
STEPS = MappingProxyType(
    {
        "file": N_("Taken down"),
        "accept": N_("Taken on"),
        "refuse": N_("Not taken up"),
        "answer": N_("Answered"),
        "close": N_("Closed"),
        "reopen": N_("Opened again"),
        "note": N_("Note"),
    }
)
BUTTONS = MappingProxyType(
    {
        "accept": N_("Accept it"),
        "refuse": N_("Do not take it up"),
        "answer": N_("It has been answered"),
        "close": N_("Close it"),
        "reopen": N_("Take it up again"),
        "note": N_("Add a note"),
    }
)
HOLD_KINDS = MappingProxyType(
    {"alert": N_("An alert"), "camera": N_("A camera"), "premises": N_("All cameras of a premises")}
)
HOLD_ACTS = MappingProxyType({"placed": N_("Placed"), "lifted": N_("Lifted")})
POLICIES = MappingProxyType(
    {
        "evidence": N_("Evidence, after its case is finished"),
        "evidence_of_false_alarms": N_("Evidence of false alarms"),
        "evidence_of_transferred": N_("Evidence of cases handed to enforcement"),
        "evidence_minimum": N_("Evidence, at least, when the disk is short"),
        "photos": N_("Photos of rectifications"),
        "task_files": N_("Files of tasks, after these are done"),
        "check_photos": N_("Photos of self-checks"),
        "patrol_pictures": N_("Pictures of checks and of answers to findings"),
        "audit": N_("Audit log"),
        "letters": N_("Letters"),
        "records": N_("Alerts, their history, manifests and hashes"),
    }
)
DELETED = MappingProxyType(
    {
        "evidence": N_("Evidence file"),
        "photo": N_("Photo"),
        "audit": N_("Entries of the audit log"),
        "task_file": N_("File of a task"),
        "check_photo": N_("Photo of a self-check"),
        "patrol_picture": N_("Picture of a check"),
        "finding_photo": N_("Photo of an answer to a finding"),
    }
)
RUNS = MappingProxyType({"night": N_("Nightly run"), "pressure": N_("The disk was short")})
NUMBERED = N_("Complaint %(number)s of %(year)s")
_TITLE = re.compile(r"投诉〔(?P<year>\d+)〕(?P<number>\d+)号")


def numbered(title: str, language: Language) -> str:
    """The number of a complaint, as people of this language say it."""
    found = _TITLE.fullmatch(title)
    return language.gettext(NUMBERED) % found.groupdict() if found else title
