"""The engine: many networks at once, against loops, libraries and its device."""

import argparse
import importlib
import platform
import re
from pathlib import Path
from typing import Any

from _harness import environment, parse, report, start

PARTS = ("folds", "speed", "pytabkit", "sweep", "limit", "growth")


def device_name(device: Any) -> str:
    """Return the name that the maker gave the device."""
    if device.type == "cuda":
        import torch

        return str(torch.cuda.get_device_name(device))
    about = Path("/proc/cpuinfo")
    found = (
        re.search(r"model name\s*: (.+)", about.read_text()) if about.exists() else None
    )
    return found[1].strip() if found else platform.processor()


def main(options: argparse.Namespace) -> None:
    """Run the parts that are asked for, and write a table for each."""
    # Only now: torch reads the number of threads as it is imported.
    from _engine_fits import Setting

    from semikd.nets import find_device

    device = find_device(options.device)
    setting = Setting(device, options.small)
    named = device_name(device)
    label = re.sub(r"[^a-z0-9]+", "-", named.lower()) if setting.on_gpu else "cpu"
    for part in PARTS if options.part == "all" else (options.part,):
        results, tables = importlib.import_module(f"_engine_{part}").run(setting)
        if not results:
            continue
        env = environment("torch", "skorch", "pytabkit")
        env["machine"] = f"{named}, {env['machine']}"
        record = {"environment": env, "device": named, "results": results}
        report(f"engine-{label}-{part}", options, record, tables)


if __name__ == "__main__":
    parser = parse(__doc__ or "")
    parser.add_argument("--part", choices=["all", *PARTS], default="all")
    parser.add_argument("--device", default="cpu", help="cpu, cuda, cuda:0, ...")
    main(start(parser))
