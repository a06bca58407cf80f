"""A killed command leaves no saved plan without its entry in the ledger, and doctor names what else it left."""

import shlex
import subprocess

from data.release import Release
from data.release.derived import LEDGER
from data.workspace import Workspace
from data.workspace.hash_chain import read_chain
from risk.planning.outcomes import list_plan_entries
from risk.planning.saved import save_plan
from tests.helpers import plans


def test_a_plan_that_a_killed_command_did_not_register_is_registered_by_doctor(tact, tmp_path):
    folder = tmp_path / "practice"
    assert tact("--workspace", folder, "init", "--practice").code == 0
    assert tact("--workspace", folder, "release", "--figures-only").code == 0
    workspace = Workspace.open(folder)
    release = Release.open(workspace.releases, "partner", derived=workspace.derived)
    plan = save_plan(workspace.derived, release, plans.saved(release.name).summary)
    ledger = workspace.derived / LEDGER
    ledger.unlink()  # as it is between the plan and its entry
    left = workspace.derived / release.name / ".tmp-plan-0123"
    left.mkdir()
    (problem,) = tact("--workspace", folder, "doctor", "--json").json["problems"]
    assert [entry["plan"] for entry in list_plan_entries(read_chain(ledger))] == [plan.name]
    subprocess.run(shlex.split(problem.rpartition("remove it: ")[2]), check=True)
    assert not left.exists()
    assert tact("--workspace", folder, "doctor", "--json").json["healthy"]
