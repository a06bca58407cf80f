"""Make invented records in the form in which intake hands them to the vault.

Run as a program, this is the process that the fault tests kill: see `main`.
"""

import hashlib
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from tests.helpers import killing

COLUMNS = {
    "encounter": {
        "date": [f"2007-0{m}-1{d}" for m in range(1, 10) for d in range(10)],
        "municipality": ["10944377", "9261", "9020"],
        "child": None,
        "programme_child": None,
        "country": ["AL", "GR"],
        "stage": ["at_risk", "recruited", "in_exploitation", "identified"],
        "pathway": ["internal", "al_to_gr", "other_cross_border", "none_known"],
        "form": ["begging", "labour", "other"],
        "axis": ["prevention", "protection"],
        "found": ["reported", "discovered"],
        "sex": ["female", "male", "unknown"],
        "age_band": ["0-5", "6-9", "10-13", "14-17", "unknown"],
        "community": ["roma", "egyptian", "other", "unknown"],
        "origin": ["", "10944377"],
        "destination": ["", "9261"],
        "partner": ["arsis", "Organizatë për të drejtat", "=1+1", "<img src=x onerror=alert(1)>"],
        "record_number": None,
        "victim_status": ["victim", "unknown"],
        "status_decided_by": ["police", "court", "unknown"],
        "citizenship_group": ["own_country", "stateless", "unknown"],
        "recruitment_method": ["online", "unknown"],
        "means_of_control": ["threats", "restriction", "unknown"],
        "help": ["social", "social;legal", "unknown"],
        "household": None,
    },
    "effort": {
        "date": ["2007-03-05", "2007-03-12"],
        "span": ["day", "week"],
        "municipality": ["9261", "9020"],
        "partner": ["arsis"],
        "days": [0.5, 1.0, 2.25],
        "kind": ["street_outreach", "border_post"],
    },
    "service": {
        "municipality": ["9261"],
        "operator": ["Δήμος", "Bashkia"],
        "duty_bearer": ["state", "ngo"],
        "axis": ["prevention"],
        "staff": [3, None],
        "capacity": [None, 20],
        "valid_from": ["2006-06-01"],
        "valid_to": ["", "2008-01-01"],
        "handed_from": ["", "ngo"],
        "handed_to": ["", "state"],
        "help": ["legal", "psychological;health", "unknown"],
    },
    "community": {
        "area": ["AL-11", "GR-I", "9261"],
        "group": ["roma", "egyptian", "roma_and_egyptian"],
        "estimate": [100, 2500],
        "year": [2011, 2021],
        "source": ["census"],
        "partner": ["arsis"],
    },
    "indicator": {
        "area": ["AL"],
        "period": ["2006-06-01/P1Y"],
        "indicator": ["school_enrolment"],
        "value": [0.5, 0.75],
        "target": [None, 1.0],
        "unit": ["share"],
        "source": ["survey"],
        "partner": ["arsis"],
    },
    "figure": {
        "area": ["AL-04", "GR-I"],
        "period": ["2011-01-01/P1Y"],
        "measure": ["population"],
        "number": [1640.0, None],
        "share": [None, 0.25],
        "source": ["census 2011"],
        "year": [2011],
        "status": ["read"],
        "note": ["", "a longer note, with a comma"],
    },
}


def frame(kind, n, *, first=0, seed=0, version=0):
    """Return n canonical rows with the identities first to first + n - 1; their content depends on the version."""
    random = np.random.default_rng([seed, first, version])
    columns = {}
    for name, values in COLUMNS[kind].items():
        if values is None:
            columns[name] = pd.Series([special(name, first + i) for i in range(n)], dtype="str")
        else:
            picked = [values[i] for i in random.integers(0, len(values), n)]
            textual = isinstance(values[-1], str)
            columns[name] = pd.Series(picked, dtype="str" if textual else "float64")
    columns["identity"] = [digest(kind, "identity", first + i) for i in range(n)]
    columns["content"] = [digest(kind, f"content {version}", first + i) for i in range(n)]
    return pd.DataFrame(columns)


def special(name, i):
    if name == "record_number":
        return f"N-{i}" if i % 3 else ""
    if (name == "programme_child" and i % 2) or (name == "household" and i % 4 == 0):
        return ""
    return hashlib.sha256(f"{name} {i // 2}".encode()).hexdigest()


def digest(*parts):
    return hashlib.sha256(repr(parts).encode()).digest()[:16]


def main(folder, key, n, chunk):
    """Import n encounters as one file, and write marks for the test that kills this process."""
    from data.restricted.vault import Vault, importing

    # The vault writes early and often, so that a kill can leave something half done.
    importing._BUFFERED_ROWS = 4 * chunk
    chunks = [frame("encounter", chunk, first=i) for i in range(0, n, chunk)]
    with Vault.open(Path(folder), bytes.fromhex(key)) as vault:
        killing.watch(vault._connection, 10_000)
        with vault.importing("encounter", "partner.csv", "arsis") as batch:
            for part in chunks:
                batch.add(part)
            batch.flush()
            killing.mark(killing.COMMIT)
    killing.mark(killing.END)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
