"""What edges say of themselves and of their cameras: warnings, reasons of a camera's state, and errors that
these carry. Written by an edge in English; ``tests/backend/pages/test_edge_words.py`` finds every such
sentence in the edge's source and asks for its words here or in :mod:`kitchen_watch.backend.pages.spoken`.
"""

from __future__ import annotations

from kitchen_watch.backend.pages.languages import N_

PLAIN = (
    N_("it could not be written a moment ago"),
    N_("nothing more can be written"),
    N_("refused without a reason"),
    N_("the backend gave no verdict"),
    N_("the camera's stream broke off"),
    N_("the camera sent nothing more in time"),
    N_("the stream has no picture near that moment"),
    N_("the picture of that moment cannot be decoded"),
    N_("the picture cannot be written as JPEG"),
    N_("No picture: the camera has given none since the edge started."),
)

WITH_VALUES = (
    N_(
        "%(place)s: the camera refuses the request (4xx). Check the path, and try the other "
        "transport than %(transport)s."
    ),
    N_(
        "%(place)s: the camera has a fault of its own (5xx). It is tried again; restart the camera "
        "if this stays."
    ),
    N_("%(place)s: cannot be opened (%(error)s). It is tried again."),
    N_("%(place)s: cannot be opened (%(error)s)."),
    N_("%(place)s: cannot be read any further (%(error)s); the file is damaged or cut off there."),
    N_("%(place)s: the video codec%(why)s is not known. Set the camera to H.264 or H.265."),
    N_("%(place)s: there is no such file. Correct the path."),
    N_("%(place)s: is a directory. Give the path of one video file."),
    N_("%(place)s: may not be read. Give this user the right to read it."),
    N_("%(place)s: is empty (0 bytes). Copy the video again."),
    N_(
        "%(place)s: is not a video that can be read: damaged, cut off, or not a video at all. Copy "
        "or export it again."
    ),
    N_("%(place)s: its video codec is not known. Convert the file to H.264 or H.265."),
    N_(
        "%(place)s: this user may not use the webcam. Add the user to the group video, or allow the "
        "camera in the system's privacy settings."
    ),
    N_("%(place)s: there is no such webcam. Plug it in, or correct its number."),
    N_("%(place)s: the webcam cannot be opened (%(error)s). Close other programs that use it."),
    N_("%(place)s: reading broke off by a fault of this program; the log says where. It is connected again."),
    N_(
        "%(place)s: the camera accepts the connection but does not finish opening the stream. It is "
        "connected again."
    ),
    N_("Events cannot be delivered at present: %(why)s"),
    N_("%(count)s evidence files are missing or damaged on the disk."),
    N_("%(count)s evidence packages cannot be removed and are tried again, such as %(place)s"),
    N_("The disk cannot be looked after: %(why)s"),
    N_(
        "%(place)s: the outbox was damaged (%(error)s); it is kept as %(name)s. %(saved)s "
        "undelivered events could be read and will be delivered; evidence on disk is untouched. "
        "Check the disk."
    ),
    N_("%(place)s: %(count)s manifests were on disk, but not in the outbox; the chain goes on after them."),
    N_(
        "%(place)s: %(count)s evidence files that wait for upload are not on disk, the first of them "
        "%(first)s. Their events are delivered without them."
    ),
    N_(
        "%(place)s: %(count)s events lie there undelivered from before outbox.url was set. Start the "
        "edge once without it to deliver them."
    ),
    N_("Violation %(number)s of an earlier version cannot be continued; close its alert."),
    N_("%(place)s: the outbox cannot be opened: %(error)s. Check the disk."),
    N_("%(place)s: cannot be used: %(error)s. Give a directory that the edge may write."),
    N_("%(place)s: the outbox cannot be written: %(error)s. Check the database."),
    N_("%(place)s: the outbox cannot be written: %(error)s. Check the disk and who else has the file open."),
    N_(
        "%(place)s: the disk is full, so nothing more can be recorded; what is recorded already "
        "stays. Free space there at once."
    ),
    N_("%(place)s: cannot be read: %(error)s."),
    N_("%(place)s: cannot be written: %(error)s."),
    N_("%(place)s: the leases cannot be read or written: %(error)s. Check the database."),
    N_("%(place)s: the backend does not answer: %(error)s."),
    N_("%(place)s: the backend cannot take it now (%(status)s): %(error)s"),
    N_("%(place)s: the backend did not accept this edge's signature: %(error)s"),
    N_("the backend refused the request (%(status)s): %(error)s"),
    N_("%(place)s: what answers there is not a backend of this version; check the address."),
    N_(
        "%(place)s: the disk is full (%(why)s), so this evidence is not kept; what is recorded "
        "already stays. Free space there, or give the edge a larger disk."
    ),
    N_("%(free)s MB are left, and the last of them is for events"),
    N_(
        "%(place)s: evidence cannot be written: %(error)s. Check that the directory exists and "
        "belongs to the edge's user."
    ),
    N_("%(place)s: evidence cannot be stored or read: %(error)s. Check the store and the network."),
    N_("%(place)s: %(name)s is not there."),
    N_("%(place)s: %(name)s is not what its manifest says."),
    N_("%(place)s: the backend did not keep what was sent"),
    N_("This edge has no running camera %(camera)s."),
    N_("Camera %(camera)s has given no picture yet."),
    N_("%(key)s: cannot be changed while the edge runs. Restart it to change %(name)s."),
    N_(
        "The model's labels (%(labels)s) serve no rule of the rule set, so it would watch and never "
        "see. Give a model with labels such as no_hat or rat, or rules for its labels."
    ),
    N_("No snapshot: %(rest)s"),
)
"""``why`` and ``rest`` are sentences themselves; ``why`` may be empty."""
