"""What is told about retention."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, Field

from kitchen_watch.backend.retention.tables import DeletedKind, RunKind


class PolicyLine(BaseModel):
    """One rule in force: its key in the settings and its length in days (``None``: never deleted)."""

    key: str
    days: float | None


class RunView(BaseModel):
    """One run and what it did."""

    key: str
    kind: RunKind
    started_at: AwareDatetime
    finished_at: AwareDatetime | None
    looked_at: int
    deleted_files: int
    freed_bytes: int
    kept_by_holds: int
    deleted_entries: int
    still_short: bool


class RetentionView(BaseModel):
    """The policy, the disk, and the last runs."""

    policy: list[PolicyLine]
    run_at: str
    free_bytes: int
    floor_bytes: int
    short: bool
    stuck_files: int = Field(description="deleted files that could not be removed from the disk yet")
    active_holds: int
    runs: list[RunView]


class GoingView(BaseModel):
    """A case whose files are due, and whether a hold keeps them."""

    alert_id: int
    code: str
    premises: str
    evidence: str | None = Field(description="the rule by which its evidence goes; empty: not yet")
    photos: str | None
    held: bool


class PreviewView(BaseModel):
    """What the next run would do with evidence and photos of cases if it began now. Nothing is done."""

    cases: int
    kept_by_holds: int
    files: int
    size_bytes: int
    items: list[GoingView] = Field(description="the first of them")
    more: bool = Field(description="there are more cases than were looked at")


class DeletionView(BaseModel):
    """One thing that was deleted."""

    id: int
    at: AwareDatetime
    kind: DeletedKind
    alert_id: int | None
    premises: str | None
    name: str
    sha256: str
    size_bytes: int
    policy: str


class DeletionPage(BaseModel):
    """Deletions, newest first."""

    items: list[DeletionView]
    next_cursor: str | None
