"""A job of draco beside one of sbatch with the same wishes: equal, or the difference is known."""

from __future__ import annotations

import os
import re
import resource
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from harness import BUILD, Draco, Sandbox, wait_for

#: What a batch script sees: one line "NAME=value" for each fact, then the job in Slurm's words.
SCRIPT = r"""#!/bin/bash
{
	echo "umask=$(umask)"
	echo "nice=$(nice)"
	echo "groups=$(id -G)"
	echo "user=$(id -u):$(id -g)"
	echo "directory=$(pwd)"
	for limit in c d e f i l m n p q r s t u v x; do
		echo "soft $limit=$(ulimit -S -"$limit")"
		echo "hard $limit=$(ulimit -H -"$limit")"
	done
} > OUT.facts
env -0 | grep -zv '^_=' | sort -z | tr '\0\n' '\n ' > OUT.environment
scontrol show job "$SLURM_JOB_ID" | grep -oE '[A-Z][A-Za-z/:&.-]*=[^ ]*' > OUT.job
touch OUT.end
"""

#: Variables and fields that may differ, and why.
KNOWN = {
    "facts": {},
    "environment": {
        r"DASK_\w+|DRACO_\w+": "how workers find the cluster",
        r"OLDPWD|SHLVL": "dracod has another shell around it than the caller",
        r"TERM|LINES|COLUMNS|XDG_RUNTIME_DIR": "of the login session, and of no use on a node",
        r"SLURM_JOB_?ID|SLURM_JOB_SLUID|SLURM_TASK_PID": "another job",
        r"SLURM_JOB_NAME": "draco finds its jobs by name",
    },
    "job": {
        r"JobId|Priority|AllocNode:Sid|\w+Time|LastSchedEval": "another job, at another time",
        r"Scheduler": "which of slurmctld's two started it, a matter of the moment",
        r"JobName": "draco finds its jobs by name",
        r"StdErr|StdOut": "draco reads the log",
        r"Requeue": "draco replaces jobs itself",
    },
}

#: Wrong wishes: options of sbatch, and settings of draco that say the same. When draco finds by
#: itself that no place can run such a job, it says that instead of Slurm's words.
WISHES = {
    "no such partition": (
        ["-pnope"],
        "queues_to_try: nope",
        "Slurm has no such partition (it has: ",
    ),
    "no such feature": (["-Cnope"], "constraint: nope", ""),
    "too much memory": (
        ["--mem=999G"],
        "memory: 999 GiB",
        "of memory, and a job needs 999 GiB",
    ),
    "no such node": (["-wnope"], "nodelist: nope", ""),
    "no such node to leave out": (["-xnope"], "exclude: nope", ""),
    "no such GPUs": (["--gres=gpu:9"], "gres: gpu:9", ""),
    "no such licence": (["-Lnope"], "licenses: nope", ""),
    "no such time": (["--begin=tomorrowx"], "directives: {begin: tomorrowx}", ""),
    "no such option": (["--bogus=1"], "directives: {bogus: 1}", ""),
    "no such event": (["--mail-type=FOO"], "mail_type: FOO", ""),
    "no such limit": (["--propagate=FOO"], "directives: {propagate: FOO}", ""),
    "no number": (["--switches=x"], "directives: {switches: x}", ""),
}


@dataclass(frozen=True)
class Site:
    """What a user has to set there: for sbatch and for draco."""

    sbatch: tuple[str, ...] = ()
    settings: str = ""
    possible: tuple[str, ...] = ()  # wishes that draco fulfils where sbatch refuses

    def says(self, draco: Draco, setting: str) -> str:
        """Why a start with this setting fails, in one line."""
        given = {line.partition(":")[0]: line for line in self.settings.splitlines()}
        given |= {setting.partition(":")[0]: setting}
        small = ("processes: 2", "cores: 2", "memory: 1 GiB", "walltime: 00:50:00")
        lines = [line for line in small if line.partition(":")[0] not in given]
        path = draco.home / ".config/draco/draco.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join([*lines, *given.values(), ""]))
        result = draco.run("start", check=False)
        assert result.returncode, setting
        return " ".join(result.stderr.replace("dracoctl:", " ").split())


SITES = {
    "plain": Site(),
    # Where no node has a RealMemory, draco asks for none.
    "no-memory": Site(possible=("too much memory",)),
    "whole-nodes": Site(settings="queues_to_try: nodes"),
    "lua-account": Site(("-Aphysics",), "account: physics\nmemory: none"),
    "gpus": Site(settings="queues_to_try: gpu"),
}

#: Words of sbatch that are about its command line.
NOISE = ("Try ", "See ")


def caller() -> None:
    """A process as no other here is."""
    os.umask(0o027)
    os.nice(1)
    for limit, soft in (
        (resource.RLIMIT_NOFILE, 777),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_STACK, 4 << 20),
        (resource.RLIMIT_CPU, 100000),
        (resource.RLIMIT_FSIZE, 1 << 40),
    ):
        resource.setrlimit(limit, (soft, resource.getrlimit(limit)[1]))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox("--nodes", "1") as sandbox:
        yield sandbox


def read(path: str) -> dict[str, str]:
    with open(path, encoding="utf-8") as file:
        pairs = [line.rstrip("\n").partition("=") for line in file]
    return {name: value for name, _, value in pairs}


def differences(one: dict[str, str], other: dict[str, str], known: dict[str, str]) -> list[str]:
    """What is not equal and not known to differ."""
    return [
        f"{name}: sbatch {one.get(name)!r}, draco {other.get(name)!r}"
        for name in sorted(one.keys() | other.keys())
        if one.get(name) != other.get(name)
        and not any(re.fullmatch(pattern, name) for pattern in known)
    ]


def test_all_is_equal_or_known(sandbox: Sandbox) -> None:
    with Draco(sandbox) as draco:
        environment = {**draco.environment, "MINE": "it's\nmine", "SBATCH_COMMENT": "a b"}
        outputs = [draco.root / "sbatch", draco.root / "draco"]
        draco.run("launch")
        subprocess.run(
            ["sbatch", "-p", "short", "-N1", "-n1", "-c2", "--mem=1G", "-t50", "-o", "/dev/null"],
            input=SCRIPT.replace("OUT", str(outputs[0])), text=True, check=True,
            env=environment, cwd=draco.home, preexec_fn=caller,
        )  # fmt: skip
        prologue = "(" + SCRIPT.replace("OUT", str(outputs[1])) + ")"
        subprocess.run(
            [BUILD / "dracoctl", "start", "--processes=2", "--cores=2", "--memory=1GiB",
             "--walltime=50", "--queues-to-try=short", "--prologue", prologue],
            check=True, env=environment, cwd=draco.home, preexec_fn=caller,
        )  # fmt: skip
        wait_for(lambda: all(os.path.exists(f"{out}.end") for out in outputs), "both have run")
        for part in ("facts", "environment", "job"):
            one, other = (read(f"{out}.{part}") for out in outputs)
            assert len(one) > 10
            assert differences(one, other, KNOWN[part]) == [], part
    draco.check_nothing_left()


def words_of_sbatch(sandbox: Sandbox, options: list[str]) -> list[str]:
    """Why sbatch refuses, a line each; none when it takes the job."""
    result = subprocess.run(
        ["sbatch", "-N1", "-n1", "-t50", *options, "-o", "/dev/null", "--wrap=true"],
        text=True, capture_output=True, env={**os.environ, **sandbox.environment},
    )  # fmt: skip
    if result.returncode == 0:
        return []
    lines = [re.sub(r"^sbatch: (error: )?", "", line) for line in result.stderr.splitlines()]
    return [line.removeprefix("Batch job submission failed: ") for line in lines if line]


@pytest.mark.parametrize("site", ["plain", "no-memory", "whole-nodes", "lua-account", "gpus"])
def test_wrong_wishes(site: str) -> None:
    """draco's text says at least as much as sbatch's."""
    own = SITES[site]
    options = [] if site == "plain" else ["--site", site]
    wrong = []
    with Sandbox(*options) as sandbox:
        with Draco(sandbox) as draco:
            for name, (wish, setting, instead) in WISHES.items():
                if name in own.possible:
                    continue
                words = words_of_sbatch(sandbox, [*own.sbatch, *wish])
                text = own.says(draco, setting)
                assert words, f"sbatch takes a job with {wish}"
                missing = [
                    word for word in words if word not in text and not word.startswith(NOISE)
                ]
                if missing and not (instead and instead in text):
                    wrong.append(f"{name}: sbatch says {missing}, and draco {text}")
        draco.check_nothing_left()
    assert not wrong, "\n".join(wrong)
