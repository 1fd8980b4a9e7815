"""Proves or refutes evidence on disk: every file against its manifest, every manifest against the chain.

Needs nothing but the files. What it cannot see is a chain that was cut off at its end: compare the
head it reports with the backend's.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from kitchen_watch.edge.evidence.manifest import manifest_name
from kitchen_watch.edge.evidence.package import REMOVED_NAME, ROOT
from kitchen_watch.errors import EvidenceMissing
from kitchen_watch.events import FIRST_LINK, EvidenceFile, EvidenceManifest, canonical_json

_YEAR = re.compile(r"\d{4}")


class Fault(StrEnum):
    """In which way evidence is refuted."""

    MISSING = "missing"
    TAMPERED = "tampered"
    CHAIN = "chain"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, and where."""

    fault: Fault
    path: Path
    message: str


@dataclass(frozen=True, slots=True)
class Link:
    """A manifest whose own hash is right, and the file it was read from."""

    path: Path
    manifest: EvidenceManifest


@dataclass(frozen=True, slots=True)
class ChainSeen:
    """The part of one edge's chain that was seen."""

    edge_id: str
    first: int
    last: int
    manifests: int
    head_sha256: str
    whole: bool
    """Whether it begins with index 0 and has no gap."""


@dataclass(slots=True)
class Verdict:
    """What was proven and what was refuted. ``notes`` are facts that refute nothing."""

    packages: int = 0
    manifests: int = 0
    files: int = 0
    removed_files: int = 0
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    chains: list[ChainSeen] = field(default_factory=list)

    @property
    def proven(self) -> bool:
        """Whether nothing is missing, tampered with or out of the chain."""
        return not self.findings


def verify(directory: Path) -> Verdict:
    """Verify a package, a day, a whole evidence tree or a data directory.

    Only where whole years are in ``directory`` a gap in a chain is a fault; a day or a package is a
    part of the chain by nature.

    Raises:
        EvidenceMissing: there is no such directory, or not one manifest in it.
    """
    if not directory.is_dir():
        raise EvidenceMissing(f"{directory}: there is no such directory.")
    root = directory / ROOT if (directory / ROOT).is_dir() else directory
    folders = sorted({path.parent for path in root.rglob("manifest-*.json")})
    if not folders:
        raise EvidenceMissing(f"{directory}: not one manifest is in it, so there is nothing to prove.")
    is_tree = any(child.is_dir() and _YEAR.fullmatch(child.name) for child in root.iterdir())
    verdict = Verdict()
    links = [link for folder in folders for link in _verify_folder(folder, verdict)]
    verify_chain(links, verdict, whole=is_tree)
    return verdict


def verify_package(folder: Path) -> Verdict:
    """Verify one package's folder by itself.

    Raises:
        EvidenceMissing: it is not there, or has no manifest.
    """
    return verify(folder)


def verify_chain(links: Sequence[Link], verdict: Verdict, *, whole: bool) -> None:
    """Compare neighbours in each edge's chain; ``whole`` says that none may be missing."""
    by_edge: dict[str, list[Link]] = defaultdict(list)
    for link in links:
        by_edge[link.manifest.edge_id].append(link)
    for edge_id, chain in sorted(by_edge.items()):
        chain.sort(key=lambda link: link.manifest.chain_index)
        breaks = list(_breaks(chain, whole=whole))
        verdict.findings += breaks
        first, last = chain[0].manifest, chain[-1].manifest
        complete = first.chain_index == 0 and last.chain_index == len(chain) - 1
        verdict.chains.append(
            ChainSeen(
                edge_id=edge_id,
                first=first.chain_index,
                last=last.chain_index,
                manifests=len(chain),
                head_sha256=last.sha256,
                whole=complete and not breaks,
            )
        )


def _breaks(chain: Sequence[Link], *, whole: bool) -> Iterator[Finding]:
    first = chain[0]
    if first.manifest.chain_index == 0:
        if first.manifest.previous_sha256 != FIRST_LINK:
            yield _chain(first, "is the first of its chain, but names a manifest before it")
    elif whole:
        yield _chain(first, f"the manifests before {first.manifest.chain_index} are missing")
    for before, after in itertools.pairwise(chain):
        gap = after.manifest.chain_index - before.manifest.chain_index
        if gap == 0:
            yield _chain(after, f"has the same place in the chain as {before.path}")
        elif gap == 1:
            if after.manifest.previous_sha256 != before.manifest.sha256:
                yield _chain(after, f"does not follow {before.path}: one of them is not the original")
        elif whole:
            numbers = f"{before.manifest.chain_index + 1} to {after.manifest.chain_index - 1}"
            yield _chain(after, f"the manifests {numbers} before it are missing")


def _chain(link: Link, message: str) -> Finding:
    return Finding(Fault.CHAIN, link.path, message)


def _verify_folder(folder: Path, verdict: Verdict) -> Iterator[Link]:
    verdict.packages += 1
    removed = _removed(folder, verdict)
    known = {REMOVED_NAME}
    for path in sorted(folder.glob("manifest-*.json")):
        verdict.manifests += 1
        known.add(path.name)
        link = _read(path, verdict)
        if link is None:
            continue
        for file in link.manifest.files:
            known.add(file.name)
            if file.name in removed and not (folder / file.name).exists():
                verdict.removed_files += 1
            else:
                verdict.files += 1
                verdict.findings += _verify_file(folder / file.name, file)
        yield link
    strangers = sorted(path.name for path in folder.iterdir() if path.name not in known)
    if strangers:
        verdict.notes.append(f"{folder}: no manifest names {', '.join(strangers)}; that is no evidence.")


def _read(path: Path, verdict: Verdict) -> Link | None:
    """The manifest if its hash is right; otherwise a finding."""
    try:
        values: Any = json.loads(path.read_bytes())
        claimed = values.pop("sha256")
        # Of everything in the file, known to this version or not: an added key is tampering too.
        if hashlib.sha256(canonical_json(values)).hexdigest() != claimed:
            verdict.findings.append(Finding(Fault.TAMPERED, path, "was changed: its own hash is not right"))
            return None
        manifest = EvidenceManifest.model_validate({**values, "sha256": claimed})
    except (OSError, ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        why = "lacks a field" if isinstance(error, ValidationError | KeyError) else str(error)
        verdict.findings.append(Finding(Fault.TAMPERED, path, f"cannot be read as a manifest: {why}"))
        return None
    verdict.findings += _verify_place(path, manifest)
    return Link(path, manifest)


def _verify_place(path: Path, manifest: EvidenceManifest) -> Iterator[Finding]:
    if path.name != manifest_name(manifest.chain_index):
        yield Finding(Fault.TAMPERED, path, f"was renamed: it is number {manifest.chain_index} of its chain")
    if path.parent.name != str(manifest.violation_id):
        yield Finding(Fault.TAMPERED, path, f"was moved: it belongs to violation {manifest.violation_id}")


def _verify_file(path: Path, file: EvidenceFile) -> Iterator[Finding]:
    try:
        size = path.stat().st_size
        if size != file.size_bytes:
            message = f"was changed: it has {size} bytes instead of {file.size_bytes}"
            yield Finding(Fault.TAMPERED, path, message)
            return
        with path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    except FileNotFoundError:
        yield Finding(Fault.MISSING, path, "is named by a manifest, but is not there")
        return
    except OSError as error:
        yield Finding(Fault.MISSING, path, f"cannot be read: {error.strerror or error}")
        return
    if digest != file.sha256:
        yield Finding(Fault.TAMPERED, path, "was changed: its hash is not the manifest's")


def _removed(folder: Path, verdict: Verdict) -> frozenset[str]:
    """Files that the edge says it deleted after their delivery."""
    path = folder / REMOVED_NAME
    if not path.exists():
        return frozenset()
    try:
        note = json.loads(path.read_bytes())
        names: Iterable[object] = note["files"]
        removed = frozenset(str(name) for name in names)
        verdict.notes.append(
            f"{folder}: {len(removed)} files were removed by the edge's retention at {note['removed_at']}; "
            "the backend holds them. The manifests are proven without them."
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        verdict.findings.append(Finding(Fault.TAMPERED, path, "cannot be read"))
        return frozenset()
    return removed
