"""The command line: every command of kitchen_watch under one name, one error style, right exit codes.

Command modules import nothing heavy at their top, so that ``kitchen-watch --help`` is quick and the
backend starts without a model, numpy or OpenCV.
"""

from __future__ import annotations

import sys
from importlib import metadata

import typer

from kitchen_watch.backend import commands as backend_commands
from kitchen_watch.backend.feedback import commands as feedback_commands
from kitchen_watch.cluster import commands as cluster_commands
from kitchen_watch.demo import commands as demo_commands
from kitchen_watch.edge import commands as edge_commands
from kitchen_watch.edge.evidence import commands as evidence_commands
from kitchen_watch.edge.outbox import commands as outbox_commands
from kitchen_watch.edge.shadow import commands as shadow_commands
from kitchen_watch.errors import KitchenWatchError
from kitchen_watch.logs import configure_logs
from kitchen_watch.redact import redact
from kitchen_watch.training import commands as training_commands

INTERRUPTED = 130

app = typer.Typer(
    name="kitchen-watch",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Bright-kitchen supervision (互联网+明厨亮灶): cameras in, verified food-safety alerts out.",
)
app.command("demo")(demo_commands.demo)
app.command("edge")(edge_commands.edge)
app.command("check")(edge_commands.check)
app.command("probe")(edge_commands.probe)
app.command("replay")(edge_commands.replay)
app.command("score")(edge_commands.score)
app.add_typer(evidence_commands.app, name="evidence", help="Prove or refute evidence packages.")
app.add_typer(shadow_commands.app, name="shadow", help="A new model beside the one in force.")
app.add_typer(cluster_commands.app, name="cluster", help="Analysis on several machines, on Ray.")
app.add_typer(outbox_commands.app, name="outbox", help="Events that are not delivered yet.")
for _name, _function in backend_commands.COMMANDS.items():
    app.command(_name)(_function)
app.add_typer(backend_commands.people_app, name="people", help="People who may log in.")
for _name, _function in training_commands.COMMANDS.items():
    app.command(_name)(_function)
training_commands.dataset_app.command("export")(feedback_commands.export)
app.add_typer(training_commands.dataset_app, name="dataset", help="Check and export training data.")


@app.command("version")
def version() -> None:
    """Print the version."""
    typer.echo(metadata.version("kitchen-watch"))


def main() -> None:
    """Run the command; a known error is one clear sentence on standard error and its exit code."""
    # Standard output is for results; the programs that run for long set up their own logs.
    configure_logs(level="WARNING")
    try:
        app()
    except KitchenWatchError as error:
        typer.echo(f"error: {redact(str(error))}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
