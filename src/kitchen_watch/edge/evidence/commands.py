"""``kitchen-watch evidence``: proves or refutes what an edge has kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kitchen_watch.errors import EvidenceError

if TYPE_CHECKING:
    from kitchen_watch.edge.evidence.verification import Verdict

app = typer.Typer(no_args_is_help=True, help="Prove or refute evidence packages.")


@app.callback()
def evidence() -> None:
    """Prove or refute evidence packages."""


@app.command("verify")
def verify(
    directory: Annotated[Path, typer.Argument(help="A package, a day, an evidence tree or a data_dir.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per line.")] = False,
) -> None:
    """Check every file against its manifest and every manifest against the chain.

    Exit code 0: proven; 5: something is missing, was changed or is out of the chain.
    """
    from kitchen_watch.edge.evidence import verification  # noqa: PLC0415 - keeps --help quick

    verdict = verification.verify(directory)
    for line in _json_lines(verdict) if as_json else _lines(verdict):
        typer.echo(line)
    if not verdict.proven:
        raise typer.Exit(EvidenceError.exit_code)


def _json_lines(verdict: Verdict) -> list[str]:
    findings = [
        {"finding": finding.fault.value, "path": str(finding.path), "message": finding.message}
        for finding in verdict.findings
    ]
    summary = {
        "proven": verdict.proven,
        "packages": verdict.packages,
        "manifests": verdict.manifests,
        "files": verdict.files,
        "removed_files": verdict.removed_files,
        "findings": len(verdict.findings),
        "notes": verdict.notes,
        "chains": [
            {
                "edge_id": chain.edge_id,
                "first": chain.first,
                "last": chain.last,
                "manifests": chain.manifests,
                "head_sha256": chain.head_sha256,
                "whole": chain.whole,
            }
            for chain in verdict.chains
        ],
    }
    return [json.dumps(values, ensure_ascii=False) for values in (*findings, summary)]


def _lines(verdict: Verdict) -> list[str]:
    lines = [
        f"{finding.fault.value.upper()}: {finding.path}: {finding.message}" for finding in verdict.findings
    ]
    lines += [f"note: {note}" for note in verdict.notes]
    for chain in verdict.chains:
        extent = "whole" if chain.whole else "in part"
        lines.append(
            f"chain of {chain.edge_id} seen {extent}: {chain.manifests} manifests, {chain.first} to "
            f"{chain.last}, head {chain.head_sha256}"
        )
    checked = f"{verdict.files} files in {verdict.manifests} manifests of {verdict.packages} packages"
    result = "PROVEN" if verdict.proven else f"REFUTED: {len(verdict.findings)} findings"
    return [*lines, f"{result} ({checked})"]
