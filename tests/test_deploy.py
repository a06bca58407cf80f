"""The files of deploy/ that are not built: the nightly backup, and what partners' servers add to the unit."""

import os
import re
import subprocess

import pytest

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


def test_a_server_for_partners_listens_where_the_proxy_asks():
    served, proxy = (DEPLOY / name for name in ("partners.conf", "nginx.conf"))
    words = re.findall("^ExecStart=(.+)$", served.read_text(encoding="utf-8"), re.MULTILINE)[0].split()
    assert "--host" not in words
    port = words[words.index("--port") + 1]
    asked = re.findall("^    server ([^ ]+);$", proxy.read_text(encoding="utf-8"), re.MULTILINE)
    assert asked == [f"127.0.0.1:{port}"] * 2, "of pages and of meetings"


def test_the_proxy_logs_no_request():
    _head, *servers = (DEPLOY / "nginx.conf").read_text(encoding="utf-8").split("server {")
    assert len(servers) == 2
    for server in servers:
        assert "    access_log off;" in server
        assert "    error_log /dev/null;" in server
