"""Evidence is proven, and whatever is done to it is found."""

from __future__ import annotations

import json
import shutil
from datetime import UTC
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from typer.testing import CliRunner

from kitchen_watch.edge.evidence.commands import app
from kitchen_watch.edge.evidence.manifest import ChainHead, ManifestDraft, seal
from kitchen_watch.edge.evidence.package import Packages
from kitchen_watch.edge.evidence.verification import Fault, Verdict, verify, verify_package
from kitchen_watch.errors import EvidenceMissing
from kitchen_watch.events import EvidenceKind, EvidenceManifest, RuleUsed, manifest_sha256
from tests.edge.evidence.cameras import at


def make_tree(data_dir: Path, number: int = 4, edge_id: str = "edge-1") -> list[Path]:
    """Packages of one edge over several days, one manifest each; their folders."""
    packages, head, folders = Packages(data_dir, zone=UTC, reserve_bytes=0), ChainHead(), []
    for index in range(number):
        violation_id = uuid4()
        folder = packages.folder(violation_id, at(index * 40_000))
        file = packages.put(folder, EvidenceKind.CLEAN, b"picture %d" % index, at=at(index * 40_000))
        draft = ManifestDraft(
            manifest_id=uuid4(), camera_id="cam-1", violation_id=violation_id, code="NO_HAT",
            created_at=at(index * 40_000), server_offset_ms=12, model=None,
            rule=RuleUsed(rule_id="NO_HAT", version="0123456789ab", parameters={"held_s": 10.0, "名": "帽"}),
            detections=(), files=(file,),
        )  # fmt: skip
        manifest = seal(draft, edge_id=edge_id, head=head)
        head = ChainHead(manifest.chain_index + 1, manifest.sha256)
        packages.write_manifest(folder, manifest)
        folders.append(data_dir / folder)
    return folders


def faults(verdict: Verdict) -> list[tuple[str, str]]:
    return [(finding.fault.value, finding.path.name) for finding in verdict.findings]


def manifest_of(folder: Path) -> Path:
    (path,) = folder.glob("manifest-*.json")
    return path


def test_an_untouched_tree_is_proven(tmp_path: Path) -> None:
    make_tree(tmp_path)
    for directory in (tmp_path, tmp_path / "evidence"):
        verdict = verify(directory)
        assert verdict.proven
        assert (verdict.packages, verdict.manifests, verdict.files) == (4, 4, 4)
        (chain,) = verdict.chains
        assert (chain.first, chain.last, chain.whole) == (0, 3, True)


def test_a_single_package_and_a_day_are_proven_without_the_rest(tmp_path: Path) -> None:
    folders = make_tree(tmp_path)
    assert verify_package(folders[2]).proven
    assert verify(folders[1].parent).proven
    assert not verify(folders[3].parent).chains[0].whole


def test_the_edge_itself_can_read_what_it_sealed(tmp_path: Path) -> None:
    folder = make_tree(tmp_path, 1)[0]
    read = EvidenceManifest.model_validate_json(manifest_of(folder).read_bytes())
    assert manifest_sha256(read) == read.sha256


def test_a_changed_picture_is_found(tmp_path: Path) -> None:
    folder = make_tree(tmp_path)[1]
    picture = next(folder.glob("clean-*.jpg"))
    picture.write_bytes(b"pictur3 1")
    assert faults(verify(tmp_path)) == [("tampered", picture.name)]
    picture.write_bytes(b"another length altogether")
    assert faults(verify(folder)) == [("tampered", picture.name)]


def test_a_missing_picture_is_found(tmp_path: Path) -> None:
    folder = make_tree(tmp_path)[1]
    picture = next(folder.glob("clean-*.jpg"))
    picture.unlink()
    assert faults(verify(tmp_path)) == [("missing", picture.name)]


@pytest.mark.parametrize("key", ["camera_id", "created_at", "server_offset_ms", "new_key", "rule"])
def test_a_changed_manifest_is_found(tmp_path: Path, key: str) -> None:
    manifest = manifest_of(make_tree(tmp_path)[3])
    values = json.loads(manifest.read_bytes())
    values[key] = "2026-03-05T00:00:00Z"
    manifest.write_text(json.dumps(values))
    assert ("tampered", manifest.name) in faults(verify(tmp_path))


def test_a_manifest_that_would_break_the_reader_is_found_like_any_other(tmp_path: Path) -> None:
    manifest = manifest_of(make_tree(tmp_path)[3])
    manifest.write_text("[" * 100_000)
    assert ("tampered", manifest.name) in faults(verify(tmp_path))


def test_a_manifest_that_was_sealed_again_breaks_the_chain_after_it(tmp_path: Path) -> None:
    folders = make_tree(tmp_path)
    path = manifest_of(folders[1])
    forged = EvidenceManifest.model_validate_json(path.read_bytes()).model_copy(update={"camera_id": "cam-2"})
    forged = forged.model_copy(update={"sha256": manifest_sha256(forged)})
    path.write_text(json.dumps(forged.model_dump(mode="json")))
    assert verify(folders[1]).proven  # by itself it cannot be told
    assert faults(verify(tmp_path)) == [("chain", manifest_of(folders[2]).name)]


def test_a_package_that_was_taken_out_leaves_a_gap(tmp_path: Path) -> None:
    folders = make_tree(tmp_path)
    shutil.rmtree(folders[1])
    verdict = verify(tmp_path)
    assert faults(verdict) == [("chain", "manifest-00000002.json")]
    assert "manifests 1 to 1 before it are missing" in verdict.findings[0].message


def test_a_tree_without_its_beginning_is_refuted(tmp_path: Path) -> None:
    folders = make_tree(tmp_path)
    shutil.rmtree(folders[0])
    assert faults(verify(tmp_path)) == [("chain", "manifest-00000001.json")]


def test_a_copied_package_is_found(tmp_path: Path) -> None:
    folders = make_tree(tmp_path)
    shutil.copytree(folders[2], folders[2].with_name(str(UUID(int=0))))
    found = faults(verify(tmp_path))
    assert ("tampered", "manifest-00000002.json") in found
    assert ("chain", "manifest-00000002.json") in found


def test_a_renamed_manifest_is_found(tmp_path: Path) -> None:
    path = manifest_of(make_tree(tmp_path)[2])
    path.rename(path.with_name("manifest-00000009.json"))
    assert faults(verify(tmp_path)) == [("tampered", "manifest-00000009.json")]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"sha256": 3}', b"\xff\xfe"])
def test_rubbish_in_place_of_a_manifest_is_found(tmp_path: Path, content: bytes) -> None:
    path = manifest_of(make_tree(tmp_path)[3])
    path.write_bytes(content)
    assert faults(verify(tmp_path)) == [("tampered", path.name)]


def test_chains_of_several_edges_are_kept_apart(tmp_path: Path) -> None:
    make_tree(tmp_path, 3, "edge-1")
    make_tree(tmp_path, 2, "edge-2")
    verdict = verify(tmp_path)
    assert verdict.proven
    assert [(chain.edge_id, chain.manifests) for chain in verdict.chains] == [("edge-1", 3), ("edge-2", 2)]


def test_files_without_a_manifest_are_named_and_refute_nothing(tmp_path: Path) -> None:
    folder = make_tree(tmp_path)[0]
    (folder / "holiday.jpg").write_bytes(b"a beach")
    verdict = verify(tmp_path)
    assert verdict.proven
    assert "holiday.jpg" in verdict.notes[0]


def test_files_removed_after_delivery_are_told_apart_from_stolen_ones(tmp_path: Path) -> None:
    folder = make_tree(tmp_path)[0]
    picture = next(folder.glob("clean-*.jpg"))
    picture.unlink()
    note = {"removed_at": "2026-04-02T00:00:00+00:00", "files": [picture.name]}
    (folder / "removed.json").write_text(json.dumps(note))
    verdict = verify(tmp_path)
    assert verdict.proven
    assert verdict.removed_files == 1
    assert "removed by the edge's retention" in verdict.notes[0]


def test_nothing_to_prove_is_not_proven(tmp_path: Path) -> None:
    with pytest.raises(EvidenceMissing, match="not one manifest"):
        verify(tmp_path)
    with pytest.raises(EvidenceMissing, match="no such directory"):
        verify(tmp_path / "nowhere")


def test_the_command_proves_with_0_and_refutes_with_5(tmp_path: Path) -> None:
    folder = make_tree(tmp_path)[1]
    good = CliRunner().invoke(app, ["verify", str(tmp_path)])
    assert good.exit_code == 0
    assert good.output.splitlines()[-1] == "PROVEN (4 files in 4 manifests of 4 packages)"

    next(folder.glob("clean-*.jpg")).unlink()
    bad = CliRunner().invoke(app, ["verify", str(tmp_path)])
    assert bad.exit_code == 5
    assert "MISSING" in bad.output
    assert "REFUTED: 1 findings" in bad.output

    machine = CliRunner().invoke(app, ["verify", str(tmp_path), "--json"])
    assert machine.exit_code == 5
    finding, summary = [json.loads(line) for line in machine.stdout.splitlines()]
    assert finding["finding"] == Fault.MISSING
    assert summary["proven"] is False
    assert summary["chains"][0]["whole"] is True
