"""`tact pull` brings encrypted submissions from ODK Central and KoboToolbox, opens them in memory and imports them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dashboard.commands.asking import ask_hidden
from dashboard.commands.import_ import NO_HINTS, Answers, import_one, read_answers, summarise
from dashboard.commands.output import Json, emit, progress
from dashboard.commands.workspace import open_workspace, warn_backup
from data.errors import InputError
from data.reference import area_table, town_table
from data.restricted.forms.servers import FormServer, Pull, find_stored, pull, read_servers, write_server
from data.restricted.imports import Importer, check_workspace_kind, find_mappings
from data.restricted.vault import load_keys, open_vault
from geo.places import Places


def pull_submissions(
    context: typer.Context,
    form: Annotated[
        str | None,
        typer.Option(
            help="Address of a form, as the browser shows it. Its login is asked for and stored in the vault; from "
            "then on each pull brings this form too."
        ),
    ] = None,
    forget: Annotated[str | None, typer.Option(help="Address of a form that is no longer to be pulled.")] = None,
    partner: Annotated[
        str | None, typer.Option(help="The partner whose forms they are, if the answers do not.")
    ] = None,
    answers: Answers = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go in, and store nothing.")] = False,
    as_json: Json = False,
) -> None:
    """Bring submissions from the servers of forms, open them in memory, and import them.

    Pulling again changes nothing. At the end, the submissions that may be deleted on the server are listed.
    """
    workspace = open_workspace(context)
    check_workspace_kind(workspace, [])
    secrets = load_keys(workspace)
    results: list[dict[str, Any]] = []
    words: list[str] = []
    with open_vault(workspace, secrets) as vault:
        if form:
            login = ask_hidden("Login of this form's server (ODK Central: EMAIL:PASSWORD; KoboToolbox: the API token)")
            write_server(vault, FormServer(form, login))
        if forget:
            write_server(vault, FormServer(forget, ""))
        servers = read_servers(vault)
        if not servers and not forget:
            raise InputError("No form is known yet. Name it by its address in the browser: tact pull --form ADDRESS")
        places = Places(area_table(), town_table())
        mappings = find_mappings(workspace, partner)
        importer = Importer(workspace, vault, secrets, places.resolve, mappings, dry_run, answers=read_answers(answers))
        for server in servers:
            with progress(server.address) as tick:
                brought = pull(vault, server, tick)
                result = {"file": server.address}
                if brought.file:
                    result = import_one(importer, brought.file, None, partner, tick, NO_HINTS)
            stored = find_stored(vault, result["kind"], brought.numbers) if "kind" in result else []
            results.append({**result, "form": server.address, "problems": brought.problems, "delete": stored})
            words.append(_word(results[-1], brought, partner))
        warn_backup(workspace, vault)
    emit(results, as_json, *words)
    if any(result.get("refused") for result in results):
        raise SystemExit(InputError.exit_code)


def _word(result: dict[str, Any], brought: Pull, partner: str | None) -> str:
    lines = [result["form"]]
    lines += [summarise(result, partner, "") if brought.file else "No submission to import.", *brought.word_problems()]
    if numbers := result["delete"]:
        lines += [f"{len(numbers):,} submissions are stored here and may be deleted on the server:", *numbers]
    if numbers := result.get("forgotten"):
        lines += ["These are about forgotten children and are not taken. Delete them on the server:", *numbers]
    return "\n".join(lines)
