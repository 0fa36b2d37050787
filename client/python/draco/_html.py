"""The cluster as a notebook shows it."""

from __future__ import annotations

import html
import time
from typing import Any

_CELL = '<td style="text-align: left;">'


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def _note(job: dict[str, Any], now: float) -> str:
    """Why it is pending and when it starts, how long it lives yet, or how it ended."""
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


def _row(cells: list[str], tag: str = "td") -> str:
    style = ' style="text-align: left;"'
    inner = "".join(f"<{tag}{style}>{html.escape(cell)}</{tag}>" for cell in cells)
    return f"<tr>{inner}</tr>"


def jobs_html(report: dict[str, Any]) -> str:
    """Make rows for distributed's panel of a cluster, from dracod's status."""
    now = time.time()
    rows = [_row(["Job", "Phase", "Partition", "Node", "Workers", ""], "th")]
    for job in report.get("jobs") or []:
        rows.append(
            _row(
                [
                    str(job.get("id") or ""),
                    str(job.get("phase") or ""),
                    str(job.get("partition") or ""),
                    str(job.get("nodes") or ""),
                    f"{job.get('workers', 0)}/{job.get('processes', 0)}",
                    _note(job, now),
                ]
            )
        )
    table = f'<table style="width: 100%;">{"".join(rows)}</table>' if len(rows) > 1 else "none"
    text = f'<tr><td style="text-align: left;" colspan="2"><strong>Jobs:</strong> {table}</td></tr>'
    attached = report.get("attached") or []
    if len(attached) > 1:
        names = [str(item.get("notebook") or item.get("program") or "?") for item in attached]
        text += (
            '<tr><td style="text-align: left;" colspan="2"><strong>Attached:</strong> '
            f"{html.escape(', '.join(names))}</td></tr>"
        )
    return text


def scaling_html(report: dict[str, Any], workers: int) -> str:
    """Make the text above distributed's buttons for scaling."""
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
