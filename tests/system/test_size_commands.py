"""The size by hand: scale, adapt, pause, resume, retire, and the question before work is lost."""

from __future__ import annotations

import json
import re
import time

import pytest
from harness import PATIENT, Draco, wait_for
from standins import TINY, Daemon, client
from steps import Gate, load, phases, size
from terminal import Terminal
from user import User

QUESTION = (
    r"(\d+) tasks? runs? and (\d+) waits?, 1 Client\(\) is connected; stop anyway\? \[y/N\] "
)


def states(draco: Draco) -> dict[str, str]:
    """Of all jobs that Slurm remembers."""
    return {job["id"]: job["state"] for job in draco.all_jobs()}


def keeps(draco: Draco, jobs: int, seconds: float = 2) -> None:
    """The number of jobs stays as it is."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert len(draco.jobs()) == jobs
        time.sleep(0.1)


def wait_for_jobs(draco: Draco, count: int) -> None:
    wait_for(lambda: len(draco.jobs()) == count, f"there are {count} jobs")
    draco.wait_for_workers(count)  # of TINY's jobs each has one


def sleeping(tasks: int, seconds: float) -> str:
    """Code for ``client()``: tasks that sleep."""
    return f"futures = client.map(time.sleep, [{seconds} + i / 1e6 for i in range({tasks})])"


# Wrong usage


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("scale", "scale: the size is missing; see dracoctl scale --help"),
        ("scale 2 3", 'scale takes no argument "3"; see dracoctl scale --help'),
        ("scale two", 'scale: "two" is not a whole number'),
        ("scale 1.5 --jobs", 'scale: "1.5" is not a whole number'),
        ("scale 64GiB", 'scale: "64GiB" is not a number of workers; with --memory it is'),
        ("scale --memory 64", 'scale: "64" has no unit: write 64 GiB'),
        ("scale --memory much", '"much"'),
        ("scale 2 --jobs --cores", "only one of --jobs, --workers, --cores and --memory"),
        ("scale -1", "there is no option -1; see dracoctl scale --help"),
        ("adapt 4", 'adapt takes no argument "4"; see dracoctl adapt --help'),
        ("adapt --minimum=few", 'adapt: --minimum: "few" is not a whole number'),
        ("adapt --maximum=-2", "adapt: --maximum: -2 is too small: at least 0"),
        ("adapt --maximum", "the option --maximum needs a value"),
        ("pause now", 'pause takes no argument "now"'),
        ("resume now", 'resume takes no argument "now"'),
        ("retire", "retire: the job's id is missing; see dracoctl retire --help"),
        ("retire 1 2", 'retire takes no argument "2"'),
        ("stop --force now", 'stop takes no argument "now"'),
    ],
)
def test_wrong_usage(draco: Draco, words: str, error: str) -> None:
    result = draco.run(*words.split(), check=False)
    assert result.returncode == 2
    assert result.stderr.startswith("dracoctl: ") and result.stderr.count("\n") == 1
    assert error in result.stderr
    assert not result.stdout


@pytest.mark.parametrize(
    "words", ["status", "scale 2", "logs scheduler", "events", "dashboard"]
)
def test_the_hint_names_the_cluster(user: User, words: str) -> None:
    result = user.run("--name", "two", *words.split())
    assert result.returncode == 3
    assert "(dracoctl --name two start starts one)" in result.stderr
    user.environment["DRACO_NAME"] = "two"
    assert "(dracoctl start starts one)" in user.run(*words.split()).stderr


def test_the_limit_of_the_site_is_named(draco: Draco) -> None:
    site = draco.root / "site.yaml"
    site.write_text("limits:\n  maximum: 4\n")
    draco.environment["DRACO_SITE_CONFIG"] = str(site)
    draco.start("--maximum=2")
    limit = f"more than the site allows: at most 4 workers ({site}:2)"
    assert limit in draco.run("scale", "100", check=False).stderr
    assert limit in draco.run("adapt", "--maximum=100", check=False).stderr
    error = draco.run("scale", "4", check=False).stderr
    hint = f"dracoctl --name {draco.name} adapt --maximum 4"
    assert f"maximum of 1 job: give less, or raise it first ({hint})" in error
    # Bounds are not of one start: no second cluster is suggested for them.
    text = draco.start("--maximum=4", "--minimum=1").stdout
    assert "dracoctl adapt --maximum 4 changes the size." in text and "OTHER" not in text
    text = draco.start("--maximum=4", "--cores=4").stdout
    assert "dracoctl adapt --maximum 4 changes the size." in text
    assert "dracoctl --name OTHER start" in text


@pytest.mark.parametrize("words", ["scale 2", "adapt", "pause", "resume", "retire 1", "env"])
def test_without_cluster(draco: Draco, words: str) -> None:
    result = draco.run(*words.split(), check=False)
    assert result.returncode == 3 and "dracoctl start starts one" in result.stderr
    with Daemon(draco):
        result = draco.run(*words.split(), check=False)
        assert result.returncode == 3
        said = f'no cluster "{draco.name}" is running (dracoctl --name {draco.name} start'
        assert " ".join(result.stderr.split()) == f"dracoctl: {said} starts one)"
        result = draco.run("--json", *words.split(), check=False)
        assert result.returncode == 3
        assert json.loads(result.stdout) == {"error": f"{said} starts one)"}


# What is answered


def test_answers(draco: Draco) -> None:
    """Amounts are rounded up to whole jobs, and wrong ones are told with what would be right."""
    draco.start("--maximum=8")
    draco.run("pause")  # so that nothing is submitted

    def said(*words: str, status: int = 0) -> str:
        result = draco.run(*words, check=False)
        assert result.returncode == status, result.stderr
        return (result.stdout if status == 0 else result.stderr).strip()

    end = ", once dracoctl resume ends the pause."
    assert said("scale", "8") == f"8 workers asked: 4 jobs of 2 workers{end}"
    assert said("scale", "3", "--workers") == f"3 workers asked: 2 jobs of 2 workers{end}"
    assert said("scale", "--jobs", "3") == f"3 jobs asked: 3 jobs of 2 workers{end}"
    assert said("scale", "--cores", "3") == f"3 cores asked: 2 jobs of 2 cores{end}"
    assert said("scale", "1.5GiB", "--memory") == (
        f"1536 MiB of memory asked: 2 jobs of 1 GiB{end}"
    )
    assert said("scale", "1") == f"1 worker asked: 1 job of 2 workers{end}"
    assert said("scale", "0") == f"0 workers asked: 0 jobs of 2 workers{end}"
    for words, parts in [
        (["scale", "100"], ["scale: 100 workers", "50 jobs", "4"]),
        (["scale", "1TiB", "--memory"], ["scale: 1 TiB of memory", "1024 jobs", "4"]),
        (["scale", "9223372036854775807"], ["scale: 9223372036854775807 workers", "4"]),
    ]:
        error = said(*words, status=2)
        assert all(part in error for part in parts), error
    assert size(draco)["target"] == 0, "what is refused changes nothing"
    assert said("adapt") == f"Adaptive scaling: 1 to 4 jobs of 2 workers{end}"
    assert said("adapt", "--minimum=3", "--maximum=7") == (
        f"Adaptive scaling: 2 to 3 jobs of 2 workers{end}\n"
        "A job has 2 workers, so a minimum of 3 became 2 jobs.\n"
        "A job has 2 workers, so a maximum of 7 became 3 jobs."
    )
    for words, parts in [
        (["--minimum=5", "--maximum=4"], ["minimum 5 is more than maximum 4"]),
        (["--minimum=100"], ["minimum of 50 jobs", "3 (a job holds 2 workers)"]),
        (["--maximum=0"], ["maximum 0", "from 1 to"]),
        (["--minimum=999999999999"], ["minimum 999999999999", "from 0 to"]),
    ]:
        error = said("adapt", *words, status=2)
        assert all(part in error for part in ["adapt: ", *parts]), error
    assert said("adapt", "--minimum=0", "--maximum=1") == (
        f"Adaptive scaling: 0 to 1 job of 2 workers{end}\n"
        "A job has 2 workers, so a maximum of 1 became 1 job."
    )
    job = draco.status()["jobs"][0]["id"]
    assert said("retire", "99999", status=1) == (
        f'dracoctl: retire: there is no job "99999"; the jobs are: {job}'
    )
    assert said("retire", "", status=1).startswith('dracoctl: retire: there is no job ""')
    assert said("pause") == (
        "Paused: no jobs are requested and none are given back until dracoctl resume."
    )
    assert said("resume") == "Resumed: adaptive scaling."
    assert said("scale", "1") == "1 worker asked: 1 job of 2 workers."


def test_answers_for_programs(draco: Draco) -> None:
    draco.start("--maximum=8")
    job = draco.status()["jobs"][0]["id"]
    for words in [["pause"], ["scale", "1"], ["adapt"], ["resume"], ["retire", job]]:
        answer = json.loads(draco.run("--json", *words).stdout)
        assert set(answer) - {"waits"} == {
            "mode", "paused", "paused_why", "minimum_jobs", "maximum_jobs", "target", "needed",
            "why", "per_job", "hold_ms", "hold_why", "shortage",
        }  # fmt: skip
        assert answer["per_job"] == {"workers": 2, "cores": 2, "memory_mib": 1024}
        assert answer["mode"] == ("fixed" if words[0] == "scale" else "adaptive")
        assert answer["paused"] == (words[0] in ("pause", "scale", "adapt"))
    for words in [["pause"], ["scale", "1"], ["adapt"], ["resume"]]:
        result = draco.run("--quiet", *words)
        assert result.stdout == result.stderr == ""


# What is done


def test_scale(draco: Draco) -> None:
    draco.run("start", *TINY, PATIENT, "--maximum=4")
    first = draco.jobs()[0]["id"]
    assert "2 jobs of 1 worker." in draco.run("scale", "2", "--jobs").stdout
    wait_for_jobs(draco, 2)
    now = size(draco)
    assert (now["mode"], now["target"]) == ("fixed", 2)
    assert "by hand" in now["why"]
    assert "2 of 2 jobs: set by hand to 2 jobs" in draco.run("status").stdout
    draco.run("scale", "1", "--jobs")
    wait_for_jobs(draco, 1)
    wait_for(
        lambda: sorted(states(draco).values()) == ["COMPLETED", "RUNNING"], "one job completed"
    )
    assert first in states(draco)
    draco.run("scale", "0")
    wait_for(lambda: not draco.jobs(), "no job is left")
    wait_for(lambda: set(states(draco).values()) == {"COMPLETED"}, "both jobs completed")
    assert draco.cluster_state() == "running"
    assert "\n  workers    none now\n" in draco.run("start", *TINY).stdout


def test_scale_down_lets_tasks_finish(draco: Draco) -> None:
    draco.run("start", *TINY, PATIENT, "--minimum=2", "--maximum=4")
    wait_for_jobs(draco, 2)
    gate = Gate(draco)
    with client(draco, f"{gate.code}futures = client.map(pass_gate, range(2))") as process:
        wait_for(lambda: load(draco).get("running") == 2, "both tasks run")
        draco.run("scale", "1")
        wait_for(lambda: "draining" in phases(draco), "one job is to go")
        keeps(draco, 2)
        gate.open()
        wait_for(lambda: "COMPLETED" in states(draco).values(), "one job completed")
        wait_for(lambda: load(draco).get("running") == 0, "the tasks are done")
        assert process.poll() is None
    log = "".join(path.read_text() for path in draco.home.glob(".draco_logs/*/scheduler.log"))
    assert "Traceback" not in log


def test_scale_to_nothing_keeps_results(draco: Draco) -> None:
    """All are in one job then, which stays until they are not needed any more."""
    draco.run("start", *TINY, PATIENT, "--minimum=2", "--maximum=4")
    wait_for_jobs(draco, 2)
    code = (
        "from distributed import wait\n"
        "futures = [client.submit(bytes, 9 + i, workers=[address], pure=False)\n"
        "           for i in range(4) for address in client.nthreads()]\n"
        "wait(futures)"
    )
    with client(draco, code):
        wait_for(lambda: load(draco).get("memory", 0) > 0, "there are results")
        draco.run("scale", "0")
        wait_for(
            lambda: sorted(states(draco).values()) == ["COMPLETED", "RUNNING"],
            "one job completed",
        )
        wait_for(lambda: phases(draco) == ["ready"], "the other one is ready")
        time.sleep(2)
        assert phases(draco) == ["ready"]
    wait_for(lambda: not draco.jobs(), "no job is left", 60)


def test_adapt(draco: Draco) -> None:
    draco.run("start", *TINY, PATIENT, "--maximum=4", "--idle-hold=1")
    draco.run("scale", "2")
    wait_for_jobs(draco, 2)
    draco.run("adapt", "--maximum=3")
    now = size(draco)
    assert (now["mode"], now["minimum_jobs"], now["maximum_jobs"]) == ("adaptive", 1, 3)
    wait_for_jobs(draco, 1)
    wait_for(lambda: "COMPLETED" in states(draco).values(), "the other completed")
    draco.run("adapt", "--minimum=2")
    wait_for_jobs(draco, 2)
    with client(draco, sleeping(20, 600)):
        wait_for_jobs(draco, 3)
        keeps(draco, 3)
        assert re.search(r"3 of at most 3 jobs: .*, limit 3", draco.run("status").stdout)


def test_pause(draco: Draco) -> None:
    """No job is asked for and none given back."""
    draco.run("start", *TINY, PATIENT, "--maximum=4", "--idle-hold=1")
    draco.run("pause")
    assert size(draco)["paused"] is True
    assert re.search(r"^size .*paused \(by hand\)", draco.run("status").stdout, re.MULTILINE)
    draco.run("scale", "3", "--jobs")
    keeps(draco, 1)
    for words in (["start", *TINY, PATIENT], ["run", "--", "true"]):
        text = " ".join(draco.run(*words).stderr.split())
        assert "the cluster is paused (by hand), and no jobs are requested" in text, text
        assert re.search(r'"dracoctl( --name \S+)? resume" ends that', text), text
    draco.run("scale", "0")
    keeps(draco, 1)
    draco.run("scale", "3", "--jobs")
    assert draco.run("resume").stdout == "Resumed: 3 jobs, as set by hand.\n"
    wait_for_jobs(draco, 3)
    assert size(draco)["paused"] is False
    assert "paused" not in draco.run("status").stdout


def test_retire(draco: Draco) -> None:
    """The job goes, and another takes its place because the size asks for it."""
    draco.run("start", *TINY, PATIENT, "--minimum=2", "--maximum=4")
    wait_for_jobs(draco, 2)
    job = draco.jobs()[0]["id"]
    assert draco.run("retire", job).stdout == (
        f"Job {job} is given back as soon as its tasks are done and its data has moved.\n"
    )
    wait_for(lambda: states(draco)[job] == "COMPLETED", "the job completed")
    wait_for(lambda: len(draco.jobs()) == 2, "another one took its place")
    assert len(states(draco)) == 3
    gone = wait_for(
        lambda: [j for j in draco.status()["jobs"] if (j["id"], j["phase"]) == (job, "gone")],
        "dracod knows",
    )
    assert gone
    result = draco.run("retire", job, check=False)
    assert result.returncode == 1
    assert f"retire: job {job} is gone already; others: " in result.stderr


def test_retire_the_last_one_with_results(draco: Draco) -> None:
    """Never are results thrown away unasked, and never does it stay without a word."""
    draco.run("start", *TINY, PATIENT, "--maximum=1")
    (job,) = (job["id"] for job in draco.jobs())
    with client(draco, "futures = client.map(bytes, [999, 1000])\nclient.gather(futures)"):
        wait_for(lambda: draco.status()["jobs"][0]["bytes"] > 0, "there are results")
        draco.run("pause")
        answer = draco.run("retire", job).stdout
        assert f"Job {job} gets no more tasks, but its results have nowhere to go" in answer
        wait_for(lambda: draco.status()["jobs"][0]["stuck"], "it is done, but stays")
        status = draco.run("status").stdout
        assert f"its results have nowhere to go (dracoctl retire --force {job})" in status
        assert "its results have nowhere to go" in draco.run("events").stdout
        assert phases(draco) == ["draining"]
        assert draco.run("retire", "--force", job).stdout == f"Job {job} ends now.\n"
        wait_for(lambda: states(draco)[job] == "COMPLETED", "the job completed")


# What the status shows


def test_status(draco: Draco) -> None:
    draco.start("--maximum=2")
    draco.wait_for_workers(2)
    code = (
        f"{sleeping(1, 600)}\n"
        "blocks = client.map(bytes, [3 << 20, (3 << 20) + 1], pure=False)\n"
        "client.gather(blocks)\n"
        "never = client.submit(abs, -1, resources={'unobtainium': 1})"
    )
    with client(draco, code):
        wait_for(
            lambda: (
                load(draco).get("unrunnable") == 1
                and load(draco)["running"] == 1
                and load(draco)["memory"] >= 6 << 20
            ),
            "all is reported",
        )
        # Its results are told later than its tasks.
        wait_for(
            lambda: [
                job
                for job in draco.status()["jobs"]
                if job["busy"] == 1 and job["bytes"] >= 6 << 20
            ],
            "the job is busy and holds the results",
        )
        assert draco.status()["jobs"][0]["idle_s"] is None
        text = draco.run("status").stdout
    assert re.search(r"^size +1 of at most 1 job: ", text, re.MULTILINE)
    assert re.search(
        r"^tasks +1 running, 0 ready, results of 6\.0 MiB in memory, 1 unrunnable "
        r"\(they need a resource or worker that no job offers\)$",
        text,
        re.MULTILINE,
    ), text
    header = next(line for line in text.splitlines() if line.startswith("JOB"))
    assert header.split()[-4:] == ["TASKS", "TIME", "LEFT", "NOTE"]
    assert re.search(r" 2/2 +1 +00:0\d:\d\d +00:(?:50:00|4\d:\d\d) +holds 6\.0 MiB", text), text
    wait_for(lambda: (draco.status()["jobs"][0]["idle_s"] or 0) >= 1, "the job is idle")
    assert re.search(r"  idle for \d", draco.run("status").stdout)


# Stopping


def at_terminal(draco: Draco, *words: str) -> Terminal:
    return Terminal(draco.command(*words), draco.environment)


def test_stop_asks(draco: Draco) -> None:
    draco.run("start", *TINY, PATIENT, "--maximum=1")
    with client(draco, sleeping(3, 600)):
        wait_for(lambda: load(draco).get("running") == 1, "a task runs")
        for command in ("stop", "shutdown"):
            for answer in ("\n", "n\n", "perhaps\n", "\x04"):
                terminal = at_terminal(draco, command)
                found = re.search(QUESTION, terminal.wait_for(QUESTION))
                assert found and int(found[1]) + int(found[2]) == 3
                terminal.send(answer)
                status, text = terminal.finish()
                assert status == 1 and "dracoctl: nothing was stopped" in text
        assert draco.cluster_state() == "running"
        terminal = at_terminal(draco, "stop")
        terminal.wait_for(QUESTION)
        terminal.send("y\n")
        status, text = terminal.finish()
        assert status == 0 and "nothing of it is left" in text
    assert draco.cluster_state() == "stopped"


@pytest.mark.parametrize("command", ["stop", "shutdown"])
def test_stop_by_force(draco: Draco, command: str) -> None:
    draco.run("start", *TINY, PATIENT, "--maximum=1")
    with client(draco, sleeping(3, 600)):
        wait_for(lambda: load(draco).get("running") == 1, "a task runs")
        status, text = at_terminal(draco, command, "--force").finish()
    assert status == 0 and "stop anyway" not in text


def test_stop_without_terminal_does_not_ask(draco: Draco) -> None:
    draco.run("start", *TINY, PATIENT, "--maximum=1")
    with client(draco, sleeping(3, 600)):
        wait_for(lambda: load(draco).get("running") == 1, "a task runs")
        result = draco.run("stop")
    assert "stop anyway" not in result.stdout + result.stderr


def test_stop_asks_about_results(draco: Draco) -> None:
    draco.start("--maximum=2")
    with client(draco, "block = client.submit(bytes, 3 << 20)\nblock.result()"):
        wait_for(lambda: load(draco).get("memory", 0) >= 3 << 20, "it is reported")
        terminal = at_terminal(draco, "stop")
        terminal.wait_for(
            r"Results of 3\.0 MiB are in memory, 1 Client\(\) is connected; stop anyway\? "
        )
        terminal.send("yes\n")
        assert terminal.finish()[0] == 0


def test_stop_asks_about_other_programs(draco: Draco) -> None:
    """Who has nothing to lose but the cluster, attached or by a plain Client()."""
    draco.run("start", *TINY)
    run = draco.popen("run", *TINY, "cat", stdin=-1)
    wait_for(lambda: draco.status()["attached"], "it is attached")
    terminal = at_terminal(draco, "stop")
    terminal.wait_for(r"cat on \S+ is attached; stop anyway\? ")
    terminal.send("n\n")
    assert terminal.finish()[0] == 1
    run.communicate()
    with client(draco, ""):
        terminal = at_terminal(draco, "shutdown")
        terminal.wait_for(r"1 Client\(\) is connected; stop anyway\? ")
        terminal.send("y\n")
        assert terminal.finish()[0] == 0


def test_stop_of_an_idle_cluster_does_not_ask(draco: Draco) -> None:
    draco.run("start", *TINY, PATIENT)
    status, text = at_terminal(draco, "stop").finish()
    assert status == 0 and "stop anyway" not in text


def test_workers_without_memory(draco: Draco) -> None:
    """Dask pauses them all at once here."""
    pauses = "--environment=DASK_DISTRIBUTED__WORKER__MEMORY__PAUSE=0.01"
    draco.start(pauses, "--maximum=2", "--target-duration=3600")
    with client(draco, "futures = client.map(abs, range(50), pure=False)"):
        notice = "2 of 2 workers are paused: memory above 80 %; tasks wait until"
        wait_for(
            lambda: any(notice in text for text in draco.status()["cluster"]["notices"]),
            "the user is told",
        )
        text = draco.run("status").stdout
        assert f"  note: {notice}" in text
        assert re.search(
            r"^tasks .*, 2 workers paused \(memory above 80 %\)$", text, re.MULTILINE
        ), text
        assert notice in draco.run("events").stdout
    wait_for(lambda: not draco.status()["cluster"]["notices"], "no task waits any more")
