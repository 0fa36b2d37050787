"""HTML for notebooks: the panels of a cluster and of a start."""

from __future__ import annotations

import html
import time
from collections.abc import Mapping
from typing import Any

from dask.utils import format_bytes

_LEFT = 'style="text-align: left;"'
_CELL = f"<td {_LEFT}>"
_WIDE = f'<td colspan="2" {_LEFT}>'
_GREY = "#9D9D9D"  # as in distributed's panels; it can be read on white and on black

#: Border and filling of the square beside a title, as distributed has it for its own objects.
_SQUARE = ("#9D9D9D", "#e1e1e1")

_GREEN, _AMBER, _BLUE = "#2E9E5B", "#E8A33D", "#4CC9FF"

#: Columns of the table of jobs, and their parts of its width: Jupyter's tables have a fixed layout.
_JOB_COLUMNS = {"Job": 12, "Phase": 16, "Partition": 15, "Node": 13, "Workers": 12, "": 32}

_PHASE_COLORS = {
    "ready": _GREEN,
    "starting": _BLUE,
    "submitted": _AMBER,
    "pending": _AMBER,
}


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def _note(job: dict[str, Any], now: float) -> str:
    """Why a job is pending and when it starts, its remaining time, or how it ended."""
    if job.get("end"):
        return str(job["end"])
    parts = []
    if job.get("reason"):
        parts.append(str(job["reason"]))
    if job.get("predicted_start"):
        when = time.strftime("%H:%M:%S", time.localtime(job["predicted_start"]))
        parts.append(f"expected to start at {when}")
    if job.get("start_time") and job.get("end_time"):
        parts.append(f"{_duration(job['end_time'] - now)} left")
    return ", ".join(parts)


def _row(cells: list[str]) -> str:
    return "<tr>" + "".join(f"{_CELL}{cell}</td>" for cell in cells) + "</tr>"


def _phase(phase: str) -> str:
    color = _PHASE_COLORS.get(phase, _GREY)
    dot = (
        "display: inline-block; width: 9px; height: 9px; border-radius: 5px; margin-right: 6px;"
    )
    return f'<span style="{dot} background-color: {color};"></span>{html.escape(phase)}'


def _jobs(report: dict[str, Any]) -> str:
    now = time.time()
    rows = []
    for job in report.get("jobs") or []:
        texts = [str(job.get(key) or "") for key in ("id", "phase", "partition", "nodes")]
        cells = [html.escape(text) for text in texts]
        cells[1] = _phase(texts[1])
        workers = f"{job.get('workers', 0)}/{job.get('processes', 0)}"
        rows.append(_row([*cells, workers, html.escape(_note(job, now))]))
    if not rows:
        return "none"
    head = "".join(
        f'<th style="text-align: left; width: {width}%;">{title}</th>'
        for title, width in _JOB_COLUMNS.items()
    )
    return f'<table style="width: 100%; margin: 4px 0;"><tr>{head}</tr>{"".join(rows)}</table>'


def users_of(leases: list[dict[str, Any]]) -> list[str]:
    """Name the attached programs, each by a name of its own.

    Parameters
    ----------
    leases : list of dict
        As in dracod's report, with ``notebook``, ``program``, ``host`` and ``pid``.

    Returns
    -------
    list of str
        Such as "student.ipynb"; if several programs have this name, "student.ipynb (process 4711)",
        and if those run on several hosts, "student.ipynb (process 4711 on login1)".
    """
    names = [str(lease.get("notebook") or lease.get("program") or "?") for lease in leases]
    users = []
    for lease, name in zip(leases, names):
        if names.count(name) > 1:
            hosts = {x.get("host") for x, other in zip(leases, names) if other == name}
            place = f" on {lease.get('host')}" if len(hosts) > 1 else ""
            name += f" (process {lease.get('pid')}{place})"
        users.append(name)
    return users


def _usage(lease: dict[str, Any]) -> str:
    """Say what an attached program has, such as " (share 2, 8 tasks, 1.5 core hours, 2.3 GiB)"."""
    parts = []
    if (share := lease.get("share", 1)) != 1:
        parts.append(f"share {share:g}")
    if running := lease.get("running"):
        parts.append(f"{running} task{'' if running == 1 else 's'} running")
    seconds = lease.get("core_seconds") or 0
    if seconds >= 3600:
        parts.append(f"{seconds / 3600:.1f} core hours")
    elif seconds >= 1:
        parts.append(f"{seconds:.0f} core seconds")
    if lease.get("bytes"):
        parts.append(f"about {format_bytes(lease['bytes'])} of results")
    return f" ({', '.join(parts)})" if parts else ""


def jobs_html(report: dict[str, Any]) -> str:
    """Make rows for distributed's panel of a cluster, from dracod's status."""
    rows = []
    size = report.get("size") or {}
    if paused := paused_text(report):
        rows.append(f'<strong style="color: {_AMBER};">Paused</strong>: {html.escape(paused)}')
    if size.get("why"):
        rows.append(f"<strong>Size:</strong> {html.escape(_size(size))}")
    attached = report.get("attached") or []
    if len(attached) > 1:
        names = zip(users_of(attached), attached)
        users = ", ".join(name + _usage(lease) for name, lease in names)
        rows.append(f"<strong>Attached:</strong> {html.escape(users)}")
    rows.append(f"<strong>Jobs:</strong> {_jobs(report)}")
    return "".join(f"<tr>{_WIDE}{row}</td></tr>" for row in rows)


def closed_html(why: str) -> str:
    """Make a row for the panel of a closed object; ``why`` is "" if a program has closed it."""
    reason = html.escape(why or "this object was closed")
    return f"<tr>{_WIDE}<strong>Closed</strong>: {reason}</td></tr>"


def workers_there(report: Mapping[str, Any]) -> str:
    """Say how many workers are connected, and that they come with the work if there are none.

    Parameters
    ----------
    report : mapping
        dracod's report.
    """
    count = report["cluster"]["workers"]
    if count == 0:
        return "workers come with the work"
    return f"{count} worker{'' if count == 1 else 's'}"


def paused_text(report: Mapping[str, Any]) -> str:
    """Say why no jobs are requested, and how to go on; "" if the cluster is not paused."""
    size = report.get("size") or {}
    if not size.get("paused"):
        return ""
    why = f"{size['paused_why']}; " if size.get("paused_why") else ""
    name = f"--name {report['name']} " if report.get("name", "default") != "default" else ""
    return f"{why}no job is asked for and none given back until dracoctl {name}resume"


def _size(size: dict[str, Any]) -> str:
    if size.get("mode") == "fixed":
        return str(size["why"])
    jobs = size.get("target") or 0
    return f"{jobs} job{'' if jobs == 1 else 's'}: {size['why']}"


def _panel(title: str, name: str, rows: str) -> str:
    """A panel in the style of distributed: a title, the name, and rows of two cells."""
    border, filling = _SQUARE
    square = (
        f"width: 24px; height: 24px; background-color: {filling}; border: 3px solid {border}; "
        "border-radius: 5px; position: absolute;"
    )
    return (
        '<div class="jp-RenderedHTMLCommon jp-RenderedHTML jp-mod-trusted jp-OutputArea-output">'
        f'<div style="{square}"></div><div style="margin-left: 48px;">'
        f'<h3 style="margin-bottom: 0px; margin-top: 0px;">{html.escape(title)}</h3>'
        f'<p style="color: {_GREY}; margin-bottom: 0px;">{html.escape(name)}</p>'
        f'<table style="width: 100%; text-align: left;">{rows}</table></div></div>'
    )


def status_html(name: str, report: dict[str, Any]) -> str:
    """Make a panel from dracod's status, without a connection to the Dask scheduler."""
    cluster = report["cluster"]
    state = str(cluster["state"])
    if cluster.get("failure"):
        state += f": {cluster['failure']}"
    link = (report.get("dashboard") or {}).get("url")
    dashboard = "none"
    if link:
        url = html.escape(link, quote=True)
        dashboard = f'<a href="{url}" target="_blank">{url}</a>'
    address = (report.get("scheduler") or {}).get("address") or "none"
    rows = _row([_field("State", state), _field("Workers", cluster["workers"])])
    rows += _row([_field("Scheduler", address), f"<strong>Dashboard:</strong> {dashboard}"])
    return _panel("Cluster", name, rows + jobs_html(report))


def _field(name: str, value: Any) -> str:
    return f"<strong>{name}:</strong> {html.escape(str(value))}"


def start_html(name: str, message: str, progress: dict[str, Any], failure: str = "") -> str:
    """Make a panel of a start.

    Parameters
    ----------
    name : str
        Of the cluster.
    message : str
        The present step.
    progress : dict
        The last notification of dracod.
    failure : str
        Why the start failed, in any number of lines.
    """
    there, wanted = progress.get("workers", 0), progress.get("workers_wanted", 0)
    rows = [html.escape(message)]
    if failure:
        style = f"white-space: pre-wrap; border-left: 3px solid {_AMBER}; padding-left: 8px;"
        rows.append(f'<div style="{style}">{html.escape(failure)}</div>')
    if wanted:
        color, percent = _BLUE, min(100, 100 * there // wanted)
        bar = "border-radius: 4px; height: 8px; max-width: 300px; margin: 4px 0;"
        filled = f"width: {percent}%; height: 100%; background-color: {color};"
        rows.append(
            f"<strong>Workers:</strong> {there} of {wanted}"
            f'<div style="border: 1px solid {color}; {bar}"><div style="{filled}"></div></div>'
        )
    steps = ", ".join(
        f"{step} {seconds:.1f} s"
        for step, seconds in (progress.get("milestones") or {}).items()
        if isinstance(seconds, (int, float))
    )
    if steps:
        rows.append(f'<span style="color: {_GREY};">{html.escape(steps)}</span>')
    return _panel("Cluster", name, "".join(_row([row]) for row in rows))


def scaling_html(report: dict[str, Any], workers: int) -> str:
    """Make the table above distributed's buttons for scaling."""
    size = report.get("size") or {}
    fixed = size.get("mode") == "fixed"
    per_job = (size.get("per_job") or {}).get("workers") or 1
    wanted = (size.get("target") or 0) * per_job
    count = str(workers) if workers == wanted else f"{workers} / {wanted}"
    mode = "Manual" if fixed else "Adaptive"
    if not fixed and size:
        low, high = size.get("minimum_jobs", 0) * per_job, size.get("maximum_jobs", 0) * per_job
        mode += f", {low} to {high} workers"
    if size.get("paused"):
        mode += ", paused"
    return (
        "<table>"
        f"<tr>{_CELL}Scaling mode: {html.escape(mode)}</td></tr>"
        f"<tr>{_CELL}Workers: {html.escape(count)}</td></tr>"
        "</table>"
    )
