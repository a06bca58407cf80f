"""Work spread over processes of this machine or over other machines, by Dask, which is an optional library."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any, TypeVar

from data.errors import InputError
from data.workspace.threads import on_one_thread

LOCAL = "local"

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_on_cluster(
    function: Callable[..., Result], items: Sequence[Item], *, address: str, workers: int, shared: Sequence[Any] = ()
) -> Iterator[Result]:
    """Yield `function(item, *shared)` of each item in order, computed on a Dask cluster.

    address : of the scheduler, such as tcp://10.0.0.5:8786, or "local" for `workers` processes of this machine.
    shared : arguments of all items, sent to each worker once.

    Each worker uses one thread for linear algebra. Raises InputError where Dask is not installed or nobody answers.
    """
    distributed = _load_dask()
    with ExitStack() as stack:
        if address == LOCAL:
            cluster = distributed.LocalCluster(
                n_workers=workers, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
            )
            client = distributed.Client(stack.enter_context(cluster))
        else:
            client = _connect(distributed, address)
        stack.enter_context(client)
        arguments = [client.scatter(argument, broadcast=True, hash=False) for argument in shared]
        futures = client.map(_call, items, function=function, arguments=arguments, pure=False)
        for future in futures:
            yield future.result()
            future.release()


@on_one_thread
def _call(item: Item, function: Callable[..., Result], arguments: Sequence[Any]) -> Result:
    return function(item, *arguments)


def _load_dask() -> Any:  # noqa: ANN401
    try:
        return importlib.import_module("distributed")
    except ModuleNotFoundError as error:
        raise InputError("A cluster needs Dask. Install it beside the product: pip install '.[cluster]'") from error


def _connect(distributed: Any, address: str) -> Any:  # noqa: ANN401
    try:
        return distributed.Client(address, timeout="10s")
    except (OSError, ValueError) as error:
        raise InputError(
            f"No cluster answers at {address}. Give the address of its scheduler, such as tcp://10.0.0.5:8786, "
            f"or {LOCAL!r} for processes of this machine."
        ) from error
