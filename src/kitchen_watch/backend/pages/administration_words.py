"""What is said about administration: imports, rules, edges' answers, and the sentences of refusals."""

from __future__ import annotations

from types import MappingProxyType

from kitchen_watch.backend.pages.languages import N_

NODE_KINDS = MappingProxyType(
    {"city": N_("City"), "district": N_("District"), "station": N_("Station"), "grid": N_("Grid")}
)

BUSINESS_TYPES = MappingProxyType(
    {
        "restaurant": N_("Restaurant"),
        "canteen": N_("Canteen"),
        "school_canteen": N_("School canteen"),
        "central_kitchen": N_("Central kitchen"),
        "collective_delivery": N_("Meal delivery to groups"),
        "snack_bar": N_("Snack bar"),
        "drinks": N_("Drinks"),
        "bakery": N_("Bakery"),
        "workshop": N_("Small workshop"),
        "stall": N_("Food stall"),
    }
)
"""The usual ones; any other word of the same form is taken, too, and shown as it is."""

ZONE_TYPES = MappingProxyType(
    {
        "cooking": N_("Cooking"),
        "cold_room": N_("Cold-dish room"),
        "washing": N_("Washing"),
        "cutting": N_("Cutting"),
        "storage": N_("Storage"),
        "serving": N_("Serving"),
        "entrance": N_("Entrance"),
    }
)

ANSWERS = MappingProxyType(
    {
        "accepted": (N_("in force"), "ok", "ok"),
        "refused": (N_("refused by the edge"), "bad", "bad"),
        "waiting": (N_("waiting for the edge"), "warn", "wait"),
        "due": (N_("about to be sent"), "warn", "wait"),
    }
)

FATES = MappingProxyType(
    {"new": (N_("new"), "ok"), "changed": (N_("changed"), "accent"), "same": (N_("as it is"), "quiet")}
)

IMPORT_KINDS = MappingProxyType(
    {
        "grids": N_("Tree of grids"),
        "people": N_("People"),
        "premises": N_("Premises"),
        "cameras": N_("Cameras"),
        "tasks": N_("Tasks"),
    }
)

CELL_PROBLEMS = MappingProxyType(
    {
        "missing_column": N_("This column is missing. Take the template, or add the column."),
        "unknown_column": N_("This column is not known. Remove it, or correct its name by the template."),
        "double_column": N_("This column is there twice. Remove one."),
        "empty": N_("This must not be empty. Fill it in."),
        "bad_choice": N_("“%(value)s” is not one of: %(known)s. Write one of these."),
        "bad_flag": N_("“%(value)s” is neither yes nor no. Write 是 or 否."),
        "bad_number": N_("“%(value)s” is not a number. Write one like 38.4664."),
        "bad_hours": N_("“%(value)s” are no opening hours. Write like: 每天 10:00-14:00 17:00-21:30"),
        "bad_date": N_("“%(value)s” is not a date. Write one like 2026-06-30."),
        "circle": N_("“%(value)s” would lie below itself. Correct the number of the task above it."),
        "heading": N_("“%(value)s” has tasks below it and cannot be given to units. Empty its units."),
        "rounded": N_(
            "“%(value)s” has lost digits in the spreadsheet. Make the column text and enter it again."
        ),
        "bad_value": N_("“%(value)s” cannot be used: %(why)s."),
        "twice": N_("“%(value)s” stands in row %(row)s already. Remove one of the two."),
        "nowhere": N_("“%(value)s” is not registered. Import or register it first, or correct it."),
        "no_leaf": N_("“%(value)s” is no grid: other nodes lie below it. Choose one of those."),
        "no_officer": N_("The grid “%(value)s” has no officer. Name one for it first."),
        "moved": N_("“%(value)s” lies elsewhere in the tree. Move it on its own page first."),
        "holds_premises": N_("Premises lie in “%(value)s”; nothing can lie below it. Move them first."),
        "wrong_place": N_("The role %(value)s needs %(needed)s, and nothing else."),
        "no_official": N_("“%(value)s” is no supervision staff who can log in. Choose somebody else."),
        "other_role": N_(
            "The login “%(value)s” exists with another role or place. Change it on its own page."
        ),
    }
)

PARAMETERS = MappingProxyType(
    {
        "held_s": N_("must hold for (s)"),
        "fraction": N_("on this share of pictures"),
        "absent_s": N_("closes when gone for (s)"),
        "cooldown_s": N_("the same again within (s)"),
        "min_person_px": N_("people at least so tall (px)"),
        "min_confidence": N_("at least so sure (0 to 1)"),
        "hits": N_("sightings"),
        "within_s": N_("within (s)"),
        "min_travel": N_("moves at least (own lengths)"),
        "max_persons": N_("people allowed"),
        "closed_held_s": N_("while closed (s)"),
        "zones": N_("only in zones (ids, blanks between)"),
        "moving": N_("must move"),
        "whole_head": N_("only whole heads"),
        "second_look": N_("second look"),
        "pauses": N_("pauses other rules"),
    }
)

REFUSALS = (
    N_("Somebody else has changed this meanwhile. Look at it again, then repeat your change."),
    N_("Somebody else has drawn here meanwhile. Load the page again, then draw."),
    N_("Name the version that you have seen, so that nobody's change is lost."),
    N_("This is the last administrator; name another one first."),
    N_("A login name stays as it is: the audit log knows people by it."),
    N_("A responsible official must be supervision staff who can log in."),
    N_("A grade cannot have been awarded in the future."),
    N_("This page is out of date. Load it again and repeat what you did."),
    N_("The file is empty."),
    N_("The workbook unpacks to more than can be taken. Split it."),
    N_("The workbook is damaged. Save it anew as .xlsx and try again."),
    N_("This is a workbook of the old kind (.xls). Save it as .xlsx and try again."),
    N_("This is neither a CSV file nor a workbook (.xlsx)."),
    N_("The text of the file cannot be read. Save it as CSV in UTF-8, or as .xlsx."),
    N_("There is no such import of yours, or its hour is over. Send the file again."),
)

REFUSALS_WITH_VALUES = (
    N_("The code %(code)s is taken."),
    N_("The login name %(name)s is taken."),
    N_("The licence %(licence)s is registered already."),
    N_("The camera id %(camera)s is taken."),
    N_("The grid %(grid)s has no officer. Name one for it first."),
    N_("%(grid)s is no grid: other nodes lie below it. Choose one of those."),
    N_("Premises lie in %(grid)s; they would not lie in a grid any more. Move them first."),
    N_("%(node)s cannot lie below itself."),
    N_("%(node)s cannot be removed: nodes lie below it. Move them first."),
    N_("%(node)s cannot be removed: premises lie in it. Move them first."),
    N_("%(node)s cannot be removed: people are responsible for it. Move them first."),
    N_("%(node)s cannot be removed: alerts were found or reports issued in it. Rename it instead."),
    N_(
        "The grid %(grid)s would be left without an officer, with %(count)s premises in it. "
        "Name another officer for it first."
    ),
    N_("The role %(role)s is tied to %(place)s; %(name)s was given otherwise."),
    N_("There is no edge %(edge)s. Register it first."),
    N_("There is no picture of camera %(camera)s: %(rest)s"),
    N_("The file has more than %(count)s rows. Split it."),
    N_("The file is larger than %(size)s MB. Split it."),
    N_("The CSV file is damaged near line %(line)s: %(error)s."),
    N_("Row %(row)s: %(rest)s Nothing was imported."),
    N_("%(parameter)s must be a number."),
    N_("%(parameter)s must lie between %(least)s and %(most)s."),
)
