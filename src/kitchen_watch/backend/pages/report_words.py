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
        "evidence": N_("Typical evidence"),
        "orders": N_("Orders for tomorrow"),
        "ranking": N_("Ranking"),
        "named": N_("Premises named"),
    }
)

FIGURES = MappingProxyType(
    {
        "premises": N_("Premises in business"),
        "premises_with_camera": N_("of them with a camera"),
        "cameras": N_("Cameras"),
        "cameras_unseen": N_("Cameras not seen"),
        "found": N_("Alerts found"),
        "tier_1": N_("of tier 1"),
        "tier_2": N_("of tier 2"),
        "tier_3": N_("of tier 3"),
        "proven": N_("Verified"),
        "false_alarms": N_("False alarms"),
        "false_alarm_rate": N_("False-alarm rate"),
        "merged": N_("Merged into others"),
        "closed": N_("Closed of those verified"),
        "met": N_("Done in time of what was due"),
        "reminders": N_("Reminders"),
        "supervisions": N_("Supervisions"),
        "appeals_upheld": N_("Appeals won of those decided"),
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
        "ranking": N_("By what was done in time"),
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
        "camera_state": N_("State"),
        "since": N_("Last heard of"),
        "alert": N_("Alert"),
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
        "due": N_("Due"),
        "met": N_("In time"),
        "order": N_("To do"),
        "count": N_("Number"),
        "rank": N_("Rank"),
        "line": N_("Line"),
        "as_issued": N_("As issued"),
        "corrected": N_("Now"),
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
