"""What a reader can get of a release, files and answers with numbers, to be attacked; for `tact audit` and the desk."""

from __future__ import annotations

from dashboard.map.atlas import write_atlases
from dashboard.pages.download.live import make_layer_file
from dashboard.site import FEATURES, Site
from dashboard.site.current_release import follow_release
from dashboard.web.features import write_features
from dashboard.web.pictures import write_pictures
from data.disclosure.attacks.audit import WRITING, Audit, audit_release
from data.release import Release
from data.tables.spec import TIERS
from data.workspace import Workspace
from data.workspace.files import private_folder
from data.workspace.types import Progress
from geo import export
from geo.export.records import write_records
from geo.export.report import write_reports
from risk.evaluation.forecast_ledger import COUNTS
from risk.evaluation.hub_files import tabulate_observed, write_target

_WHOLE = 100
_WRITING = 30  # hundredths of the time in which the files are made


def audit_workspace(workspace: Workspace, name: str | None = None, progress: Progress | None = None) -> Audit:
    """Attack a release (default: the current one) with all earlier ones, and every file that readers can get."""
    write, attack = _divide(progress, 0, _WRITING), _divide(progress, _WRITING, _WHOLE)
    # Partner files never lie outside the workspace, and those of an audit that was killed go when the next one starts.
    with private_folder(workspace.path / ".audit.part") as folder:
        files = {}
        for number, tier in enumerate(TIERS):
            write(2 * number, 2 * len(TIERS), WRITING)
            opened = Release.open(workspace.releases, tier, name, derived=workspace.derived)
            files[tier] = export.export_layers(opened, folder / tier, export.FORMATS)
            files[tier] += write_atlases(opened, folder / tier)
            files[tier] += write_reports(opened, folder / tier)
            files[tier] += write_records(opened, folder / tier)
            site = Site(workspace.releases, tier, derived=workspace.derived)
            files[tier] += write_pictures(site, follow_release(opened), folder / tier)
            write(2 * number + 1, 2 * len(TIERS), WRITING)
            files[tier] += write_features(follow_release(opened), folder / tier)
            files[tier].append(folder / tier / "live.qlr")
            files[tier][-1].write_bytes(make_layer_file(follow_release(opened), f"http://localhost{FEATURES}", "en"))
            if COUNTS in opened.tables:
                files[tier].append(write_target(opened, tabulate_observed(opened), folder / tier))
        return audit_release(workspace.releases, workspace.derived, name, files=files, progress=attack)


def _divide(progress: Progress | None, first: int, last: int) -> Progress:
    """Return a progress that fills another one from a first to a last hundredth."""

    def tick(done: int, total: int | None, step: str) -> None:
        if progress is not None:
            progress(first + (last - first) * done // (total or _WHOLE), _WHOLE, step)

    return tick
