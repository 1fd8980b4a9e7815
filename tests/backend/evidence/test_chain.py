"""The chain of manifests: whole, waiting or broken, and never a reason to lose evidence."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from kitchen_watch.events import EventKind, EventVerdict, manifest_sha256
from tests.backend.stories import Chain, Violation, deliver, evidence_file, opening_with_evidence, verdicts
from tests.backend.support import Backend


def links(backend: Backend) -> dict[int, tuple[str, str | None, bool]]:
    """Link state, reason and soundness shown on the alert, by chain index."""
    browser = backend.logged_in("regulator")
    found = {}
    for item in browser.get("/api/v1/alerts").json()["items"]:
        detail = browser.get(f"/api/v1/alerts/{item['alert_id']}").json()
        for manifest in detail["manifests"]:
            found[manifest["chain_index"]] = (
                manifest["link"],
                manifest["link_reason"],
                detail["evidence_sound"],
            )
    return found


def states(backend: Backend) -> dict[int, str]:
    return {index: link for index, (link, _, _) in sorted(links(backend).items())}


def test_a_chain_in_order_is_linked(any_backend: Backend) -> None:
    chain = Chain()
    for _ in range(3):
        deliver(any_backend, opening_with_evidence(chain=chain))
    assert links(any_backend) == dict.fromkeys(range(3), ("linked", None, True))


def test_a_manifest_waits_for_the_one_before_it(any_backend: Backend) -> None:
    chain = Chain()
    first, second, third = (opening_with_evidence(chain=chain) for _ in range(3))
    deliver(any_backend, third)
    assert states(any_backend) == {2: "waiting"}
    deliver(any_backend, first, second)
    assert states(any_backend) == {0: "linked", 1: "linked", 2: "linked"}


def test_a_rewritten_manifest_breaks_the_chain_and_is_kept(any_backend: Backend) -> None:
    chain = Chain()
    deliver(any_backend, opening_with_evidence(chain=chain))
    chain.last = "f" * 64
    assert verdicts(deliver(any_backend, opening_with_evidence(chain=chain))) == [EventVerdict.ACCEPTED]
    link, reason, sound = links(any_backend)[1]
    assert (link, sound) == ("broken", False)
    assert "does not follow" in (reason or "")


def test_a_waiting_manifest_that_does_not_follow_is_found_out(any_backend: Backend) -> None:
    chain = Chain()
    first = opening_with_evidence(chain=chain)
    chain.last = "f" * 64
    second = opening_with_evidence(chain=chain)
    deliver(any_backend, second)
    deliver(any_backend, first)
    assert states(any_backend) == {0: "linked", 1: "broken"}


def test_a_record_that_began_anew_is_flagged(any_backend: Backend) -> None:
    deliver(any_backend, opening_with_evidence(chain=Chain()))
    deliver(any_backend, opening_with_evidence(chain=Chain()))
    found = [
        manifest["link"]
        for alert in (1, 2)
        for manifest in any_backend.logged_in("admin").get(f"/api/v1/alerts/{alert}").json()["manifests"]
    ]
    assert found == ["linked", "broken"]


def test_a_manifest_changed_after_sealing_is_flagged(any_backend: Backend) -> None:
    raw: dict[str, Any] = json.loads(opening_with_evidence().model_dump_json())
    raw["evidence"]["rule"]["parameters"]["held_s"] = 1.0
    assert verdicts(deliver(any_backend, raw)) == [EventVerdict.ACCEPTED]
    link, reason, _ = links(any_backend)[0]
    assert (link, "own hash" in (reason or "")) == ("broken", True)


def test_a_manifest_of_another_violation_is_flagged(any_backend: Backend) -> None:
    other = opening_with_evidence().evidence
    assert verdicts(deliver(any_backend, Violation().tell(evidence=other))) == [EventVerdict.ACCEPTED]
    assert states(any_backend) == {0: "broken"}


def test_chains_of_two_edges_do_not_touch(any_backend: Backend) -> None:
    deliver(any_backend, opening_with_evidence())
    deliver(any_backend, opening_with_evidence("cam-c1", edge_id="edge-2"), edge_id="edge-2")
    detail = any_backend.logged_in("admin").get("/api/v1/alerts/2").json()
    assert detail["manifests"][0]["link"] == "linked"


def test_a_manifest_named_by_two_events_is_stored_once(any_backend: Backend) -> None:
    violation = Violation()
    manifest = Chain().seal(
        camera_id="cam-a1",
        violation_id=violation.violation_id,
        code="NO_HAT",
        files=[evidence_file(b"picture")],
    )
    deliver(any_backend, violation.tell(evidence=manifest), violation.tell(evidence=manifest))
    detail = any_backend.logged_in("admin").get("/api/v1/alerts/1").json()
    assert len(detail["manifests"]) == 1
    assert (detail["model"]["name"], detail["rule"]["parameters"]["held_s"]) == ("kitchen-yolo26n", 10.0)


def test_a_second_manifest_of_one_id_is_kept_and_marked(any_backend: Backend) -> None:
    """Whoever takes an id that is used marks only the own alert; repeating it changes nothing."""
    first = opening_with_evidence("cam-a1")
    assert first.evidence is not None
    deliver(any_backend, first)
    chain = Chain("edge-2")
    foreign = opening_with_evidence("cam-c1", edge_id="edge-2", chain=chain)
    assert foreign.evidence is not None
    evidence = foreign.evidence.model_copy(update={"manifest_id": first.evidence.manifest_id})
    stolen = foreign.model_copy(
        update={"evidence": evidence.model_copy(update={"sha256": manifest_sha256(evidence)})}
    )
    for event in (
        stolen,
        stolen.model_copy(update={"event_id": uuid4(), "sequence": 1, "kind": EventKind.UPDATED}),
    ):
        assert verdicts(deliver(any_backend, event, edge_id="edge-2")) == [EventVerdict.ACCEPTED]
    admin = any_backend.logged_in("admin")
    own, theirs = (admin.get(f"/api/v1/alerts/{alert}").json() for alert in (1, 2))
    assert (own["evidence_sound"], [one["link"] for one in own["manifests"]]) == (True, ["linked"])
    assert (theirs["evidence_sound"], [one["link"] for one in theirs["manifests"]]) == (False, ["broken"])
    assert "another manifest" in theirs["manifests"][0]["link_reason"]
    assert len(theirs["manifests"][0]["files"]) == 2


def test_a_manifest_told_again_is_nothing_new(any_backend: Backend) -> None:
    story = opening_with_evidence("cam-a1")
    again = story.model_copy(update={"event_id": uuid4(), "sequence": 1, "kind": EventKind.UPDATED})
    deliver(any_backend, story, again)
    assert links(any_backend) == {0: ("linked", None, True)}
