"""What a reader can get of a release, files and answers with numbers, to be attacked; for `tact audit` and the desk."""

from __future__ import annotations

from dashboard.map.atlas import write_atlases
from dashboard.site import Site
from dashboard.site.current_release import follow_release
from dashboard.web.features import write_features
from dashboard.web.pictures import write_pictures
from data.disclosure.attacks.audit import Audit, audit_release
from data.release import Release
from data.tables.spec import TIERS
from data.workspace import Workspace
from data.workspace.files import private_folder
from data.workspace.types import ProgressCount
from geo import export
from geo.export.report import write_reports
from risk.evaluation.forecast_ledger import COUNTS
from risk.evaluation.hub_files import tabulate_observed, write_target


def audit_workspace(workspace: Workspace, name: str | None = None, progress: ProgressCount | None = None) -> Audit:
    """Attack a release (default: the current one) with all earlier ones, and every file that readers can get."""
    # Partner files never lie outside the workspace, and those of an audit that was killed go when the next one starts.
    with private_folder(workspace.path / ".audit.part") as folder:
        files = {}
        for tier in TIERS:
            opened = Release.open(workspace.releases, tier, name, derived=workspace.derived)
            files[tier] = export.export_layers(opened, folder / tier, export.FORMATS)
            files[tier] += write_atlases(opened, folder / tier)
            files[tier] += write_reports(opened, folder / tier)
            site = Site(workspace.releases, tier, derived=workspace.derived)
            files[tier] += write_pictures(site, follow_release(opened), folder / tier)
            files[tier] += write_features(follow_release(opened), folder / tier)
            if COUNTS in opened.tables:
                files[tier].append(write_target(opened, tabulate_observed(opened), folder / tier))
        return audit_release(workspace.releases, workspace.derived, name, files=files, progress=progress)
