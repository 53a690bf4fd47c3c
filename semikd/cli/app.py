"""The commands: what is typed becomes settings, and what was found becomes lines.

Everything heavy is imported when a command runs, so that help is there at once.
"""

from pathlib import Path
from typing import Annotated, Any

import typer

from semikd.cli.options import with_experiment, with_settings
from semikd.reproduction import EXPERIMENTS

__all__ = ["app"]

app = typer.Typer(
    name="semikd",
    help="Compress a large classifier into a small one, and prove how good it is.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

TableFile = Annotated[
    str | None,
    typer.Argument(
        metavar="TABLE",
        help="CSV or TSV (.gz too), or Parquet; without it, a survey that is built in.",
    ),
]
NewTable = Annotated[
    str, typer.Argument(metavar="TABLE", help="CSV or TSV (.gz too), or Parquet.")
]
ModelFolder = Annotated[
    str, typer.Argument(metavar="MODEL_DIR", help="What `semikd distill` wrote.")
]
OutFolder = Annotated[
    str, typer.Option("--out", metavar="DIR", help="Folder of the result.")
]
OutFile = Annotated[
    str | None,
    typer.Option("--out", metavar="FILE", help="CSV, TSV or Parquet; else the screen."),
]
Weight = Annotated[
    str | None, typer.Option("--weight", metavar="COL", help="Column of weights.")
]
DataSets = Annotated[
    list[str] | None,
    typer.Option(
        "--dataset",
        metavar="NAME",
        help="adult, heloc, higgs, magic, stumbleupon; may be repeated. By default all "
        "whose files are here.",
    ),
]
Force = Annotated[
    bool, typer.Option("--force", help="Replace an earlier result in that folder.")
]


def _print_version(wanted: bool) -> None:
    """Print the version and end, where it is asked for."""
    if wanted:
        from importlib.metadata import version

        typer.echo(f"semikd {version('semikd')}")
        raise typer.Exit


@app.callback()
def _semikd(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print it."
        ),
    ] = False,
) -> None:
    """Compress a large classifier into a small one, and prove how good it is."""


def distill(
    table: TableFile = None,
    *,
    out: OutFolder = "distilled",
    force: Force = False,
    **options: Any,
) -> None:
    """Distil TABLE into a small model, with its honest score and a page to read."""
    from semikd.cli.distilling import distill_table
    from semikd.job.settings import Settings

    distill_table(table, Settings(**options), out=Path(out), force=force)


def predict(model: ModelFolder, table: NewTable, *, out: OutFile = None) -> None:
    """Write the model's prediction for every row of TABLE."""
    from semikd.cli.applying import predict_table

    predict_table(Path(model), table, out)


def evaluate(model: ModelFolder, table: NewTable, *, weight: Weight = None) -> None:
    """Score the model on the rows of TABLE, which holds the target too."""
    from semikd.cli.applying import evaluate_table

    evaluate_table(Path(model), table, weight)


def reproduce(
    experiment: Annotated[
        str, typer.Argument(metavar="EXPERIMENT", help=f"{', '.join(EXPERIMENTS)}.")
    ],
    *,
    dataset: DataSets = None,
    out: OutFolder = "reproduced",
    **options: Any,
) -> None:
    """Remake an experiment of the paper: published, reproduced and honest numbers."""
    from semikd.cli.reproducing import reproduce_experiment
    from semikd.reproduction.asked import Asked

    asked = Asked(**options)
    reproduce_experiment(experiment, dataset or [], asked, Path(out))


app.command()(with_settings(distill))
app.command()(predict)
app.command()(evaluate)
app.command()(with_experiment(reproduce))
