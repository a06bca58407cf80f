"""`tact estimate`: how many children there are in all, from children whom several partners met. For the data officer.

Nothing is written. A release contains the interval of the whole programme only when the programme's years are final
and the interval is approved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import typer

from dashboard.commands.output import Json, emit
from dashboard.commands.workspace import open_workspace
from dashboard.narrative.detection import format_interval, format_range, format_reason
from data.capture import PopulationEstimate, estimate_population, round_estimate, tabulate_histories
from data.disclosure import policy_file
from data.disclosure.cell_key import CellKey
from data.errors import InputError
from data.reference import area_table
from data.restricted import keys
from data.restricted.counting.encounters import COLUMNS, load_encounters, read_encounters
from data.restricted.counting.histories import NoisyHistories, count_histories
from data.restricted.vault import load_keys, open_vault
from data.tables.grid import Grid
from data.tables.periods import Calendar
from data.workspace import Workspace

_ABOUT = (
    "From the records of today, for the data officer alone: do not pass it on. Partners see an interval in the release "
    "in which the whole programme is final, if governance.toml approves it ([dark_figure]). It never changes.",
    "The intervals suppose that a child could be met by any partner, that the partners' numbers of one child are "
    "linked, and that children do not differ much in how easily they are met; if they do, there are more "
    "children than this.",
)


def estimate(context: typer.Context, as_json: Json = False) -> None:
    """Estimate how many children there are, met or not, from children whom several partners met.

    Shows a rounded interval for each country, or why it cannot tell. Nothing is written or published.
    """
    workspace = open_workspace(context, or_demo=True)
    names = dict(area_table()["name_en"])
    answers = {
        country: round_estimate(estimate_population(tabulate_histories(histories.on_list, histories.children)))
        for country, histories in _count(workspace).items()
    }
    emit(
        {"invented": workspace.invented, "countries": {code: _describe(a) for code, a in answers.items()}},
        as_json,
        *(["Invented records."] if workspace.invented else []),
        *_ABOUT,
        "",
        *_format(answers, names),
    )


def _count(workspace: Workspace) -> Mapping[str, NoisyHistories]:
    """Return the noisy capture histories of each country, by code, over the programme's quarters that have ended.

    Raises InputError if no quarter has ended.
    """
    policy = policy_file.read(workspace.path).policy
    today = datetime.now(UTC).date()
    first_month = Calendar(workspace.start_month)
    grid = Grid.for_day(area_table(), first_month, (policy.first, policy.last), policy.lag, today)
    if grid is None:
        raise InputError("No quarter of the programme has ended yet. Check first and last in policy.toml.")
    secrets = load_keys(workspace)
    with open_vault(workspace, secrets) as vault:
        partners = vault.partners("encounter")
        columns = load_encounters(vault.read("encounter", (*COLUMNS, "partner")), grid.names, partners)
    encounters = read_encounters(columns, grid, keys.IdentifierHasher(secrets.identifier).record_keys)
    return count_histories(encounters, len(partners), CellKey.from_policy(policy))


def _describe(answer: PopulationEstimate) -> dict[str, Any]:
    numbers = {"estimate": answer.estimate, "low": answer.low, "high": answer.high}
    return {**numbers, "cannot_tell": answer.reason, "models": answer.models}


def _format(answers: Mapping[str, PopulationEstimate], names: Mapping[str, str]) -> Iterator[str]:
    for code, answer in answers.items():
        if answer.reason is not None:
            yield format_reason(names[code], answer.reason)
            if answer.models is not None:
                yield format_range(*(f"{end:,.0f}" for end in answer.models))
        else:
            yield format_interval(names[code], f"{answer.low:,.0f}", f"{answer.high:,.0f}")
