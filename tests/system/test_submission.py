"""What jobs ask Slurm for, how they are submitted, and what runs in them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import BUILD, PYTHON, SMALL, Draco, Sandbox, Starting, wait_for
from steps import job_log

#: The environment of all workers, and where they run.
LOOK = """
import json, os
from distributed import Client

def look():
    return {"environ": dict(os.environ), "directory": os.getcwd()}

with Client() as client:
    print(json.dumps(client.run(look)))
"""


def look(draco: Draco) -> list[dict]:
    draco.wait_for_workers(2)
    return list(json.loads(draco.python(LOOK)).values())


def rpc_counts(sandbox: Sandbox) -> dict[str, int]:
    """How many requests of each type slurmctld has had, by its own statistics."""
    text = sandbox.command("sdiag").partition("by message type")[2].partition("by user")[0]
    return {name: int(n) for name, n in re.findall(r"(REQUEST_\w+) .*?count:(\d+)", text)}


def show(sandbox: Sandbox, job: str) -> dict[str, str]:
    text = sandbox.command("scontrol", "-o", "show", "job", job)
    return dict(re.findall(r"(\S+?)=(.*?)(?= \S+?=|$)", text.strip()))


@contextlib.contextmanager
def own_slurm(limit: str) -> Iterator[Draco]:
    """A user on a Slurm with one more line in its slurm.conf."""
    with Sandbox("--nodes", "2", "--shared") as sandbox:
        conf = Path(sandbox.directory) / "slurm.conf"
        text = conf.read_text()
        name, _, value = limit.partition("=")
        if f"\n{name}=" in text:
            text = text.replace(f"\n{name}=", f"\n{name}={value},")
        else:
            text += f"{limit}\n"
        conf.write_text(text)
        sandbox.kill("slurmctld")
        sandbox.restart("slurmctld")
        with Draco(sandbox) as draco:
            yield draco
        draco.check_nothing_left()


@pytest.mark.skipif(
    os.environ.get("DRACO_TEST_SLURM_INTERFACE") == "commands",
    reason="squeue of root asks as the tests do: test_slurm_interface counts what commands ask",
)
def test_fifty_jobs_are_one_request(draco: Draco) -> None:
    sandbox = draco.sandbox
    before = rpc_counts(sandbox)
    # Four at a time find place on the four nodes of eight CPUs: the others wait.
    with Starting(draco, "--processes=1", "--cores=8", "--minimum=50", "--maximum=50"):
        wait_for(lambda: len(draco.jobs()) == 50, "fifty jobs are in the queue")
        wait_for(lambda: draco.status()["cluster"]["workers"] == 4, "four run")
        log = draco.log.read_text()
        assert log.count("submitted as job") == 1 and "50 in all" in log
        assert len({job["id"].split("_")[0] for job in draco.jobs()}) == 1
        # squeue of these tests asks by another request than draco.
        begin, polls = time.monotonic(), rpc_counts(sandbox)["REQUEST_JOB_USER_INFO"]
        after = wait_for(
            lambda: (
                rpc_counts(sandbox)
                if rpc_counts(sandbox)["REQUEST_JOB_USER_INFO"] >= polls + 5
                else None
            ),
            "five more polls",
        )
        fastest = (time.monotonic() - begin) / 0.5  # polls are at least half a second apart
        assert after["REQUEST_JOB_USER_INFO"] - polls <= fastest + 2
        submitted = after["REQUEST_SUBMIT_BATCH_JOB"]
        assert submitted == before.get("REQUEST_SUBMIT_BATCH_JOB", 0) + 1
        draco.run("stop")
        assert not draco.jobs()
    # Ending them is one request for each way to end, not one for each job.
    kills = rpc_counts(sandbox).get("REQUEST_KILL_JOB", 0) - before.get("REQUEST_KILL_JOB", 0)
    assert 1 <= kills <= 4


@pytest.mark.parametrize("limit", ["MaxArraySize=40", "SchedulerParameters=max_array_tasks=40"])
def test_more_jobs_than_an_array_may_hold(limit: str) -> None:
    with own_slurm(limit) as draco:
        sandbox = draco.sandbox
        sandbox.command("scontrol", "update", "PartitionName=short", "State=DOWN")
        options = ("--processes=1", "--cores=1", "--minimum=100", "--maximum=100")
        with Starting(draco, *options):
            wait_for(lambda: len(draco.jobs()) == 100, "all jobs are in the queue")
            arrays: dict[str, int] = {}
            for job in draco.jobs():
                array = job["id"].split("_")[0]
                arrays[array] = arrays.get(array, 0) + 1
            assert sorted(arrays.values()) == [20, 40, 40]
            assert rpc_counts(sandbox)["REQUEST_SUBMIT_BATCH_JOB"] == 3


def test_thousands_of_jobs_in_the_queue(draco: Draco) -> None:
    """Where Slurm remembers ended jobs for long, it lists those of earlier clusters, too."""
    old = f"draco-{draco.name}-00000000.1"
    try:
        for _ in range(3):
            held = f"sbatch -J {old} --array=0-999 --hold -o /dev/null --wrap true"
            draco.sandbox.command(*held.split())
        draco.start()
        assert draco.status()["slurm"]["answering"]
        draco.run("stop")
        assert {job["name"] for job in draco.jobs()} == {old}
    finally:
        draco.sandbox.command("scancel", "--name", old)


def test_where_arrays_are_not_allowed() -> None:
    with own_slurm("MaxArraySize=0") as draco:
        draco.start("--minimum=4")
        ids = [job["id"] for job in draco.jobs()]
        assert len(ids) == 2 and not any("_" in job for job in ids)


def test_resources_come_from_the_settings(draco: Draco) -> None:
    draco.start(
        "--cores=3", "--memory=1200 MiB", "--walltime=00:46:30", "--queues-to-try=standard"
    )
    job = show(draco.sandbox, draco.jobs()[0]["id"])
    assert job["NumNodes"] == "1" and job["NumCPUs"] == "3" and job["CPUs/Task"] == "3"
    assert job["MinMemoryNode"] == "1200M" and job["TimeLimit"] == "00:47:00"
    assert job["Partition"] == "standard" and job["Requeue"] == "0"
    worker = look(draco)[0]["environ"]
    assert worker["SLURM_CPUS_ON_NODE"] == "3" and worker["SLURM_MEM_PER_NODE"] == "1200"


def test_environment_and_options(draco: Draco) -> None:
    result = draco.start(
        "--environment=FIRST=1,SECOND=a b,PATH=/usr/bin:/bin",
        "--worker-options=--resources=GPU=2",
        "--scheduler-options=--idle-timeout=700",
        SECOND="from the caller",
        THIRD="from the caller",
    )
    assert "is ready" in result.stdout
    for worker in look(draco):
        environment = worker["environ"]
        assert environment["FIRST"] == "1"
        assert environment["SECOND"] == "a b"
        assert environment["THIRD"] == "from the caller"
        assert environment["PATH"] == "/usr/bin:/bin"
        assert worker["directory"] == str(draco.home)
    resources = draco.python(
        "from distributed import Client\n"
        "with Client() as client:\n"
        "    print([w['resources'] for w in client.scheduler_info()['workers'].values()])\n"
        "    print(client.run_on_scheduler(lambda dask_scheduler: dask_scheduler.idle_timeout))"
    )
    assert resources.splitlines() == ["[{'GPU': 2.0}, {'GPU': 2.0}]", "700"]


@pytest.mark.parametrize("word", ["node", "none"])
def test_memory_by_a_word(draco: Draco, word: str) -> None:
    """Slurm gives all of a node, or its own default; the workers share what they find."""
    draco.start(f"--memory={word}")
    draco.wait_for_workers(2)
    limits = json.loads(
        draco.python(
            "import json\nfrom distributed import Client\nwith Client() as client:\n"
            "    workers = client.scheduler_info()['workers'].values()\n"
            "    print(json.dumps([worker['memory_limit'] for worker in workers]))"
        )
    )
    given = show(draco.sandbox, draco.jobs()[0]["id"])
    assert len(set(limits)) == 1 and limits[0] >= 100 * 2**20
    refused = draco.run("scale", "--memory", "4GiB", check=False)
    assert refused.returncode == 2 and "give jobs, workers or cores" in refused.stderr
    if word == "node":
        # Slurm 24.11 tells asked and given resources apart.
        assert "mem=16000M" in (given.get("TRES") or given["AllocTRES"]), given
    else:
        assert "MinMemoryNode" not in given and "MinMemoryCPU" in given, given


def test_prologue_and_epilogue(draco: Draco) -> None:
    mark = draco.root / "mark"
    result = draco.start(
        "--prologue=export FROM_PROLOGUE='it'\"'\"'s on '$SLURMD_NODENAME\ncd /usr\ntrue",
        f"--epilogue=sleep 5; ls -d $DRACO_LOCAL_DIRECTORY >{mark}; echo $FROM_PROLOGUE >>{mark}",
        f"--scratch-directory={draco.root}/scratch",
    )
    assert "is ready" in result.stdout
    job = draco.jobs()[0]
    for worker in look(draco):
        assert worker["environ"]["FROM_PROLOGUE"] == f"it's on {job['nodes']}"
        assert worker["directory"] == "/usr"
    draco.run("stop")
    # A stop waits for the epilogue, which had the workers' files still.
    assert mark.read_text() == (
        f"{draco.root}/scratch/draco-{job['id']}\nit's on {job['nodes']}\n"
    )
    assert [job["state"] for job in draco.all_jobs()] == ["COMPLETED"]


def test_epilogue_that_fails_is_told(draco: Draco) -> None:
    draco.start("--epilogue=echo before; (exit 5)")
    job = draco.jobs()[0]["id"]
    draco.run("stop")
    log = job_log(draco, job)
    assert re.search(
        rf"^draco: job {job} on n\d: the epilogue failed with exit status 5$", log, re.M
    )
    assert [job["state"] for job in draco.all_jobs()] == ["COMPLETED"]


@pytest.mark.parametrize(
    ("prologue", "complaint"),
    [
        (
            "echo loading\nmodule load nonsense\necho on",
            "exit status 127 at line 2: module load nonsense",
        ),
        ("exit 3", "exit status 3"),
        ("export A=1\n(exit 7)", "exit status 7"),
        ("if true; then", "syntax error"),
        ("set -u; echo $UNKNOWN_THING", "UNKNOWN_THING: unbound variable"),
    ],
)
def test_prologue_that_fails(draco: Draco, prologue: str, complaint: str) -> None:
    begin = time.monotonic()
    result = draco.start(f"--prologue={prologue}", check=False)
    assert time.monotonic() - begin < 60
    assert result.returncode == 1
    job = draco.all_jobs()[-1]
    assert f"dracoctl: job {job['id']} failed on n1: its prologue failed" in result.stderr
    assert (
        f"| draco: job {job['id']} on n1: the prologue failed with exit status" in result.stderr
    )
    assert complaint in result.stderr
    assert "of its log" in result.stderr and f"job-{job['id']}.log" in result.stderr
    assert not draco.jobs() and len(draco.all_jobs()) == 1, "it is not tried again"


def test_python_that_the_node_does_not_have(draco: Draco) -> None:
    python = draco.root / "python3"
    python.symlink_to(PYTHON)
    # As the job starts, the file is gone, as on a node that has another installation.
    begin = time.monotonic()
    result = draco.start(f"--python={python}", f"--prologue=rm {python}", check=False)
    assert time.monotonic() - begin < 60
    job = draco.all_jobs()[-1]["id"]
    assert result.returncode == 1
    assert f"job {job} failed on n1: the node has no such Python" in result.stderr
    assert f"| draco: job {job} on n1: there is no {python} on this node" in result.stderr
    assert not draco.jobs() and len(draco.all_jobs()) == 1


def test_python_without_distributed_on_the_node(draco: Draco) -> None:
    hidden = draco.root / "hidden"
    (hidden / "distributed").mkdir(parents=True)
    (hidden / "distributed/__init__.py").write_text("raise ImportError('not installed')\n")
    begin = time.monotonic()
    result = draco.start(f"--prologue=export PYTHONPATH={hidden}", check=False)
    assert time.monotonic() - begin < 60
    job = draco.all_jobs()[-1]["id"]
    assert result.returncode == 1
    assert (
        f"job {job} failed on n1: the node has no such Python, or no distributed"
        in result.stderr
    )
    assert (
        f"| draco: job {job} on n1: {PYTHON} has no distributed on this node" in result.stderr
    )
    assert not draco.jobs() and len(draco.all_jobs()) == 1


#: A script that uses draco; its environment, the workers' and draco-slurm's go into files.
INSIDE = """#!/bin/bash
set -e
cd {root}
env >outer.env
{dracoctl} start {options}
. <({dracoctl} env)
{python} -c '{look}' >workers.json
{dracoctl} --json status >status.json
helper=$({python} -c 'import json; print(json.load(open("status.json"))["slurm"]["helper_pid"])')
tr "\\\\0" "\\\\n" </proc/$helper/environ >helper.env
{dracoctl} shutdown
"""


@pytest.mark.parametrize("command", [["sbatch", "--wait", "--array=7"], ["srun"]])
def test_inside_another_job(draco: Draco, command: list[str]) -> None:
    """dracod started inside a job of an array: nothing of that job gets on."""
    script = draco.root / "inside.sh"
    script.write_text(
        INSIDE.format(
            root=draco.root,
            dracoctl=BUILD / "dracoctl",
            python=PYTHON,
            look=LOOK,
            options=" ".join([*SMALL, f"--scratch-directory={draco.root}/scratch"]),
        )
    )
    script.chmod(0o755)
    (draco.root / "outer-tmp").mkdir()
    arguments = [*command, "--job-name=outer", "-n1", "-c2", "--mem=3G", "-t20", str(script)]
    result = subprocess.run(
        arguments,
        env={
            **draco.environment,
            "TMPDIR": str(draco.root / "outer-tmp"),
            "CUDA_VISIBLE_DEVICES": "7",
            "SBATCH_SIGNAL": "USR1",
            "SQUEUE_USERS": "nobody",
        },
        cwd=draco.root,
        text=True,
        capture_output=True,
        timeout=240,
    )
    output = "".join(path.read_text() for path in draco.root.glob("slurm-*.out"))
    assert result.returncode == 0, result.stdout + result.stderr + output
    outer = dict(
        line.split("=", 1)
        for line in (draco.root / "outer.env").read_text().splitlines()
        if re.match(r"\w+=", line)
    )
    assert outer["SLURM_JOB_NAME"] == "outer" and outer["TMPDIR"].endswith("outer-tmp")
    workers = list(json.loads((draco.root / "workers.json").read_text()).values())
    assert len(workers) == 2
    foreign = ("SRUN_", "SQUEUE_", "SLURM_ARRAY_", "SLURM_STEP", "PMI")
    # Since 26.05 Slurm itself tells a batch script that it is a job's batch step.
    of_batch = {"SLURM_STEP_ID", "SLURM_STEPID"}
    for worker in workers:
        inner = worker["environ"]
        assert inner["SLURM_CONF"] == draco.sandbox.environment["SLURM_CONF"]
        assert inner["SLURM_JOB_ID"] != outer["SLURM_JOB_ID"]
        assert inner["SLURM_JOB_NAME"].startswith(f"draco-{draco.name}-")
        assert "CUDA_VISIBLE_DEVICES" not in inner
        assert inner.get("TMPDIR") != outer["TMPDIR"]
        assert inner.get("SLURM_STEP_ID", "batch") in ("batch", str(0xFFFFFFFB), "-5")
        assert not [name for name in inner if name.startswith(foreign) and name not in of_batch]
        assert inner["SBATCH_SIGNAL"] == "USR1"  # as sbatch has it
    helper = (draco.root / "helper.env").read_text().splitlines()
    names = {line.split("=")[0] for line in helper}
    assert "SLURM_CONF" in names and "HOME" in names
    assert not {n for n in names if n.startswith(("SLURM_", *foreign))} - {"SLURM_CONF"}


WRONG = [
    ("--environment=1A=x", 'environment: "1A" cannot name a variable'),
    ("--environment=A B=x", 'environment: "A B" cannot name a variable'),
    ("--environment=JUSTANAME", 'environment: "JUSTANAME" has no value: give NAME=value'),
    ("--environment=SLURM_ACCOUNT=x", "environment: SLURM_ACCOUNT is for Slurm alone to set"),
    (
        "--worker-options=--nworkers=3",
        "--worker-options: --nworkers is set by draco: use the setting",
    ),
    (
        "--worker-options=--name x",
        '--worker-options: "--name x" is one argument: write --name=x',
    ),
    ("--scheduler-options=--port=1", "--scheduler-options: --port is set by draco"),
    ("--worker-start=quickly", '"quickly" is not known: give'),
    ("--scratch-directory=scratch", '--scratch-directory: "scratch" must begin with "/"'),
    ("--scratch-directory=/s/$(id)", 'a "$" must begin a variable, as in $USER'),
    ("--exclusive=user", 'exclusive: "user" is neither true nor false'),
]


@pytest.mark.parametrize(("option", "complaint"), WRONG, ids=[case[0] for case in WRONG])
def test_wrong_values(draco: Draco, option: str, complaint: str) -> None:
    result = draco.start(option, check=False)
    assert result.returncode == 2
    assert complaint in result.stderr
    assert not draco.processes()


def test_script_is_what_is_submitted(draco: Draco) -> None:
    preview = draco.run("script", *SMALL, "--prologue=true", "--worker-options=--resources=A=1")
    wait_for(lambda: not draco.processes(), "nothing of it is left")
    assert preview.stdout.startswith("#!/bin/bash\n") and "tls://HOST:PORT" in preview.stdout
    assert "draco_prologue='true'" in preview.stdout and "'--resources=A=1'" in preview.stdout
    draco.start()
    job = draco.jobs()[0]["id"]
    submitted = draco.sandbox.command("scontrol", "write", "batch_script", job, "-")
    lines = draco.run("script", *SMALL, "--directives=comment=two words").stdout.splitlines()
    assert lines[1:8] == [
        "#SBATCH --no-requeue",
        "#SBATCH --nodes=1",
        "#SBATCH --ntasks=1",
        "#SBATCH --cpus-per-task=2",
        "#SBATCH --mem=1024M",
        "#SBATCH --time=50",
        '#SBATCH "--comment=two words"',
    ]
    assert lines[8] == "# partition: short, standard"
    printed = "\n".join(lines[:1] + lines[9:]) + "\n"
    assert printed.count("\n") > 50
    different = set(submitted.splitlines()) ^ set(printed.splitlines())
    assert all("/spawn" in line for line in different), different


def test_large_environment(draco: Draco) -> None:
    """Nearly as large as a request may be, it reaches the workers; a larger one is refused."""
    small = {f"BIG{number}": "x" * 96 * 1024 for number in range(5)}
    draco.start(**small)
    assert all(worker["environ"]["BIG4"] == small["BIG4"] for worker in look(draco))
    draco.run("stop")
    larger = {**small, "LARGEST": "x" * 120 * 1024}
    error = draco.start(check=False, **larger).stderr
    assert "the request is too large (" in error
    assert "Its largest variable is LARGEST (120 KiB): unset what the jobs do not need" in error
