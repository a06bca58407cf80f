"""The files of deploy/: the nightly backup, what protects a server and what its proxy passes on and logs."""

import os
import re
import subprocess

import pytest

from dashboard.web import meeting
from tests.helpers.paths import ROOT

pytestmark = pytest.mark.skipif(os.name != "posix", reason="POSIX")
DEPLOY = ROOT / "deploy"


@pytest.mark.parametrize("fails", [False, True])
def test_old_backups_go_only_after_one_that_went_well(tmp_path, fails):
    to, settings, tact = tmp_path / "disk", tmp_path / ".config" / "tact-map", tmp_path / "tact"
    to.mkdir()
    settings.mkdir(parents=True)
    tact.write_text(f'#!/bin/sh\n[ "$TACT_BACKUP_PASSPHRASE" = "a b" ] && touch "$4"\nexit {int(fails)}\n')
    tact.chmod(0o700)
    (settings / "backup.env").write_text(
        f"TACT_BACKUP_PASSPHRASE='a b'\nTACT={tact}\nWORKSPACE=$HOME/w\nTO={to}\nDAYS=30\n"
    )
    old, other = to / "tact-old.backup", to / "other"
    for path in (old, other):
        path.touch()
        os.utime(path, (0, 0))
    run = subprocess.run([DEPLOY / "tact-backup"], env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]}, check=False)
    assert run.returncode == int(fails)
    assert old.exists() is fails
    assert other.exists()
    assert len(list(to.glob("tact-2*.backup"))) == 1


def read_deployed(name):
    return (DEPLOY / name).read_text(encoding="utf-8")


def read_settings(name):
    """Return the settings of a unit, in their order."""
    return re.findall(r"^(\w+)=(.*)$", read_deployed(name), re.MULTILINE)


def find_port(name):
    words = dict(setting for setting in read_settings(name) if setting[1])["ExecStart"].split()
    return words[words.index("--port") + 1]


@pytest.mark.parametrize("fails", [False, True])
def test_old_copies_of_accounts_go_only_after_one_that_went_well(tmp_path, fails):
    copies, programs = tmp_path / "copies", tmp_path / "bin"
    old, other = copies / "accounts-2001-01-01.sqlite", copies / "other"
    for folder in (copies, programs):
        folder.mkdir()
    for path in (old, other):
        path.touch()
        os.utime(path, (0, 0))
    sqlite = programs / "sqlite3"
    source = "file:/var/lib/tact-map/accounts.sqlite?mode=rw"
    sqlite.write_text(f'#!/bin/sh\n[ "$1" = "{source}" ] && touch "${{2#.backup }}"\nexit {int(fails)}\n')
    sqlite.chmod(0o700)
    plan = tmp_path / "plans" / "2009-05-001" / "plan-partner-1" / "manifest.json"
    plan.parent.mkdir(parents=True)
    plan.touch()
    places = {"/var/backups/tact-map": copies, "/var/lib/tact-map/plans": tmp_path / "plans"}
    script = (DEPLOY / "tact-accounts").read_text(encoding="utf-8")
    for usual, place in places.items():
        script = script.replace(usual, str(place))
    run = subprocess.run(["sh", "-c", script], env={"PATH": f"{programs}:{os.environ['PATH']}"}, check=False)
    assert run.returncode == int(fails)
    assert old.exists() is fails
    assert other.exists()
    assert (copies / plan.relative_to(tmp_path)).exists() is not fails
    (copy,) = set(copies.glob("accounts-2*.sqlite")) - {old}
    assert copy.stat().st_mode & 0o077 == 0


def test_a_server_for_partners_listens_where_the_proxy_asks():
    assert "--host" not in dict(read_settings("partners.conf"))["ExecStart"]
    port = find_port("partners.conf")
    asked = re.findall("^    server ([^ ]+);$", read_deployed("nginx.conf"), re.MULTILINE)
    assert asked == [f"127.0.0.1:{port}"] * 2, "of pages and of meetings"
    assert find_port("tact-map.service") == port


def test_the_proxy_logs_no_request():
    _head, *servers = read_deployed("nginx.conf").split("server {")
    assert len(servers) == 2
    for server in servers:
        assert "    access_log off;" in server
        assert "    error_log /dev/null;" in server


def test_the_proxy_says_which_host_was_asked_for_and_by_whom():
    headers = re.findall("^ +proxy_set_header (.+);$", read_deployed("nginx.conf"), re.MULTILINE)
    connection = ["Upgrade $http_upgrade", 'Connection "upgrade"']
    assert headers == ["Host $host", "X-Forwarded-For $remote_addr", *connection]


def test_caddy_asks_the_same_process_and_nothing_changes_its_headers_or_its_log():
    """By itself it passes host and websockets on, writes who asks, and logs requests only as errors, below `http`."""
    lines = [line.strip() for line in read_deployed("Caddyfile").splitlines() if not line.strip().startswith("#")]
    times = ["timeouts {", "read_header 30s", "read_body 30s", "idle 2m", "}", "max_header_size 64KB"]
    logs = ["{", "log default {", "exclude http", "}", "servers {", *times, "}", "}"]
    asks = ["request_body {", "max_size 2MiB", "}", f"reverse_proxy 127.0.0.1:{find_port('partners.conf')}"]
    assert [line for line in lines if line] == [*logs, "map.example.org {", *asks, "}"]
    assert "    client_max_body_size 2m;" in read_deployed("nginx.conf"), "the same limit"


@pytest.mark.parametrize("name", ["client_header_timeout", "client_body_timeout", "send_timeout", "keepalive_timeout"])
def test_nginx_gives_up_who_is_slow_after_the_seconds_that_the_page_of_operations_names(name):
    assert f"    {name} 30s;" in read_deployed("nginx.conf")
    assert "| 30 seconds |" in (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


# What docs/install.md and docs/threat-model.md say of the unit, and what makes its score of `systemd-analyze security`.
PROTECTION = """
IPAddressDeny=any
IPAddressAllow=localhost
DynamicUser=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
PrivateIPC=yes
UMask=0077
CapabilityBoundingSet=
NoNewPrivileges=yes
LockPersonality=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
MemoryMax=2G
TasksMax=256
LimitNOFILE=16384
"""


def test_the_service_keeps_all_that_protects_the_machine():
    settings = read_settings("tact-map.service")
    lines = [f"{name}={value}" for name, value in settings]
    assert [line for line in PROTECTION.split("\n") if line and line not in lines] == []
    names = [name for name, _value in settings]
    assert {name for name in names if names.count(name) > 1} == {"SystemCallFilter"}, "a later line would win"
    assert not [name for name in names if name in ("User", "ReadWritePaths", "StateDirectory", "AmbientCapabilities")]


def test_a_server_for_partners_has_a_user_and_a_folder_of_its_own_and_is_as_protected_otherwise():
    added = [setting for setting in read_settings("partners.conf") if setting[0] not in ("Description", "ExecStart")]
    folder = [("StateDirectory", "tact-map"), ("StateDirectoryMode", "0700")]
    assert added == [("DynamicUser", "no"), ("User", "tact-map"), *folder]


def test_the_container_has_a_user_without_rights_and_the_installed_product_alone():
    _head, build, final = read_deployed("Containerfile").replace("\\\n", "").split("FROM ")
    assert "pip install --no-cache-dir --require-hashes" in build
    copied = re.findall("^COPY (.+) /source", build, re.MULTILINE)
    packages = ["tact", "dashboard", "risk", "geo", "data"]
    assert copied == ["requirements.lock", "pyproject.toml README.md LICENSE", *packages]
    steps = dict(line.split(" ", 1) for line in final.splitlines()[1:])
    assert list(steps) == ["COPY", "ENV", "USER", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT"]
    assert steps["COPY"] == "--from=build /opt/tact-map /opt/tact-map"
    assert steps["ENV"] == "HOME=/tmp PYTHONDONTWRITEBYTECODE=1", "or nothing works where only /tmp can be written"
    assert steps["USER"] == "65532:65532"
    assert "http://127.0.0.1:8642/health" in steps["HEALTHCHECK"]


def test_the_documents_start_the_container_without_rights():
    text = (DEPLOY.parent / "docs" / "install.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^    podman run (.+?)\n    podman healthcheck", text, re.DOTALL | re.MULTILINE)
    options = ["--read-only --tmpfs /tmp", "--cap-drop all", "--security-opt no-new-privileges", "--memory 2g"]
    options += ["--publish 127.0.0.1:8642:8642", ":/srv/tact-map:ro"]
    assert [option for option in options if option not in command] == []


def test_the_proxy_leaves_room_for_all_windows_in_meetings_of_one_address():
    limit = re.search(r"limit_conn readers (\d+);", (DEPLOY / "nginx.conf").read_text(encoding="utf-8"))[1]
    assert int(limit) >= 3 * meeting._MOST_OF_ADDRESS, "a window holds two websockets, and its page asks for files"
