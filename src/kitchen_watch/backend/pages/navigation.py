"""The pages a person is offered, by role: one line per page, used by the rail and the tabs."""

from __future__ import annotations

from dataclasses import dataclass

from kitchen_watch.backend.auth.person import Person
from kitchen_watch.backend.pages.languages import N_


@dataclass(frozen=True, slots=True)
class NavigationItem:
    """One destination. ``key`` is what a page calls itself to be marked as the current one."""

    key: str
    href: str
    label: str
    icon: str
    for_territory: bool = True
    for_premises: bool = False


ITEMS = (
    NavigationItem("home", "/home", N_("Home"), "home", for_territory=False, for_premises=True),
    NavigationItem("alerts", "/alerts", N_("Alerts"), "alerts", for_premises=True),
    NavigationItem("board", "/board", N_("Deadlines"), "clock"),
    NavigationItem("reports", "/reports", N_("Reports"), "report"),
    NavigationItem("patrols", "/patrols", N_("Patrols"), "check", for_premises=True),
    NavigationItem("letters", "/letters", N_("Letters"), "letter", for_premises=True),
    NavigationItem("self-checks", "/self-checks", N_("Self-checks"), "eye", for_premises=True),
    NavigationItem("ratings", "/ratings", N_("Ratings"), "ok", for_premises=True),
    NavigationItem("complaints", "/complaints", N_("Complaints"), "info"),
    NavigationItem("tasks", "/tasks", N_("Tasks"), "copy"),
    NavigationItem("holds", "/holds", N_("Holds"), "lock"),
    NavigationItem("statistics", "/statistics", N_("Statistics"), "grow"),
    NavigationItem("coverage", "/coverage", N_("Coverage"), "eye"),
    NavigationItem("premises", "/premises", N_("Premises"), "premises"),
    NavigationItem("cameras", "/cameras", N_("Cameras"), "camera", for_premises=True),
    NavigationItem("edges", "/edges", N_("Edge nodes"), "edge"),
    NavigationItem("administration", "/administration", N_("Manage"), "settings"),
)


def items_for(person: Person | None) -> tuple[NavigationItem, ...]:
    """The destinations that ``person`` may open; none for a stranger."""
    if person is None:
        return ()
    if person.is_premises_side:
        return tuple(item for item in ITEMS if item.for_premises)
    return tuple(item for item in ITEMS if item.for_territory)


def start_page(person: Person) -> str:
    """Where ``person`` lands after logging in."""
    return items_for(person)[0].href
