"""Measure pages of 400 features that the server sends to QGIS: milliseconds and kilobytes.

    python -m benchmarks.features WORKSPACE [--tier partner] [--collection encounters_municipality] [--pages 100]

Each page is requested twice: the server makes it, and then takes it from its cache. The very first page, for which
tables and shapes are read, is reported separately. Pages are requested one after another, compressed.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import time
from pathlib import Path

from benchmarks.serving import serve

PORT, SIZE = 8659, 400


def time_page(line: http.client.HTTPConnection, path: str, cookie: str) -> tuple[float, int]:
    """Request a page; return the milliseconds until the answer is complete, and its size in bytes.

    Raises RuntimeError if the status is not 200.
    """
    start = time.perf_counter()
    line.request("GET", path, headers={"Accept-Encoding": "gzip", "Cookie": cookie})
    answer = line.getresponse()
    body = answer.read()
    if answer.status != 200:
        msg = f"{path}: status {answer.status}"
        raise RuntimeError(msg)
    return (time.perf_counter() - start) * 1000, len(body)


def main() -> None:
    """Start the server, request the pages, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--tier", choices=("partner", "public"), default="partner")
    parser.add_argument("--collection", default="encounters_municipality")
    parser.add_argument("--pages", type=int, default=100)
    arguments = parser.parse_args()
    paths = [
        f"/features/collections/{arguments.collection}/items?limit={SIZE}&offset={SIZE * number}"
        for number in range(arguments.pages + 1)
    ]
    with serve(arguments.workspace, arguments.tier, PORT) as server:
        line = http.client.HTTPConnection("127.0.0.1", PORT, timeout=120)
        first, _ = time_page(line, paths[0], server.cookie)
        new, again = [], []
        for path in paths[1:]:
            new.append(time_page(line, path, server.cookie))
            again.append(time_page(line, path, server.cookie))
    report = {"first page ms": round(first)}
    for name, times in (("new", new), ("kept", again)):
        durations = [milliseconds for milliseconds, _ in times]
        report[f"{name}, median ms"] = round(statistics.median(durations), 1)
        report[f"{name}, p95 ms"] = round(statistics.quantiles(durations, n=20)[-1], 1)
    report["kB"] = round(statistics.median(size for _, size in new) / 1000)
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
