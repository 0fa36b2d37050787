"""``start_slurm_cluster``, as in the Python package that draco replaces."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from draco import _html
from draco._settings import OtherSettings, Place
from draco.cluster import Cluster

if TYPE_CHECKING:
    from distributed import Client
    from typing_extensions import Unpack

F = TypeVar("F", bound=Callable[..., Any])


def _given_only(function: F) -> F:
    """Pass None for each parameter that the caller did not give.

    The defaults in the signature are those of the settings' table. Only a given value may
    override the files of site and user, so the function must see which ones were given.
    """
    signature = inspect.signature(function)
    unset = {
        name: None
        for name, parameter in signature.parameters.items()
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    }

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True  # the traceback of a failed start shows the caller's line
        bound = signature.bind(*args, **kwargs)
        arguments: dict[str, Any] = {**unset, **bound.arguments}
        arguments.update(arguments.pop("settings", {}))
        return function(**arguments)

    return cast(F, wrapper)


@_given_only
def start_slurm_cluster(
    processes: int = 20,
    cores: int = 40,
    memory: str | int = "80 GiB",
    walltime: str = "01:30:00",
    wait_timeout: int = 300,
    adaptive_scale_factor: int = 2,
    use_scratch_dir: bool = True,
    reservation: str | None = None,
    queues_to_try: list[Place] | None = None,
    *,
    name: str | None = None,
    profile: str | None = None,
    quiet: bool = False,
    **settings: Unpack[OtherSettings],
) -> tuple[Client, Cluster]:
    """Start a Dask cluster on Slurm, or join the one that runs, and connect to it.

    It grows and shrinks with the work. Files of site and user, and ``DRACO_*`` variables, may
    have other defaults than those named here.

    Parameters
    ----------
    processes : int, optional
        Dask workers in one job.
    cores : int, optional
        CPU cores of one job; each worker has ``cores / processes`` threads.
    memory : str or int, optional
        Memory of one job, such as "80 GiB", or in bytes; each worker has ``memory / processes``.
    walltime : str, optional
        Of one job, in any form of ``sbatch --time``; at least 00:45:00.
    wait_timeout : int, optional
        Seconds that a job may wait in one place before it is let into the next.
    adaptive_scale_factor : int, optional
        The most workers are this factor times ``processes``.
    use_scratch_dir : bool, optional
        Workers keep local files under ``/scratch/$USER``.
    reservation : str, optional
        Slurm reservation, tried first.
    queues_to_try : list of str or dict, optional
        Partitions in order, by default "short" and "standard". One with options of sbatch that jobs
        have there alone is ``{"partition": "short", "qos": "debug"}``.
    name : str, optional
        Name of the cluster, for several side by side; by default ``$DRACO_NAME``, inside
        a Slurm job "job-ID", else "default".
    profile : str, optional
        A profile of the settings' files.
    quiet : bool, optional
        Print nothing.
    **settings
        Any other setting of ``dracoctl config show``.

    Returns
    -------
    client : distributed.Client
        Connected to the cluster, and the default one of this process.
    cluster : Cluster
        Its ``close()`` stops the cluster only when this call started it and nobody else uses it.

    Raises
    ------
    SettingError
        For a value that is not valid, such as too short a walltime.
    ClusterFailed
        When no place was found for the jobs, or the cluster did not start.

    Examples
    --------
    >>> from draco import start_slurm_cluster
    >>> client, cluster = start_slurm_cluster()
    """
    __tracebackhide__ = True
    given: dict[str, Any] = {
        "processes": processes,
        "cores": cores,
        "memory": memory,
        "walltime": walltime,
        "wait_timeout": wait_timeout,
        "adaptive_scale_factor": adaptive_scale_factor,
        "use_scratch_dir": use_scratch_dir,
        "reservation": reservation,
        "queues_to_try": queues_to_try,
        **settings,
    }
    cluster = Cluster(name=name, profile=profile, quiet=quiet, **given)
    try:
        from distributed import Client

        client = Client(cluster)
        if not quiet:
            print(_farewell(cluster))
    except BaseException:
        cluster.close()
        raise
    return client, cluster


def _farewell(cluster: Cluster) -> str:
    workers = _html.workers_there(cluster._link.report)
    text = f'Cluster "{cluster.name}" is ready for computation: {workers}.'
    link = cluster.dashboard_link
    return f"{text} Dask's dashboard: {link}" if link else text
