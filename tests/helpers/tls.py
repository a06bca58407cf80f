"""An encrypting proxy, like the one in front of a real server: on 127.0.0.1, with its own certificate."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.helpers.paths import ROOT


@contextmanager
def run_proxy(port: int, behind: int, name: str) -> Iterator[None]:
    """Serve the host `name` over HTTPS at `port` until the block ends, and pass everything on to the port `behind`.

    Bytes pass unchanged, so `Host` and `Origin` arrive as the browser sends them; nginx is configured to do the same.
    """
    command = [sys.executable, "-m", "tests.helpers.tls", str(port), str(behind), name]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        try:
            yield
        finally:
            process.terminate()


async def _serve(port: int, behind: int, name: str) -> None:
    import trustme

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert(name).configure_cert(context)

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while part := await reader.read(65_536):
                writer.write(part)
                await writer.drain()
        writer.close()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", behind)
        await asyncio.gather(pass_on(reader, inner_writer), pass_on(inner_reader, writer))

    async with await asyncio.start_server(take, "127.0.0.1", port, ssl=context) as server:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
