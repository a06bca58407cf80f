"""Run work on many processes of this machine, or on other machines, with the optional library Dask."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from data.errors import InputError
from data.workspace.threads import on_one_thread

LOCAL = "local"

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_on_cluster(
    function: Callable[..., Result], items: Sequence[Item], *, address: str, workers: int, shared: Sequence[Any] = ()
) -> Iterator[Result]:
    """Yield `function(item, *shared)` for each item, in the order of the items, computed on a Dask cluster.

    address : the address of the scheduler, such as tcp://10.0.0.5:8786, or "local" for `workers` processes of this
    machine. shared : arguments for all items, sent once to each worker.

    Each worker uses one thread for linear algebra. Raises InputError if Dask is not installed or no cluster answers.
    """
    distributed = _load_dask()
    with ExitStack() as stack:
        if address == LOCAL:
            client = distributed.Client(stack.enter_context(start_workers(workers)))
        else:
            try:
                client = distributed.Client(address, timeout="10s")
                client.wait_for_workers(1, timeout=10)
            except (OSError, ValueError) as error:
                raise InputError(
                    f"No cluster with workers answers at {address}. Give the address of its scheduler, such as "
                    f"tcp://10.0.0.5:8786, or {LOCAL!r} for processes of this machine."
                ) from error
        stack.enter_context(client)
        arguments = [client.scatter(argument, broadcast=True, hash=False) for argument in shared]
        futures = client.map(_call, items, function=function, arguments=arguments, pure=False)
        for future in futures:
            yield future.result()
            future.release()


@contextmanager
def start_workers(number: int, *, is_open: bool = False) -> Iterator[Any]:
    """Start a Dask cluster of `number` processes on this machine, and yield it; it accepts work only from this process.

    All users of the machine can reach its ports, and its work runs with the rights of its owner. So each connection
    needs a certificate (TLS) that is made here and never stored. is_open : no certificate is needed, and everybody on
    the machine can send work (for benchmarks). Raises InputError if Dask is not installed.
    """
    # Dask's own settings give memory back to the system after each array, which makes counting three times as slow.
    distributed = _load_dask()
    environment = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), 1)
    # Dask would write what does not fit into memory below a folder that another user can make first.
    with TemporaryDirectory() as folder:
        settings = {"distributed.nanny.pre-spawn-environ": environment, "temporary-directory": folder}
        with importlib.import_module("dask.config").set(settings):
            cluster = distributed.LocalCluster(
                n_workers=number,
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",
                security=not is_open or None,
            )
        with cluster:
            yield cluster


@on_one_thread
def _call(item: Item, function: Callable[..., Result], arguments: Sequence[Any]) -> Result:
    return function(item, *arguments)


def _load_dask() -> Any:  # noqa: ANN401
    try:
        return importlib.import_module("distributed")
    except ModuleNotFoundError as error:
        raise InputError("A cluster needs Dask. Install it beside the product: pip install '.[cluster]'") from error
