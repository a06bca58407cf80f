"""Start the image of `deploy/Containerfile` with podman, confined as docs/install.md says, and check what it may do.

Run by hand, on a machine that has podman and the image; nothing is downloaded:

    python -m scripts.try_container IMAGE PUBLISHED --signed-by KEY [--podman "podman --runtime runc"]

PUBLISHED is the folder that `tact publish` wrote. The container gets no network. Prints the findings as JSON. The exit
code is 1 if the map or its health check does not answer, or if the process may do more than it should.
"""

import argparse
import json
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

USER = 65532
_PATIENCE = 180  # seconds until the map is healthy
_NAME = "tact-map-trial"
_HARDENED = "--read-only --tmpfs /tmp --cap-drop all --security-opt no-new-privileges --memory 2g --network none"
_SEEN = """
import json, os, socket, urllib.request
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
def refuse(act):
    try:
        act()
    except OSError as error:
        return error.strerror or type(error).__name__
    return None
print(json.dumps({
    "page": urllib.request.urlopen("http://127.0.0.1:8642/", timeout=20).status,
    "user": os.getuid(),
    "capabilities": int(status["CapEff"], 16) | int(status["CapBnd"], 16),
    "no_new_privileges": int(status["NoNewPrivs"]),
    "networks": sorted(os.listdir("/sys/class/net")),
    "write": refuse(lambda: open("/opt/tact-map/x", "w")),
    "write_published": refuse(lambda: open("/srv/tact-map/x", "w")),
    "connect": refuse(lambda: socket.create_connection(("192.0.2.1", 80), 3)),
}))
"""


def look(podman: list[str]) -> dict[str, Any]:
    """Wait at most three minutes for the health check; return the state of the map, and what its process may do."""
    begin = time.monotonic()
    while subprocess.run([*podman, "healthcheck", "run", _NAME], check=False, capture_output=True).returncode:
        if time.monotonic() > begin + _PATIENCE:
            return {"healthy": False}
        time.sleep(1)
    seconds = round(time.monotonic() - begin)
    command = [*podman, "exec", _NAME, "/opt/tact-map/bin/python", "-c", _SEEN]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {"healthy": True, "seconds": seconds, **json.loads(output)}


def is_confined(state: dict[str, Any]) -> bool:
    """Return whether the map answered as its own user, without rights, and could neither write nor connect."""
    wanted = {"healthy": True, "page": 200, "user": USER, "capabilities": 0, "no_new_privileges": 1, "networks": ["lo"]}
    closed = all(state.get(name) for name in ("write", "write_published", "connect"))
    return closed and all(state.get(name) == value for name, value in wanted.items())


def main() -> int:
    """Start the container, print the findings, remove the container, and return the exit code."""
    parser = argparse.ArgumentParser(description="Start the built image with podman, and look.")
    parser.add_argument("image")
    parser.add_argument("published", type=Path)
    parser.add_argument("--signed-by", required=True)
    parser.add_argument("--podman", default="podman", type=shlex.split)
    arguments = parser.parse_args()
    podman, volume = arguments.podman, f"{arguments.published.resolve()}:/srv/tact-map:ro,Z"
    run = [*podman, "run", "--detach", "--name", _NAME, "--pull", "never", *_HARDENED.split(), "--volume", volume]
    try:
        subprocess.run([*run, arguments.image, "--signed-by", arguments.signed_by], check=True)
        state = look(podman)
    finally:
        subprocess.run([*podman, "rm", "--force", "--time", "5", _NAME], check=False, capture_output=True)
    print(json.dumps(state, indent=2))
    return 0 if is_confined(state) else 1


if __name__ == "__main__":
    sys.exit(main())
