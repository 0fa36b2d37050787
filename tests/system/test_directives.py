"""Options of sbatch passed on by draco, each compared with what sbatch itself makes of it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import BUILD, Draco, Sandbox, wait_for

#: What a job of :func:`ask` asks for, as options of sbatch.
BASE = ["-p", "short", "-N1", "-n1", "-c2", "--mem=1G", "-t50", "--no-requeue", "-i/dev/null"]
SETTINGS = [
    *("--processes=1", "--cores=2", "--memory=1GiB", "--walltime=50"),
    "--queues-to-try=short",  # however many of the jobs here wait in it
]

#: Directives in their forms, each with what must come with it.
CASES = [
    ["comment=two words"],
    ["-C fast&bigmem"],
    ["--account foo", "exclude=n2"],
    ["--mail_type=all"],
    ["contiguous"],
    ["contiguous=true", "reboot=false"],
    ["exclusive=user"],
    ["mem-per-cpu=512M"],
    ["gpus-per-node=a100:1"],
    ["gres=fs:2", "nice=321"],
    ["signal=B:USR1@90"],
    ["tres-per-task=cpu:2"],
    ["propagate=NONE"],
]

#: What differs between any two jobs, or between the two ways to submit one.
OWN = {
    *("JobId", "JobName", "Priority", "SubmitTime", "EligibleTime", "AccrueTime"),
    *("LastSchedEval", "Scheduler", "Command", "WorkDir", "StdErr", "StdOut", "AllocNode:Sid"),
    *("job_id", "name", "priority", "submit_time", "accrue_time", "eligible_time", "command"),
    *("last_sched_evaluation", "current_working_directory", "state_reason", "Reason"),
    *("StartTime", "EndTime", "SchedNodeList", "start_time", "end_time", "scheduled_nodes"),
    *("standard_output", "standard_error", "state_description", "SubmitLine", "submit_line"),
    *("SLUID", "sluid", "step_id", "stdout_expanded", "stderr_expanded", "stdin_expanded"),
}


@pytest.fixture(scope="module")
def site() -> Iterator[Sandbox]:
    """A Slurm with GPUs, features, licences and more, whose nodes are full."""
    with Sandbox("--nodes", "2", "--shared") as sandbox:
        folder = Path(sandbox.directory)
        conf = folder / "slurm.conf"
        text, count = re.subn(
            r"(?m)^(NodeName=n.*)$",
            r"\1 Gres=gpu:a100:2,gpu:v100:2,fs:4 Feature=bigmem,fast TmpDisk=10000",
            conf.read_text(),
        )
        assert count == 1
        text += (
            "SlurmctldDebug=debug3\nGresTypes=gpu,fs\nLicenses=matlab:4\nMCSPlugin=mcs/user\n"
            "TopologyPlugin=topology/tree\nAllowSpecResourcesUsage=YES\n"
        )
        conf.write_text(text)
        (folder / "topology.conf").write_text("SwitchName=s1 Nodes=n[1-2]\n")
        for number in range(4):
            (folder / f"gpu{number}").touch()
        (folder / "gres.conf").write_text(
            f"Name=gpu Type=a100 File={folder}/gpu[0-1]\n"
            f"Name=gpu Type=v100 File={folder}/gpu[2-3]\n"
            "Name=fs Count=4\n"
        )
        for daemon in ("slurmctld", "n1", "n2"):
            sandbox.kill(daemon)
        for daemon in ("slurmctld", "n1", "n2"):
            sandbox.restart(daemon)
        filler = sandbox.command(
            "sbatch", "--parsable", "-N2", "--exclusive", "--time=59", "-o", "/dev/null",
            "--job-name=filler", "--wrap", "exec sleep 3600",
        ).strip()  # fmt: skip
        wait_for(
            lambda: "RUNNING" in sandbox.command("scontrol", "show", "job", filler),
            "the nodes are full",
        )
        yield sandbox


@pytest.fixture(scope="module")
def user(site: Sandbox) -> Iterator[Draco]:
    """One user for all tests here, whose dracod stays."""
    with Draco(site) as draco:
        command = [str(BUILD / "dracod"), "--name", draco.name]
        with subprocess.Popen(command, env=draco.environment, cwd="/") as daemon:
            wait_for(lambda: "stopped" in draco.cluster_state(), "dracod serves")
            yield draco
            draco.run("shutdown")
            daemon.wait(60)
    draco.check_nothing_left()


def received(sandbox: Sandbox, job: str) -> dict[str, str]:
    """The request of a job as slurmctld received it, member by member, by its own log."""
    log = Path(sandbox.directory) / "log/slurmctld.log"
    mark = re.compile(rf" JobId={job}( SLUID=\S+)? InitPrio=")  # from 26.05 on with the SLUID
    # It is written when others can see the job already.
    before = wait_for(
        lambda: len(parts := mark.split(log.read_text(errors="replace"), 1)) > 1 and parts[0],
        "the log tells",
    )
    request = before.rpartition("debug3: JobDesc: ")[2].rpartition("debug3:    bitflags=")
    lines = re.findall(r"debug3:    (.*)", request[0] + request[1] + request[2].splitlines()[0])
    members = re.findall(r"(\S+?)[=:](.*?)(?= \S+?[=:]|$)", "\n".join(lines), re.M)
    own = ("script", "environment", "stdin", "stdout", "stderr", "work_dir", "alloc_node")
    request = {f"received {name}": value for name, value in members if name not in own}
    # sbatch says 0 where libslurm's default is "nothing said", which comes to the same.
    for name, nothing in {
        "contiguous": "-1",
        "mail_type": "65534",
        "mem_bind": "65534:(null)",
    }.items():
        if request[f"received {name}"] == nothing:
            request[f"received {name}"] = "0:(null)" if name == "mem_bind" else "0"
    return request


def describe(sandbox: Sandbox, job: str) -> dict[str, object]:
    """All that Slurm tells of a job, but for what differs between any two."""
    fields: dict[str, object] = {}
    text = sandbox.command("scontrol", "-d", "-o", "show", "job", job)
    for name, value in re.findall(r"(\S+?)=(.*?)(?= \S+?=|$)", text.strip()):
        fields[name] = value
    jobs = json.loads(sandbox.command("squeue", "--json"))["jobs"]
    fields.update(next(one for one in jobs if str(one["job_id"]) == job))
    # What begins with a hyphen is of the SubmitLine that scontrol shows (from 25 on).
    fields = {
        name: value for name, value in fields.items() if name not in OWN and name[0] != "-"
    }
    # Later versions of sbatch say here a second time what a task has, and bind its only one to it.
    for name in ("tres_per_task", "TresPerTask"):
        value = str(fields.get(name, ""))
        fields[name] = re.sub(r"cpu=2,?", "", value).replace("gpu=", "gpu:")
    for name in ("tres_bind", "TresBind"):
        fields[name] = str(fields.get(name, "")).replace("gres/gpu:per_task:1", "")
    # Whether Slurm has looked at the job by now says nothing about it (from 23 on).
    if isinstance(flags := fields.get("flags"), list):
        fields["flags"] = [flag for flag in flags if not flag.endswith("_ATTEMPTED")]
    fields["profile"] = sandbox.command("squeue", "-h", "-j", job, "-O", "Profile").strip()
    return {**fields, **received(sandbox, job)}


def sbatch(sandbox: Sandbox, options: list[str]) -> str:
    """Submit by sbatch; the job's id, or what sbatch complains about."""
    result = subprocess.run(
        ["sbatch", "--parsable", *BASE, *options, "--wrap", "true"],
        env={**{"PATH": "/usr/bin:/bin", "HOME": "/"}, **sandbox.environment},
        cwd=sandbox.directory,
        text=True,
        capture_output=True,
    )
    return result.stdout.strip() or result.stderr.strip()


def as_options(directives: list[str]) -> list[str]:
    options = []
    for directive in directives:
        match = re.fullmatch(r"-(\w) ?(\w.*)", directive)
        if match:
            options.append(f"-{match[1]}{match[2]}")
            continue
        name, separator, value = re.fullmatch(r"(?:--)?([\w-]+)([= ]?)(.*)", directive).groups()
        if value != "false":
            given = f"={value}" if separator and value != "true" else ""
            options.append(f"--{name.replace('_', '-')}{given}")
    return options


def submit_and_describe(draco: Draco, directives: list[str]) -> dict[str, object]:
    """Start a cluster with the directives, and what Slurm tells of its job."""
    start = draco.popen(
        "start", *SETTINGS, "--directives", ",".join(directives), stderr=subprocess.PIPE
    )
    try:
        wait_for(
            lambda: draco.jobs() or start.poll() is not None, f"{directives} are submitted"
        )
        assert start.poll() is None, start.stderr.read()
        return describe(draco.sandbox, draco.jobs()[0]["id"])
    finally:
        start.send_signal(signal.SIGINT)
        start.communicate(timeout=60)


@pytest.mark.parametrize("directives", CASES, ids=lambda value: " ".join(value))
def test_draco_submits_what_sbatch_submits(user: Draco, directives: list[str]) -> None:
    reference = sbatch(user.sandbox, as_options(directives))
    if not reference.isdigit():
        pytest.skip(f"this sbatch does not take {directives}: {reference}")
    expected = describe(user.sandbox, reference)
    assert submit_and_describe(user, directives) == expected


@pytest.mark.parametrize(
    ("settings", "options"),
    [
        (["--account=physics", "--qos=urgent"], ["-Aphysics", "-qurgent"]),
        (["--constraint=fast&bigmem"], ["-Cfast&bigmem"]),
        (["--gres=fs:1,gpu:v100:1"], ["--gres=fs:1,gpu:v100:1"]),
        (["--gpus=a100:2"], ["-Ga100:2"]),
        (["--exclusive"], ["--exclusive"]),
        (["--licenses=matlab:3"], ["-Lmatlab:3"]),
        (["--nodelist=n1"], ["-wn1"]),
        (["--exclude=n2"], ["-xn2"]),
        (
            ["--mail-type=END,FAIL,ARRAY_TASKS", "--mail-user=me@example.org"],
            ["--mail-type=END,FAIL,ARRAY_TASKS", "--mail-user=me@example.org"],
        ),
    ],
    ids=lambda value: " ".join(value),
)
def test_settings_of_their_own(user: Draco, settings: list[str], options: list[str]) -> None:
    reference = sbatch(user.sandbox, options)
    start = user.popen("start", *SETTINGS, *settings, stderr=subprocess.PIPE)
    try:
        wait_for(lambda: user.jobs() or start.poll() is not None, "the job is submitted")
        if reference.isdigit():
            assert start.poll() is None, start.stderr.read()
            expected = describe(user.sandbox, reference)
            assert describe(user.sandbox, user.jobs()[0]["id"]) == expected
        else:  # both are refused, in the same words
            complaint = reference.splitlines()[-1].split("failed: ")[1]
            assert start.wait(60) == 1
            assert complaint in start.stderr.read()
    finally:
        start.send_signal(signal.SIGINT)
        start.communicate(timeout=60)


@pytest.mark.parametrize(
    ("directives", "complaint"),
    [
        ("constraint=unheard", "Invalid feature specification"),
        ("gres=unheard:1", "Invalid generic resource (gres) specification"),
        ("licenses=unheard", "Invalid license specification"),
        ("dependency=nonsense", "Job dependency problem"),
        ("mail-type=SOMETIMES", "Invalid --mail-type specification"),
    ],
)
def test_slurm_refuses(user: Draco, directives: str, complaint: str) -> None:
    result = user.start(*SETTINGS, f"--directives={directives}", check=False)
    assert result.returncode == 1
    assert (
        f"Slurm has no place for the jobs: short: {complaint}; a job asks for 2 cores and 1 GiB "
        f"on one node, walltime 00:50:00, {directives}\n" in result.stderr
    )
    assert not user.jobs()


WRONG = [
    ("mem=4G", "directives: mem=4G: --mem is set by draco: use the setting memory"),
    ("-c4", "-c4: --cpus-per-task is set by draco: use the setting cores"),
    ("-t 10:00", "--time is set by draco: use the setting walltime"),
    ("ntasks=4", "--ntasks is set by draco: use the setting processes"),
    ("partition=short", "--partition is set by draco: use the setting queues_to_try"),
    ("array=1-4", "--array is set by draco: minimum and maximum give the number of jobs"),
    ("output=x", "--output is set by draco: use the setting log_directory"),
    ("export=ALL", "--export is set by draco: use the setting environment"),
    ("hold", "--hold is not possible: a job that is held never starts"),
    ("=x", '"=x" names no option of sbatch'),
    ("comment=a,--comment=b", "--comment is given twice"),
]


@pytest.mark.parametrize(("directives", "complaint"), WRONG, ids=[case[0] for case in WRONG])
def test_a_mistake_is_told_before_anything_starts(
    site: Sandbox, directives: str, complaint: str
) -> None:
    with Draco(site) as draco:
        result = draco.start(*SETTINGS, f"--directives={directives}", check=False)
        assert result.returncode == 2, result.stderr
        assert complaint in result.stderr
        assert len(result.stderr.splitlines()) == 1
        assert not draco.processes(), "no dracod was started for it"
        assert not (draco.home / ".draco_logs").exists()
    draco.check_nothing_left()


def test_a_setting_and_a_directive_for_the_same(user: Draco) -> None:
    result = user.start("--account=a", "--directives=account=b", check=False)
    assert result.returncode == 2
    assert "directives: account=b: the setting account gives it, too" in result.stderr


def test_an_option_that_sbatch_does_not_have(user: Draco) -> None:
    result = user.start(*SETTINGS, "--directives=contraint=fast", check=False)
    assert result.returncode == 1
    assert "unrecognized option '--contraint=fast'" in result.stderr
    assert not user.jobs()
