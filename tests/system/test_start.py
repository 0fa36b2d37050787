"""The ordinary way: start, use, look, stop."""

from __future__ import annotations

import json
import re

from harness import PATIENT, PYTHON, SMALL, Draco, wait_for

COMPUTE = """
from distributed import Client
with Client() as client:
    assert client.gather(client.map(lambda x: x * x, range(100))) == [x * x for x in range(100)]
    print(sorted(str(w["name"]) for w in client.scheduler_info()["workers"].values()))
"""


def test_start_compute_stop(draco: Draco) -> None:
    result = draco.start("--minimum=4", PATIENT)
    assert "is ready: 2 jobs, 4 workers" in result.stdout
    names = json.loads(draco.python(COMPUTE).replace("'", '"'))
    jobs = draco.jobs()
    assert len(jobs) == 2 and all(job["state"] == "RUNNING" for job in jobs)
    assert names == sorted(f"draco-{job['id']}-{i}" for job in jobs for i in range(2))
    assert "nothing of it is left" in draco.run("stop").stdout
    assert not draco.jobs()
    ended = draco.all_jobs()
    assert [job["state"] for job in ended] == ["COMPLETED", "COMPLETED"]
    assert draco.run("status", check=False).returncode == 3


def test_start_is_idempotent(running: Draco) -> None:
    before = running.status()
    again = running.start()
    assert "is running" in again.stdout and "other settings" not in again.stdout
    other = running.start("--walltime=00:51:00", "--adaptive-scale-factor=3")
    assert "walltime is 00:50:00, not 00:51:00" in other.stdout
    assert "adaptive_scale_factor is 2, not 3" in other.stdout
    after = running.status()
    assert after["cluster"]["id"] == before["cluster"]["id"]
    assert len(running.all_jobs()) == 1


def test_second_start_joins_the_first(draco: Draco) -> None:
    first = draco.popen("start", *SMALL)
    # On a busy machine it may run before this is seen.
    wait_for(lambda: draco.cluster_state() in ("starting", "running"), "the cluster starts")
    second = draco.start()
    assert first.wait(60) == 0
    assert "is running" in second.stdout
    assert len(draco.all_jobs()) == 1


def test_two_clients_share_the_workers(running: Draco) -> None:
    running.python("from distributed import Client\nClient().publish_dataset(x=42)")
    assert (
        running.python("from distributed import Client\nprint(Client().get_dataset('x'))")
        == "42\n"
    )


def test_status_for_people_and_programs(draco: Draco, running: Draco) -> None:
    assert draco.run("status", check=False).returncode == 3
    running.wait_for_workers(2)
    # A worker may connect before dracod has asked Slurm for the node.
    wait_for(lambda: running.status()["jobs"][0]["nodes"], "dracod knows the node")
    text = running.run("status").stdout
    job = running.jobs()[0]["id"]
    assert re.search(rf"^{job} +ready .* short +n\d+ +2/2 ", text, re.M), text
    assert re.search(r"^cluster +\S+: running for .*, 2 workers", text, re.M)
    assert "\033" not in text
    status = running.status()
    assert status["cluster"]["state"] == "running"
    assert status["slurm"]["answering"] is True
    assert status["settings"]["processes"] == 2
    assert set(status["cluster"]["milestones"]) >= {"submitted", "running", "ready"}


def test_env_formats(draco: Draco, running: Draco) -> None:
    assert draco.run("env", check=False).returncode == 3
    address = running.status()["scheduler"]["address"]
    assert f"export DASK_SCHEDULER_ADDRESS='{address}'" in running.run("env").stdout
    assert (
        f"setenv DASK_SCHEDULER_ADDRESS '{address}';"
        in running.run("env", "--format=csh").stdout
    )
    fish = running.run("env", "--format", "fish").stdout
    assert f"set -gx DASK_SCHEDULER_ADDRESS '{address}'" in fish
    assert (
        json.loads(running.run("env", "--format=json").stdout)["DASK_SCHEDULER_ADDRESS"]
        == address
    )


def test_logs(running: Draco) -> None:
    job = running.jobs()[0]["id"]
    assert "-> running" in running.run("logs").stdout
    assert "Scheduler at" in running.run("logs", "scheduler").stdout
    assert "Start worker at" in running.run("logs", job, "--lines=200").stdout
    assert len(running.run("logs", job, "-n", "3").stdout.splitlines()) == 3
    wrong = running.run("logs", "4711", check=False)
    assert wrong.returncode == 1 and f"known: {job}" in wrong.stderr


def test_logs_follow(draco: Draco) -> None:
    draco.start()
    follower = draco.popen("logs", "daemon", "-f", "-n", "1", stdout=-1)
    try:
        assert follower.stdout is not None
        assert follower.stdout.readline()  # it follows
        draco.run("stop")
        # A worker that connects late is told of first.
        assert any(
            "stopping: requested by dracoctl (process " in line for line in follower.stdout
        )
    finally:
        follower.kill()
        follower.wait()


def test_settings_file(draco: Draco) -> None:
    config = draco.home / ".config/draco/draco.yaml"
    config.parent.mkdir(parents=True)
    config.write_text(
        "# small\nprocesses: 1\ncores: 1\nmemory: 512 MiB\nwalltime: 00:50:00\n"
        f"queues_to_try: [standard]\npython: {PYTHON}\n"
    )
    draco.run("start", "--minimum", "2")
    assert {job["partition"] for job in draco.jobs()} == {"standard"}
    assert draco.status()["settings"]["memory"] == "512 MiB"
    assert len(draco.jobs()) == 2


def test_json_progress(draco: Draco) -> None:
    lines = draco.run("--json", "start", *SMALL).stdout.splitlines()
    progress = [json.loads(line) for line in lines if line.startswith('{"')]
    assert progress and all(p["state"] == "starting" for p in progress)
    status = json.loads("\n".join(lines[len(progress) :]))
    assert status["cluster"]["state"] == "running"


def test_two_names_side_by_side(draco: Draco) -> None:
    other = Draco(draco.sandbox)
    with other:
        draco.start()
        other.start()
        assert draco.status()["scheduler"]["address"] != other.status()["scheduler"]["address"]
        draco.run("stop")
        assert other.cluster_state() == "running" and len(other.jobs()) == 1
    other.check_nothing_left()


def test_start_after_stop_gets_a_new_cluster(draco: Draco) -> None:
    draco.start()
    first = draco.status()["cluster"]["id"]
    draco.run("stop")
    draco.start()
    assert draco.status()["cluster"]["id"] != first


def test_start_while_stopping_waits(draco: Draco) -> None:
    draco.start()
    stop = draco.popen("stop")
    wait_for(lambda: draco.cluster_state() in ("stopping", "stopped"), "the cluster stops")
    draco.start()
    assert stop.wait(60) == 0
    assert draco.cluster_state() == "running"


def test_a_job_that_ends_is_replaced(draco: Draco) -> None:
    draco.start("--minimum=4")
    victim = draco.jobs()[0]["id"]
    draco.sandbox.command("scancel", victim)
    wait_for(
        lambda: len([j for j in draco.jobs() if j["state"] == "RUNNING"]) == 2
        and victim not in {j["id"] for j in draco.jobs()},
        "the job is replaced",
    )
    draco.wait_for_workers(4)
    gone = [job for job in draco.status()["jobs"] if job["phase"] == "gone"]
    assert [job["id"] for job in gone] == [victim] and "cancelled" in gone[0]["end"]


def test_job_script_runs_in_the_callers_directory(draco: Draco) -> None:
    (draco.home / "my_module.py").write_text("VALUE = 17\n")
    draco.start()
    code = (
        "from distributed import Client\n"
        "def f():\n    import my_module\n    return my_module.VALUE\n"
        "print(Client().submit(f).result())"
    )
    assert draco.python(code) == "17\n"
