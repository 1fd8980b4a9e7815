"""What stands in reports, in words (English ids): translated where a report is laid out."""

from __future__ import annotations

from types import MappingProxyType

from kitchen_watch.backend.pages.languages import N_

KINDS = MappingProxyType(
    {
        "daily": N_("Daily report"),
        "weekly": N_("Weekly report"),
        "monthly": N_("Monthly report"),
        "bulletin": N_("Bulletin"),
    }
)
SUPPLEMENT = N_("Supplement %(number)s")
DUTY_LIST = N_("Tonight's supervision list")
EVERYTHING = N_("Everything")
REPORT_MISSING = N_("daily report has not come")
HOURS = N_("%(number)s h late")
TIMES = N_("%(number)s times in 30 days")

FACTS = MappingProxyType(
    {
        "place": N_("Area"),
        "days": N_("Date"),
        "period": N_("Period"),
        "cut_off": N_("Cut-off"),
        "drawn": N_("Drawn up"),
        "responsible": N_("Responsible"),
    }
)

SECTIONS = MappingProxyType(
    {
        "places": N_("Premises and cameras"),
        "alerts": N_("Alerts and how they were handled"),
        "children": N_("By the areas below"),
        "overdue": N_("Overdue at the cut-off"),
        "offenders": N_("Who stands out"),
        "patrols": N_("Patrols"),
        "complaints": N_("Complaints"),
        "self_checks": N_("Self-checks of the premises"),
        "ratings": N_("Ratings and honours"),
        "evidence": N_("Typical evidence"),
        "orders": N_("Orders for tomorrow"),
        "ranking": N_("Ranking"),
        "named": N_("Premises named"),
    }
)

FIGURES = MappingProxyType(
    {
        "premises": N_("Premises in business"),
        "coverage": N_("of them with a camera that is seen"),
        "cameras": N_("Cameras"),
        "cameras_unseen": N_("Cameras not seen"),
        "minutes_watched": N_("Camera minutes watched of those in operation"),
        "found": N_("Alerts found"),
        "tier_1": N_("of tier 1"),
        "tier_2": N_("of tier 2"),
        "tier_3": N_("of tier 3"),
        "proven": N_("Verified"),
        "false_alarms": N_("False alarms"),
        "false_alarm_rate": N_("False-alarm rate"),
        "merged": N_("Merged into others"),
        "pending": N_("Not verified yet"),
        "pushed": N_("Given to the premises"),
        "verify_timeliness": N_("Verified or refused in time"),
        "closed": N_("Closed of those to be rectified"),
        "same_day": N_("Closed the same day"),
        "on_time": N_("Rectified in time"),
        "returned": N_("Rectifications returned"),
        "repeats": N_("Repeated within 30 days"),
        "supervised": N_("Under supervision"),
        "appeals_won": N_("Appeals won of those decided"),
        "time_to_rectify": N_("Minutes to rectify, on average"),
        "premises_looked_at": N_("Premises looked at"),
        "premises_late": N_("Premises whose look is late"),
        "checks": N_("Checks"),
        "forms_complete": N_("Forms handed in complete"),
        "checks_with_findings": N_("Checks with findings"),
        "findings": N_("Findings"),
        "findings_in_time": N_("Findings settled in time"),
        "received": N_("Complaints received"),
        "refused": N_("of them refused"),
        "answered": N_("of them answered"),
        "answered_in_time": N_("Answered in time of those due"),
        "complaints_open": N_("Complaints open at the cut-off"),
        "complaints_overdue": N_("of them overdue"),
        "submitted": N_("Self-checks handed in"),
        "submitted_late": N_("of them late"),
        "missing": N_("Self-checks missing"),
        "self_check_findings": N_("Problems they found"),
        "rated_good": N_("Rated good"),
        "rated_fair": N_("Rated fair"),
        "rated_poor": N_("Rated poor"),
        "honoured": N_("Honours awarded"),
        "admonished": N_("Admonitions"),
        "reminders": N_("Reminders"),
        "heard_later": N_("Heard of only after the cut-off"),
        "overdue": N_("Overdue cases"),
        "final": N_("Alerts that can no longer be appealed against"),
        "still_appealable": N_("Alerts that still can; their premises are not named"),
    }
)

TABLES = MappingProxyType(
    {
        "cameras_unseen": N_("Cameras that are not seen"),
        "by_code": N_("By problem"),
        "by_node": N_("Areas"),
        "overdue": N_("The oldest"),
        "top_premises": N_("Premises with most verified alerts"),
        "repeat_offenders": N_("The same problem again within 30 days"),
        "typical": N_("Cases with pictures, faces masked where masks are set"),
        "orders": N_("To be done"),
        "ranking": N_("By what was rectified in time"),
        "watchers": N_("Who watched"),
        "named_premises": N_("Premises"),
        "differences": N_("Lines that are different"),
        "causes": N_("Alerts behind it"),
    }
)

COLUMNS = MappingProxyType(
    {
        "figure": N_("Figure"),
        "now": N_("Today"),
        "now_of_period": N_("This period"),
        "out_of": N_("Out of"),
        "share": N_("Share"),
        "before": N_("Day before"),
        "before_of_period": N_("Period before"),
        "week": N_("Mean of 7 days"),
        "week_sum": N_("7 days before"),
        "premises": N_("Premises"),
        "camera": N_("Camera"),
        "camera_state": N_("Picture"),
        "since": N_("Last heard of"),
        "alert": N_("Alert no."),
        "code": N_("Problem"),
        "tier": N_("Tier"),
        "state": N_("State"),
        "overdue_hours": N_("Hours overdue"),
        "proven": N_("Verified"),
        "tier_1": N_("Tier 1"),
        "in_30_days": N_("In 30 days"),
        "in_period": N_("In this period"),
        "found": N_("Found"),
        "false_alarms": N_("False alarms"),
        "node": N_("Area"),
        "closed": N_("Closed"),
        "fix_due": N_("Fallen due"),
        "fix_in_time": N_("In time"),
        "closed_same_day": N_("Closed the same day"),
        "overdue": N_("Overdue"),
        "person": N_("Person"),
        "premises_watched": N_("Premises"),
        "views": N_("Views"),
        "patrol_views": N_("of them on patrol"),
        "minutes": N_("Minutes"),
        "order": N_("To do"),
        "count": N_("How many"),
        "rank": N_("Rank"),
        "line": N_("Line"),
        "as_issued": N_("As issued"),
        "corrected": N_("Corrected"),
        "difference": N_("Difference"),
        "cause": N_("Cause"),
        "at": N_("When"),
        "matter": N_("Matter"),
        "extent": N_("Extent"),
    }
)

ORDERS = MappingProxyType(
    {
        "close_overdue": N_("Close what is overdue"),
        "settle_tier_1": N_("Settle open cases of tier 1 first"),
        "close_tomorrow": N_("Close what falls due until the next cut-off"),
        "verify_waiting": N_("Verify what still waits"),
    }
)

DUTIES = MappingProxyType(
    {
        "overdue": N_("Overdue"),
        "tier_1": N_("Tier 1 still open"),
        "repeat": N_("Repeat offenders"),
        "blind": N_("Cameras that are not seen"),
        "report": N_("Reports missing or not confirmed"),
    }
)

CAUSES = MappingProxyType(
    {
        "false_alarm": N_("proved a false alarm"),
        "appeal_upheld": N_("appeal upheld"),
        "late": N_("event came late"),
        "merged": N_("merged into another alert"),
    }
)
