"""Slurm is asked by libslurm or by its commands, with the same answers (slurm_interface)."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import BUILD, Draco, Sandbox, wait_for

WAYS = ("libslurm", "commands")

pytestmark = pytest.mark.skipif(
    not (BUILD / "draco-libslurm.so").exists(), reason="this draco was built without libslurm"
)


class Helper:
    """draco-slurm, asked as dracod asks it."""

    def __init__(self, sandbox: Sandbox, interface: str, **environment: str) -> None:
        ours, theirs = socket.socketpair()

        def prepare() -> None:  # it serves descriptor 3
            os.dup2(theirs.fileno(), 3)
            os.set_inheritable(3, True)

        self.process = subprocess.Popen(
            [str(BUILD / "draco-slurm")],
            close_fds=False,
            preexec_fn=prepare,
            env={
                **os.environ,
                **sandbox.environment,
                "DRACO_SLURM_INTERFACE": interface,
                **environment,
            },
        )
        theirs.close()
        self.lines = ours.makefile("rw")
        self.socket = ours
        self.notices: list[dict[str, Any]] = []
        self.way = self.ask("hello", protocol=2).get("way", {})

    def __enter__(self) -> Helper:
        return self

    def __exit__(self, *exc_info) -> None:
        self.lines.close()
        self.socket.close()
        assert self.process.wait(60) == 0

    def ask(self, method: str, **params: Any) -> Any:
        """Return the result, or the error."""
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        self.lines.write(json.dumps(request) + "\n")
        self.lines.flush()
        while "id" not in (answer := json.loads(self.lines.readline())):
            self.notices.append(answer["params"])
        return answer.get("result", answer.get("error"))


@pytest.fixture
def epilogued() -> Iterator[Sandbox]:
    """A Slurm whose jobs stay COMPLETING until the file ``gate`` is in its directory."""
    with Sandbox("--nodes", "2", "--shared") as sandbox:
        epilog = Path(sandbox.directory) / "epilog"
        epilog.write_text(f"#!/bin/sh\nwhile [ -d {sandbox.directory} ] && "
                          f"[ ! -e {sandbox.directory}/gate ]; do sleep 0.2; done\n")  # fmt: skip
        epilog.chmod(0o755)
        with open(Path(sandbox.environment["SLURM_CONF"]), "a") as conf:
            conf.write(f"Epilog={epilog}\n")
        sandbox.command("scontrol", "reconfigure")
        yield sandbox


#: Jobs by name: sbatch's options, and what they run.
JOBS = {
    "ok": ([], "true"),
    "fail": ([], "exit 3"),
    "signal": ([], "kill -9 $$"),
    "run": ([], "sleep 300"),
    "held": (["--hold"], "true"),
    "tasks": (["--hold", "--array=0-9:3%2"], "true"),
    "mixed": (["--array=0-5%1"], "sleep 300"),
    "cancel": ([], "sleep 300"),
    "cancelheld": (["--hold"], "true"),
    "term": ([], "trap 'exit 0' TERM; sleep 300 & wait"),
    "kill": ([], "sleep 300"),
    "requeue": (["--requeue"], "sleep 300"),
    "suspend": ([], "sleep 300"),
    "never": (["--begin=now+1hour"], "true"),
}


def submit(sandbox: Sandbox) -> dict[str, str]:
    return {
        name: sandbox.command(
            "sbatch", "--parsable", f"--job-name=both-{name}", "-n1", "--mem=100", "-t", "5",
            "-o", "/dev/null", *options, "--wrap", text,
        ).strip()
        for name, (options, text) in JOBS.items()
    }  # fmt: skip


def both(sandbox: Sandbox, method: str, **params: Any) -> list[Any]:
    """Return the answers of both ways at a moment at which the queue does not change."""
    for _ in range(20):
        answers = []
        for interface in (*WAYS, WAYS[0]):
            with Helper(sandbox, interface) as helper:
                answers.append(helper.ask(method, **params))
            if method == "query":  # squeue sorts
                answers[-1]["jobs"].sort(key=lambda job: (job["job_id"], job["task"]))
        if answers[0] == answers[2]:
            break
    return answers[:2]


def by_id(helper: Helper) -> dict[tuple[int, int], dict[str, Any]]:
    jobs = helper.ask("query", prefix="both-")["jobs"]
    return {(job["job_id"], job["task"]): job for job in jobs}


def states(jobs: list[dict[str, Any]]) -> dict[str, str]:
    return {f"{job['name'][5:]}.{max(job['task'], 0)}": job["state"] for job in jobs}


def test_same_answers(epilogued: Sandbox) -> None:
    """For each request, and for jobs in each state that Slurm can be brought to here."""
    ids = submit(epilogued)
    running = {"run", "cancel", "term", "kill", "requeue", "suspend"}
    wait_for(
        lambda: running <= {j["name"][5:] for j in epilogued.jobs("RUNNING", "both-")},
        "the jobs run",
    )
    epilogued.command("scontrol", "requeue", ids["requeue"])
    epilogued.command("scontrol", "suspend", ids["suspend"])
    ended = [
        ("cancel", "cancel"),
        ("cancelheld", "cancel"),
        ("term", "terminate"),
        ("kill", "kill"),
    ]
    # They are looked at while COMPLETING hides what they are.
    expected = {
        "cancel": "CANCELLED",
        "kill": "CANCELLED",
        "term": "COMPLETED",
        "fail": "FAILED",
    }
    seen: dict[str, set[str]] = {}
    gate = Path(epilogued.directory) / "gate"
    deadline = time.monotonic() + 120
    with Helper(epilogued, "libslurm") as libslurm, Helper(epilogued, "commands") as commands:
        for name, how in ended:
            assert commands.ask("cancel", jobs=[ids[name]], how=how) == {}, name
        while time.monotonic() < deadline:
            one, other, again = (by_id(way) for way in (libslurm, commands, libslurm))
            hidden = {job["name"][5:] for job in epilogued.jobs("COMPLETING", "both-")}
            for key in one:
                name = one[key]["name"][5:]
                if other[key] == one[key] == again[key] and name in hidden:
                    seen.setdefault(name, set()).add(one[key]["state"])
                if one[key] != again[key] or other[key] == one[key]:
                    continue
                # An end that is not known yet: it will be told.
                assert name in {"ok", "signal"}, (one[key], other[key])
                unknown = {"state": "RUNNING", "end_time": 0}
                assert other[key] == {**one[key], **unknown}
            if gate.exists() and not hidden:
                break
            if all(state in seen.get(name, ()) for name, state in expected.items()):
                gate.touch()
    for name, state in expected.items():
        assert state in seen[name], (name, seen)
    one, other = both(epilogued, "query", prefix="both-")
    assert other == one
    found = states(one["jobs"])
    expected = {
        "ok.0": "COMPLETED",
        "fail.0": "FAILED",
        "signal.0": "FAILED",
        "run.0": "RUNNING",
        "held.0": "PENDING",
        "tasks.9": "PENDING",
        "cancel.0": "CANCELLED",
        "cancelheld.0": "CANCELLED",
        "term.0": "COMPLETED",
        "kill.0": "CANCELLED",
        "suspend.0": "SUSPENDED",
        "never.0": "PENDING",
    }
    assert {name: found[name] for name in expected} == expected
    for method, params in {
        "identify": {},
        "site": {"partitions": ["short", "standard", "nothing"], "host": "localhost"},
        "survey": {"cores": 2, "memory_mib": 100, "exclude": "n[2-3]"},
    }.items():
        one, other = both(epilogued, method, **params)
        assert other == one, method


def test_same_survey_of_odd_places(own_sandbox: Sandbox) -> None:
    """Nodes that are drained or down, partitions that are closed, reservations."""
    scontrol = ["scontrol"]
    own_sandbox.command(*scontrol, "update", "NodeName=n1", "State=DRAIN", "Reason=State=IDLE")
    own_sandbox.command(
        *scontrol,
        "update",
        "PartitionName=standard",
        "State=DRAIN",
        "AllowGroups=nobody,nogroup",
        "MaxCPUsPerNode=4",
        "MaxTime=UNLIMITED",
    )
    for number, more in enumerate(
        [["Flags=FLEX,IGNORE_JOBS"], ["PartitionName=short", "Flags=IGNORE_JOBS"]]
    ):
        own_sandbox.command(
            *scontrol, "create", f"ReservationName=r{number}", "StartTime=now+60", "Duration=10",
            "Users=-root" if number else "Users=root", f"Nodes=n{number + 1}", *more,
        )  # fmt: skip
    one, other = both(own_sandbox, "survey", cores=1, memory_mib=100, exclude="")
    assert other == one
    assert len(one["reservations"]) == 2
    assert "inactive" not in json.dumps(one)


@pytest.mark.parametrize("interface", WAYS)
def test_changes_and_refusals(own_sandbox: Sandbox, interface: str) -> None:
    """A job is moved; what has ended is no error; what Slurm refuses is told in its words."""
    sbatch = ["sbatch", "--parsable", "--hold", "-o", "/dev/null", "-t", "5"]
    array = own_sandbox.command(*sbatch, "--array=0-3", "--wrap", "true").strip()
    one = own_sandbox.command(*sbatch, "--wrap", "true").strip()
    moved = [f"{array}_0", f"{array}_2", one]
    with Helper(own_sandbox, interface) as helper:
        # Slurm 26.05 may be busy with an array that has just come.
        busy = {"outcome": "busy"}
        answer = wait_for(
            lambda: (answer := helper.ask("update", jobs=moved, partition="short,standard"))
            == {}
            or (answer.get("data") != busy and answer),
            "Slurm has moved the jobs",
        )
        assert answer is True, answer
        assert helper.ask("update", jobs=[one], exclude="n2") == {}
        assert helper.ask("update", jobs=["99999"], exclude="n2") == {}
        refused = helper.ask("update", jobs=moved, partition="nothing")
        assert refused["data"] == {"outcome": "refused"}
        assert f"cannot move job {array}_[0,2] to nothing: " in refused["message"]
        assert "Invalid partition name specified" in refused["message"]
        places = own_sandbox.command("squeue", "-h", "-r", "-o", "%i %P").split("\n")
        assert {f"{job} short,standard" for job in moved} <= set(places)
        assert helper.ask("cancel", jobs=[*moved, "99999"], how="cancel") == {}
        assert helper.ask("cancel", jobs=moved, how="terminate") == {}
        assert helper.ask("cancel", jobs=moved, how="kill") == {}
    left = own_sandbox.jobs("PENDING", "wrap")
    assert sorted(job["id"] for job in left) == [f"{array}_1", f"{array}_3"]


@pytest.mark.parametrize("interface", WAYS)
def test_without_slurmctld(own_sandbox: Sandbox, interface: str) -> None:
    """Nothing has happened, and that is known."""
    own_sandbox.kill("slurmctld")
    with Helper(own_sandbox, interface) as helper:
        answer = helper.ask("query", prefix="")
        assert answer["data"] == {"outcome": "unreachable"}
        assert "Unable to contact slurm controller" in answer["message"]
    own_sandbox.restart("slurmctld")


def count_rpcs(sandbox: Sandbox, interface: str, method: str, **params: Any) -> dict[str, int]:
    """Return how often slurmctld was asked what by one request."""
    with Helper(sandbox, interface) as helper:
        sandbox.command("sdiag", "--reset")
        assert "data" not in helper.ask(method, **params)
        text = sandbox.command("sdiag").split("by message type")[1].split("by user")[0]
    found = re.findall(r"REQUEST_(\w+).*count:(\d+)", text)
    ours = {name: int(count) for name, count in found}
    for of_others in ("STATS_INFO", "STATS_RESET"):
        ours.pop(of_others, None)
    return ours


#: What the commands ask beyond libslurm: squeue and "scontrol show node" read the partitions, and
#: "scontrol show config" asks each controller whether it is up.
MORE = {
    "query": {"PARTITION_INFO": 1},
    "survey": {"PARTITION_INFO": 1},
    "identify": {"PING": 1},
    "site": {"PING": 1, "PARTITION_INFO": 1},
}


def test_rpcs_side_by_side(own_sandbox: Sandbox) -> None:
    """One request of dracod costs slurmctld as much, but for what is listed."""
    for method, more in MORE.items():
        params = {"query": {"prefix": ""}, "site": {"partitions": ["short"]}}.get(method, {})
        libslurm, commands = (count_rpcs(own_sandbox, way, method, **params) for way in WAYS)
        # As root, whose id is 0, squeue reads the jobs of all.
        for asked in (libslurm, commands):
            asked["JOBS"] = asked.pop("JOB_USER_INFO", 0) + asked.pop("JOB_INFO", 0)
            asked["NODES"] = asked.pop("NODE_INFO", 0) + asked.pop("NODE_INFO_SINGLE", 0)
        print(f"{method}: libslurm {libslurm}, commands {commands}")
        expected = dict(libslurm)
        for name, count in more.items():
            expected[name] = expected.get(name, 0) + count
            if not expected[name]:
                del expected[name]
        assert commands == expected, method


def version(draco: Draco, **environment: str) -> dict[str, Any]:
    """Return how Slurm would be asked."""
    text = draco.run("--json", "version", check=True, **environment).stdout
    return json.loads(text)["slurm"]


@pytest.fixture
def newer(draco: Draco) -> Path:
    """A directory whose scontrol is of another release, as after Slurm was upgraded."""
    directory = draco.root / "newer"
    directory.mkdir()
    for name in ("sbatch", "squeue", "scancel", "scontrol"):
        real = subprocess.check_output(["sh", "-c", f"command -v {name}"], text=True).strip()
        version = '[ "$1" = --version ] && echo "slurm 99.05.1" && exit'
        (directory / name).write_text(f'#!/bin/sh\n{version}\nexec {real} "$@"\n')
        (directory / name).chmod(0o755)
    return directory


#: Makes the libslurm of draco-slurm end the process, as it does where it cannot read slurm.conf.
BROKEN = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void slurm_init(const char *conf)
{
	void (*next)(const char *) = (void (*)(const char *))dlsym(RTLD_NEXT, "slurm_init");

	if (strcmp(program_invocation_short_name, "draco-slurm") == 0) {
		fprintf(stderr, "fatal: no plugin select/strange\\n");
		%s
	}
	next(conf);
}
"""


@pytest.fixture(params=["exit(1);", "abort();"], ids=["exits", "crashes"])
def broken(draco: Draco, request: pytest.FixtureRequest) -> Path:
    """A library that keeps libslurm from starting, for LD_PRELOAD."""
    if (compiler := shutil.which("cc")) is None:
        pytest.skip("there is no C compiler")
    code, library = draco.root / "broken.c", draco.root / "broken.so"
    code.write_text(BROKEN % request.param)
    subprocess.check_call([compiler, "-shared", "-fPIC", "-o", library, code, "-ldl"])
    return library


def test_libslurm_does_not_start(draco: Draco, broken: Path) -> None:
    """The commands are used, and the user is told once."""
    draco.environment.update(DRACO_SLURM_INTERFACE="auto", LD_PRELOAD=str(broken))
    way = version(draco)
    assert (way["interface"], way["broken"]) == ("commands", True)
    assert re.match("libslurm does not start: (fatal: no plugin|Aborted)", way["why"])
    checks = json.loads(draco.run("--json", "doctor", check=False).stdout)["checks"]
    assert [f["status"] for f in checks if f["name"] == "slurm by"] == ["warning"]
    draco.start()
    assert draco.status()["slurm"]["interface"] == "commands"
    os.kill(draco.status()["slurm"]["helper_pid"], signal.SIGKILL)
    draco.run("scale", "2", "--jobs")
    draco.wait_for_workers(4)
    told = " ".join(draco.run("events").stdout.split())
    assert told.count("libslurm does not start") == 1, told
    draco.run("stop", "--force")


@pytest.mark.parametrize("empty", ["", "auto"])
def test_choice(draco: Draco, newer: Path, empty: str) -> None:
    """libslurm where it fits, else the commands; version and doctor say which and why."""
    path = draco.environment["PATH"]
    auto = {"DRACO_SLURM_INTERFACE": empty or "auto"}
    way = version(draco, **auto)
    assert way["interface"] == "libslurm"
    assert way["built"] and "libslurm" in way["libslurm"]
    assert "built for Slurm" in draco.run("version", **auto).stdout

    way = version(draco, PATH=f"{newer}:{path}", **auto)
    assert (way["interface"], way["version"]) == ("commands", "99.05.1")
    assert "and the commands here are of 99.05.1" in way["why"]

    # A libslurm below an active conda environment is not the site's.
    library = Path(version(draco, **auto)["libslurm"])
    way = version(draco, CONDA_PREFIX=str(library.parents[2]), **auto)
    assert way["interface"] == "commands"
    assert "conda environment" in way["why"]

    way = version(draco, DRACO_SLURM_INTERFACE="commands")
    assert (way["interface"], way["why"]) == ("commands", "slurm_interface says so")
    assert way["libslurm"] is None


def test_doctor_tells_the_interface(draco: Draco) -> None:
    for interface, words in (
        ("commands", "squeue, scontrol and scancel"),
        ("libslurm", "built for"),
    ):
        draco.environment["DRACO_SLURM_INTERFACE"] = interface
        findings = json.loads(draco.run("--json", "doctor", check=False).stdout)["checks"]
        told = [f for f in findings if f["name"] == "slurm by"]
        assert [f["status"] for f in told] == ["ok"]
        assert words in told[0]["text"]


def test_libslurm_is_asked_for_and_does_not_fit(draco: Draco, newer: Path) -> None:
    """What the setting says is done, also where it would not have been chosen."""
    path = f"{newer}:{draco.environment['PATH']}"
    assert (
        version(draco, DRACO_SLURM_INTERFACE="libslurm", PATH=path)["interface"] == "libslurm"
    )
    prefix = str(Path(version(draco)["libslurm"] or "/usr/lib/x/y").parents[2])
    told = draco.run(
        "version", DRACO_SLURM_INTERFACE="libslurm", CONDA_PREFIX=prefix, PATH=path
    ).stdout
    assert "slurm_interface is libslurm, and" in told


def test_slurm_is_upgraded_under_dracod(draco: Draco, newer: Path) -> None:
    """It goes on by the commands, and says so."""
    draco.environment["DRACO_SLURM_INTERFACE"] = "auto"
    draco.environment["PATH"] = f"{draco.root}/now:{draco.environment['PATH']}"
    draco.start("--minimum=2")
    assert draco.status()["slurm"]["interface"] == "libslurm"
    newer.rename(draco.root / "now")
    os.kill(draco.status()["slurm"]["helper_pid"], signal.SIGKILL)
    wait_for(
        lambda: draco.status()["slurm"].get("interface") == "commands", "the commands are used"
    )
    events = draco.run("events").stdout
    assert re.search(r"from now on by Slurm's commands\s+of 99\.05\.1", events), events
    draco.run("scale", "2", "--jobs")
    draco.wait_for_workers(4)
    draco.run("stop", "--force")


def test_slurm_is_not_in_the_path_of_dracod(draco: Draco) -> None:
    """The PATH of the start has it, as after "module load slurm"."""
    draco.environment["DRACO_SLURM_INTERFACE"] = "commands"
    draco.run("launch", PATH="/nonexistent")
    draco.start("--minimum=2")
    assert draco.status()["slurm"]["interface"] == "commands"
    draco.run("stop", "--force")
    assert draco.jobs() == []


def test_whole_life_by_commands(draco: Draco) -> None:
    """Start, grow, shrink, compute, stop: without libslurm."""
    draco.environment["DRACO_SLURM_INTERFACE"] = "commands"
    draco.start("--minimum=2")
    assert draco.status()["slurm"]["interface"] == "commands"
    draco.run("scale", "2", "--jobs")
    draco.wait_for_workers(4)
    draco.run("scale", "1", "--jobs")
    draco.wait_for_workers(2)
    draco.run("stop", "--force")
    assert draco.jobs() == []
