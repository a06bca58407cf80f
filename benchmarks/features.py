"""Pages of 400 features for QGIS, from the server: milliseconds and kilobytes.

    python benchmarks/features.py WORKSPACE [--tier partner] [--collection encounters_municipality] [--pages 100]

Each page is asked for twice: made new, then as the server keeps it. The first page of all, for which tables and shapes
are read, is shown apart. Pages are asked for one after another, compressed.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

PORT, SIZE = 8659, 400


def time_page(line: http.client.HTTPConnection, path: str, cookie: str) -> tuple[float, int]:
    """Return milliseconds and bytes of an answer."""
    start = time.perf_counter()
    line.request("GET", path, headers={"Accept-Encoding": "gzip", "Cookie": cookie})
    answer = line.getresponse()
    body = answer.read()
    if answer.status != 200:
        msg = f"{path}: status {answer.status}"
        raise RuntimeError(msg)
    return (time.perf_counter() - start) * 1000, len(body)


def enter(address: str) -> tuple[http.client.HTTPConnection, str]:
    """Open a line to a server by the address that it printed; return it and the cookie, empty where none is needed."""
    asked = urlsplit(address)
    for _ in range(300):
        line = http.client.HTTPConnection(asked.netloc, timeout=120)
        try:
            line.request("GET", f"{asked.path or '/'}?{asked.query}" if asked.query else "/health")
            answer = line.getresponse()
            answer.read()
            return line, answer.headers.get("Set-Cookie", "").partition(";")[0]
        except ConnectionRefusedError:
            time.sleep(0.1)
    msg = "the server did not start"
    raise RuntimeError(msg)


def main() -> None:
    """Start the server, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--tier", choices=("partner", "public"), default="partner")
    parser.add_argument("--collection", default="encounters_municipality")
    parser.add_argument("--pages", type=int, default=100)
    asked = parser.parse_args()
    folders = [f"--{name}={asked.workspace / name}" for name in ("releases", "derived")]
    command = [sys.executable, "-m", "dashboard.server", *folders, "--tier", asked.tier, "--port", str(PORT)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line, cookie = enter(process.stdout.readline().strip())
        paths = [
            f"/features/collections/{asked.collection}/items?limit={SIZE}&offset={SIZE * number}"
            for number in range(asked.pages + 1)
        ]
        first, _ = time_page(line, paths[0], cookie)
        new, kept = [], []
        for path in paths[1:]:
            new.append(time_page(line, path, cookie))
            kept.append(time_page(line, path, cookie))
    finally:
        process.terminate()
        process.wait()
    report = {"first page ms": round(first)}
    for name, times in (("new", new), ("kept", kept)):
        taken = [milliseconds for milliseconds, _ in times]
        report[f"{name}, median ms"] = round(statistics.median(taken), 1)
        report[f"{name}, p95 ms"] = round(statistics.quantiles(taken, n=20)[-1], 1)
    report["kB"] = round(statistics.median(size for _, size in new) / 1000)
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
