"""Subject and text of notifications, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from kitchen_watch.backend.notifications.rules import Occasion
from kitchen_watch.backend.pages import wording
from kitchen_watch.backend.pages.languages import N_, choose

OCCASIONS: Mapping[Occasion, tuple[str, str]] = MappingProxyType(
    {
        Occasion.SUSPECTED: (
            N_("Suspected"),
            N_("Not verified yet. Look at it at once and act if it is true."),
        ),
        Occasion.FOUND: (N_("To be verified"), N_("Look at the pictures and verify or reject it.")),
        Occasion.ASSIGNED: (
            N_("Assigned"),
            N_("It is verified and was given to its owners. Rectify it in time."),
        ),
        Occasion.SUBMITTED: (N_("Rectification submitted"), N_("Review what the restaurant has handed in.")),
        Occasion.RETURNED: (N_("Returned"), N_("The rectification was not enough. See what is missing.")),
        Occasion.CLOSED: (N_("Closed"), N_("The rectification was accepted.")),
        Occasion.APPEALED: (
            N_("Appealed"),
            N_("The restaurant objects. Somebody who neither verified nor assigned it must decide."),
        ),
        Occasion.APPEAL_DECIDED: (N_("Appeal decided"), N_("Your objection has been decided.")),
        Occasion.FALSE_ALARM: (
            N_("False alarm"),
            N_("The suspicion was not confirmed; nothing is to be done."),
        ),
        Occasion.REOPENED: (N_("Reopened"), N_("The case was opened again; a new clock runs.")),
        Occasion.TRANSFERRED: (N_("Transferred to enforcement"), N_("It has become a case of enforcement.")),
        Occasion.REMINDER: (N_("Reminder"), N_("The deadline comes near.")),
        Occasion.SUPERVISION: (
            N_("Supervision"),
            N_("The deadline has passed; a higher level watches this case."),
        ),
        Occasion.LETTER: (N_("Letter"), N_("A letter was issued. Read it and confirm that it has arrived.")),
        Occasion.COMPLAINT: (
            N_("Complaint"),
            N_("A complaint has come in. Accept it and look into it; its evidence is held."),
        ),
        Occasion.COMPLAINT_DUE: (N_("Complaint due"), N_("A complaint must be accepted or answered soon.")),
        Occasion.FILE_STUCK: (
            N_("File cannot be removed"),
            N_("A file whose time is over could not be removed from the disk. It is tried again every hour."),
        ),
        Occasion.TASK_DUE: (N_("Task due"), N_("A task of your unit is due soon and not done.")),
        Occasion.SELF_CHECK: (
            N_("Self-check due"),
            N_("A self-check of your restaurant is due today and has not been handed in."),
        ),
        Occasion.REPORT_UNCONFIRMED: (
            N_("Report not confirmed"),
            N_("A report was published to you and you have not confirmed it yet. Read and confirm it."),
        ),
        Occasion.DISK_SHORT: (
            N_("The disk is short"),
            N_(
                "Evidence was deleted earlier than usual, or the disk is still short. Nothing that is held "
                "was deleted. Give the service more space."
            ),
        ),
    }
)
"""What each occasion is called, and what is to be done."""
SUSPECTED = N_("suspected")


def words_for(occasion: Occasion, facts: Mapping[str, Any], locale: str | None) -> tuple[str, str]:
    """Subject and text: ``facts`` are those of a notification."""
    language = choose(locale)
    title, text = OCCASIONS[occasion]
    if "code" not in facts:
        about = str(facts.get("about", ""))
        subject = f"[{language.gettext(title)}] {about}".rstrip()
        return subject, f"{language.gettext(text)}\n\n{facts['url']}\n"
    code = str(facts["code"])
    problem = language.gettext(wording.CODES[code]) if code in wording.CODES else code
    name = str(facts["premises_en"] if language.code == "en" and facts["premises_en"] else facts["premises"])
    tier_name, _ = wording.TIERS.get(int(facts["tier"]), ("", ""))
    tier = language.gettext(tier_name) if tier_name else ""
    marked = occasion is not Occasion.SUSPECTED and facts.get("suspected")
    mark = f" ({language.gettext(SUSPECTED)})" if marked else ""
    subject = f"[{language.gettext(title)}] {name} · {problem}{mark} · {tier}"
    return subject, f"{language.gettext(text)}\n\n{facts['url']}\n"
