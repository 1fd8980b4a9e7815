"""Names of codes, tiers, states, roles and kinds as they stand on the pages (English ids).

Everything here is a message id; translation happens where it is shown. A code that is not listed
(a user's own model may bring one) is shown as it is.
"""

from __future__ import annotations

from types import MappingProxyType

from kitchen_watch.backend.pages.languages import N_

CODES = MappingProxyType(
    {
        "NO_HAT": N_("No chef's hat"),
        "NO_MASK": N_("No mask"),
        "RODENT": N_("Rodent"),
        "COCKROACH": N_("Cockroach"),
        "SMOKING": N_("Smoking"),
        "PHONE_USE": N_("Using a phone"),
        "PET_ANIMAL": N_("Pet in the kitchen"),
        "NO_UNIFORM": N_("No work clothes"),
        "NO_GLOVE": N_("Bare-hand contact"),
        "BIN_UNCOVERED": N_("Bin without lid"),
        "FIRE_UNATTENDED": N_("Fire left unattended"),
        "FLOOR_WATER": N_("Water on the floor"),
        "NIGHT_INTRUSION": N_("Person outside opening hours"),
        "ZONE_INTRUSION": N_("Zone intrusion or overcrowding"),
        "CAM_OFFLINE": N_("Camera offline"),
        "CAM_COVERED": N_("Camera black or covered"),
        "CAM_FROZEN": N_("Camera picture frozen"),
        "CAM_MOVED": N_("Camera moved"),
        "CAM_BLURRED": N_("Camera blurred or greasy"),
    }
)

TIERS = MappingProxyType(
    {
        1: (N_("Tier 1"), N_("at once")),
        2: (N_("Tier 2"), N_("by a deadline")),
        3: (N_("Tier 3"), N_("daily guidance")),
    }
)

ALERT_STATES = MappingProxyType(
    {
        "pending_verification": (N_("Suspected, unverified"), "warn"),
        "verified": (N_("Verified"), "bad"),
        "false_alarm": (N_("False alarm"), "quiet"),
        "assigned": (N_("Assigned"), "accent"),
        "accepted": (N_("Accepted"), "accent"),
        "rectifying": (N_("Being rectified"), "accent"),
        "submitted": (N_("Rectification submitted"), "accent"),
        "returned": (N_("Returned"), "warn"),
        "closed": (N_("Closed"), "ok"),
        "appealed": (N_("Appealed"), "warn"),
        "appeal_rejected": (N_("Appeal rejected"), "bad"),
        "reopened": (N_("Reopened"), "warn"),
        "transferred": (N_("Transferred to enforcement"), "quiet"),
        "merged": (N_("Merged"), "quiet"),
    }
)

CAMERA_STATES = MappingProxyType(
    {
        "streaming": (N_("Streaming"), "ok", "ok"),
        "connecting": (N_("Connecting"), "accent", "wait"),
        "stalled": (N_("Stalled"), "warn", "warn"),
        "offline": (N_("Offline"), "bad", "camera-off"),
        "ended": (N_("Ended"), "quiet", "quiet"),
        "paused": (N_("Paused"), "quiet", "quiet"),
        "unknown": (N_("No word yet"), "warn", "info"),
    }
)

ROLES = MappingProxyType(
    {
        "admin": N_("Administrator"),
        "supervisor": N_("Supervision group"),
        "grid_officer": N_("Grid officer"),
        "responsible_official": N_("Responsible official"),
        "premises_manager": N_("Premises manager"),
        "premises_staff": N_("Premises staff"),
    }
)

AREA_TYPES = MappingProxyType(
    {"stove": N_("stove area"), "cabinet": N_("cabinet area"), "area": N_("open area")}
)

GRADES = MappingProxyType({"A": N_("excellent"), "B": N_("good"), "C": N_("fair")})
"""What an inspection grade (量化等级) means."""

LINK_STATES = MappingProxyType(
    {
        "linked": (N_("chain unbroken"), "ok", "ok"),
        "waiting": (N_("package before it is missing"), "warn", "wait"),
        "broken": (N_("chain broken"), "bad", "bad"),
    }
)

LABELS = MappingProxyType(
    {
        "person": N_("person"),
        "head": N_("head"),
        "hat": N_("hat"),
        "no_hat": N_("no hat"),
        "mask": N_("mask"),
        "no_mask": N_("no mask"),
        "rat": N_("rat"),
        "cockroach": N_("cockroach"),
        "cat": N_("cat"),
        "dog": N_("dog"),
    }
)
"""What detectors call things; a label that is not listed is shown as it is."""

PURPOSES = MappingProxyType(
    {
        "patrol": N_("routine patrol"),
        "alert": N_("checking an alert"),
        "complaint": N_("a complaint"),
        "campaign": N_("a campaign"),
        "other": N_("another reason"),
    }
)
"""Why supervision staff watch, where the service asks for it; the keys go into the audit log."""

EVIDENCE_KINDS = MappingProxyType(
    {
        "clean_snapshot": (N_("Clean snapshot"), "picture"),
        "annotated_snapshot": (N_("Annotated snapshot"), "picture"),
        "clip": (N_("Clip"), "clip"),
    }
)

EVENT_KINDS = MappingProxyType(
    {
        "violation_opened": (N_("Violation opened"), "start"),
        "violation_updated": (N_("Violation went on"), "grow"),
        "violation_closed": (N_("Violation ended"), "ok"),
    }
)
