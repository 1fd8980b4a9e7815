"""What is said about handling an alert: its steps, reasons, clocks, and the sentences of refusals."""

from __future__ import annotations

from types import MappingProxyType

from kitchen_watch.backend.pages.languages import N_

STEPS = MappingProxyType(
    {
        "verify": (N_("It is true: verify"), N_("verified it"), "ok"),
        "reject": (N_("False alarm"), N_("called it a false alarm"), "bad"),
        "assign": (N_("Assign to both owners"), N_("assigned it"), "forward"),
        "accept": (N_("Accept: we take care of it"), N_("accepted it"), "ok"),
        "begin": (N_("Begin to rectify"), N_("began to rectify"), "start"),
        "contain": (N_("Say what was done at once"), N_("said what was done at once"), "lock"),
        "submit": (N_("Submit the rectification"), N_("submitted the rectification"), "upload"),
        "close": (N_("It is in order: close"), N_("closed it"), "ok"),
        "return": (N_("Return it"), N_("returned the rectification"), "back"),
        "appeal": (N_("Appeal"), N_("appealed"), "warn"),
        "uphold_appeal": (N_("The appeal is right: false alarm"), N_("upheld the appeal"), "ok"),
        "reject_appeal": (N_("Reject the appeal"), N_("rejected the appeal"), "bad"),
        "reopen": (N_("Open it again"), N_("opened it again"), "grow"),
        "transfer": (N_("Transfer to enforcement"), N_("transferred it to enforcement"), "forward"),
        "merge": (N_("Merge into another alert"), N_("merged it into another alert"), "copy"),
        "remind": (N_("Remind"), N_("reminded"), "clock"),
        "supervise": (N_("Supervise, one level up"), N_("ordered supervision"), "warn"),
    }
)
"""By step: the button, what somebody has then done ("Wang verified it"), and its icon."""

ASKS = MappingProxyType(
    {
        "return": N_("What is missing?"),
        "reopen": N_("Why must it be opened again?"),
        "transfer": N_("Why does it go to enforcement?"),
        "appeal": N_("Why is the alert wrong?"),
        "reject_appeal": N_("Why is the appeal rejected?"),
        "uphold_appeal": N_("Why is the appeal right?"),
        "contain": N_("What was done at once, so that it does no harm over night?"),
        "merge": N_("Note"),
        "remind": N_("Note to who is late"),
        "supervise": N_("Note to who is late"),
        "assign": N_("Note to the owners"),
        "close": N_("Note"),
        "reject": N_("Note"),
    }
)
"""What to write beside a step."""

REASONS = MappingProxyType(
    {
        "steam_or_smoke": N_("Steam or smoke"),
        "glare_or_dark": N_("Glare, or too dark"),
        "too_small": N_("Too small or too far away"),
        "hidden": N_("Turned away or covered"),
        "misread_clothing": N_("Clothing misread (there is a hat or mask)"),
        "other_animal": N_("Another animal"),
        "other_object": N_("A thing, no animal or person"),
        "not_staff": N_("No member of staff"),
        "wrong_hours": N_("Opening hours or zone set wrongly"),
        "camera_work": N_("Work on the camera"),
        "other": N_("Something else (say what)"),
    }
)

CLOCKS = MappingProxyType(
    {
        "verify": N_("Verify"),
        "accept": N_("Accept"),
        "contain": N_("Say what was done at once"),
        "fix": N_("Rectified and closed"),
    }
)

AWAITED = MappingProxyType(
    {
        "pending_verification": N_(
            "Somebody of the supervision looks whether it is true. Until then it is a suspicion."
        ),
        "verified": N_("It is true. Assign it to the restaurant and the responsible official."),
        "assigned": N_("The restaurant must accept it, or appeal."),
        "accepted": N_("The restaurant puts it right and shows it in photos."),
        "rectifying": N_("The restaurant puts it right and shows it in photos."),
        "submitted": N_("The supervision reviews what the restaurant has done."),
        "returned": N_("Something is missing: the restaurant mends it and submits again."),
        "appealed": N_("Another officer than those who verified or assigned it decides the appeal."),
        "appeal_rejected": N_("The appeal was rejected: the restaurant puts it right."),
        "reopened": N_("It was opened again and must be assigned anew."),
        "false_alarm": N_("It was a false alarm. It does not count."),
        "closed": N_("It was put right and reviewed. Nothing more is waited for."),
        "transferred": N_("It is a case of enforcement now."),
        "merged": N_("It goes on in another alert."),
    }
)
"""By state: what is waited for."""

GROUPS = MappingProxyType(
    {
        "overdue": (N_("Overdue"), "bad", "bad"),
        "today": (N_("Due today"), "warn", "clock"),
        "later": (N_("Due later"), "quiet", "wait"),
    }
)
"""The groups of the board of deadlines."""

REFUSALS = (
    N_("Only supervision staff may do this."),
    N_("Only the restaurant's own people may do this."),
    N_("Only the restaurant's manager may do this."),
    N_("You have verified or assigned this alert; another officer must decide its appeal."),
    N_("Nobody decides their own appeal."),
    N_("Nobody reviews a rectification that they have submitted."),
    N_("The reason is another than those listed: describe it in the note."),
    N_("Say why in the note; it stays in the alert's history."),
    N_("An alert cannot be merged into itself."),
    N_("Choose the alert in which this one goes on."),
    N_("Add one to nine photos of how it is now."),
    N_("Write it in a few words; it stays in the alert's history."),
    N_("Only alerts of the same premises can be merged."),
    N_("A photo is not one that was uploaded for this and not submitted yet."),
    N_("This alert is out of your hands; a statement is not waited for."),
    N_("This alert is finished; there is nothing to remind of or to supervise."),
    N_("Photos are taken from the assignment of an alert until its rectification is submitted."),
    N_("The photo has too many pixels. Take a smaller one."),
    N_("This is not a photo that can be read. Send a JPEG, PNG or WebP file."),
    N_("The photo shows nothing: it is one plain colour. Take another."),
)

REFUSALS_WITH_VALUES = (
    N_("Say why it is a false alarm: one of %(listed)s."),
    N_("Alert %(number)s is finished; nothing can go on in it."),
    N_("Supervision stands at level %(level)s of %(highest)s; it goes up only."),
    N_("This picture was used before, on %(day)s. Take a new photo of how it is now."),
    N_("%(count)s photos wait to be submitted with this alert already. Submit them first."),
    N_("The photo is larger than %(size)s MB. Take a smaller one."),
    N_("The photo is smaller than %(size)s pixels. Take a larger one."),
)
