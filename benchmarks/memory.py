"""Whether memory stays flat while the shop grows."""

from __future__ import annotations

from benchmarks.backfill import clear, load
from benchmarks.report import Options, Report, Table
from benchmarks.sandbox_server import DAYS, serve

SUMMARY = "peak memory of the first load, by the shop's size"
ORDERS = 200_000
GOES_ON = True
SIZES = (20_000, 200_000, 1_000_000)
NOTES = (
    "peak RSS is the kernel's mark of the `courier run` process, which is one process; files that it has mapped and "
    "libraries count. --orders is the largest size measured.",
)


def run(options: Options) -> Report:
    peaks: dict[int, int] = {}
    for size in (size for size in SIZES if size <= options.orders):
        work = options.work / str(size)
        work.mkdir(parents=True, exist_ok=True)
        clear(work)
        with serve(work / "shop", size, days=DAYS) as shop:
            shop.reset()
            peaks[size] = round(load(work / "project", shop, work / "courier.log").peak_mb)
    smallest = next(iter(peaks.values()))
    rows = tuple((size, peak, peak / smallest) for size, peak in peaks.items())
    table = Table(("orders", "peak RSS MB", "first row = 1"), rows)
    return Report(SUMMARY, {"peak_rss_mb": {str(size): peak for size, peak in peaks.items()}}, (table,), NOTES)
