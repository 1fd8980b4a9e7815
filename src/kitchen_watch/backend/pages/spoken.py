"""Sentences that edges and other rooms write in English, told in the reader's language.

A sentence may carry values (an address, a number of seconds); the patterns here say where. A
sentence that no pattern knows is shown as it came: a newer edge is never silenced.
"""

from __future__ import annotations

import re
from functools import cache

from kitchen_watch.backend.pages import administration_words, edge_words, patrol_words
from kitchen_watch.backend.pages.handling_words import REFUSALS, REFUSALS_WITH_VALUES
from kitchen_watch.backend.pages.languages import N_, Language
from kitchen_watch.backend.pages.wording import CAMERA_STATES, LABELS

PLAIN = (
    N_("The picture is black or covered."),
    N_("The picture stands still."),
    N_("The camera no longer shows its reference view."),
    N_("The picture is blurred, the lens possibly greasy."),
    N_("There is no picture from the camera."),
    N_("The edge of this camera is not connected."),
    N_("It does not follow from the manifest before it."),
    N_("Its content does not match its own hash."),
    N_("It was made for another camera or violation."),
    N_("It is the first of the chain, yet names one before it."),
    N_("Its id belongs to another manifest already."),
    N_("the edge was restarted before the clip was complete"),
    N_("the camera sent no pictures at that moment"),
    N_("no keyframe came before the moment"),
    N_("the picture of the moment cannot be decoded"),
    N_("none of the pictures around the moment can be decoded"),
    N_("the file has no picture"),
    N_("it does not begin with a keyframe"),
    N_("its time stamps do not grow"),
    N_(
        "no keyframe came, or keyframes lie too far apart for the memory that clips have; set the "
        "camera to a keyframe every 2 s"
    ),
    N_("The present password is wrong."),
    N_("The new password is too short: it needs at least 10 characters."),
    N_("The new password is too long: at most 256 characters."),
    N_("The new password repeats too few different characters. Take another one."),
    N_("The new password contains the login name. Take another one."),
    N_("The new password is the old one. Take another one."),
    *edge_words.PLAIN,
    *REFUSALS,
    *administration_words.REFUSALS,
    *patrol_words.REFUSALS,
)

WITH_VALUES = (
    N_("main stream: %(rest)s"),
    N_("no clip: %(rest)s"),
    N_("%(count)s in zone %(zone)s, %(most)s allowed."),
    N_(
        "%(place)s: the camera asks for a user name and password. Give username and password of a camera "
        "account in this camera's source."
    ),
    N_(
        "%(place)s: the camera refuses this user name or password. Correct username and password; too many "
        "wrong attempts lock the account for a while."
    ),
    N_(
        "%(place)s: the camera has no stream at this path (404). Correct the part of the URL after the "
        "address; the camera's manual names its paths."
    ),
    N_(
        "%(place)s: nothing listens at %(host)s. Check address and port, and that RTSP is switched on in the "
        "camera."
    ),
    N_("%(place)s: no answer from %(host)s within %(wait)s s. Check that the camera has power and network."),
    N_("%(place)s: there is no way to %(host)s in this network. Check the address, cable and VLAN."),
    N_(
        "%(place)s: %(host)s cannot be found or reached. Check the host name, and that the camera has power "
        "and network."
    ),
    N_(
        "%(place)s: %(host)s closes the connection or does not speak RTSP. Check the port (RTSP is usually "
        "554), and rtsp:// against rtsps://."
    ),
    N_(
        "%(place)s: is connected but has sent nothing for %(wait)s s. It is connected again; restart the "
        "camera if this repeats."
    ),
    N_(
        "%(place)s: the camera ended the connection%(why)s. It is connected again; check power and network "
        "if this repeats."
    ),
    N_("%(place)s: the camera is connected but has sent nothing for %(wait)s s. It is connected again."),
    N_(
        "%(place)s: the camera sends pictures whose timestamps have stood still for %(wait)s s. It is "
        "connected again."
    ),
    N_("%(place)s: the camera sends data that cannot be decoded into pictures. It is connected again."),
    N_("%(place)s: there is no video in this stream. Choose the path of a video channel."),
    N_("%(place)s: the file came to its end."),
    N_(
        "The disk is nearly full (%(free)s left) and nothing on it may be deleted: %(stuck)s evidence "
        "packages are undelivered, held or still open. Free space or restore the connection."
    ),
    N_("the camera's pictures ended %(length)s s before the moment"),
    N_("the camera's pictures began %(length)s s after the moment"),
    N_("the clip begins %(length)s s before the moment: nothing older was kept"),
    N_("the clip ends %(length)s s after the moment: the camera's stream broke off"),
    N_("the clip ends %(length)s s after the moment: the camera sent nothing more in time"),
    N_("Second look at %(label)s: %(agreeing)s of %(looks)s agree, surest %(surest)s."),
    N_("%(count)s clips of this camera are being made already"),
    N_("it does not play: %(error)s"),
    N_("%(codec)s is no video"),
    N_("the pictures cannot be written as MP4: %(error)s"),
    N_("Number %(number)s of the chain is there twice: the edge's record began anew or was rewritten."),
    N_("The disk is filling up (%(free)s left). Below %(floor)s the oldest delivered evidence is deleted."),
    N_(
        "%(cameras)s cameras take turns, %(at_once)s at a time: one may go without a look for %(bound)s s, "
        "longer than turns.longest_revisit_s (%(wanted)s s). About %(carried)s cameras would keep it: "
        "move some to another edge, shorten turns.watch_s, or raise longest_revisit_s."
    ),
    N_(
        "The machine is overloaded: of the frames due lately, %(share)s were looked at. Give it fewer "
        "cameras or a lower analysis.frames_per_second, or let cameras take turns (turns.mode)."
    ),
    N_("Camera %(camera)s waits for its turn: nobody looks at it at present. Watch it live, or try again."),
    N_("The outbox does not answer; %(number)s steps of violations wait in memory: %(why)s"),
    N_("Evidence is on this machine alone at present: %(why)s"),
    N_("The lease of this edge is not renewed at present: %(why)s"),
    *edge_words.WITH_VALUES,
    *REFUSALS_WITH_VALUES,
    *administration_words.REFUSALS_WITH_VALUES,
    *patrol_words.REFUSALS_WITH_VALUES,
)

SENTENCES = frozenset({"rest", "why"})
"""Values that are sentences themselves."""
NO_CLIP = "no clip: "
"""How edges begin the reason why a clip will never come."""

_PLACE = re.compile(r"%\((\w+)\)s")


def said(sentence: str, language: Language) -> str:
    """The sentence in ``language``, with the values it carries."""
    if sentence in PLAIN:
        return language.gettext(sentence)
    if sentence in CAMERA_STATES:  # "main stream: connecting"
        return language.gettext(CAMERA_STATES[sentence][0])
    before, mark, reason = sentence.partition(f" {NO_CLIP}")
    if mark:  # an event says first what happened, then what is missing
        return f"{said(before, language)} {said(NO_CLIP + reason, language)}"
    for pattern in WITH_VALUES:
        found = _expression(pattern).fullmatch(sentence)
        if found is not None:
            values = found.groupdict()
            for name in SENTENCES & values.keys():
                values[name] = said(values[name], language)
            if "label" in values:
                values["label"] = language.gettext(LABELS.get(values["label"], values["label"]))
            return language.gettext(pattern) % values
    return sentence


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    # Odd pieces are the values' names. Only an optional remark may be empty.
    pieces = _PLACE.split(pattern)
    for at in range(1, len(pieces), 2):
        pieces[at] = f"(?P<{pieces[at]}>.{'*' if pieces[at] == 'why' else '+'}?)"
    pieces[::2] = [re.escape(text) for text in pieces[::2]]
    return re.compile("".join(pieces), re.DOTALL)
