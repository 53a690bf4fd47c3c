"""How often intervals, bounds and simultaneous statements hold, beside the plan."""

import argparse
from functools import partial

import _coefficients
import _comparison_cases
import _curve_cases
import _later_cases
import _leaf_cases
import _powered_cases
import _risk_cases
from _cells import (
    Row,
    all_here,
    cell,
    environment,
    folder,
    options_of,
    report,
    state,
)
from _study import (
    SMALL_TABLES,
    TABLES,
    counted,
    lines,
    summarised,
    write_csv,
)

PARTS = {
    "Coefficients": _coefficients,
    "Risks and calibration": _risk_cases,
    "Comparisons": _comparison_cases,
    "Unlabelled rows": _powered_cases,
    "Leaves": _leaf_cases,
    "Added later": _later_cases,
    "Specification curve": _curve_cases,
}


def main(options: argparse.Namespace) -> None:
    """Count over all cells, or over the smallest of each kind for a trial."""
    n_tables = SMALL_TABLES if options.small else TABLES
    results: dict[str, Row | None] = {}
    tables: dict[str, list[Row]] = {}
    for title, part in PARTS.items():
        chosen = part.cases()
        if options.small:
            chosen = list({case.name: case for case in reversed(chosen)}.values())
        rows: list[Row] = []
        for case in chosen:
            settings = {**case.settings, "tables": n_tables}
            work = partial(counted, case, n_tables)
            found = results[case.file] = cell(options, case.file, settings, work)
            rows += lines(case, found, judged=not options.small) if found else []
        tables[title] = rows
    record = {"environment": environment(), "results": results}
    whole = "all cells" if all_here(results) else state(results)
    everything = [row for rows in tables.values() for row in rows]
    shown = {f"Summary ({whole})": summarised(everything)}
    shown |= {f"{title} ({whole})": rows for title, rows in tables.items()}
    report("coverage", options, record, shown)
    write_csv(folder(options) / "coverage.csv", tables)


if __name__ == "__main__":
    main(options_of(__doc__ or ""))
