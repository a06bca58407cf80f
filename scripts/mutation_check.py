"""Put one fault at a time into a copy of the code, and check that the tests named beside it fail.

    python scripts/mutation_check.py               all faults
    python scripts/mutation_check.py --only noise  those whose name contains a word
    python scripts/mutation_check.py --list

A fault replaces a text of one line by another. The text must be on exactly one line of its file.
First all named tests must pass on the unchanged code. The exit code is 1 if they do not, if any fault is not caught, or
if the text of a fault is not on exactly one line.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("tact", "dashboard", "risk", "geo", "data", "benchmarks", "tests", "scripts", "docs", "deploy")
FILES = ("pyproject.toml", "README.md", "Makefile", "CHANGELOG.md", "CONTRIBUTING.md")


@dataclass(frozen=True)
class Fault:
    """A fault of one line, and the tests that must catch it."""

    name: str
    file: str
    right: str
    wrong: str
    tests: tuple[str, ...]


NOISE = "data/disclosure/cell_key.py"
NOISE_TESTS = ("tests/data/disclosure/test_cell_key.py",)
TABLE = "data/restricted/publishing/published_table.py"
TABLE_TESTS = ("tests/data/restricted/publishing/test_published_table.py",)
FROZEN_TESTS = ("tests/data/restricted/publishing/test_frozen.py",)
COUNT_TESTS = ("tests/data/restricted/counting/test_encounters.py",)
REFUSED = "tests/attack/test_bounds.py::test_a_release_that_would_give_cells_away_is_refused_and_leaves_nothing"
BOUNDS_TESTS = ("tests/attack/test_bounds.py",)
MIXTURE_TESTS = ("tests/attack/test_time_and_mixture.py",)
PLAN_TESTS = ("tests/risk/planning/test_planning.py",)
VERDICT_TESTS = ("tests/risk/planning/test_verdict.py",)
ASKS = 'os.environ.get(_TIER) == "partner"'
SITE_TESTS = ("tests/dashboard/site/test_site.py",)
PUBLISHING_TEST = "tests/data/restricted/publishing/test_publishing.py"
SEAMS, SEAMS_TESTS = "dashboard/web/streamlit_seams.py", ("tests/dashboard/web/test_streamlit_seams.py",)
STRUCTURE_TESTS = ("tests/test_structure.py",)

FAULTS = (
    # The noise.
    Fault("noise: a true zero may show a child", NOISE,
          "table[0, reach] = 1.0", "table[0, reach + 1] = 1.0", NOISE_TESTS),
    Fault("noise: cell keys leave out a key", NOISE,
          "return sums % key_range", "return sums % (key_range - 1)", NOISE_TESTS),
    Fault("noise: of capped counts is shifted", NOISE,
          "moves - self.largest * scale", "moves - self.largest", NOISE_TESTS),
    Fault("noise: a hidden cell is thought to be smaller than it may be", NOISE,
          "max(least - 1 + reach * years, margin)", "max(least - 1, margin)",
          ("tests/data/disclosure/test_channel.py",)),
    # The policy.
    Fault("policy: k may be lowered", "data/disclosure/policy.py",
          "(self.k >= LOWEST_K, ", "(self.k >= 1, ",
          ("tests/data/disclosure/test_policy_file.py", "tests/data/tables/test_spec.py")),
    Fault("policy: few operators are enough", "data/disclosure/policy.py",
          "self.operators >= FEWEST", "self.operators >= 0",
          ("tests/data/disclosure/test_policy_file.py", "tests/data/tables/test_spec.py")),
    # The attacks.
    Fault("attack: narrow bounds are no finding", "data/disclosure/attacks/bounds/__init__.py",
          "narrow = high - low + 1 < knowledge.open_values", "narrow = high - low + 1 < 0", BOUNDS_TESTS),
    Fault("attack: a number that changed is not seen", "data/disclosure/attacks/sequence.py",
          "(number != again) & ~raised", "(number != again) & raised", MIXTURE_TESTS),
    Fault("attack: a breakdown of one kind is not seen", "data/disclosure/attacks/homogeneity.py",
          "certain = (low > 0) &", "certain = (low < 0) &", MIXTURE_TESTS),
    Fault("attack: averaged numbers are not seen", "data/disclosure/attacks/averaging.py",
          "CERTAIN = 0.95", "CERTAIN = 1.5", MIXTURE_TESTS),
    Fault("attack: numbers below the threshold are not seen", "data/disclosure/attacks/suite.py",
          "< (k or 0)]", "< 0]", ("tests/attack/test_audit.py",)),
    # The release.
    Fault("release: public numbers just below k show", TABLE,
          "hidden = values < noise.threshold", "hidden = values < noise.threshold - 1", TABLE_TESTS),
    Fault("release: a searched place is called not searched", TABLE,
          "(total < noise.threshold) & ~searched", "(total == 0)", TABLE_TESTS),
    Fault("release: a published number is drawn anew", "data/restricted/publishing/book.py",
          "        if not self.has(name, entry, len(drawn)):\n", "        if True:\n",
          FROZEN_TESTS),
    Fault("release: encounters are not capped", "data/restricted/counting/encounters.py",
          "weights = np.minimum(times, cap)", "weights = np.maximum(times, 0)",
          COUNT_TESTS),
    Fault("release: findings do not stop it", "data/restricted/publishing/writing.py",
          "    if findings:", "    if False:",
          (REFUSED,)),
    Fault("release: k may fall from one to the next", "data/restricted/publishing/earlier.py",
          "if now[name] < was.get(name, 1)]", "if now[name] < 0]",
          ("tests/data/restricted/publishing/test_same_noise.py",)),
    Fault("release: final numbers repeat the provisional ones", "data/restricted/publishing/frozen.py",
          'f"{_PROVISIONAL}{name}" if provisional[number] else name', "name", FROZEN_TESTS),
    # Risk.
    Fault("risk: the gradient of the likelihood is off", "risk/laplace/likelihood.py",
          "gradient=share * (expected - mean)", "gradient=share * expected - mean",
          ("tests/risk/laplace/test_likelihood.py",)),
    Fault("risk: a field is scaled by the plain mean", "risk/laplace/graph.py",
          "np.exp(np.mean(np.log((", "(np.mean(((", ("tests/risk/laplace/test_graph.py",)),
    Fault("risk: a statement is called very likely too soon", "risk/model/statements.py",
          "(least, VERY_LIKELY))", "(least, LIKELY))", ("tests/risk/model/test_statements.py",)),
    Fault("risk: an entry of the ledger may be put in later", "data/workspace/hash_chain.py",
          "if previous and entry.previous != previous:", "if False:", ("tests/data/workspace/test_hash_chain.py",)),
    Fault("wall: capture histories leave without noise", "data/restricted/counting/histories.py",
          "mechanism.publish(counts, keys) if len(on_list) else counts", "counts",
          ("tests/data/restricted/counting/test_histories.py",)),
    Fault("risk: access falls too fast with distance", "risk/access/__init__.py",
          "np.exp(-0.5 * (minutes", "np.exp(-1.0 * (minutes", ("tests/risk/access/test_access.py",)),
    # The plan.
    Fault("plan: moves are advised whatever their chance", "risk/planning/verdict.py",
          '"do" if year.probability >= VERY_LIKELY and', '"do" if', VERDICT_TESTS),
    Fault("plan: moves that gain less than a child a year are optional", "risk/planning/verdict.py",
          "year.net.mean < LEAST or", "", VERDICT_TESTS),
    Fault("plan: met need grows without end", "risk/planning/benefit.py",
          "served: Floats = need * -np.expm1(-ratio)", "served: Floats = need * ratio", PLAN_TESTS),
    Fault("plan: declined moves are made", "risk/planning/constraints.py",
          '"accept": "accepted", "decline": "declined"', '"accept": "accepted"', PLAN_TESTS),
    Fault("plan: areas that were searched are explored", "risk/planning/exploration.py",
          "open_to = rules.under_searched & (brings > 0)", "open_to = brings > 0",
          (*PLAN_TESTS, "tests/risk/planning/test_search.py")),
    # Who may see what.
    Fault("access: any address shows the partner tier", "dashboard/site/__init__.py",
          '"partner" if host in LOOPBACK else "public"', '"partner"', SITE_TESTS),
    Fault("access: an unclear tier is the partner's", "dashboard/site/__init__.py",
          ASKS, ASKS.replace("== \"partner", "!= \"public"), SITE_TESTS),
    Fault("access: the web process keeps the keyring's bus", "dashboard/site/__init__.py",
          "and name.upper() not in _WITHHELD", "and name not in ()", SITE_TESTS),
    Fault("access: withheld measures are read", "data/release/__init__.py",
          'if r.get("tact", {}).get("measure") not in self.without]', "]",
          ("tests/data/release", "tests/dashboard/site")),
    Fault("access: a challenge that was used makes a passkey", "data/accounts/attempts.py",
          'if connection.execute("SELECT 1 FROM attempts WHERE key = ?", (key,)).fetchone():', "if False:",
          ("tests/data/accounts/test_passkeys.py",)),
    Fault("access: anybody ends the token of somebody else", "data/accounts/tokens.py",
          'WHERE (id, person) = (?, ?)", (number, person["id"])', 'WHERE id = ?", (number,)',
          ("tests/data/accounts/test_tokens.py",)),
    Fault("access: who was revoked may sign in", "data/accounts/people.py",
          'row["revoked"] is None and has_proof', 'has_proof',
          ("tests/data/accounts/test_sessions.py",)),
    Fault("access: an account has no last day", "data/accounts/people.py",
          'bool(row["last_day"]) and _find_day(now)', 'False and _find_day(now)',
          ("tests/data/accounts/test_people.py",)),
    Fault("access: a release that was taken back is attacked for the one that is shown",
          "data/disclosure/attacks/audit.py", "name or shown_name(releases)", "name or names(releases)[0]",
          ("tests/attack/test_audit.py",)),
    Fault("wall: a layer reads keys", "geo/areas.py",
          "import geopandas as gpd", "import data.restricted.keys; import geopandas as gpd", STRUCTURE_TESTS),
    Fault("wall: a phone number passes as a note", "data/personal/free_text.py",
          'find_personal_content([text], holds, of_children=False)', "None",
          ("tests/risk/planning/test_inputs.py", "tests/data/personal")),
    Fault("tests: keys of children are sought in compressed bytes", PUBLISHING_TEST,
          "join(read_texts(folder))", "join(path.read_text('latin-1') for path in folder.rglob('*.parquet'))",
          (PUBLISHING_TEST,)),
    Fault("wall: an attack is left out", "data/disclosure/attacks/suite.py",
          'yield "homogeneity", homogeneity.report_homogeneous(system, bounds), {}', "pass",
          ("tests/attack/test_demo.py",)),
    # The web process.
    Fault("web: a changed part of Streamlit is not seen", SEAMS,
          "if not set(dir(known)) >= _PARTS or not inspect", "if not inspect", SEAMS_TESTS),
    Fault("web: a file that was made goes at once", SEAMS,
          "_STAYS = 20.0", "_STAYS = 0.0", SEAMS_TESTS),
    Fault("web: messages that no page sends reach Streamlit", "dashboard/web/messages.py",
          "while not is_known(message := await receive()):", "while not (message := await receive()):",
          ("tests/dashboard/web/test_messages.py",)),
    Fault("web: code of ours uses a private name", "dashboard/web/health.py",
          "from starlette.requests import Request", "from starlette._utils import is_async_callable as Request",
          STRUCTURE_TESTS),
    Fault("desk: the log has values of records", "dashboard/desk/server.py",
          "record.exc_info = record.exc_text = record.stack_info = None", "pass",
          ("tests/dashboard/desk/test_process.py",)),
    Fault("desk: large files reach the disk", "dashboard/desk/server.py",
          "MultiPartParser.spool_max_size = 2 *", "MultiPartParser.spool_size = 2 *",
          ("tests/dashboard/desk/test_process.py",)),
    # What goes in.
    Fault("intake: a code that became a day is taken", "data/restricted/intake/values.py",
          "if _DAY_OF_CODE.fullmatch(text):", "if False:", ("tests/data/restricted/intake/test_intake.py",)),
    Fault("intake: a code for an unknown age is an age", "data/restricted/intake/values.py",
          "if _NOT_KNOWN.fullmatch(text):", "if False:", ("tests/data/restricted/intake/test_plain_cells.py",)),
    Fault("tests: a loop with nothing to check passes", "tests/helpers/nonempty.py",
          "is_empty = True", "is_empty = None", STRUCTURE_TESTS),
)  # fmt: skip


def copy_tree(folder: Path) -> None:
    """Copy the code, its tests and its documentation into a folder."""
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name)  # with compiled files, which their dates keep valid
    for name in FILES:
        if (ROOT / name).is_file():
            shutil.copy(ROOT / name, folder / name)


def run_tests(folder: Path, tests: tuple[str, ...], scratch: Path) -> tuple[int, str]:
    """Run these tests in the copy `folder` until one fails; return pytest's exit code and its last lines of output."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--tb=no"]
    command += ["-m", "not browser and not long", f"--basetemp={scratch}", *tests]
    environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return process.returncode, "\n".join([*process.stdout.splitlines()[-5:], *process.stderr.splitlines()[-5:]])


def put_in(folder: Path, fault: Fault) -> bool:
    """Put a fault into its file. Return False, and change nothing, unless the text occurs there exactly once."""
    path = folder / fault.file
    if not path.is_file():
        return False
    text = path.read_text(encoding="utf-8")
    if text.count(fault.right) != 1:
        return False
    changed = text.replace(fault.right, fault.wrong)
    compile(changed, fault.file, "exec")  # a syntax error would fail every test
    path.write_text(changed, encoding="utf-8")
    return True


def try_fault(fault: Fault) -> tuple[Fault, str, float]:
    """Try a fault in a separate copy; return the fault, the result in words, and the seconds."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "copy"
        folder.mkdir()
        copy_tree(folder)
        if not put_in(folder, fault):
            words = "NOT PUT IN: its text does not stand on exactly one line"
        else:
            code, _ = run_tests(folder, fault.tests, Path(name) / "scratch")
            words = {0: "SURVIVED", 1: "caught", 2: "caught"}.get(code, f"NOT TRIED: pytest ended with {code}")
        return fault, words, time.monotonic() - begun


def main() -> int:
    """Try the faults, print each result, and return the exit code.

    It is 1 if any fault is not caught, or if the tests do not pass on the unchanged code.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", default="", help="a word in the names of the faults to try")
    parser.add_argument("--list", action="store_true", help="list the faults and try none")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    faults = [fault for fault in FAULTS if options.only in fault.name]
    if options.list:
        print("\n".join(f"{fault.file}: {fault.name}" for fault in faults))
        return 0
    with tempfile.TemporaryDirectory() as name:
        copy_tree(Path(name))
        tests = tuple(dict.fromkeys(test for fault in faults for test in fault.tests))
        code, output = run_tests(Path(name), tests, Path(name) / "scratch")
        if code:
            print(f"The tests do not pass on the code as it is: pytest ended with {code}. Mend them first.\n{output}")
            return 1
    wrong = 0
    with ThreadPoolExecutor(options.jobs) as pool:
        for fault, words, seconds in pool.map(try_fault, faults):
            wrong += words != "caught"
            print(f"{words:10} {seconds:5.0f} s  {fault.name}  ({fault.file})", flush=True)
    print(f"{len(faults) - wrong} of {len(faults)} faults were caught.")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
