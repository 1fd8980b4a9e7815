"""Every error that kitchen_watch raises on purpose.

    KitchenWatchError
    ├── ConfigError                a file, setting or argument is wrong: what, where, what to do
    ├── StreamError
    │   ├── StreamUnreachable      nobody answers at that address
    │   ├── StreamRefused          the camera answered and said no (401, 404, no video, unknown codec)
    │   ├── StreamStalled          connected, but silent or standing still
    │   └── StreamEnded            a file came to its end
    ├── DetectorError
    │   ├── ModelMissing           no model file, or an empty one
    │   └── ModelMismatch          hash, labels or shapes are not what the card promises
    ├── EvidenceError
    │   ├── EvidenceMissing        a file of a package is not there
    │   └── EvidenceTampered       a file or manifest does not match its hash
    ├── DeliveryError
    │   ├── BackendUnreachable     retry
    │   ├── BackendBusy            retry, not before ``retry_after``
    │   ├── SignatureRefused       retry: a wrong clock or a rotated secret must not lose an event
    │   └── EventRefused           final: the backend will never take this event
    ├── ClusterError               several machines together do not do what they should
    │   └── OwnershipError
    │       ├── LeaseHeld          another process runs this edge; not before ``until``
    │       ├── LeaseLost          another process runs this edge now: stop at once, write nothing more
    │       └── LeasesUnreachable  retry: the database that knows who runs an edge does not answer
    └── RequestError
        ├── NotAuthenticated       nobody is logged in
        ├── NotPermitted
        │   └── PasswordChangeNeeded   a one-time password must be replaced before anything else
        ├── NotFound
        ├── Conflict
        ├── Fenced                 the edge has a newer owner than the one that asks
        ├── InvalidRequest         the caller's input cannot be used, and why
        └── Throttled              too often; not before ``retry_after``
            └── LockedOut          this login is locked until ``until``

A foreign error becomes one of these in exactly one place per adapter.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta


class KitchenWatchError(Exception):
    """Base of the tree. ``str()`` of every instance is a sentence for the user."""

    exit_code = 1


class ConfigError(KitchenWatchError):
    """A configuration file, setting or argument cannot be used."""

    exit_code = 2


class StreamError(KitchenWatchError):
    """A camera cannot be read."""

    exit_code = 3


class StreamUnreachable(StreamError):
    """Nobody answers at the camera's address, or not within the open time-out."""


class StreamRefused(StreamError):
    """The camera answered and said no: wrong password, wrong path, no video, unknown codec."""


class StreamStalled(StreamError):
    """The camera is connected, but sends nothing or timestamps that stand still."""


class StreamEnded(StreamError):
    """A file that plays as a camera came to its end."""


class DetectorError(KitchenWatchError):
    """The model cannot be used."""

    exit_code = 4


class ModelMissing(DetectorError):
    """The model file or its card is not there, or is empty."""


class ModelMismatch(DetectorError):
    """The model is not what its card or the rules say."""


class EvidenceError(KitchenWatchError):
    """Evidence cannot be made or trusted."""

    exit_code = 5


class EvidenceMissing(EvidenceError):
    """A file that a manifest names is not there."""


class EvidenceTampered(EvidenceError):
    """A file, a manifest or the chain does not match its hash."""


class DeliveryError(KitchenWatchError):
    """An event or a file could not be handed over."""

    exit_code = 6


class BackendUnreachable(DeliveryError):
    """No connection, or no answer in time. Retry."""


class BackendBusy(DeliveryError):
    """The backend answered that it cannot take it now. Retry, not before ``retry_after``."""

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SignatureRefused(DeliveryError):
    """The backend did not accept the signature. Retry with corrected time.

    ``server_offset`` is server time minus device time where the backend told it.
    """

    def __init__(self, message: str, *, server_offset: timedelta | None = None) -> None:
        super().__init__(message)
        self.server_offset = server_offset


class EventRefused(DeliveryError):
    """The backend will never take this event: the only final refusal."""


class ClusterError(KitchenWatchError):
    """The machines of a cluster, or what connects them, do not do what they should."""

    exit_code = 7


class OwnershipError(ClusterError):
    """Who may run an edge whose owner can change, and who may not."""


class LeaseHeld(OwnershipError):
    """Another owner runs the edge; its lease ends at ``until`` (the database's time) unless renewed."""

    def __init__(self, message: str, *, owner: str, until: datetime) -> None:
        super().__init__(message)
        self.owner = owner
        self.until = until


class LeaseLost(OwnershipError):
    """Another owner has taken the edge over. Never retried: whoever gets it stops running the edge."""


class LeasesUnreachable(OwnershipError):
    """The database that keeps the leases does not answer. Retry; the lease may still be ours."""


class RequestError(KitchenWatchError):
    """A person's or a device's request cannot be carried out. ``status`` is the HTTP status."""

    status = 400


class NotAuthenticated(RequestError):
    """Nobody is logged in, or the signature is wrong."""

    status = 401


class NotPermitted(RequestError):
    """Logged in, but not allowed."""

    status = 403


class PasswordChangeNeeded(NotPermitted):
    """The person still has a one-time password; only changing it is allowed."""


class NotFound(RequestError):
    """It does not exist, or the caller may not know that it does."""

    status = 404


class Conflict(RequestError):
    """It cannot be done in the present state; somebody else may have been faster."""

    status = 409


class Fenced(RequestError):
    """The edge has a newer owner: this one lost it and may say nothing more in its name."""

    status = 412


class InvalidRequest(RequestError):
    """The input cannot be used. ``fields`` says of single ones why, where there are several."""

    status = 422

    def __init__(self, message: str, *, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.fields = dict(fields or {})


class Throttled(RequestError):
    """Too many requests; the next one will be looked at after ``retry_after``."""

    status = 429

    def __init__(self, message: str, *, retry_after: timedelta) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class LockedOut(Throttled):
    """Too many wrong passwords for one login; locked until ``until`` (aware UTC)."""

    def __init__(self, message: str, *, retry_after: timedelta, until: datetime) -> None:
        super().__init__(message, retry_after=retry_after)
        self.until = until
