"""Settings of a start as dracod takes them."""

from __future__ import annotations

from harness import SMALL, Draco
from kernels import PACKAGE
from standins import Connection


def test_start_tells_which_limits_bite(draco: Draco) -> None:
    site = draco.root / "site.yaml"
    site.write_text("limits:\n  maximum: 4\n  walltime: 00:55:00\n")
    environment = {"DRACO_SITE_CONFIG": str(site)}
    result = draco.start("--maximum=100", "--walltime=02:00:00", **environment)
    told = [line for line in result.stderr.splitlines() if "the site allows" in line]
    assert told == [
        f"dracoctl: warning: maximum 100 is lowered to 4: the site allows at most 4 workers "
        f"({site}:2)",
        f"dracoctl: warning: walltime 02:00:00 is lowered to 00:55:00: the site allows at most "
        f"00:55:00 ({site}:3)",
    ]
    settings = draco.status()["settings"]
    assert (settings["maximum"], settings["walltime"]) == (4, "00:55:00")
    limit = draco.sandbox.command("squeue", "-h", "-j", draco.jobs()[0]["id"], "-o", "%l")
    assert limit.strip() == "55:00"
    # Programs get them with the answer; dracod takes no client's word.
    with Connection(draco) as program:
        answer = program.call(
            "start",
            settings={"processes": 2, "cores": 2, "memory": "1 GiB", "maximum": 50},
            environment={**draco.environment, **environment},
        )
    assert answer["limits"][0]["message"].startswith("maximum 50 is lowered to 4")


JOIN = """
import warnings, draco
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    draco.Cluster(shutdown_on_close=False).close()
print([str(warning.message) for warning in told])
"""


def test_a_mistake_of_the_site_is_told_once(draco: Draco) -> None:
    """In the terminal, or in a program, whichever comes first."""
    site = draco.root / "site.yaml"
    site.write_text("coers: 41\n")
    draco.environment["DRACO_SITE_CONFIG"] = str(site)
    draco.environment["PYTHONPATH"] = str(PACKAGE)
    draco.start("--quiet")
    assert ["coers" in draco.python(JOIN) for _ in range(2)] == [True, False]
    assert "coers" not in draco.start().stderr
    site.write_text("coers: 41\nmemroy: 3\n")
    assert "coers" in draco.start().stderr
    assert "coers" not in draco.python(JOIN)


def test_dracod_goes_by_the_environment_of_the_caller(draco: Draco) -> None:
    """Not by its own, which is that of the first start."""
    small = [option for option in SMALL if not option.startswith("--processes")]
    other = draco.root / "config"
    (other / "draco").mkdir(parents=True)
    (other / "draco/draco.yaml").write_text("profiles:\n  tiny: {scheduler_timeout: 77}\n")
    draco.run("start", *small, DRACO_PROCESSES="1", DRACO_WORKER_TIMEOUT="99")
    assert draco.status()["settings"]["processes"] == 1
    draco.run("stop")
    draco.run(
        "start", *small, "--profile=tiny", DRACO_PROCESSES="2", XDG_CONFIG_HOME=str(other)
    )
    settings = draco.status()["settings"]
    assert (settings["processes"], settings["worker_timeout"]) == (2, 180)
    assert settings["scheduler_timeout"] == 77


def test_dracod_refuses_wrong_settings_of_any_client(draco: Draco) -> None:
    draco.start()
    settings = {
        "processes": "x",
        "memory": None,
        "colour": "red",
        "queues_to_try": ["a", {}],
    }
    home = {"HOME": str(draco.home)}
    with Connection(draco) as program:
        answer = program.ask(
            "start", settings=settings, environment={**home, "DRACO_CORES": "x"}
        )
        unknown = program.ask("start", profile="nowhere", environment=home)
    assert answer["error"]["code"] == -32602
    assert answer["error"]["message"].splitlines() == [
        'DRACO_CORES: "x" is not a whole number, from 1 to 65535, or node',
        'processes: "x" is not a whole number, from 1 to 4096',
        "memory: the value is missing: give a size with its unit, such as 80 GiB, 512 MB, "
        "1.5 TiB, or node, or none",
        'there is no setting "colour"',
        "queues_to_try: a place has no partition: give {partition: NAME, OPTION: VALUE}",
    ]
    assert len(answer["error"]["data"]["problems"]) == 5
    assert 'there is no profile "nowhere"' in unknown["error"]["message"]
