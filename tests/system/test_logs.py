"""Where the logs are, who removes them, and dracoctl logs."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import struct
import time
from pathlib import Path

from harness import PYTHON, SMALL, Draco, wait_for
from steps import events

DAY = 86400


def log_directory(draco: Draco) -> Path:
    return Path(draco.status()["cluster"]["log_directory"])


def make_start(base: Path, name: str, *files: str, days: float = 20) -> Path:
    """The directory of an earlier start, in which nothing was written for some days."""
    directory = base / name
    directory.mkdir(parents=True, mode=0o700)
    for file in files:
        (directory / file).write_text("once upon a time\n")
    age(directory, days)
    return directory


def age(directory: Path, days: float) -> None:
    when = time.time() - days * DAY
    for path in [*directory.iterdir(), directory]:
        os.utime(path, (when, when), follow_symlinks=False)


def hold_lock(path: Path) -> int:
    """An open file description lock, as dracod takes it."""
    fd = os.open(path, os.O_RDWR)
    lock = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    fcntl.fcntl(fd, 37, lock)  # F_OFD_SETLK
    return fd


def wait_for_cleaning(draco: Draco) -> dict:
    def find() -> dict | None:
        found = [e for e in events(draco) if e["subject"] == "logs"]
        return found[-1] if found else None

    return wait_for(find, "old logs are removed")


def test_all_logs_of_a_start_are_in_one_directory(draco: Draco) -> None:
    draco.start()
    job = draco.jobs()[0]["id"]
    directory = log_directory(draco)
    assert directory.parent == draco.home / ".draco_logs"
    assert {p.name for p in directory.iterdir()} == {
        "daemon.log",
        "scheduler.log",
        f"job-{job}.log",
        "lock",
    }
    assert (draco.state / "logs").resolve() == directory
    # The job's log has the mode that Slurm gives it by the user's umask.
    private = [p for p in directory.iterdir() if not p.name.startswith("job-")]
    assert all(path.stat().st_mode & 0o077 == 0 for path in [directory, *private])
    draco.run("shutdown")
    log = directory / "daemon.log"
    wait_for(lambda: log.read_text().endswith("dracod: ends\n"), "dracod has ended")
    assert "stopped -> starting" in log.read_text()
    wait_for(lambda: not (directory / "lock").exists(), "the directory is given up")


def test_old_logs_are_removed(draco: Draco) -> None:
    base = draco.home / ".draco_logs"
    old = [
        make_start(base, "2020-01-01T00:00:00", "scheduler.log", "job-1.log", "daemon.log.1"),
        make_start(base, "2020-01-01T00:00:00-2", "job-4_7.log"),
        make_start(base, "2020-01-02T00:00:00"),
    ]
    # Its dracod crashed, on a host that is not there any more.
    crashed = make_start(base, "2020-01-03T00:00:00", "job-1.log")
    (crashed / "lock").write_text('{"host": "elsewhere", "boot": "x", "pid": 1, "name": "n"}')
    age(crashed, 20)

    outside = draco.home / "outside"
    outside.mkdir()
    (outside / "precious.log").write_text("mine")
    kept = [
        make_start(base, "2020-02-01T00:00:00", "job-1.log", days=13),
        make_start(base, "2020-02-02T00:00:00", "job-1.log", "thesis.tex"),
        make_start(base, "2020-02-03", "job-1.log"),
        make_start(base, "2020-13-03T00:00:00", "job-1.log"),
        make_start(base, "2020-02-04T00:00:00-two", "job-1.log"),
        make_start(base, "notes", "job-1.log"),
        make_start(base, "2020-02-05T00:00:00", "job-1.log"),
        make_start(base, "2020-02-06T00:00:00", "job-1.log"),
        make_start(base, "2020-02-07T00:00:00", "job-1.log"),
        make_start(base, "2020-02-09T00:00:00", "job-1.log"),
    ]
    (kept[6] / "link.log").symlink_to(outside / "precious.log")
    (kept[7] / "directory.log").mkdir()
    age(kept[6], 20)
    age(kept[7], 20)
    # In use: by a process that holds the lock, and by one of another host, of which only the lock's
    # time tells.
    (kept[8] / "lock").write_text("")
    fd = hold_lock(kept[8] / "lock")
    age(kept[8], 20)
    (kept[9] / "lock").write_text('{"host": "elsewhere", "boot": "x", "pid": 1, "name": "n"}')
    age(kept[9], 20)
    os.utime(kept[9] / "lock", (time.time() - DAY,) * 2)
    # Older than the retention of one hour below, all the same.
    (base / "2020-02-08T00:00:00").symlink_to(outside)
    os.utime(outside, (0, 0))

    # The state of a cluster inside a Slurm job goes, too.
    state = draco.home / ".local/state/draco"
    state.mkdir(parents=True, mode=0o700, exist_ok=True)
    of_job = make_start(state, "job-4711", "dracod.log")
    other = make_start(state, "other", "dracod.log")

    draco.start()
    event = wait_for_cleaning(draco)
    assert not of_job.exists() and other.exists()
    assert "removed 4 directories of starts older than 14 d" in event["text"]
    assert "5 files" in event["text"]
    assert not any(path.exists() for path in [*old, crashed])
    assert all(path.exists() for path in kept)
    assert (base / "2020-02-08T00:00:00").is_symlink()
    assert (outside / "precious.log").read_text() == "mine"
    os.close(fd)


def test_retention_is_a_setting(draco: Draco) -> None:
    base = draco.home / ".draco_logs"
    old = make_start(base, "2020-01-01T00:00:00", "job-1.log", days=2)
    older = make_start(base, "2019-01-01T00:00:00", "job-1.log", days=400)
    draco.start("--log-retention=0")
    draco.run("stop")
    # A second start looks only after the first one's: what was to be removed is by then.
    draco.start("--log-retention=30 days")
    wait_for(lambda: not older.exists(), "the oldest is removed")
    assert old.exists()
    draco.run("stop")
    draco.start("--log-retention=36 h")
    wait_for(lambda: not old.exists(), "the old one is removed")
    assert log_directory(draco).exists()


def test_logs_of_a_running_cluster_stay(draco: Draco) -> None:
    """However old they look: an idle cluster of another name, with the same log directory."""
    other = Draco(draco.sandbox)
    with other:
        base = draco.home / ".draco_logs"
        other.start(f"--log-directory={base}")
        in_use = log_directory(other)
        assert in_use.parent == base
        age(in_use, 100)
        # One that goes shows that the other was looked at: they are taken in any order, so all are.
        make_start(base, "2020-01-01T00:00:00", "job-1.log", days=100)
        draco.start()
        wait_for_cleaning(draco)
        assert in_use.exists() and (in_use / "scheduler.log").exists()
        other.run("shutdown")
        wait_for(lambda: not other.processes(), "its dracod has ended")
        age(in_use, 100)
        draco.run("stop")
        draco.start()
        wait_for(lambda: not in_use.exists(), "it goes when nobody uses it any more")
    other.check_nothing_left()


def test_the_log_does_not_grow_for_ever(draco: Draco) -> None:
    draco.state.mkdir(parents=True)
    for directory in (draco.state, draco.state.parent):
        directory.chmod(0o700)
    line = "x" * 99 + "\n"
    draco.log.write_text(line * 41942)  # 4 MiB less a few lines
    draco.start()
    draco.wait_for_workers(2)  # the last that is logged for now
    old = draco.state / "dracod.log.1"
    assert old.exists() and old.stat().st_size < 4.1 * 2**20
    assert draco.log.stat().st_size < 10000
    whole = old.read_text() + draco.log.read_text()
    for part in ("serves", "stopped -> starting", "starting -> running"):
        assert part in whole
    before = old.read_text()
    with draco.log.open("a") as log:
        log.write(line * 41940)
    follower = draco.popen("logs", "-f", "-n", "1", stdout=-1)
    try:
        assert follower.stdout is not None and follower.stdout.readline() == line
        draco.run("shutdown")
        text = ""
        while not text.endswith("dracod: ends\n"):
            text += follower.stdout.readline()
        assert "running -> stopping" in text
    finally:
        follower.kill()
        follower.wait()
    assert old.read_text() != before
    assert sum(path.stat().st_size for path in draco.state.glob("dracod.log*")) < 8.3 * 2**20


def test_logs_after_stop_and_of_earlier_starts(draco: Draco) -> None:
    assert draco.run("logs", "scheduler", check=False).returncode == 3
    assert draco.run("logs", check=False).returncode == 3
    draco.start()
    first = draco.jobs()[0]["id"]
    draco.run("shutdown")
    assert "End worker" in draco.run("logs", first).stdout
    assert "End scheduler" in draco.run("logs", "scheduler").stdout
    assert "dracod: ends" in draco.run("logs", "daemon").stdout
    draco.start()
    second = draco.jobs()[0]["id"]
    assert "End worker" in draco.run("logs", first).stdout
    shown = json.loads(draco.run("--json", "logs", second, "-n", "1").stdout)
    assert shown["log"] == second and len(shown["lines"]) == 1
    assert Path(shown["path"]) == log_directory(draco) / f"job-{second}.log"
    listed = json.loads(draco.run("--json", "logs", "--list").stdout)
    assert [log["name"] for log in listed["logs"]] == ["daemon", "scheduler", second]
    assert len(listed["earlier"]) == 1
    assert f"{second} " in draco.run("logs", "-l").stdout
    for wrong in ("4711", "../../x", ""):
        result = draco.run("logs", wrong, check=False)
        assert result.returncode == 1 and f"known: {second}" in result.stderr


def test_follow_the_scheduler_from_one_start_to_the_next(draco: Draco) -> None:
    draco.start()
    follower = draco.popen("logs", "scheduler", "-f", stdout=-1, stderr=-1)
    try:
        assert follower.stdout is not None and follower.stderr is not None
        draco.run("shutdown")
        draco.start()
        address = draco.status()["scheduler"]["address"]
        text = ""
        while f"Scheduler at:     {address}" not in text:
            text += follower.stdout.readline()
        assert "End scheduler" in text
        assert f"{log_directory(draco)}/scheduler.log" in follower.stderr.readline()
    finally:
        follower.kill()
        follower.wait()


def test_follow_a_job_that_is_pending(draco: Draco) -> None:
    """Its log comes when it starts; and following ends when nobody reads any more."""
    with draco.sandbox.full():
        start = draco.popen("start", *SMALL)
        job = wait_for(draco.jobs, "the job is pending")[0]["id"]
        wait_for(lambda: draco.status()["jobs"][0]["id"] == job, "dracod knows the job")
        assert "has no log yet" in draco.run("logs", job, check=False).stderr
        follower = draco.popen("logs", job, "-f", stdout=-1, stderr=-1)
        assert follower.stdout is not None and follower.stderr is not None
        assert "waiting for" in follower.stderr.readline()
    assert start.wait(120) == 0
    assert follower.stdout.readline()
    follower.stdout.close()
    assert follower.wait(60) is not None


def test_a_failed_start_shows_the_end_of_the_jobs_log(draco: Draco) -> None:
    python = draco.home / "python"
    python.write_text(
        "#!/bin/sh\n"
        'if [ -n "$SLURM_JOB_ID" ]; then echo "the module is not on $SLURMD_NODENAME"; exit 7; fi\n'
        f'case "$*" in *distributed.cli.*) exec {PYTHON} "$@";; esac\n'
        f'{PYTHON} "$@" | sed "s,\\"path\\": \\"[^\\"]*\\",\\"path\\": \\"$0\\","\n'
    )
    python.chmod(0o755)
    result = draco.start(f"--python={python}", check=False)
    assert result.returncode == 1
    assert "failed with exit status 7 on n" in result.stderr
    assert "| the module is not on n" in result.stderr
    assert len(draco.all_jobs()) == 1, "it was tried once"
    failures = draco.run("--quiet", "events").stdout
    assert "failed with exit status 7" in failures and "| the module is not on n" in failures
    told = draco.start(f"--python={python}", "--json", check=False)
    data = json.loads(told.stdout[told.stdout.index('{\n  "error"') :])["data"]
    assert "the module is not on" in data["tail"] and Path(data["log"]).exists()


def test_the_lock_names_its_holder(draco: Draco) -> None:
    draco.start()
    holder = json.loads((log_directory(draco) / "lock").read_text())
    assert holder["pid"] == draco.daemon() and holder["name"] == draco.name
    assert holder["host"] == socket.gethostname()
