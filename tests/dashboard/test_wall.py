"""The wall: the web process, started in the usual way, never opens the vault or a key."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from dashboard.server import main
from dashboard.web.page_list import PAGES
from dashboard.web.start_page import make_start_page, make_unknown_page
from data.release import Release
from data.tables.spec import TIERS
from tests.helpers import guarding
from tests.helpers.audit_reports import write as write_report
from tests.helpers.conversation import open_page
from tests.helpers.entry import enter
from tests.helpers.guarding import Watched, ask, serve
from tests.helpers.paths import ROOT

LISTED = [(page.address, page.title) for page in PAGES]
NO_PAGE = make_unknown_page("en", LISTED, "/").encode()
KEY = "5ec7e7" + "0" * 58
SECRETS = {
    "TACT_VAULT_KEY": KEY,
    "TACT_IDENTIFIER_KEY": KEY,
    "TACT_BACKUP_PASSPHRASE": KEY,
    "tact_vault_key": KEY,
    "DBUS_SESSION_BUS_ADDRESS": f"unix:path=/{KEY}",
}
FORBIDDEN = ("data.restricted", "sqlcipher3", "keyring")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="watches files as Linux does"),
]


def copied(demo_world: Path, folder: Path) -> Path:
    return Path(shutil.copytree(demo_world, folder / "workspace"))


def visit(command, pages=tuple(entry.address for entry in PAGES), layers=("effort", "communities")):
    """Open pages, all of them by default, and some layers on the map."""
    for page in pages:
        shown = open_page(command.url, page)
        assert not shown.not_found
        assert shown.ended == "FINISHED_SUCCESSFULLY"
        assert shown.errors == []
        assert "TACT Map" in shown.text
    for layer in layers:
        shown = open_page(command.url, "map", f"layer={layer}&area=AL-11")
        assert (shown.ended, shown.errors) == ("FINISHED_SUCCESSFULLY", [])


@pytest.fixture(scope="module")
def workspace(demo_world, tmp_path_factory):
    """Return a copy of the demo world, with an audit of each tier that has a finding."""
    copy = copied(demo_world, tmp_path_factory.mktemp("wall"))
    for tier in TIERS:
        findings = [{"attack": "bounds", "table": "t", "cell": {}, "reason": f"seen by {tier} readers alone"}]
        write_report(copy / "derived", Release.open(copy / "releases", tier), findings=findings)
    return copy


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Return a settings folder with key files in it, as users have them."""
    folder = tmp_path_factory.mktemp("config")
    for name in ("vault", "identifier"):
        path = folder / "tact-map" / "keys" / "one" / f"{name}.key"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(KEY, encoding="ascii")
    return folder


@pytest.fixture(scope="module")
def terminal():
    """Yield both ends of a terminal: that of the person at it, and that of the server in it."""
    ends = os.openpty()
    yield ends
    for end in ends:
        os.close(end)


@pytest.fixture(scope="module")
def partner(workspace, keys, terminal, tmp_path_factory):
    folder = tmp_path_factory.mktemp("partner")
    secrets = {**SECRETS, "XDG_CONFIG_HOME": str(keys)}
    with (folder / "screen").open("w", encoding="utf-8") as screen:
        command = serve(workspace, folder, environment=secrets, stdin=terminal[1], stderr=screen)
    yield command
    command.stop()


@pytest.fixture(scope="module")
def public(workspace, tmp_path_factory):
    """Start the server on an address of this machine that does not count as the machine's own address."""
    command = serve(workspace, tmp_path_factory.mktemp("public"), "--address", "127.0.0.2")
    yield command
    command.stop()


# -- what the process has -------------------------------------------------------------------------------


def test_the_process_is_given_the_releases_what_was_derived_and_no_key(partner, workspace):
    proc = Path(f"/proc/{partner.web}")
    words = (proc / "cmdline").read_bytes().decode().split("\0")
    assert [word for word in words if str(workspace) in word] == [
        str(workspace / "releases"),
        str(workspace / "derived"),
    ]
    assert not any("vault" in word or KEY in word for word in words)
    assert not any(word.rstrip("/") == str(workspace) for word in words)
    environment = (proc / "environ").read_bytes()
    assert KEY.encode() not in environment
    assert b"TACT_" not in environment.upper().replace(b"TACT_RELEASES", b"").replace(b"TACT_TIER", b"")
    assert b"DBUS_SESSION" not in environment


def test_it_opens_no_file_behind_the_wall_and_loads_nothing_that_could(partner, workspace, keys):
    behind = [workspace / part for part in ("vault", "mappings", "rejects", "areas")]
    watched = Watched([*behind, keys])
    visit(partner)
    assert watched.opened() == []
    (workspace / "vault" / "vault.db").open("rb").close()
    assert watched.opened() == [str(workspace / "vault" / "vault.db")], "the watch itself must work"
    imported = set(partner.did("import"))
    assert "dashboard.web.navigation" in imported, "the hook itself must work"
    assert not [module for module in imported if module.startswith(FORBIDDEN)]
    opened = partner.did("open")
    assert any("datapackage.json" in path for path in opened)
    assert not any(re.search(r"\.key$|/vault|\.db$|workspace\.toml", path) for path in opened)
    assert b"sqlcipher" not in Path(f"/proc/{partner.web}/maps").read_bytes()


def test_it_speaks_to_nobody_and_asks_for_no_name(partner):
    if "dashboard.web.navigation" not in partner.did("import"):  # what it did at an earlier visit is known
        visit(partner)
    asked = [*partner.did("socket.connect"), *partner.did("socket.sendto"), *partner.did("socket.getaddrinfo")]
    assert [call for call in asked if not re.search(r"^\(?'?(127\.0\.0\.1|::1)\b", call)] == []


def test_a_public_process_opens_nothing_of_the_partner_tier(public, workspace):
    watched = Watched([*workspace.glob("releases/*/partner"), workspace / "vault"])
    visit(public)
    checksum = Release.open(workspace / "releases", "public").areas_checksum
    assert ask(public, f"/geometry/{checksum}/region.json")[0] == 200
    assert ask(public, f"/geometry/{'0' * 64}/region.json")[0] == 404
    assert watched.opened() == []
    assert not any("partner" in Path(path).parts for path in public.did("open"))
    text = open_page(public.url).text
    assert "Public tier" in text
    assert "Partner tier" not in text


@pytest.mark.parametrize("tier", TIERS)
def test_of_results_a_process_opens_those_of_its_own_tier_alone(public, partner, workspace, tier):
    other = {"public": "partner", "partner": "public"}[tier]
    command = {"public": public, "partner": partner}[tier]
    watched = Watched([workspace / "derived"])
    shown = open_page(command.url, "method")
    assert f"seen by {tier} readers alone" in shown.text
    assert f"seen by {other} readers alone" not in shown.text
    # What is kept in memory was opened before: the hook has listed it since the start.
    listed = [Path(path) for path in (*watched.opened(), *command.did("open"))]
    opened = {path for path in listed if path.is_relative_to(workspace / "derived") and path.is_file()}
    # Audits are files named by their tier, other results folders with the tier in their name.
    assert f"{tier}.json" in {path.name for path in opened}
    assert all(path.name == f"{tier}.json" or f"-{tier}-" in path.parent.name for path in opened)


def test_no_reader_of_the_public_tier_can_ask_for_the_other(public, partner):
    other = open_page(partner.url, "map", query="layer=encounters&level=municipality").text
    assert all(words in other for words in ("Partner tier", "not searched", "Municipality"))
    for query in ("tier=partner", "layer=encounters&level=municipality", "over=communities&layer=encounters"):
        shown = open_page(public.url, "map", query=query)
        assert "Public tier" in shown.text
        assert "Partner tier" not in shown.text
        assert "not searched" not in shown.text
        # But for the line that says that this address asked for it in vain.
        assert "Municipality" not in shown.text.replace("level Municipality. Shown instead", "")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "127.0.0.1.example.org"])
def test_the_web_process_itself_refuses_the_partner_tier_on_any_other_address(tmp_path, capsys, host):
    with pytest.raises(SystemExit) as ended:
        main(["--releases", str(tmp_path), "--host", host, "--tier", "partner", "--port", "0"])
    assert ended.value.code == 2
    assert "only on 127.0.0.1, localhost or ::1" in capsys.readouterr().err


# -- without the vault ----------------------------------------------------------------------------------


@pytest.mark.long
def test_it_serves_with_a_vault_that_nobody_may_enter_and_all_else_but_the_releases_removed(demo_world, tmp_path):
    workspace = copied(demo_world, tmp_path)
    vault, limited = workspace / "vault", {"preexec_fn": guarding.without_override}
    vault.chmod(0)
    try:
        refused = subprocess.run(["ls", vault], capture_output=True, check=False, **limited)
        assert refused.returncode != 0, "the folder must be closed to this very user"
        command = serve(workspace, tmp_path / "spy", **limited)
        for path in workspace.iterdir():
            if path not in (vault, workspace / "releases"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        visit(command, pages=("",), layers=("effort",))
        command.stop()
    finally:
        vault.chmod(0o700)


def wait_until(condition):
    until = time.monotonic() + 20
    while not condition() and time.monotonic() < until:
        time.sleep(0.2)
    assert condition()


def test_without_a_vault_what_the_roma_partner_withdraws_is_hidden_while_the_map_is_open(partner, workspace, tmp_path):
    asked = "layer=communities&level=region&area=AL-02"
    governed = workspace / "governance.toml"
    text = governed.read_text(encoding="utf-8")
    start = text.index("[communities]")
    vault = (workspace / "vault").rename(tmp_path / "vault")
    try:
        assert "Roma and Egyptian communities" in open_page(partner.url, "map", asked).text
        governed.write_text(text[:start] + text[start:].replace('"approved"', '"withdrawn"', 1), encoding="utf-8")
        wait_until(lambda: (workspace / "releases" / "blocked").read_text() == "communities\n")
        shown = open_page(partner.url, "map", asked)
        assert "Roma and Egyptian communities" not in shown.text
        assert shown.ended == "FINISHED_SUCCESSFULLY"
        governed.write_text(text, encoding="utf-8")
        wait_until(lambda: not (workspace / "releases" / "blocked").read_text())
        assert "Roma and Egyptian communities" in open_page(partner.url, "map", asked).text
    finally:
        vault.rename(workspace / "vault")
        governed.write_text(text, encoding="utf-8")


# -- what it answers ------------------------------------------------------------------------------------

ASKED_FOR = """
/assets/../server.py /assets/../../etc/passwd /assets/..%2fserver.py /assets/..%2f..%2fserver.py
/assets/%2e%2e/server.py /assets/%2e%2e%2f%2e%2e%2fetc%2fpasswd /assets/..%5c..%5cserver.py /assets/..%252fserver.py
/assets//etc/passwd /assets/%2fetc%2fpasswd /assets/fonts/../../server.py /assets/.%00./server.py
/assets/theme.css/../../server.py /assets/ /assets/fonts/ /assets/leaflet/..;/server.py
//etc/passwd /../server.py /..%2fserver.py /web/script/app.py /dashboard/web/script/app.py
/geometry/..%2f..%2fx/region.json /geometry/../releases/current /geometry/shipped/..%2f..%2fland.json
/geometry/shipped/street.json /geometry/shipped/region.parquet /geometry/%2e%2e/%2e%2e/etc/passwd
/geometry/partner/region.json /geometry/*/region.json /geometry/words/xx.json /geometry/words/..%2fen.json
/component/streamlit_folium.st_folium/../../../../etc/passwd
/component/streamlit_folium.st_folium/..%2f__init__.py
/component/streamlit_folium.st_folium//etc/passwd /component/dashboard.mapview/x /component/..%2f..%2fapp.py
/media/../app.py /media/..%2f..%2fapp.py /media/x.csv /_stcore/upload_file/../../app.py
/app/static/theme.css /app/static/../app.py /app/static/..%2fapp.py /static/../../app.py
/download/tact.csv /download/../releases/current /releases/current
/releases/2009-05-001/partner/datapackage.json
/partner/datapackage.json /vault/vault.db /workspace.toml /.streamlit/config.toml /.streamlit/secrets.toml
/dashboard/pages/situation.py /dashboard/pages/situation /dashboard/pages/ /pages/situation /pages/method.py
/pages/download /app.py /dashboard/server.py /data/reference/figures.csv /.git/config /requirements.lock
/health/../assets/../app.py /health/x
"""


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_no_path_leads_to_a_file_of_the_product_or_of_the_machine(partner, method):
    answers = {}
    for path in ASKED_FOR.split():
        status, headers, body = ask(partner, path, method=method)
        if status in (301, 308):
            assert re.fullmatch(r"(/|\.\./)[\w/.]+", headers["location"]), "never to another host"
        # One page stands for any address that is none; it holds links to the pages.
        answers[path] = (status, body != NO_PAGE and len(body) > 60)
    assert {status for status, _ in answers.values()} <= {200, 301, 308, 400, 403, 404, 405}
    assert [path for path, (_, has_content) in answers.items() if has_content] == []


def test_the_page_that_opens_and_the_one_for_any_other_address_hold_nothing_of_a_release(partner):
    for path, answer in (("/map", (200, make_start_page("en").encode())), ("/dashboard/pages/method", (404, NO_PAGE))):
        status, _, body = ask(partner, path)
        assert (status, body) == answer


@pytest.mark.parametrize(
    "page",
    [
        "dashboard/pages/method",
        "pages/method",
        "dashboard/pages/method/__init__.py",
        "../dashboard/pages/method.py",
        "app",
    ],
)
def test_a_page_under_any_other_name_is_not_there(partner, page):
    shown = open_page(partner.url, page)
    assert shown.not_found
    assert "Noise, and what is hidden" not in shown.text


def test_a_run_that_fails_tells_nobody_where_the_product_lies(partner):
    broken = open_page(partner.url, query="layer=%00&period=\ud800".encode("utf-8", "replace").decode())
    assert broken.errors == []
    assert str(ROOT) not in broken.text


# -- to whom it answers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:80", "localhost.evil", ""])
@pytest.mark.parametrize("path", ["/", "/health", "/geometry/shipped/region.json", "/assets/theme.css"])
def test_another_host_name_gets_nothing(partner, host, path):
    status, headers, body = ask(partner, path, headers=[f"Host: {host}"])
    assert status == 421
    assert len(body) < 60
    assert headers["x-content-type-options"] == "nosniff"


def test_the_machines_own_names_are_answered(partner):
    for host in ("127.0.0.1", "localhost", "[::1]"):
        assert ask(partner, "/health", headers=[f"Host: {host}:{partner.port}"])[0] == 200
        assert ask(partner, "/health", headers=[f"Host: {host}"])[0] == 421, "a name without the port is another host"


UPGRADE = [
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
]


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("{own}", "http://evil.example"),
        ("{own}", "http://evil.example:{port}"),
        ("{own}", "null"),
        ("{own}", ""),
        ("{own}", None),
        ("{own}", "http://127.0.0.1.evil.example"),
        ("{own}", "http://127.0.0.1"),
        ("{own}", "http://127.0.0.1:8501"),
        ("{own}", "http://localhost:{port}"),
        ("{own}", "http://localhost:8501"),
        ("{own}", "http://0.0.0.0:{port}"),
        ("{own}", "https://{own}"),
        ("{own}", "http://{own}@evil.example"),
        ("localhost:{port}", "http://{own}"),
        ("evil.example", "http://evil.example"),
        ("evil.example", "http://{own}"),
    ],
)
def test_no_page_of_another_site_or_port_can_hold_a_conversation(partner, host, origin):
    fields = {"own": urlsplit(partner.url).netloc, "port": partner.port}
    lines = [f"Host: {host.format(**fields)}", *([] if origin is None else [f"Origin: {origin.format(**fields)}"])]
    assert ask(partner, "/_stcore/stream", headers=[*lines, *UPGRADE])[0] == 403
    twice = [*lines, f"Origin: {partner.url}", *UPGRADE]
    assert origin is None or ask(partner, "/_stcore/stream", headers=twice)[0] in (400, 403)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
def test_without_the_cookie_nothing_but_the_health_is_told(partner, method):
    paths = ["/", *(f"/{page.address}" for page in PAGES), "/geometry/shipped/region.json", "/geometry/land.json"]
    paths += ["/assets/theme.css", "/picture/overview.png", "/_stcore/health", "/_stcore/host-config", "/favicon.png"]
    paths += ["/component/streamlit_folium.st_folium/index.html", "/_stcore/upload_file/x/y", "/health/", "//health"]
    paths += ["/features", "/features/collections"]
    for path in paths:
        for more in ([], ["Cookie: tact-map=x"], [f"Cookie: tact-map-{partner.port}=", "Accept: text/html"]):
            status, headers, body = ask(
                partner, path, method=method, known=False, headers=[*make_headers(partner), *more]
            )
            assert (status, b"Tirana" in body) == (403, False), path
            assert "set-cookie" not in headers
    assert ask(partner, "/health", known=False)[2] == b'{"status":"ok"}'
    assert ask(partner, "/_stcore/stream", known=False, headers=[*make_headers(partner), *UPGRADE])[0] == 403


def make_headers(command):
    return [f"Host: 127.0.0.1:{command.port}", f"Origin: {command.url}"]


def test_another_origin_gets_nothing_even_with_the_cookie(partner):
    for origin in ("http://evil.example", "null", f"http://localhost:{partner.port}", "http://127.0.0.1:8501"):
        lines = [f"Host: 127.0.0.1:{partner.port}", f"Origin: {origin}"]
        assert ask(partner, "/geometry/shipped/region.json", headers=lines)[0] == 403
    assert ask(partner, "/geometry/shipped/region.json", headers=make_headers(partner))[0] == 200


def test_the_public_tier_needs_no_cookie(public):
    assert ask(public, "/map", known=False)[0] == 200


def test_each_enter_on_the_terminal_prints_an_address_that_lets_one_more_browser_in(partner, terminal):
    screen = partner.seen.with_name("screen")
    before = len(screen.read_text(encoding="utf-8"))
    os.write(terminal[0], b"\n")
    wait_until(lambda: screen.read_text(encoding="utf-8")[before:].endswith("\n"))
    address = screen.read_text(encoding="utf-8")[before:].split()[-1]
    assert enter(address) == partner.url
    status, _, body = ask(
        partner, address.removeprefix(partner.url), known=False, headers=[*make_headers(partner), HTML]
    )
    assert (status, b"Press Enter" in body or b"press Enter" in body) == (403, True), "it is spent"


HTML = "Accept: text/html"


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]"])
def test_the_servers_own_pages_hold_a_conversation(partner, name):
    lines = [f"Host: {name}:{partner.port}", f"Origin: http://{name}:{partner.port}"]
    assert ask(partner, "/_stcore/stream", headers=[*lines, *UPGRADE])[0] == 101


UNUSED = [
    "/_stcore/metrics",
    "/_stcore/%6detrics",
    "/_stcore/metrics?families=x",
    "/_stcore/agent/interact",
    "/_stcore/agent/openapi.json",
    "/_stcore/agent/mcp",
    "/auth/login",
    "/oauth2callback",
]


@pytest.mark.parametrize("path", UNUSED)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST"])
@pytest.mark.parametrize("tier", TIERS)
def test_nobody_is_told_how_many_read_and_what_it_takes_and_no_program_drives_a_page(
    public, partner, tier, method, path
):
    command = {"public": public, "partner": partner}[tier]
    status, headers, body = ask(command, path, method=method)
    assert (status, b"streamlit" in body.lower()) == (404, False)
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["/_stcore/upload_file/x/y", "/_stcore/%75pload_file/x/y", "//_stcore/upload_file/x/y"]
)
@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "GET", "POST"])
def test_nobody_can_leave_a_file_in_the_memory_of_a_public_process(public, method, path):
    status, headers, body = ask(public, path, method=method)
    assert (status, body) == (404, b"Not found.\n")
    assert headers["x-content-type-options"] == "nosniff"


def test_partners_can_send_the_files_that_a_page_asks_for(partner):
    assert ask(partner, "/_stcore/upload_file/x/y", method="OPTIONS", headers=make_headers(partner))[0] == 204


# -- how it answers -------------------------------------------------------------------------------------

KINDS_OF_ANSWER = [
    "/",
    "/method",
    "/health",
    "/nothing/here",
    "/assets/theme.css",
    "/assets/nothing",
    "/geometry/shipped/region.json",
    "/geometry/land.json",
    "/_stcore/health",
    "/_stcore/host-config",
    "/media/nothing",
    "/x/component/y",
    "/assets/..%2fserver.py",
]


@pytest.mark.parametrize("path", KINDS_OF_ANSWER)
def test_every_answer_carries_the_security_headers(partner, path):
    _, headers, _ = ask(partner, path)
    policy = headers["content-security-policy"]
    sources = dict(directive.split(" ", 1) for directive in policy.split("; "))
    assert sources["default-src"] == sources["connect-src"] == "'self'"
    assert sources["object-src"] == sources["base-uri"] == sources["frame-ancestors"] == "'none'"
    assert "unsafe" not in sources["script-src"]
    assert "http:" not in policy
    assert "https:" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == headers["cross-origin-opener-policy"] == "same-origin"
    assert not {"server", "x-powered-by", "access-control-allow-origin"} & set(headers)


def test_only_the_maps_own_frame_may_run_text_as_a_script(partner):
    open_page(partner.url, "map")  # the map's component is known once a map was drawn
    _, headers, body = ask(partner, "/component/streamlit_folium.st_folium/index.html")
    assert b"<script" in body
    assert "frame-ancestors 'self'" in headers["content-security-policy"]
    assert "connect-src 'self'" in headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/", "/health", "/method"])
def test_nothing_with_numbers_is_kept_by_a_cache(partner, path):
    assert ask(partner, path)[1]["cache-control"] == "no-store"
