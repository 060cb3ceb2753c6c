"""The measuring itself: what is counted, and what a section of the page may touch."""

from __future__ import annotations

import ssl
import sys
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import pytest

from benchmarks import measure
from benchmarks.proxy import proxy_to
from benchmarks.report import Report, Table, as_markdown, with_section

SPIN = "import time\nwhile time.process_time() < 0.3: pass"


def test_a_process_whose_parent_is_gone_counts(tmp_path: Path) -> None:
    """Law: CPU seconds are those of every descendant, also of one that outlives the command; its exit code is told."""
    script = f"(setsid {sys.executable} -S -c '{SPIN}' &) ; exit 3"
    used = measure.run(["bash", "-c", script], log=tmp_path / "log.txt")
    assert used.exit_code == 3 and used.cpu >= 0.3 and used.peak_rss > 0


def test_time_is_over(tmp_path: Path) -> None:
    """Law: a command that goes on too long is killed with what it started, and has no exit code."""
    used = measure.run(["bash", "-c", "sleep 60 | sleep 60"], log=tmp_path / "log.txt", timeout=0.2)
    assert used.exit_code is None and used.cpu < 1


def test_a_section_leaves_the_others_alone() -> None:
    """Law: writing a section twice is writing it once; text around it and other sections stay."""
    report = Report("What it is.", tables=(Table(("a", "b"), (("x|y", 1.5), ("z", None))),), notes=("so",))
    one, two = (as_markdown(report, name, ["how"]) for name in ("one", "two"))
    page = with_section(with_section("# Mine\n", "one", one), "two", two)
    assert with_section(page, "one", one) == page
    assert page.startswith("# Mine\n") and "| x\\|y | 1.50 |" in page and "| z | - |" in page
    changed = with_section(page, "one", "new")
    assert two in changed and one not in changed


def test_the_proxy_leads_nowhere_else(tmp_path: Path) -> None:
    """Law: a host that is not a shop is refused without a connection, and its name is kept."""
    with proxy_to("http://127.0.0.1:9", tmp_path) as proxy:
        opener = build_opener(ProxyHandler({"https": proxy.env["HTTPS_PROXY"]}))
        with pytest.raises((URLError, ssl.SSLError, OSError)):
            opener.open("https://example.com/", timeout=5)
        assert proxy.refused == {"example.com"}
