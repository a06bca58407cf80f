"""The web process from outside: its answers, its headers, and what it can never open."""

import gzip
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest
from starlette.applications import Starlette
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from dashboard.map import name_asset, shapes
from dashboard.site import Site
from data.release import Release
from tests.helpers.asgi import ask
from tests.helpers.browser import WATCHED, Served, free_port, wait_for
from tests.helpers.conversation import open_page
from tests.helpers.entry import cookie_headers
from tests.helpers.paths import ROOT


def start(releases, seen, *arguments, unwanted="//never"):
    port = free_port()
    seen.touch()
    # The keys are in the environment here, as if someone had started the process by hand.
    environment = {**os.environ, "TACT_VAULT_KEY": "00" * 32, "TACT_IDENTIFIER_KEY": "11" * 32}
    shown = ["--releases", str(releases)] if releases is not None else []
    command = [sys.executable, "-c", WATCHED, str(seen), unwanted, *shown]
    process = subprocess.Popen(
        [*command, "--port", str(port), *map(str, arguments)], cwd=ROOT, env=environment, stdout=subprocess.PIPE
    )
    return Served(wait_for(process), process, seen)


def stop(served):
    served.process.terminate()
    served.process.communicate(timeout=10)


@pytest.fixture(scope="module")
def releases(demo_world, tmp_path_factory):
    return Path(shutil.copytree(demo_world / "releases", tmp_path_factory.mktemp("web") / "releases"))


@pytest.fixture(scope="module")
def served(releases, tmp_path_factory):
    running = start(releases, tmp_path_factory.mktemp("seen") / "seen")
    yield running
    stop(running)


@pytest.fixture(scope="module")
def partner(releases):
    return Release.open(releases, "partner")


def get(url, **headers):
    request = urllib.request.Request(url, headers=cookie_headers(url) | headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.status, answer.headers, answer.read()


def refused(url, **headers):
    with pytest.raises(urllib.error.HTTPError) as error:
        get(url, **headers)
    error.value.close()
    return error.value.code


def test_it_says_that_it_is_well_and_nothing_else(served):
    _, headers, body = get(served.url + "/health", Cookie="")
    assert json.loads(body) == {"status": "ok"}
    assert headers["Cache-Control"] == "no-store"


def test_a_page_may_load_from_here_only_and_is_not_kept(served):
    _, headers, _ = get(served.url + "/")
    policy = dict(part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'self'"
    assert "unsafe" not in policy["script-src"]
    assert policy["frame-ancestors"] == "'none'"
    assert "http" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"


def test_the_maps_frame_may_evaluate_its_script_and_stands_in_this_site_only(served):
    # The frame is there once a session has drawn a map; its policy stands on the path alone.
    with pytest.raises(urllib.error.HTTPError) as error:
        get(served.url + "/component/streamlit_folium.st_folium/index.html")
    error.value.close()
    policy = error.value.headers["Content-Security-Policy"]
    assert "'unsafe-eval'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "default-src 'self'" in policy


@pytest.mark.parametrize("level", ["country", "region", "municipality"])
def test_shapes_come_zipped_under_their_checksum_and_are_kept_for_ever(served, partner, level):
    url = f"{served.url}/geometry/{partner.areas_checksum}/{level}.json"
    _, headers, body = get(url, **{"Accept-Encoding": "gzip"})
    assert headers["Content-Encoding"] == "gzip"
    assert "immutable" in headers["Cache-Control"]
    assert len(body) < 80_000
    document = json.loads(gzip.decompress(body))
    assert len(document["codes"]) == len(document["local"]) == len(document["above"])
    assert json.loads(get(url)[2]) == document
    short = f"{served.url}/geometry/{partner.areas_checksum[:16]}/{level}.json"
    assert json.loads(get(short)[2]) == document


@pytest.mark.parametrize("language", ["sq", "el"])
def test_shapes_with_translated_names_are_kept_for_a_day(served, partner, language):
    _, headers, body = get(f"{served.url}/geometry/{partner.areas_checksum}/region.json?lang={language}")
    assert headers["Cache-Control"] == "public, max-age=86400"
    english = json.loads(get(f"{served.url}/geometry/{partner.areas_checksum}/region.json")[2])
    document = json.loads(body)
    assert document["names"] != english["names"]
    assert document["source"] != english["source"]


@pytest.mark.parametrize("language", ["en", "sq"])
def test_what_a_page_asks_for_ahead_is_what_the_map_reads(served, partner, language):
    _, _, page = get(f"{served.url}/map?lang={language}")
    ahead = re.findall(r'rel="prefetch" href="\.(/[^"]+)"', page.decode())
    spoken = "" if language == "en" else f"?lang={language}"
    shapes = [f"/geometry/{partner.areas_checksum[:16]}/{level}.json{spoken}" for level in ("country", "region")]
    led = []
    for address in ahead:
        asked = cookie_headers(served.url) | {"Accept-Encoding": "gzip"}
        with urllib.request.urlopen(urllib.request.Request(served.url + address, headers=asked), timeout=10) as answer:
            assert answer.headers["Content-Encoding"] == "gzip", address
            led.append(answer.url.removeprefix(served.url))
    scripts = [name_asset(name)[1:] for name in ("leaflet/leaflet.js", "tactmap.js")]
    assert led[1:] == [*scripts, "/geometry/land.json", f"/geometry/words/{language}.json", *shapes]
    assert led[0].startswith("/component/streamlit_folium.st_folium/static/js/main.")


@pytest.mark.parametrize(
    "path", ["{c}/street.json", "0000000000000000/region.json", "{s}/region.json", "..%2f..%2fetc/passwd"]
)
def test_other_shapes_are_not_there(served, partner, path):
    named = path.format(c=partner.areas_checksum, s=partner.areas_checksum[:4])
    assert refused(f"{served.url}/geometry/{named}") in {400, 404}


def test_the_land_and_the_words_come_without_a_release(tmp_path):
    application = Starlette(routes=shapes.make_routes(Site(tmp_path, "public")))
    assert ask(application, "/geometry/land.json").json["features"]
    assert ask(application, "/geometry/words/en.json").json["places"]
    assert len(ask(application, "/geometry/shipped/region.json").json["codes"]) == 26


@pytest.mark.parametrize("name", ["tactmap.js", "theme.css", "leaflet/leaflet.js", "leaflet/LICENSE"])
def test_assets_are_served(served, name):
    assert get(f"{served.url}/assets/{name}")[2] == (ROOT / "dashboard" / "static" / name).read_bytes()


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1:80", ""])
def test_on_this_machines_address_it_answers_to_no_other_name(served, host):
    assert refused(served.url + "/health", Host=host) in {400, 421}


@pytest.mark.long
def test_the_partner_tier_is_refused_on_another_address(releases, tmp_path):
    command = [sys.executable, "-m", "dashboard.server", "--releases", str(releases)]
    arguments = ["--tier", "partner", "--host", "0.0.0.0", "--port", str(free_port())]
    ended = subprocess.run([*command, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert "partner tier is not shown on '0.0.0.0'" in ended.stderr
    assert "Traceback" not in ended.stderr


def speak(name, port, origin):
    """Hold a conversation with a server of this machine by a host name, as a proxy does."""
    line = socket.create_connection(("127.0.0.1", port), timeout=20)
    with connect(f"ws://{name}/_stcore/stream", origin=origin, sock=line, proxy=None):
        pass


@pytest.mark.long
def test_behind_a_proxy_the_public_tier_answers_to_its_name_and_no_other(releases, tmp_path):
    running = start(releases, tmp_path / "seen", "--tier", "public", "--name", "map.example.org")
    try:
        port = int(running.url.rpartition(":")[2])
        for name in ("map.example.org", f"127.0.0.1:{port}"):
            assert get(running.url + "/health", Host=name)[0] == 200
            assert b"<title>TACT Map" in get(running.url + "/map", Host=name)[2]
        assert refused(running.url + "/map", Host="evil.example") == 421
        for scheme in ("https", "http"):
            speak("map.example.org", port, f"{scheme}://map.example.org")
        for name, origin in (("map.example.org", "https://evil.example"), ("evil.example", "https://evil.example")):
            with pytest.raises(InvalidStatus, match="403"):
                speak(name, port, origin)
    finally:
        stop(running)


@pytest.mark.long
def test_a_public_process_never_opens_the_partner_folder(releases, tmp_path):
    running = start(releases, tmp_path / "seen", "--tier", "public", unwanted="/partner")
    try:
        shapes = Release.open(releases, "public").areas_checksum
        get(f"{running.url}/geometry/{shapes}/region.json")
        assert running.audit() == []
    finally:
        stop(running)


@pytest.mark.long
def test_large_messages_leave_it_well_and_its_log_short(releases, tmp_path):
    port = free_port()
    command = [sys.executable, "-m", "dashboard.server", "--releases", str(releases), "--tier", "public"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([*command, "--port", str(port)], cwd=ROOT, stdout=subprocess.PIPE, stderr=log)
        try:
            url = wait_for(process)
            open_page(url)
            before = psutil.Process(process.pid).memory_info().rss
            for _ in range(20):
                with connect(
                    f"ws{url[4:]}/_stcore/stream", origin=url, subprotocols=["streamlit"], proxy=None
                ) as spoken:
                    spoken.send(bytes(14 * 2**20))
                    with pytest.raises(ConnectionClosed):
                        spoken.recv(20)
            assert open_page(url).ended == "FINISHED_SUCCESSFULLY"
            assert psutil.Process(process.pid).memory_info().rss - before < 100 * 2**20
        finally:
            process.terminate()
            process.communicate(timeout=20)
    assert (tmp_path / "log").stat().st_size < 10_000, (tmp_path / "log").read_text()[-2000:]


def test_keys_are_gone_from_the_process_and_what_opens_vaults_is_not_loaded(served):
    get(served.url + "/")
    assert served.audit() == []
    maps = Path(f"/proc/{served.process.pid}/maps")
    if maps.exists():
        assert "sqlcipher" not in maps.read_text(encoding="utf-8")
