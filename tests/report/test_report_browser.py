"""The page in a real browser: nothing runs, nothing is asked of the network, it fits.

The page is opened inside a frame of a page of our own, whose script measures it: the
frame has the page's own policy, and the measuring page has none.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest

from semikd._text import visible
from semikd.report import ReportFacts, report_page

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_BROWSER = next(filter(None, map(shutil.which, _NAMES)), None)
pytestmark = pytest.mark.skipif(
    _BROWSER is None, reason=f"none of {', '.join(_NAMES)} is on the path"
)

# A frame that is as wide as a telephone, and a script that looks into it.
_MEASURE = """<!doctype html><meta charset="utf-8"><body>
<iframe id="page" width="{width}" height="800" srcdoc="{page}"></iframe>
<script>
window.ran = 0;
window.alert = () => {{ window.ran += 1; }};
const frame = document.getElementById("page");
frame.onload = () => {{
  const inside = frame.contentDocument, root = inside.documentElement;
  const wide = [...inside.querySelectorAll("body *")].filter(element =>
    element.getBoundingClientRect().right > root.clientWidth + 1 &&
    !element.closest(".scroll"));
  const result = document.createElement("pre");
  const scripts = inside.querySelectorAll("script, img, iframe, object, embed");
  result.id = "result";
  result.textContent = JSON.stringify({{
    overflow: root.scrollWidth - root.clientWidth,
    wide: wide.slice(0, 5).map(element => element.outerHTML.slice(0, 120)),
    elements: scripts.length,
    ran: window.ran,
    requests: performance.getEntriesByType("resource").length,
    text: inside.body.textContent,
    paper: getComputedStyle(inside.body).backgroundColor,
    listed: getComputedStyle(inside.querySelector("dl.keys")).display,
  }});
  document.body.append(result);
}};
</script>"""

Opened = tuple[dict[str, Any], str]


def opened(page: str, folder: Path, width: int = 360, *options: str) -> Opened:
    """Return what a browser measures of a page, and what its console says."""
    holder = folder / "holder.html"
    holder.write_text(_MEASURE.format(width=width, page=escape(page)), "utf-8")
    shown, console = dumped(holder, folder, *options)
    found = re.search(r'<pre id="result">(.*?)</pre>', shown, flags=re.DOTALL)
    assert found, shown[-500:]
    measured: dict[str, Any] = json.loads(unescape(found[1]))
    return measured, console


def dumped(path: Path, folder: Path, *options: str) -> tuple[str, str]:
    """Return the document of a page in the end, and the lines of the console."""
    assert _BROWSER
    quiet = ("background-networking", "component-update", "sync", "gpu", "extensions")
    run = subprocess.run(  # noqa: S603 - a browser of this machine, a file of ours
        [
            _BROWSER,
            "--headless",
            "--no-sandbox",
            *(f"--disable-{word}" for word in quiet),
            "--no-first-run",
            "--enable-logging=stderr",
            "--virtual-time-budget=5000",
            f"--user-data-dir={folder / 'profile'}",
            *options,
            "--dump-dom",
            path.as_uri(),
        ],
        capture_output=True,
        timeout=120,
        check=False,
    )
    errors = run.stderr.decode("utf-8", "replace").split("\n")
    return run.stdout.decode("utf-8", "replace"), "\n".join(
        line for line in errors if "CONSOLE" in line
    )


@pytest.fixture(scope="module")
def nasty_page(nasty_facts: ReportFacts) -> str:
    return report_page(nasty_facts)


@pytest.fixture(scope="module")
def nasty(nasty_page: str, tmp_path_factory: pytest.TempPathFactory) -> Opened:
    return opened(nasty_page, tmp_path_factory.mktemp("nasty"))


def test_nothing_runs_and_nothing_is_fetched(nasty: Opened) -> None:
    measured, _ = nasty
    assert measured["ran"] == 0
    assert measured["elements"] == 0
    assert measured["requests"] == 0


def test_the_page_opens_without_a_word_on_the_console(
    nasty_page: str, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    path.write_text(nasty_page, "utf-8")
    shown, console = dumped(path, tmp_path)
    assert "Content-Security-Policy" in shown
    assert "To do it again" in shown
    assert console == ""


def test_the_policy_lets_the_style_sheet_through(nasty: Opened) -> None:
    measured, _ = nasty
    assert measured["listed"] == "grid"


def test_the_text_of_every_name_arrives(
    nasty: Opened, nasty_names: dict[str, str]
) -> None:
    measured, _ = nasty
    for name in nasty_names.values():
        assert visible(name) in measured["text"]


@pytest.mark.parametrize("width", [360, 768])
def test_nothing_sticks_out_beside_the_screen(
    nasty_page: str, width: int, tmp_path: Path
) -> None:
    measured, _ = opened(nasty_page, tmp_path, width)
    assert (measured["overflow"], measured["wide"]) == (0, [])


def test_a_dark_screen_gets_dark_paper(
    make_facts: Callable[..., ReportFacts], tmp_path: Path
) -> None:
    page = report_page(make_facts())
    dark, _ = opened(page, tmp_path, 360, "--blink-settings=preferredColorScheme=0")
    light, _ = opened(page, tmp_path, 360, "--blink-settings=preferredColorScheme=1")
    assert dark["paper"] == "rgb(21, 24, 27)"
    assert light["paper"] == "rgb(251, 250, 247)"


def test_a_script_without_escaping_would_be_noticed(
    nasty_page: str, tmp_path: Path
) -> None:
    # The instrument itself: with neither policy nor escaping it must sound the alarm.
    bare = re.sub(r'<meta http-equiv="Content[^>]*>', "", nasty_page)
    hostile = "<script>parent.alert(1)</script><div class='x'></div>"
    wide = "<p><svg width='900' height='10'></svg></p>"
    measured, _ = opened(bare.replace("<main>", f"<main>{hostile}{wide}"), tmp_path)
    assert measured["ran"] == 1
    assert measured["elements"] == 1
    assert measured["overflow"] > 0
    kept = nasty_page.replace("<main>", f"<main>{hostile}")
    blocked, _ = opened(kept, tmp_path)
    assert blocked["ran"] == 0
    assert blocked["elements"] == 1
