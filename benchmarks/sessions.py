"""Load a server of the public tier with many readers and some attackers: seconds of a change, memory, the log.

    python -m benchmarks.sessions WORKSPACE --sessions 100 --minutes 60 --half-open 3000 --nginx
    python -m benchmarks.sessions WORKSPACE --sessions 200 --processes 2
    python -m benchmarks.sessions WORKSPACE --pages 200 --tier partner

Each reader opens a page and then asks for another period or area of it, with some seconds of thought between two
changes. A change lasts from the message of the browser to the end of the script, without drawing. Meanwhile attackers
leave connections half open and send messages that are too large. Linux only: memory is read from /proc. Ctrl+C ends the
run early, with the figures so far. With --nginx, nginx from the system stands in front with the settings of
deploy/nginx.conf, without encryption: readers and attackers come to it. With several processes, each reader always uses
the same one, as behind a proxy, and the half-open connections are divided among the processes; memory and `processor`
are the sums over all of them.

`waits` says what slow changes may have waited for; `p95` is the 95th percentile. `answer_p95` : seconds of an answer
that runs no page (it waits only for the server's loop, which also serves the attackers). `readers_late_p95` : delay of
the readers themselves in seconds (if it is long, this program lacks a core). `processor` : cores that the server used
(above .7, pages compete). `without_core` : share of the time in which the server's loop was ready but other processes
had the cores (above .1, the machine causes the slow changes).
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import multiprocessing
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from multiprocessing.queues import Queue
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import numpy as np
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from benchmarks.serving import Server, serve
from dashboard.site import Site
from dashboard.site.current_release import list_levels, list_periods, open_current_release
from data.workspace import Workspace

PAGES = ("", "map", "risk", "coverage", "trends")
LARGE = 14 * 2**20
ROOT = Path(__file__).resolve().parents[1]


@dataclass
class Measured:
    """The measurements: seconds of first visits, changes (end and seconds), failures, and causes of waiting.

    late, answers : seconds. processor : cores in use. without_core : share of the time. memory : moment and bytes.
    """

    visits: list[float] = field(default_factory=list)
    changes: list[tuple[float, float]] = field(default_factory=list)
    failures: int = 0
    late: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    processor: float = 0.0
    without_core: float = 0.0
    memory: list[tuple[float, int]] = field(default_factory=list)


@dataclass
class Attacked:
    """The actions of the attackers: half-open connections (now, maximum, total), and messages that are too large."""

    half_open: int = 0
    most_half_open: int = 0
    opened: int = 0
    oversized: int = 0


def list_queries(workspace: Workspace) -> list[str]:
    """Return query strings of views for which a reader of the public tier may ask.

    Raises SystemExit if the workspace has no release.
    """
    current = open_current_release(Site(workspace.releases, "public", workspace.derived))
    if current is None:
        raise SystemExit("The workspace has no release.")
    level = next(iter(list_levels(current)["encounters"]))
    periods = list_periods(current, "encounters", level, "2008-06-01/P1Y", ())
    areas = ("AL", "GR", "AL-11", "AL-02", "GR-I")
    return [urlencode({"period": period, "area": area}) for period, area in itertools.product(periods, areas)]


async def ask(line: ClientConnection, page: str, query: str) -> float:
    """Run a page once; return the seconds until its script has ended."""
    request = BackMsg()
    request.rerun_script.query_string = query
    request.rerun_script.page_name = page
    began = time.monotonic()
    await line.send(request.SerializeToString())
    while True:
        message = ForwardMsg()
        message.ParseFromString(await line.recv(decode=False))
        if message.WhichOneof("type") == "script_finished":
            return time.monotonic() - began


async def read_pages(
    url: str, queries: Sequence[str], seed: int, think: float, until: float, measured: Measured
) -> None:
    """Act as one reader until the moment `until`; connect again when the connection breaks.

    think : mean seconds between two changes. until : in seconds of `time.monotonic`.
    """
    chance = random.Random(seed)
    page = PAGES[seed % len(PAGES)]
    while time.monotonic() < until:
        try:
            async with connect(
                f"ws{url[4:]}/_stcore/stream", origin=url, subprotocols=["streamlit"], max_size=2**26, proxy=None
            ) as line:
                measured.visits.append(await ask(line, page, ""))
                while time.monotonic() < until:
                    await asyncio.sleep(chance.uniform(0.5, 1.5) * think)
                    seconds = await ask(line, page, chance.choice(queries))
                    measured.changes.append((time.monotonic(), seconds))
        except (OSError, WebSocketException):
            measured.failures += 1
            await asyncio.sleep(think)


async def hold_half_open(url: str, number: int, until: float, attacked: Attacked) -> None:
    """Keep `number` connections open whose requests never end; replace each one that the server closes."""
    port = urlsplit(url).port

    async def hold() -> None:
        while time.monotonic() < until:
            with suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                attacked.half_open += 1
                attacked.opened += 1
                attacked.most_half_open = max(attacked.most_half_open, attacked.half_open)
                try:
                    writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ")
                    with suppress(TimeoutError):
                        await asyncio.wait_for(reader.read(), max(until - time.monotonic(), 0))
                finally:
                    attacked.half_open -= 1
                    writer.close()
            await asyncio.sleep(1)

    await asyncio.gather(*(hold() for _ in range(number)))


async def send_large(url: str, until: float, attacked: Attacked) -> None:
    """Send a message that is larger than the server allows every ten seconds."""
    while time.monotonic() < until:
        with suppress(OSError, WebSocketException):
            async with connect(
                f"ws{url[4:]}/_stcore/stream", origin=url, subprotocols=["streamlit"], proxy=None
            ) as line:
                attacked.oversized += 1
                await line.send(bytes(LARGE))
                await line.recv()
        await asyncio.sleep(10)


async def watch_memory(servers: Sequence[Server], until: float, measured: Measured) -> None:
    """Record the resident memory of the servers in bytes, every five seconds."""
    while time.monotonic() < until:
        pages = [int(Path(f"/proc/{s.process}/statm").read_text(encoding="ascii").split()[1]) for s in servers]
        measured.memory.append((time.monotonic(), sum(pages) * 4096))
        await asyncio.sleep(5)


async def watch_lateness(until: float, measured: Measured) -> None:
    """Record the delay of this program's own loop in seconds, twenty times a second."""
    while (began := time.monotonic()) < until:
        await asyncio.sleep(0.05)
        measured.late.append(time.monotonic() - began - 0.05)


async def ask_without_page(url: str, until: float, measured: Measured) -> None:
    """Record the seconds of an answer that runs no page, four times a second on one connection."""
    host = url.removeprefix("http://")
    request = f"GET /_stcore/health HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    while time.monotonic() < until:
        with suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection(*host.split(":"))
            while (began := time.monotonic()) < until:
                writer.write(request)
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                await reader.readexactly(int(head.partition(b"content-length:")[2].split()[0]))
                measured.answers.append(time.monotonic() - began)
                await asyncio.sleep(0.25)
            writer.close()


async def watch_processor(servers: Sequence[Server], until: float, measured: Measured) -> None:
    """Measure how many cores the servers used, and for what share of the time their first threads waited for one."""

    def read() -> tuple[float, float]:
        processes = [server.process for server in servers]
        return sum(map(read_processor, processes)), sum(map(read_wait_for_core, processes)) / len(processes)

    (before, waited), began = read(), time.monotonic()
    while time.monotonic() < until:
        await asyncio.sleep(min(5, max(until - time.monotonic(), 0)))
        (now, still), past = read(), time.monotonic() - began
        measured.processor, measured.without_core = (now - before) / past, (still - waited) / past


async def measure(
    servers: Sequence[Server], arguments: argparse.Namespace, queries: Sequence[str], measured: Measured
) -> None:
    """Run the readers for the requested time, and write what they and the servers did into `measured`."""
    until = time.monotonic() + 60 * arguments.minutes
    readers = (
        read_pages(servers[seed % len(servers)].url, queries, seed, arguments.think, until, measured)
        for seed in range(arguments.sessions)
    )
    await asyncio.gather(
        *readers,
        watch_memory(servers, until, measured),
        watch_lateness(until, measured),
        *(ask_without_page(server.url, until, measured) for server in servers),
        watch_processor(servers, until, measured),
    )


def attack(urls: Sequence[str], number: int, minutes: float, counts: Queue[Attacked]) -> None:
    """Keep `number` connections half open and send large messages for `minutes`; put the totals into `counts`."""
    allow_files()
    attacked, until = Attacked(), time.monotonic() + 60 * minutes

    async def run() -> None:
        await asyncio.gather(
            *(hold_half_open(url, number // len(urls), until, attacked) for url in urls),
            *(send_large(url, until, attacked) for url in urls),
        )

    with suppress(KeyboardInterrupt):
        asyncio.run(run())
    counts.put(attacked)


def allow_files() -> None:
    """Let this process open as many connections as the system allows."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@contextmanager
def proxy(port: int, target: str) -> Iterator[str]:
    """Run nginx with the limits of deploy/nginx.conf, unencrypted, before the server at `target`; yield its address."""
    text = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    secure = text[text.rindex("server {") :]
    lines = [line for line in secure.splitlines() if not re.match(r" +(listen|ssl_\w+|server_name) ", line)]
    server = "\n".join(lines).replace("server {", f"server {{\n    listen 127.0.0.1:{port} backlog=4096;", 1)
    # The load comes from one address, and each reader goes to one process anyway.
    server = re.sub(r" +limit_conn .*\n", "", server).replace("$host", urlsplit(target).netloc)
    server = server.replace("proxy_http_version", f"proxy_set_header Origin {target};\n    proxy_http_version", 1)
    server = re.sub(r"http://tact_\w+", target, server)
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "nginx.conf"
        events = "worker_processes 1;\nworker_rlimit_nofile 20000;\nevents { worker_connections 10000; }"
        paths = "\n".join(f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi"))
        head = f"daemon off;\npid {folder}/pid;\nerror_log stderr;\n{events}"
        settings.write_text(f"{head}\nhttp {{\n{paths}\n{server}\n}}\n", encoding="utf-8")
        process = subprocess.Popen(["nginx", "-c", str(settings)])
        try:
            time.sleep(1)
            if process.poll() is not None:
                raise SystemExit("nginx did not start.")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


def summarise(measured: Measured, attacked: Attacked, log: int, warm: float) -> dict[str, object]:
    """Return the figures; changes and memory in the first part of the time, the share `warm`, are left out."""
    began, ended = measured.memory[0][0], measured.memory[-1][0]
    start = began + warm * (ended - began)
    seconds = [duration for moment, duration in measured.changes if moment > start]
    after = [size for moment, size in measured.memory if moment > start]
    tenth = max(len(after) // 10, 1)
    first, last = float(np.median(after[:tenth])), float(np.median(after[-tenth:]))
    return {
        "visits": len(measured.visits),
        "changes": len(seconds),
        "change_p50": round(float(np.quantile(seconds, 0.5)), 3) if seconds else None,
        "change_p95": round(float(np.quantile(seconds, 0.95)), 3) if seconds else None,
        "waits": {
            "answer_p95": round(float(np.quantile(measured.answers, 0.95)), 3),
            "readers_late_p95": round(float(np.quantile(measured.late, 0.95)), 3),
            "processor": round(measured.processor, 2),
            "without_core": round(measured.without_core, 2),
        },
        "failures": measured.failures,
        "most_half_open": attacked.most_half_open,
        "half_open_in_all": attacked.opened,
        "oversized": attacked.oversized,
        "minutes": round((ended - began) / 60, 1),
        "memory_mb": round(last / 1e6),
        "memory_growth": round(last / first - 1, 3),
        "log_bytes": log,
    }


async def measure_pages(server: Server, queries: Sequence[str], changes: int) -> dict[str, object]:
    """Return the processor milliseconds of the server for a change of each page, with one reader at a time.

    Each view was requested once before, so it is in the server's cache.
    """
    chance, spent, stream = random.Random(0), {}, f"ws{server.url[4:]}/_stcore/stream"
    options = {"origin": server.url, "subprotocols": ["streamlit"], "additional_headers": {"Cookie": server.cookie}}
    for page in PAGES:
        async with connect(stream, max_size=2**26, proxy=None, **options) as line:
            for query in queries:
                await ask(line, page, query)
            before = read_processor(server.process)
            for _ in range(changes):
                await ask(line, page, chance.choice(queries))
            spent[page or "overview"] = round(1000 * (read_processor(server.process) - before) / changes, 1)
    return {"processor_ms": {**spent, "mean": round(float(np.mean([*spent.values()])), 1)}}


def read_processor(process: int) -> float:
    """Return the processor time of a process so far, in seconds."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def read_wait_for_core(process: int) -> float:
    """Return for how many seconds the first thread of a process was ready to run and had no core."""
    return int(Path(f"/proc/{process}/schedstat").read_text(encoding="ascii").split()[1]) / 1e9


def main() -> None:
    """Start a server, load it, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--sessions", type=int, default=100)
    parser.add_argument("--think", type=float, default=3.0, help="seconds between two changes of one reader")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--half-open", type=int, default=3000)
    parser.add_argument(
        "--pages", type=int, metavar="CHANGES", help="instead, the processor's time for a change of each page"
    )
    parser.add_argument("--tier", choices=("public", "partner"), default="public", help="for --pages")
    parser.add_argument("--processes", type=int, default=1, help="servers of the same workspace")
    parser.add_argument("--port", type=int, default=8790, help="of the first server")
    parser.add_argument("--nginx", action="store_true", help="nginx stands in front of each server")
    parser.add_argument("--to", type=Path, help="write the figures into this file, too")
    arguments = parser.parse_args()
    workspace = Workspace.open(arguments.workspace)
    queries = list_queries(workspace)
    measured, tier = Measured(), arguments.tier if arguments.pages else "public"
    with ExitStack() as stack:
        log = stack.enter_context(tempfile.TemporaryFile())
        ports = range(arguments.port, arguments.port + arguments.processes)
        servers = [stack.enter_context(serve(arguments.workspace, tier, port, log)) for port in ports]
        if arguments.pages:
            figures = asyncio.run(measure_pages(servers[0], queries, arguments.pages))
        else:
            # The attackers run in a separate process, so that they do not delay the measurements of the readers.
            start = multiprocessing.get_context("spawn")
            counts: Queue[Attacked] = start.Queue()
            if arguments.nginx:
                places = enumerate(servers, arguments.port + arguments.processes)
                servers = [replace(s, url=stack.enter_context(proxy(port, s.url))) for port, s in places]
            urls = [server.url for server in servers]
            attackers = start.Process(target=attack, args=(urls, arguments.half_open, arguments.minutes, counts))
            attackers.start()
            with suppress(KeyboardInterrupt):
                asyncio.run(measure(servers, arguments, queries, measured))
            attacked = counts.get(timeout=60)
            attackers.join()
            log.seek(0, 2)
            summary = summarise(measured, attacked, log.tell(), 1 / 6)
            figures = {
                "processes": arguments.processes,
                "nginx": arguments.nginx,
                "sessions": arguments.sessions,
                "think": arguments.think,
                **summary,
            }
    text = json.dumps(figures, indent=1)
    print(text)
    if arguments.to:
        arguments.to.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
