"""Words of patrols: kinds of forms, states and reasons of checks, answers, what is wrong with them."""

from __future__ import annotations

from types import MappingProxyType

from kitchen_watch.backend.forms.answers import ProblemCode
from kitchen_watch.backend.forms.content import FormKind
from kitchen_watch.backend.pages.languages import N_
from kitchen_watch.backend.patrols.tables import CheckReason, CheckState, PictureSource

KINDS = MappingProxyType(
    {
        FormKind.PATROL: N_("Online patrol"),
        FormKind.ON_SITE: N_("On-site check"),
        FormKind.DAILY: N_("Daily control"),
        FormKind.WEEKLY: N_("Weekly review"),
        FormKind.MONTHLY: N_("Monthly meeting"),
    }
)

STATES = MappingProxyType(
    {
        CheckState.OPEN: (N_("Being filled in"), "accent"),
        CheckState.COMPLETED: (N_("Completed"), "ok"),
        CheckState.WITHDRAWN: (N_("Given back"), "quiet"),
        CheckState.LAPSED: (N_("Not done in time"), "warn"),
    }
)

REASONS = MappingProxyType(
    {
        CheckReason.SWEEP: N_("its turn in the sweep"),
        CheckReason.ALERT: N_("after an alert"),
        CheckReason.COMPLAINT: N_("a complaint was made"),
        CheckReason.CAMPAIGN: N_("part of a campaign"),
        CheckReason.OTHER: N_("for another reason"),
    }
)

SOURCES = MappingProxyType({PictureSource.PHOTO: N_("Photo"), PictureSource.SNAPSHOT: N_("Camera snapshot")})

VALUES = MappingProxyType({"yes": N_("Yes"), "no": N_("No"), "na": N_("Does not apply")})

PROBLEMS = MappingProxyType(
    {
        ProblemCode.MISSING: N_("Still to be answered."),
        ProblemCode.UNKNOWN_ITEM: N_("This form has no such item."),
        ProblemCode.NOT_A_CHOICE: N_("Choose one of the answers of the form."),
        ProblemCode.NOT_A_NUMBER: N_("Write a number, such as 4.5."),
        ProblemCode.NOT_A_TEXT: N_("Write a few words."),
        ProblemCode.PHOTO_MISSING: N_("What is not in order needs a picture."),
    }
)

REFUSALS = (
    N_("Only who has taken this check may fill it."),
    N_("This check is finished."),
    N_("This check was changed meanwhile, perhaps in another window. Look at it again."),
    N_("This check has lapsed, and somebody else has taken the premises since."),
    N_("This check is planned for later; it cannot be finished before."),
    N_("A finding besides the items needs a few words."),
    N_("A deadline lies in the past."),
    N_("A deadline is a day, such as 2026-03-05."),
    N_("No premises in your area is left to take."),
    N_("This premises is not in business."),
    N_("A check is planned for a time to come."),
    N_("This camera does not belong to the premises of the check."),
    N_("There is no such check form in use."),
    N_("This finding is settled."),
    N_("Your answer waits for the officer."),
    N_("There is no answer to refuse."),
    N_("Say what is missing."),
    N_("An absence must end after it begins."),
    N_("This absence is over."),
    N_("Only an officer, or somebody above, may say that they are away."),
    N_("Something is missing or cannot stand. Write it in a few words."),
    N_("An answer has at most nine photos."),
)

REFUSALS_WITH_VALUES = (
    N_("%(name)s has taken this premises."),
    N_("%(number)s items of the form are missing or cannot stand."),
    N_("%(number)s findings belong to items that are in order."),
    N_("This check has %(number)s pictures already."),
    N_("%(number)s photos wait to be handed in with this finding already. Hand them in first."),
)
