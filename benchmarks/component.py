"""The map in a component of Streamlit's second kind beside the product's map in streamlit-folium's frame.

    python benchmarks/component.py WORKSPACE [--slow] [--repeats 5] [--changes 20]

Both draw the same layer with static/tactmap.js, in a page with a button for the next period, under the product's policy
of content. Printed: kilobytes and requests of the first visit, seconds until the map is drawn, and milliseconds from
the press of the button until the next period is drawn; medians, the first visits each with an empty cache.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.pages import CHROMIUM, FLAGS, PATIENCE, SLOW, SLOWER

KINDS = {"folium": 8661, "component": 8662}  # and their ports
PACKAGE = "tact_map_component"
SCRIPT = """
import os
import streamlit as st
from benchmarks.component import draw
st.set_page_config(layout="wide")
st.session_state.setdefault("turn", 0)
if st.button("Next"):
    st.session_state["turn"] += 1
draw(os.environ["TACT_KIND"], st.session_state["turn"])
"""
MODULE = """
const loaded = {};
function load(address) {
  loaded[address] = loaded[address] || new Promise((done, fail) => {
    const script = document.createElement("script");
    Object.assign(script, { src: address, onload: done, onerror: fail });
    document.head.append(script);
  });
  return loaded[address];
}
async function start(frame, fixed) {
  const style = document.createElement("link");
  Object.assign(style, { rel: "stylesheet", href: "assets/theme.css" });
  document.head.append(style);
  const home = "geometry/";
  const names = ["country", "region"].map((level) => home + fixed.shapes + "/" + level + ".json");
  const wanted = [...names, home + "land.json", home + "words/en.json"];
  const answers = wanted.map((name) => fetch(name).then((answer) => answer.json()));
  await load("assets/leaflet/leaflet.js");
  await load("assets/tactmap.js");
  const found = await Promise.all(answers);
  const documents = Object.fromEntries(wanted.map((name, at) => [name, found[at]]));
  window.tactmap.start(frame, { ...fixed, documents });
}
let ready = null;
export default function ({ parentElement, data }) {
  ready = ready || start(parentElement.querySelector("#map_div"), data.fixed);
  ready.then(() => window.tactmap.update(data.values));
}
"""


def draw(kind: str, turn: int) -> None:
    """Draw the page's map: outreach of one of the periods."""
    from dashboard import map as live_map
    from dashboard.map import marks, shapes, view
    from dashboard.site import current_release, read_site

    current = current_release.open_current_release(read_site())
    if current is None:
        msg = "There is no release."
        raise SystemExit(msg)
    areas = current_release.load_areas(current.release)
    periods = current_release.list_periods(current, "effort", "region", "", ())
    asked = {"layer": "effort", "level": "region", "period": periods[turn % len(periods)]}
    shown = view.settle_view(view.parse_address(asked), current, areas.table)
    fixed = shapes.describe_shapes(current)
    if kind == "folium":
        live_map.show_map(fixed, marks.describe_view(current, areas, shown))
        return
    import streamlit as st

    component = st.components.v2.component(
        f"{PACKAGE}.map", js="map.js", html='<div id="map_div" style="height:640px"></div>', isolate_styles=False
    )
    (mark,) = marks.read_marks(current, shown)
    component(key="map", data={"fixed": fixed, "values": describe(mark, areas.map_geometry("region")["codes"], turn)})


def describe(mark: Any, codes: list[str], turn: int) -> dict[str, Any]:  # noqa: ANN401
    """Return what `dashboard.map.values` writes as a script, as data."""
    from dashboard.map import values

    style = mark.data.style
    layer = {"kind": style.kind, "unit": mark.unit, "colours": list(style.colours), "labels": list(mark.labels)}
    words = {code: mark.words[state] for state, code in values.STATE_CODES.items()}
    return {
        "id": str(turn),
        "level": "region",
        "layers": [{**layer, "words": words, **values.encode_cells(mark.data, codes)}],
    }


def write_package(folder: Path) -> None:
    """Write a package with the component, as Streamlit finds it: an installed one that names its assets."""
    package, about = folder / PACKAGE, folder / f"{PACKAGE}-1.0.dist-info"
    for path in (package, about):
        path.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "map.js").write_text(MODULE, encoding="utf-8")
    declared = '[[tool.streamlit.component.components]]\nname = "map"\nasset_dir = "."\n'
    (package / "pyproject.toml").write_text(
        f'[project]\nname = "{PACKAGE}"\nversion = "1.0"\n{declared}', encoding="utf-8"
    )
    metadata = f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: 1.0\nRequires-Dist: streamlit\n"
    (about / "METADATA").write_text(metadata, encoding="utf-8")
    files = ("__init__.py", "map.js", "pyproject.toml")
    record = "".join(f"{PACKAGE}/{file},,\n" for file in files) + f"{about.name}/METADATA,,\n"
    (about / "RECORD").write_text(record, encoding="utf-8")
    (about / "top_level.txt").write_text(f"{PACKAGE}\n", encoding="utf-8")


def run_server(kind: str, releases: Path, script: Path) -> None:
    """Serve one of the two pages as the product serves its own, but for the gate."""
    import streamlit
    from starlette.middleware import Middleware
    from starlette.routing import Mount
    from streamlit import App

    from dashboard.map import FRAME_PATH, find_frame_files, shapes
    from dashboard.site import Site, announce_site
    from dashboard.site.assets import ASSETS
    from dashboard.web import start_page
    from dashboard.web.compressed import CompressedFiles
    from dashboard.web.headers import SecurityHeaders
    from dashboard.web.process import Assets, apply_settings, run_application

    if kind == "component":  # what each of them reads is asked for with the page
        start_page.list_frame_scripts = lambda: ["./assets/leaflet/leaflet.js", "./assets/tactmap.js"]  # type: ignore[assignment]
    site = Site(releases, "partner")
    announce_site(site)
    apply_settings("127.0.0.1", KINDS[kind])
    static = Path(streamlit.__file__).parent / "static"
    folders = {"/static/": static / "static", "/assets/": ASSETS, FRAME_PATH: find_frame_files()}
    middleware = [
        Middleware(SecurityHeaders),
        Middleware(CompressedFiles, folders=folders),
        Middleware(start_page.StartPage, pages=[("", "Map")]),
    ]
    routes = [*shapes.make_routes(site), Mount("/assets", Assets(directory=ASSETS))]
    run_application(App(script, routes=routes, middleware=middleware), "127.0.0.1", KINDS[kind])


@contextmanager
def serve(kind: str, releases: Path, folder: Path) -> Iterator[None]:
    """Start a server in a process of its own."""
    script = folder / f"page_{kind}.py"
    script.write_text(SCRIPT, encoding="utf-8")
    places = os.pathsep.join([str(folder), str(Path(__file__).resolve().parent.parent)])
    environment = {**os.environ, "PYTHONPATH": places, "TACT_KIND": kind}
    command = [sys.executable, __file__, str(releases), "--serve", kind, "--script", str(script)]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        time.sleep(12)
        yield
    finally:
        server.terminate()
        server.wait(20)


def wait_until_drawn(page: Page, before: str) -> str:
    """Wait until another view than the one before is drawn, in the page or in a frame of it; return its name."""
    until = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < until:
        for frame in page.frames:
            try:
                shown = frame.evaluate("(document.querySelector('[data-shown]') || {dataset: {}}).dataset.shown || ''")
            except Exception:  # noqa: BLE001 (the frame is being replaced)
                continue
            if shown and shown != before:
                return str(shown)
        time.sleep(0.004)
    msg = "No map came."
    raise TimeoutError(msg)


def measure(browser: Browser, kind: str, *, slow: bool, repeats: int, changes: int) -> dict[str, Any]:
    """Measure first visits, and changes on the last of them."""
    visits, taken, complaints = [], [], set[str]()
    for turn in range(repeats):
        context = browser.new_context(viewport={"width": 1366, "height": 768})
        page = context.new_page()
        page.on("console", lambda message: complaints.add(message.text[:200]) if message.type == "error" else None)
        protocol = context.new_cdp_session(page)
        protocol.send("Network.enable")
        if slow:
            protocol.send("Network.emulateNetworkConditions", SLOW)
            protocol.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        sizes: list[float] = []
        protocol.on("Network.loadingFinished", lambda event, sizes=sizes: sizes.append(event["encodedDataLength"]))
        start = time.monotonic()
        page.goto(f"http://127.0.0.1:{KINDS[kind]}/", wait_until="commit", timeout=PATIENCE)
        shown = wait_until_drawn(page, "")
        visits.append((time.monotonic() - start, sum(sizes) / 1000, len(sizes)))
        page.wait_for_timeout(1500)
        page.evaluate("document.getElementById('starting')?.remove()")  # the bar does that, which is not here
        for _ in range(changes if turn == repeats - 1 else 0):
            button = page.get_by_role("button", name="Next")
            start = time.monotonic()
            button.click()
            shown = wait_until_drawn(page, shown)
            taken.append(1000 * (time.monotonic() - start))
            page.wait_for_timeout(400)
        context.close()
    seconds, kilobytes, requests = (statistics.median(column) for column in zip(*visits, strict=True))
    figures = {"kind": kind, "first map, s": round(seconds, 2), "kB": round(kilobytes), "requests": round(requests)}
    return {**figures, "change, ms": round(statistics.median(taken)), "errors": sorted(complaints)}


def main() -> None:
    """Measure both and print a line of JSON for each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--slow", action="store_true", help="a slow network and a slow processor")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--changes", type=int, default=20)
    parser.add_argument("--serve", choices=KINDS, help=argparse.SUPPRESS)
    parser.add_argument("--script", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        run_server(options.serve, options.workspace, options.script)
        return
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder, browser = Path(name), playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        write_package(folder)
        for kind in KINDS:
            with serve(kind, options.workspace / "releases", folder):
                found = measure(browser, kind, slow=options.slow, repeats=options.repeats, changes=options.changes)
                print(json.dumps(found))
        browser.close()


if __name__ == "__main__":
    main()
