"""The history of phases and decisions: dracoctl events and the method "events"."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest
from harness import Draco, is_alive, wait_for
from standins import Connection
from steps import events


def history(draco: Draco, subject: str, name: str | None = None) -> list[str]:
    """The phases that something went through, each change being from the last one's end."""
    found = [e for e in events(draco, kind="phase", name=name) if e["subject"] == subject]
    assert all(a["to"] == b["from"] for a, b in zip(found, found[1:])), found
    assert all(e["after_s"] >= 0 for e in found)
    return [found[0]["from"], *(e["to"] for e in found)]


def test_history_of_a_cluster(draco: Draco) -> None:
    draco.start("--minimum=4")
    draco.wait_for_workers(4)
    jobs = [job["id"] for job in draco.jobs()]
    draco.run("stop")
    assert history(draco, "cluster") == [
        "stopped",
        "starting",
        "running",
        "stopping",
        "stopped",
    ]
    scheduler = history(draco, "scheduler")
    assert scheduler == ["stopped", "starting", "up", "stopping", "stopped"]
    for job in jobs:
        found = events(draco, kind="phase", name=job)
        assert [e["to"] for e in found][-4:] == ["starting", "ready", "ending", "gone"]
    all_events = events(draco)
    assert [e["id"] for e in all_events] == list(range(1, len(all_events) + 1))
    times = [e["time"] for e in all_events]
    assert times == sorted(times)
    decisions = [e["text"] for e in all_events if e["kind"] == "decision"]
    assert any(text.startswith("submitting 2 jobs to short") for text in decisions)
    assert any(text.startswith("stopping: requested by dracoctl (") for text in decisions)
    # For people: a title, and each event's time, kind, subject and text in one line.
    lines = draco.run("events", "-n", "1000").stdout.splitlines()
    assert len(lines) == len(all_events) + 1 and lines[0].split()[0] == "TIME"
    pattern = rf"^\d\d:\d\d:\d\d  phase     job {jobs[0]} +starting -> ready after [\d.]+ s"
    assert [line for line in lines if re.match(pattern, line)], lines
    assert len(draco.run("events", "-n", "3").stdout.splitlines()) == 4


def test_history_survives_dracod(draco: Draco) -> None:
    assert draco.run("events", check=False).returncode == 3
    draco.start()
    draco.run("shutdown")
    before = events(draco)
    assert before[-1]["text"] == "ends"
    draco.start()
    scheduler = draco.status()["scheduler"]["pid"]
    daemon = draco.daemon()
    os.kill(daemon, signal.SIGKILL)
    os.kill(scheduler, signal.SIGKILL)
    wait_for(lambda: not is_alive(daemon) and not is_alive(scheduler), "both are gone")
    with (draco.state / "events.jsonl").open("a") as file:
        file.write('{"id": 400, "cut')
    draco.start()
    after = events(draco)
    assert after[: len(before)] == before
    ids = [e["id"] for e in after]
    assert ids == list(range(1, len(ids) + 1))
    assert sum(e["subject"] == "dracod" and "serves" in e["text"] for e in after) == 3


def test_follow_from_one_dracod_to_the_next(draco: Draco) -> None:
    draco.start()
    follower = draco.popen("--json", "events", "-f", "-n", "1", stdout=-1)
    try:
        assert follower.stdout is not None
        first = json.loads(follower.stdout.readline())
        draco.run("shutdown")
        draco.start("--minimum=4")
        draco.run("shutdown")
        seen = [first]
        ends = 0
        while ends < 2:
            seen.append(json.loads(follower.stdout.readline()))
            ends += seen[-1]["subject"] == "dracod" and seen[-1]["text"] == "ends"
        ids = [e["id"] for e in seen]
        assert ids == list(range(ids[0], ids[0] + len(ids)))
        assert seen == events(draco)[ids[0] - 1 :]
    finally:
        follower.kill()
        follower.wait()


def test_method_and_notifications(draco: Draco) -> None:
    draco.start()
    draco.wait_for_workers(2)  # from here on nothing happens
    control, idle = Connection(draco), Connection(draco)
    answer = control.call("events", count=2, follow=True)
    assert len(answer["events"]) == 2 and answer["more"] is False
    assert answer["next"] == answer["events"][-1]["id"] + 1
    again = control.call("events", since=answer["next"], follow=True)
    assert again["events"] == [] and again["next"] == answer["next"]
    assert idle.call("events", since=10**9)["events"]
    for params in ({"since": "x"}, {"follow": 1}, {"sinse": 1}):
        error = idle.ask("events", **params)["error"]
        assert error["code"] == -32602 and next(iter(params)) in error["message"]
    draco.run("stop")
    told: list[dict[str, Any]] = []
    while not told or told[-1]["params"].get("to") != "stopped":
        told.append(control.receive() or {})
        assert told[-1]["method"] == "event" and "id" not in told[-1]
    ids = [message["params"]["id"] for message in told]
    assert ids == list(range(answer["next"], answer["next"] + len(ids)))
    # Whoever did not ask is told nothing.
    idle.socket.settimeout(0.2)
    with pytest.raises(TimeoutError):
        idle.receive()
    control.close()
    idle.close()


def test_workers_that_come_and_go(draco: Draco) -> None:
    draco.start()
    draco.wait_for_workers(2)
    with Connection(draco) as control:
        control.call("events", count=0, follow=True, workers=True)
        draco.run("stop")
        counts: list[int] = []
        while 0 not in counts:
            message = control.receive()
            assert message is not None
            if message["method"] == "workers":
                counts.append(message["params"]["connected"])
    assert counts == sorted(counts, reverse=True)


def test_history_is_bounded(draco: Draco) -> None:
    draco.state.mkdir(parents=True)
    for directory in (draco.state, draco.state.parent):
        directory.chmod(0o700)
    file = draco.state / "events.jsonl"
    text = "é" * 490
    with file.open("w") as out:
        for i in range(1, 1801):
            event = {"id": i, "time": 1e9 + i, "kind": "note", "subject": "test", "text": text}
            out.write(json.dumps(event, ensure_ascii=False) + "\n")
    assert file.stat().st_size > 2**20
    draco.start()
    draco.run("stop")  # from here on nothing happens
    # About 1 MiB of events, more than one message holds.
    kept = events(draco)
    assert len(kept) == 1000 and kept[0]["text"] == text
    ids = [e["id"] for e in kept]
    assert ids == list(range(ids[0], ids[0] + 1000)) and ids[-1] > 1800
    with Connection(draco) as control:
        answer = control.call("events")
    assert answer["more"] is True and answer["lost"] == ids[0] - 1
    assert len(json.dumps(answer, ensure_ascii=False).encode()) < 2**19
    assert (draco.state / "events.jsonl.1").exists() and file.stat().st_size < 2**20
    draco.run("shutdown")
    assert [e["id"] for e in events(draco)] == list(range(1, events(draco)[-1]["id"] + 1))


def test_failures_with_reasons(draco: Draco) -> None:
    draco.start("--minimum=4")
    draco.wait_for_workers(4)
    victim = draco.jobs()[0]["id"]
    draco.sandbox.command("scancel", victim)
    failure = wait_for(
        lambda: [
            e for e in events(draco) if e["kind"] == "failure" and e.get("name") == victim
        ],
        "the failure is noted",
    )[0]
    assert "was cancelled" in failure["text"] and "not by draco" in failure["text"]
    assert Path(failure["log"]).name == f"job-{victim}.log" and failure["tail"]
    assert all(len(e["text"]) <= 1024 for e in events(draco))


def test_a_follower_that_does_not_read_harms_nobody(draco: Draco) -> None:
    draco.start()
    follower = draco.popen("events", "-f", stdout=-1)
    try:
        follower.send_signal(signal.SIGSTOP)
        draco.run("stop")
        draco.start()
        assert draco.cluster_state() == "running"
    finally:
        follower.kill()
        follower.wait()


def test_following_ends_with_its_reader(draco: Draco) -> None:
    draco.start()
    wait_for(
        lambda: draco.status()["jobs"][0]["phase"] == "ready", "nothing more happens for now"
    )
    follower = draco.popen("events", "-f", stdout=-1, stderr=-1)
    assert follower.stdout is not None and follower.stderr is not None
    assert follower.stdout.readline()
    follower.stdout.close()
    assert follower.wait(60) is not None
    assert not follower.stderr.read()  # it does not wait for the next dracod
