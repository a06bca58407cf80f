"""Care of the records: backup and restore, forgetting a child, and the withdrawal of a partner, each confirmed."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dashboard.desk.frame import show_note, tell_errors
from dashboard.desk.hand import read_hand
from dashboard.desk.state import Desk
from dashboard.site.text import _, escape_markdown, format_plural, html, translate_message
from data.errors import InputError
from data.restricted import backup, forgetting, intake
from data.restricted.forms.key import is_escrow, restore_escrow
from data.workspace.folding import is_same_partner

_SAID = "care"
_BACKUP = "backups"  # how many backups were written: the fields of the next one are new and empty
_WIDTH = 520


def show(desk: Desk) -> None:
    """Show a warning if a backup is due, and below it the actions on records, each in its own fold."""
    st.html(html("<h2>{}</h2>", _("Care of the records")))
    words = st.session_state.pop(_SAID, None)
    # In containers, also when they are empty: otherwise the folds below would close, with their messages in them.
    with st.container():
        if words:
            st.success(words)
    with st.container(), tell_errors(), desk.open_vault() as (vault, _keys):
        if overdue := backup.word_overdue(desk.workspace, vault):
            st.warning(escape_markdown(translate_message(overdue)))
    for title, act in (
        (_("Back up"), _back_up),
        (_("Restore a backup"), _restore),
        (_("Forget a child"), _forget),
        (_("A partner withdraws"), _withdraw),
    ):
        with st.expander(title), tell_errors():
            act(desk)


def _say(sentence: str) -> None:
    st.session_state[_SAID] = sentence
    st.rerun()


def _back_up(desk: Desk) -> None:
    number = st.session_state.setdefault(_BACKUP, 0)
    with st.form(f"backup-{number}", border=False, width=_WIDTH):
        usual = str(Path.home() / "tact.backup")
        place = st.text_input(_("File to write, on this machine"), placeholder=usual)
        first = st.text_input(_("Passphrase of the backup"), type="password", autocomplete="off")
        again = st.text_input(_("The same again"), type="password", autocomplete="off")
        pressed = st.form_submit_button(_("Write the backup"))
    show_note(_("Store the passphrase in another place: without it nobody can open the file."))
    if pressed:
        if first != again:
            raise InputError(_("The two passphrases are different. Nothing was written."))
        target = backup.check_target(Path(place.strip() or usual).expanduser())
        with desk.open_vault() as (_vault, secrets):
            problem = backup.write_backup(desk.workspace, secrets, target, first)
        st.session_state[_BACKUP] = number + 1
        done = _("Wrote {file}.", file=escape_markdown(str(target)))
        _say(" ".join([done, escape_markdown(translate_message(problem))]).strip())


def _restore(desk: Desk) -> None:
    with st.form("restore", clear_on_submit=True, border=False, width=_WIDTH):
        place = st.text_input(_("Backup to read, on this machine"))
        passphrase = st.text_input(_("Passphrase of the backup"), type="password", autocomplete="off")
        replace = st.checkbox(_("Also if the workspace has records: they are kept beside the restored ones"))
        pressed = st.form_submit_button(_("Restore it"))
    show_note(_("All of it is checked before anything is replaced. Afterwards the desk locks."))
    show_note(_("form-key.escrow brings back the key of encrypted forms, with the second person's passphrase."))
    if pressed:
        if not place.strip():
            raise InputError(_("Name the file of the backup. Nothing was changed."))
        source = backup.find_backup(Path(place.strip()).expanduser())
        if is_escrow(source):
            with desk.open_vault() as (vault, _keys):
                is_new = restore_escrow(vault, source.read_bytes(), passphrase)
            _say(_("The key of the forms came back.") if is_new else _("The workspace has this key already."))
        with desk.borrow_keys() as secrets:
            backup.restore_backup(source, desk.workspace.path, passphrase, replace=replace, known_keys=secrets)
        desk.lock()
        st.rerun()


def _forget(desk: Desk) -> None:
    hand = read_hand(desk)
    with st.form("forget", clear_on_submit=True, border=False, width=_WIDTH):
        partner = st.selectbox(_("Partner"), hand.list_partners(), index=None, placeholder=_("Choose"))
        identifier = st.text_input(_("The partner's identifier of the child"), type="password", autocomplete="off")
        number = st.text_input(_("Programme number, if it has one"), type="password", autocomplete="off")
        unknown_too = st.checkbox(_("Also if no record has it: records that come later are rejected"))
        sure = st.checkbox(_("Yes. This cannot be undone."))
        pressed = st.form_submit_button(_("Forget this child"))
    if not pressed:
        return
    names = intake.child_names(partner or "", identifier if partner else "", number)
    if not names or not sure:
        raise InputError(
            _("Nothing was changed: give an identifier and its partner, or a programme number, and say yes.")
        )
    with desk.open_vault() as (vault, secrets):
        children = forgetting.hash_child(secrets, names, vault)
        if forgetting.find_unknown(vault, secrets, names, children) and not unknown_too:
            raise InputError(_("No record has what you typed. Check it for typing errors. Nothing was changed."))
        deleted, _lists = forgetting.forget_child(desk.workspace, vault, secrets, children)
    _say(_word_deleted(desk, deleted))


def _withdraw(desk: Desk) -> None:
    hand = read_hand(desk)
    partner = st.selectbox(
        _("Partner"), hand.list_partners(), index=None, placeholder=_("Choose"), key="withdraw", width=_WIDTH
    )
    if not partner:
        return
    with desk.open_vault() as (vault, _keys):
        name = forgetting.find_partner(vault, partner)
        count = vault.count_brought(name)
    st.warning(
        format_plural(
            "{count} record of {name} would be deleted for good.",
            "{count} records of {name} would be deleted for good.",
            count,
            name=escape_markdown(name),
        )
    )
    with st.form("withdraw-now", clear_on_submit=True, border=False, width=_WIDTH):
        typed = st.text_input(_("Type the partner's name again"), autocomplete="off")
        pressed = st.form_submit_button(_("Delete these records"))
    if pressed:
        if not is_same_partner(typed, name):
            raise InputError(_("That is not {name}. Nothing was deleted.", name=name))
        with desk.open_vault() as (vault, _keys):
            deleted, _lists = forgetting.withdraw_partner(desk.workspace, vault, name)
        _say(_word_deleted(desk, deleted))


def _word_deleted(desk: Desk, count: int) -> str:
    """Return sentences on how many records were deleted, and where copies of them still are."""
    replaced = [
        _("{folder}, kept from before a restore, still contains them: delete this folder.", folder=f"`{path}`")
        for path in forgetting.list_replaced_vaults(desk.workspace)
    ]
    stays = _(
        "Published numbers of final years stay as they are. Provisional ones stay until their year is final. Older "
        "backups still contain what was deleted: destroy those that you no longer need."
    )
    return " ".join(
        [format_plural("{count} record was deleted.", "{count} records were deleted.", count), stays, *replaced]
    )
