"""Evidence is uploaded piece by piece, resumed, verified, and shown only when it is right."""

from __future__ import annotations

import hashlib
from pathlib import Path

from kitchen_watch.backend.evidence.store import EvidenceStore, Progress
from kitchen_watch.events import UploadState
from tests.backend.stories import (
    CLIP,
    PICTURE,
    Chain,
    Violation,
    deliver,
    evidence_file,
    opening_with_evidence,
    upload,
    upload_state,
)
from tests.backend.streams import listening
from tests.backend.support import Backend


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def ask(backend: Backend, content: bytes, edge_id: str = "edge-1") -> UploadState:
    answer = backend.signed("GET", f"/api/v1/edge/evidence/{sha(content)}", edge_id=edge_id)
    assert answer.status_code == 200, answer.text
    return upload_state(answer)


def test_missing_files_are_asked_for_until_they_are_here(any_backend: Backend) -> None:
    event = opening_with_evidence()
    assert deliver(any_backend, event).missing_files == (sha(PICTURE), sha(CLIP))
    assert upload_state(upload(any_backend, PICTURE)).complete
    assert deliver(any_backend, event).missing_files == (sha(CLIP),)


def test_an_upload_goes_on_where_it_stopped(any_backend: Backend) -> None:
    deliver(any_backend, opening_with_evidence())
    first = upload(any_backend, CLIP[:4000], sha256=sha(CLIP))
    assert (first.status_code, upload_state(first).received_bytes) == (200, 4000)
    assert ask(any_backend, CLIP).received_bytes == 4000
    again = upload(any_backend, CLIP[:4000], sha256=sha(CLIP))
    assert (again.status_code, upload_state(again).received_bytes) == (409, 4000)
    beyond = upload(any_backend, CLIP, sha256=sha(CLIP), offset=4000)
    assert (beyond.status_code, upload_state(beyond).received_bytes) == (409, 4000)
    last = upload(any_backend, CLIP[4000:], sha256=sha(CLIP), offset=4000)
    assert (last.status_code, upload_state(last).complete) == (200, True)
    assert upload_state(upload(any_backend, CLIP)).complete
    assert any_backend.parts.evidence.path(sha(CLIP)).read_bytes() == CLIP


def test_content_with_a_wrong_hash_is_never_shown_and_begins_anew(any_backend: Backend) -> None:
    deliver(any_backend, opening_with_evidence(clip=CLIP))
    forged = bytes(len(CLIP))
    answer = upload(any_backend, forged, sha256=sha(CLIP))
    assert (answer.status_code, upload_state(answer).received_bytes) == (409, 0)
    assert not any_backend.parts.evidence.path(sha(CLIP)).exists()
    detail = any_backend.logged_in("regulator").get("/api/v1/alerts/1").json()
    assert detail["manifests"][0]["files"][0]["url"] is None
    assert upload_state(upload(any_backend, CLIP)).complete


def test_an_edge_uploads_only_what_it_has_named(any_backend: Backend) -> None:
    deliver(any_backend, opening_with_evidence())
    assert upload(any_backend, b"never named").status_code == 404
    assert upload(any_backend, PICTURE, edge_id="edge-2").status_code == 404
    assert (
        any_backend.signed("GET", f"/api/v1/edge/evidence/{sha(PICTURE)}", edge_id="edge-2").status_code
        == 404
    )
    assert any_backend.signed("GET", "/api/v1/edge/evidence/..%2F..%2Fetc").status_code in {404, 422}


def test_naming_the_hash_of_anothers_file_gives_no_access_to_it(any_backend: Backend) -> None:
    deliver(any_backend, opening_with_evidence(annotated_snapshot=PICTURE))
    upload(any_backend, PICTURE)
    thief = opening_with_evidence("cam-c1", edge_id="edge-2", annotated_snapshot=PICTURE)
    assert deliver(any_backend, thief, edge_id="edge-2").missing_files == (sha(PICTURE),)
    assert (
        any_backend.logged_in("regulator2").get("/api/v1/alerts").json()["items"][0]["snapshot_url"] is None
    )
    assert upload_state(upload(any_backend, PICTURE, edge_id="edge-2")).complete
    assert any_backend.logged_in("regulator2").get("/api/v1/alerts").json()["items"][0]["snapshot_url"]


def test_the_same_picture_in_two_packages_is_uploaded_once(any_backend: Backend) -> None:
    chain = Chain()
    deliver(any_backend, opening_with_evidence(chain=chain, annotated_snapshot=PICTURE))
    upload(any_backend, PICTURE)
    second = opening_with_evidence("cam-b1", chain=chain, annotated_snapshot=PICTURE)
    assert deliver(any_backend, second).missing_files == ()


def test_a_finished_file_is_told_to_listeners(any_backend: Backend) -> None:
    with listening(any_backend.logged_in("regulator")) as stream:
        deliver(any_backend, opening_with_evidence(clip=CLIP))
        upload(any_backend, CLIP)
        assert [stream.next_alert()["kind"] for _ in range(2)] == ["opened", "evidence"]


def test_chunks_and_files_have_a_largest_size(backend: Backend) -> None:
    deliver(backend, opening_with_evidence())
    answer = upload(backend, bytes(4 * 1024 * 1024 + 1), sha256=sha(CLIP))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert backend.signed("PATCH", f"/api/v1/edge/evidence/{sha(CLIP)}", body=b"x").status_code == 422


def test_an_answer_that_was_lost_at_the_very_end_is_made_up_for(backend: Backend) -> None:
    """The process died after the file was published and before the database knew."""
    deliver(backend, opening_with_evidence(clip=CLIP))
    store = backend.parts.evidence
    upload_result = store.append("edge-1", sha(CLIP), offset=0, chunk=CLIP, size=len(CLIP))
    assert upload_result.progress is Progress.WHOLE
    assert ask(backend, CLIP).complete
    assert store.received("edge-1", sha(CLIP)) == 0


def test_a_chunk_cut_off_by_a_crash_is_continued(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path)
    store.append("edge-1", sha(CLIP), offset=0, chunk=CLIP[:100], size=len(CLIP))
    partial = next((tmp_path / "partial").rglob(sha(CLIP)))
    with partial.open("ab") as file:
        file.write(CLIP[100:150])  # written, never acknowledged
    assert store.received("edge-1", sha(CLIP)) == 150
    done = store.append("edge-1", sha(CLIP), offset=150, chunk=CLIP[150:], size=len(CLIP))
    assert done.progress is Progress.WHOLE
    assert store.path(sha(CLIP)).stat().st_nlink == 2


def test_an_oversized_file_is_not_asked_for(backend: Backend) -> None:
    violation = Violation()
    huge = evidence_file(CLIP).model_copy(update={"size_bytes": 2**40})
    manifest = Chain().seal(
        camera_id="cam-a1", violation_id=violation.violation_id, code="NO_HAT", files=[huge]
    )
    assert deliver(backend, violation.tell(evidence=manifest)).missing_files == ()
    assert upload(backend, CLIP).status_code == 422
