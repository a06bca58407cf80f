"""A cluster of two workers: counts and a study are the same as without it, to the last bit."""

import stat
import subprocess
import sys
from pathlib import Path

import distributed
import pytest
from threadpoolctl import threadpool_info

from benchmarks.studies import shift
from data.errors import InputError
from data.restricted.bulk_counts import count_files
from data.workspace.cluster import map_on_cluster, start_workers
from tests.data.restricted.test_bulk_counts import BY, INDEX, RECORDS, write
from tests.helpers.paths import ROOT


@pytest.fixture(scope="module")
def address():
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("OPENBLAS_NUM_THREADS", raising=False)  # the workers see to it themselves
        with start_workers(2, is_open=True) as cluster:
            yield cluster.scheduler_address


@pytest.mark.long
def test_a_cluster_gives_the_same_counts_and_the_same_study(address, tmp_path):
    files = [
        write(tmp_path / "a.parquet", RECORDS.slice(0, 2_000), row_group_size=300),
        write(tmp_path / "b.csv", RECORDS.slice(2_000)),
    ]
    here = count_files(files, BY, INDEX)
    for cluster in (address, "local"):
        there = count_files(files, BY, INDEX, cluster=cluster, workers=2)
        assert there.tabulate(BY.by).equals(here.tabulate(BY.by))
        assert there.refused == here.refused
    assert shift.study(3, stated=0, cluster=address) == shift.study(3, stated=0)
    (threads,) = map_on_cluster(lambda _: threadpool_info(), [0], address=address, workers=1)
    assert {library["num_threads"] for library in threads if library["user_api"] == "blas"} == {1}
    words = tmp_path / "words.csv"
    words.write_text("longitude,latitude,quarter,kind\nx,1,a,b\n", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read"):
        count_files([words], BY, INDEX, cluster=address)


@pytest.mark.slow
def test_a_local_cluster_takes_work_from_its_own_process_alone():
    with start_workers(1) as cluster:
        address, folder = cluster.scheduler_address, Path(cluster.scheduler.local_directory)
        assert address.startswith("tls://127.0.0.1:")
        with pytest.raises(OSError, match="in"):
            distributed.Client(address.replace("tls:", "tcp:"), timeout="2s")
        private = folder.parents[1]  # where values go that do not fit into memory
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert not private.exists()


def test_a_cluster_that_does_not_answer_is_refused():
    with pytest.raises(InputError, match="No cluster with workers answers at nowhere://1"):
        next(map_on_cluster(str, [1], address="nowhere://1", workers=1))


@pytest.mark.slow
def test_nothing_loads_dask_until_a_cluster_is_asked_for():
    code = "import sys, dashboard.commands.count, benchmarks.studies.command; print('distributed' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert answer.stdout == "False\n"
