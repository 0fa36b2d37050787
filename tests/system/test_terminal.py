"""What a person reads: lines that fit the terminal; what a program reads where usage is wrong."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
from harness import BUILD, SMALL, Draco, wait_for
from terminal import Terminal
from user import User


def at_terminal(user: Draco | User, *command: str, columns: int) -> str:
    """What it shows, without colours."""
    environment = {**user.environment, "TERM": "xterm"}
    seen = Terminal(["/bin/sh", "-c", *command], environment, columns).finish()[1]
    return re.sub(r"\033\[\d*m", "", seen).replace("\r\n", "\n")


def test_an_error_fits_the_terminal(draco: Draco) -> None:
    command = " ".join(draco.command("start", "--memory='80 apples'"))
    lines = at_terminal(draco, command, columns=50).splitlines()
    assert lines == [
        'dracoctl: --memory: "80 apples" is not an amount',
        "            of memory: give a number with a unit,",
        "            such as 80 GiB or 512 MB",
    ]
    (line,) = at_terminal(draco, f"{command} 2>&1 | cat", columns=50).splitlines()
    assert " ".join(text.strip() for text in lines) == line


def test_a_status_fits_the_terminal(draco: Draco) -> None:
    draco.run("start", *SMALL, "--dashboard=off")
    draco.run("pause")
    command = " ".join(draco.command("status"))
    text = at_terminal(draco, command, columns=60)
    head, _, table = text.partition("\n\n")
    assert all(len(line) <= 60 for line in head.splitlines()), head
    assert re.search(r"\n {11}\S", head), "the line of the size is longer"
    assert "JOB" in table
    # The note of a job has a line of its own where it does not fit.
    wait_for(lambda: "idle for" in draco.run("status").stdout, "the job is idle")
    assert re.search(r" LEFT +NOTE\n.* idle for", at_terminal(draco, command, columns=200))
    # Where all of it has no room, columns that matter less are left out.
    narrow = at_terminal(draco, command, columns=80).partition("\n\n")[2]
    assert re.search(r"PARTITION .* LEFT +NOTE\n.* idle for", narrow), narrow
    assert "FOR" not in narrow and all(len(line) <= 80 for line in narrow.splitlines())
    narrow = at_terminal(draco, command, columns=50).partition("\n\n")[2]
    assert re.search(r" LEFT +NOTE\n.*:\d\d\s*\n +idle for", narrow), narrow


@pytest.mark.parametrize(
    ("behind", "live"), [("", True), (" | cat", False), (" >/dev/null", False)]
)
def test_doctor_shows_what_it_does_on_a_terminal_only(
    draco: Draco, behind: str, live: bool
) -> None:
    command = " ".join(draco.command("doctor")) + behind
    seen = at_terminal(draco, command, columns=100)
    assert ("\033[K" in seen) == live and ("looking at this host" in seen) == live, seen


@pytest.mark.parametrize("words", ["--help", "start --help", "config show", "--json where"])
def test_output_that_cannot_be_written(user: User, words: str) -> None:
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            [BUILD / "dracoctl", *words.split()],
            env=user.environment,
            cwd=user.home,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert result.returncode == 1, result.stderr
    assert "cannot write the output: No space left on device" in result.stderr


@pytest.mark.parametrize("words", ["--version", "-V", "start -V", "--json -V"])
def test_version(user: User, words: str) -> None:
    result = user.run(*words.split())
    assert result.returncode == 0 and re.fullmatch(r"dracoctl [0-9.]+\n", result.stdout)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        # A beginning of an option is none: another option may begin so one day.
        ("--profile big start", "--profile goes behind the command: dracoctl start --profile"),
        ("--cores=3 start", "--cores goes behind the command: dracoctl start --cores"),
        ("--force stop", "--force goes behind the command: dracoctl stop --force"),
        ("start --core 3", "there is no option --core; did you mean --cores?"),
        ("start --core=3", "there is no option --core; did you mean --cores?"),
        ("start --minimum-w 1", "--minimum-w; did you mean --minimum-walltime?"),
        ("start --m 3", "there is no option --m; see dracoctl start --help"),
        ("start --wa 3", "--wa; did you mean --walltime or --wait-timeout?"),
        ("stop --forc", "there is no option --forc; did you mean --force?"),
        ("--nam x status", "there is no option --nam; did you mean --name?"),
        # What sbatch and dask-jobqueue call it.
        (
            "start --partition short",
            "no option --partition; use --queues-to-try NAME[ OPTION=VALUE...],...",
        ),
        (
            "start -p short",
            "there is no option -p; use --queues-to-try NAME[ OPTION=VALUE...],...",
        ),
        ("start -A physics", "there is no option -A; use --account NAME"),
        ("start -Z", "there is no option -Z; see dracoctl start --help"),
        ("start --n-workers=3", "there is no option --n-workers; use --minimum WORKERS ("),
        ("run --workers 3 -- x", "there is no option --workers; use --minimum WORKERS ("),
        ("start --job-extra-directives x", "use --directives"),
        ("start --header-skip x", "--header-skip: not needed, because draco gives Slurm only"),
        ("start --config-name x", "there is no option --config-name; use --profile NAME"),
        ("config explain n_workers", 'there is no setting "n_workers"; use "minimum" ('),
        ("top", 'there is no command "top"; did you mean "status"?'),
        ("squeue", 'there is no command "squeue"; did you mean "status"?'),
    ],
)
def test_what_was_meant(user: User, words: str, error: str) -> None:
    result = user.run(*words.split())
    assert result.returncode == 2 and error in result.stderr, result.stderr


def test_a_variable_by_another_name(user: User) -> None:
    user.environment["DRACO_QUEUE"] = "x"
    result = user.run("config", "check")
    text = result.stdout + result.stderr
    assert "DRACO_QUEUE" in text and "use the setting queues_to_try" in text


@pytest.mark.parametrize("word", ["false", "no", "off"])
def test_a_boolean_takes_a_word(user: User, word: str) -> None:
    """Not only --use-scratch-dir=false; and behind run, the word is the command."""
    result = user.run("config", "show", "--use-scratch-dir", word, "--cores=41")
    assert re.search(r"use_scratch_dir +false", result.stdout) and "41" in result.stdout


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ("start --nonsense --json", "there is no option --nonsense"),
        ("--json start --memory", "the option --memory needs a value"),
        ("status rubbish --json", 'status takes no argument "rubbish"'),
        ("--json strat", 'there is no command "strat"; did you mean "start"?'),
        ("--json", "no command was given"),
        ("--json run -- no-such-program", "cannot run no-such-program"),
        ("--json --name a/b status", '"a/b" cannot name a cluster'),
        ("--json scale five", "scale"),
        ("--json config explain nosuch", "nosuch"),
        ("--json doctor --wait=soon", "--wait"),
    ],
)
def test_wrong_usage_in_json(user: User, words: str, error: str) -> None:
    result = user.run(*words.split())
    assert result.returncode not in (0, 1) and not result.stderr
    assert error in json.loads(result.stdout)["error"]
