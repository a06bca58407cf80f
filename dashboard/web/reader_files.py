"""All files and answers with numbers that a reader can get of a release, for the audit by `tact audit` and the desk."""

from __future__ import annotations

from pathlib import Path

from dashboard.map.atlas import write_atlases
from dashboard.pages.download.live import make_file
from dashboard.site import FEATURES, Site
from dashboard.site.current_release import follow_release
from dashboard.web.features import write_features
from dashboard.web.pictures import write_pictures
from data.disclosure.attacks.audit import WRITING, Audit, audit_release
from data.release import Release
from data.tables.spec import TIERS, Tier
from data.workspace import Workspace
from data.workspace.files import private_folder
from data.workspace.types import Progress, ProgressCount
from geo import export
from geo.export.records import write_records
from geo.export.report import write_reports
from geo.export.synthetic import SEED, has_counts, write_synthetic
from geo.export.targets import write_targets
from risk.evaluation.forecast_ledger import COUNTS
from risk.evaluation.hub_files import tabulate_observed, write_target

_WHOLE = 100
# Hundredths of the time, for each tier: its files of layers, its atlases, the other files.
_LAYERS, _ATLASES, _OTHERS = 10, 10, 10
_WRITING = _LAYERS + _ATLASES + _OTHERS


def audit_workspace(workspace: Workspace, name: str | None = None, progress: Progress | None = None) -> Audit:
    """Attack a release together with all earlier ones and every file that readers can get, and return the audit.

    name : the name of the release; None for the shown one. The files are made in the workspace and removed afterwards.
    """
    # Partner files never lie outside the workspace. The next audit removes the files of an audit that was killed.
    with private_folder(workspace.path / ".audit.part") as folder:
        files = write_reader_files(workspace, folder, name, progress)
        attack = _divide(progress, len(TIERS) * _WRITING, _WHOLE)
        return audit_release(workspace.releases, workspace.derived, name, files=files, progress=attack)


def write_reader_files(
    workspace: Workspace, folder: Path, name: str | None = None, progress: Progress | None = None
) -> dict[Tier, list[Path]]:
    """Write all files that readers can get of a release below an existing folder; return their paths by tier.

    name : the name of the release; None for the shown one.
    """
    files: dict[Tier, list[Path]] = {}
    for number, tier in enumerate(TIERS):
        begin = number * _WRITING
        layers = _divide(progress, begin, begin + _LAYERS)
        atlases = _divide(progress, begin + _LAYERS, begin + _LAYERS + _ATLASES)
        others = _divide(progress, begin + _LAYERS + _ATLASES, begin + _WRITING)
        opened = Release.open(workspace.releases, tier, name, derived=workspace.derived)
        files[tier] = export.export_layers(opened, folder / tier, export.FORMATS, None, _name_step(layers))
        files[tier] += write_atlases(opened, folder / tier, _name_step(atlases))
        files[tier] += write_reports(opened, folder / tier)
        others(1, 3, WRITING)
        files[tier] += write_records(opened, folder / tier) + write_targets(opened, folder / tier)
        site = Site(workspace.releases, tier, derived=workspace.derived)
        files[tier] += write_pictures(site, follow_release(opened), folder / tier)
        others(2, 3, WRITING)
        files[tier] += write_features(follow_release(opened), folder / tier)
        for ending in ("qlr", "qgz"):
            files[tier].append(folder / tier / f"live.{ending}")
            content = make_file(ending, follow_release(opened), f"http://localhost{FEATURES}", "en")
            files[tier][-1].write_bytes(content)
        if tier == "public" and has_counts(opened):
            files[tier] += write_synthetic(opened, folder / tier, SEED)[0]
        if COUNTS in opened.tables:
            files[tier].append(write_target(opened, tabulate_observed(opened), folder / tier))
    return files


def _name_step(progress: Progress) -> ProgressCount:
    return lambda done, total: progress(done, total, WRITING)


def _divide(progress: Progress | None, first: int, last: int) -> Progress:
    """Return a progress function for one part of the work, from hundredth `first` to hundredth `last` of the whole."""

    def tick(done: int, total: int | None, step: str) -> None:
        if progress is not None:
            progress(first + (last - first) * done // (total or _WHOLE), _WHOLE, step)

    return tick
