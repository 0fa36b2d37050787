"""What is said of mistakes in settings files, variables and options."""

from __future__ import annotations

import json
import os
import re

import pytest
from user import User

WRONG = {
    "unknown": ("cores: 4\nproceses: 3\n", "2:1", ["proceses", 'mean "processes"?']),
    "unknown, far": (
        "colour: red\n",
        "1:1",
        ['no setting "colour"', "draco.yaml(5) lists all"],
    ),
    "other case": ("Walltime: 02:00:00\n", "1:1", ['"Walltime"', 'mean "walltime"?']),
    "no number": ("processes: many\n", "1:12", ['processes: "many"', "from 1 to 4096"]),
    "half a worker": ("processes: 2.5\n", "1:12", ['processes: "2.5"', "whole number"]),
    "zero": ("processes: 0\n", "1:12", ["processes: 0", "from 1 to 4096"]),
    "negative": ("minimum: -1\n", "1:10", ["minimum: -1", "from 0 to 100000"]),
    "huge": ("cores: 99999999999999999999\n", "1:8", ["cores: 9999", "from 1 to 65535"]),
    "no value": ("cores:\n", "1:7", ["cores: the value is missing", "from 1 to 65535"]),
    "apples": ("memory: 80 apples\n", "1:9", ['memory: "80 apples"', "80 GiB or 512 MB"]),
    "no unit": ("memory: 80\n", "1:9", ['memory: "80" has no unit', "80 GiB or 80 MiB"]),
    "walltime": ("walltime: 1h\n", "1:11", ['walltime: "1h"', "01:30:00"]),
    "no walltime": ("walltime: 00:00:00\n", "1:11", ["walltime: 00:00:00", "longer than 0"]),
    "unlimited": ("walltime: UNLIMITED\n", "1:11", ['walltime: "UNLIMITED"', "01:30:00"]),
    "time span": ("wait_timeout: a while\n", "1:15", ['wait_timeout: "a while"', "5 min"]),
    "too short": ("wait_timeout: 0.1\n", "1:15", ["wait_timeout: 0.1", "at least 1 s"]),
    "too long": ("wait_timeout: 800 days\n", "1:15", ["800 days", "at most 366 days"]),
    "maybe": (
        "use_scratch_dir: maybe\n",
        "1:18",
        ['use_scratch_dir: "maybe"', "true nor false"],
    ),
    "list in list": ("queues_to_try: [[a]]\n", "1:17", ["queues_to_try", "one plain value"]),
    "list": ("reservation: [a, b]\n", "1:14", ["reservation: a list", "one value"]),
    "mapping": ("maximum: {a: 1}\n", "1:10", ["maximum: a mapping", "one value"]),
    "two lines": (
        'reservation: "a\\nb"\n',
        "1:14",
        ["reservation: the value", '"a"', "one line"],
    ),
    "relative": (
        "log_directory: logs\n",
        "1:16",
        ['log_directory: "logs"', 'with "/" or "~/"'],
    ),
    "twice": ("cores: 44\ncores: 45\n", "2:1", ["cores is given twice", "line 1", "remove"]),
    "limits": ("limits: {maximum: 3}\n", "1:1", ["limits", "only be in the file of the site"]),
    "profile": ("profile:\n  a: {cores: 4}\n", "1:1", ['"profile"', 'mean "profiles:"?']),
    "flat profile": (
        "profiles:\n  a: 3\n",
        "2:6",
        ['profile "a"', '"setting: value"', "only 3"],
    ),
    "in a profile": (
        "profiles:\n  a:\n    cores: 44\n    memory: lots\n",
        "4:13",
        ['memory: "lots"', "80 GiB"],
    ),
    "profile twice": (
        "profiles:\n  a: {cores: 44}\n  a: {cores: 45}\n",
        "3:3",
        ['profile "a" is given twice', "remove"],
    ),
    "profile in profile": (
        "profiles:\n  a:\n    profiles: {}\n",
        "3:5",
        ['profiles cannot be inside of profile "a"', "margin"],
    ),
    "no colon": (
        "cores: 4\nmemory 8 GiB\n",
        "2:1",
        ['"memory 8 GiB"', '":" after', "missing"],
    ),
    "equals": ("cores=4\n", "1:1", ["cores=4", 'lines "setting: value"']),
    "tab": ("profiles:\n\ta: {cores: 4}\n", "2:1", ["a: {cores: 4}", "not tabs"]),
    "indented": ("cores: 4\n memory: 8 GiB\n", "2:8", ["memory: 8 GiB", "same indentation"]),
    "open quote": ('memory: "8 GiB\ncores: 4\n', "1:9", ['"8 GiB', "a quote is missing"]),
    "open bracket": ("queues_to_try: [a, b\ncores: 4\n", "2:6", ["line 1", '"]" is missing']),
    "sign": ("reservation: @maint\n", "1:14", ["@maint", "needs quotes"]),
    "list of all": ("- cores: 4\n", "1:1", ["a list", 'lines "setting: value"']),
    "two documents": (
        "cores: 44\n---\ncores: 45\n",
        "2:1",
        ["another document", "must be one"],
    ),
    "NUL": ('reservation: "a\\0b"\n', "1:14", ["reservation has a NUL character"]),
    "no UTF-8": (b"cores: 44\nreservation: \xff\n", "2:14", ["UTF-8"]),
    "brackets": ("[" * 1000000, "1:65", ["more than 64 deep"]),
    "too many workers": (
        "cores: 4\nprocesses: 50\n",
        "2:1",
        ["processes 50", "cores 4 (", "lower processes or raise cores"],
    ),
    "little memory": (
        "memory: 1 GiB\n",
        "1:1",
        ["memory 1 GiB leaves 51 MiB", "processes 20 (default)", "raise memory"],
    ),
    "below the minimum": (
        "walltime: 00:10:00\n",
        "1:1",
        ["walltime 00:10:00", "minimum_walltime 00:45:00 (default)", "at least"],
    ),
    "above the maximum": (
        "minimum: 10\nmaximum: 5\n",
        "1:1",
        ["minimum 10", "maximum 5", "lower one"],
    ),
    "above the factor": (
        "minimum: 41\n",
        "1:1",
        ["minimum 41", "adaptive_scale_factor 2 (default) x processes 20", "set maximum"],
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_configuration(user: User, what: str) -> None:
    text, place, words = WRONG[what]
    user.write(text)
    result = user.run("config", "check")
    assert result.returncode == 1
    lines = result.stdout.splitlines()
    assert len(lines) == 1, result.stdout
    assert lines[0].startswith(f"{user.config}:{place}: ")
    for word in words:
        assert word in lines[0]
    # A start says the same, and costs no daemon.
    start = user.run("start")
    assert start.returncode == 2
    assert start.stderr == f"dracoctl: {lines[0]}\n" and start.stdout == ""
    assert list(user.runtime.iterdir()) == []
    problem = json.loads(user.run("--json", "config", "check").stdout)["problems"][0]
    assert f"{problem['place']}: {problem['message']}" == lines[0]


def test_there_are_at_least_thirty_wrong_configurations() -> None:
    assert len(WRONG) >= 30


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("limits: {walltim: 3}\n", "1:10", ['"walltim"', 'mean "walltime"?']),
        ("limits: {memory: 3 GiB}\n", "1:10", ["memory cannot be limited", "poll_interval"]),
        ("limits: {maximum: many}\n", "1:19", ['maximum: "many"', "whole number"]),
        ("limits: {maximum: 0}\n", "1:19", ["maximum 0 would allow nothing"]),
        ("limits: 3\n", "1:9", ["limits must consist of lines", "only 3"]),
        ("limits:\n  profiles: {}\n", "2:3", ["profiles cannot be inside of limits"]),
    ],
)
def test_wrong_site_configuration(user: User, text: str, place: str, words: list[str]) -> None:
    user.write_site(text)
    result = user.run("config", "check")
    assert result.returncode == 1
    assert result.stdout.startswith(f"{user.site}:{place}: ")
    for word in words:
        assert word in result.stdout


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("coers: 41\nmemory: 3 GiB\n", "1:1"),
        ("cores: many\nmemory: 3 GiB\n", "1:8"),
        ("memory: 3 GiB\nlimits: {walltim: 3}\n", "2:10"),
        ("memory: 3 GiB\nlimits: 3\n", "2:9"),
    ],
)
def test_a_mistake_of_the_site_stops_nobody(user: User, text: str, place: str) -> None:
    """It is left out, and each user is told; what else the file says holds."""
    user.write_site(text)
    result = user.run("config", "show")
    assert result.returncode == 0
    assert re.search(r"^memory +3 GiB", result.stdout, re.M)
    assert re.search(r"^cores +40 +default", result.stdout, re.M)
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"dracoctl: warning: {user.site}:{place}: ")
    assert line.endswith("; this is left out: tell the administrators")


def test_a_mistake_of_the_site_is_told_once(user: User) -> None:
    """By the first start that could tell, and again when there is another one."""

    def told() -> bool:
        # It goes no further than to the settings.
        return f"{user.site}:1:1: " in user.run("start", "--maximum=x").stderr

    user.write_site("coers: 41\n")
    user.run("start", "--maximum=x", "--quiet")
    assert [told(), told(), told()] == [True, False, False]
    user.write_site("coers: 41\nmemroy: 3\n")
    assert [told(), told()] == [True, False]
    user.write_site("cores: 41\n")
    assert not told()
    user.write_site("coers: 41\n")
    assert told()
    # Who asks for the settings is told each time.
    for _ in range(2):
        assert f"{user.site}:1:1: " in user.run("config", "show").stderr


def test_the_administrator_checks_the_sites_file(user: User) -> None:
    """Whatever the administrator's own settings are."""
    user.write("nonsense: 1\n")
    user.write_site("cores: 41\n")
    checked = user.run("config", "check", "--site", DRACO_MINIMUM="x", DRACO_PROFILE="mine")
    assert (checked.returncode, checked.stdout) == (0, f"site  {user.site}: good\n")
    user.write_site("coers: 41\nprofiles: {a: {memory: x}}\n")
    wrong = user.run("config", "check", "--site", DRACO_MINIMUM="x")
    assert wrong.returncode == 1
    places = [line.split(" ")[0] for line in wrong.stdout.splitlines()]
    assert places == [f"{user.site}:1:1:", f"{user.site}:2:24:"]
    user.write_site("cores: 41\n")
    os.chmod(user.site, 0o640)
    unread = user.run("config", "check", "--site")
    assert unread.returncode == 1 and f"chmod o+r {user.site}" in unread.stdout
    os.unlink(user.site)
    assert user.run("config", "check", "--site").returncode == 1
    assert user.run("config", "show", "--site").returncode == 2


def test_all_mistakes_at_once(user: User) -> None:
    user.write_site("cores: x\n")
    user.write("memory: x\nprocesses: 30\nprofiles:\n  a: {walltime: x}\n")
    expected = [f"{user.site}:1:8: ", f"{user.config}:1:9: ", f"{user.config}:4:17: "]
    check = user.run("config", "check", DRACO_MINIMUM="x").stdout.splitlines()
    # No complaint follows from a value that was not understood: cores are not known here.
    assert [line.split(" ")[0] + " " for line in check] == [*expected, "DRACO_MINIMUM: "]
    start = user.run("start", "--maximum=x", DRACO_MINIMUM="x").stderr.splitlines()
    assert start[0].startswith(f"dracoctl: warning: {expected[0]}"), "of the site"
    places = [line.split(" ")[1] + " " for line in start[1:]]
    assert places == [*expected[1:], "DRACO_MINIMUM: ", "--maximum: "]
    answer = json.loads(user.run("--json", "start").stdout)
    # What is wrong in the site's file was told already.
    assert [problem["place"] + ": " for problem in answer["data"]["problems"]] == expected[1:]


def test_what_does_not_fit_together_in_a_profile(user: User) -> None:
    user.write("profiles:\n  good: {cores: 30}\n  bad:\n    cores: 2\n")
    result = user.run("config", "check")
    assert result.returncode == 1
    assert result.stdout.startswith(
        f"{user.config}:4:5: processes 20 (default) is more than cores 2"
    )
    assert len(result.stdout.splitlines()) == 1
    # It hurts nobody who does not choose it.
    assert user.run("config", "show").returncode == 0
    assert user.run("config", "show", "--profile=good").returncode == 0
    assert user.run("config", "show", "--profile=bad").returncode == 2


def test_files_that_cannot_be_settings(user: User) -> None:
    user.config.mkdir()
    assert "not a regular file" in user.run("config", "check").stdout
    user.config.rmdir()
    os.mkfifo(user.config)  # would block whoever opens it
    assert "not a regular file" in user.run("config", "check").stdout
    user.config.unlink()
    user.write(b"#" * (1024 * 1024 + 1))
    assert "larger than 1 MiB" in user.run("config", "check").stdout
    user.write("cores: 40\n")
    user.config.chmod(0o666)
    check = user.run("config", "check")
    assert check.returncode == 1
    assert f"every user of this machine can write it (mode 0666): chmod o-w {user.config}" in (
        check.stdout
    )


def test_wrong_options_name_the_option(user: User) -> None:
    result = user.run("start", "--wait-timeout", "long", "--no-use-scratch-dir")
    assert result.returncode == 2
    assert 'dracoctl: --wait-timeout: "long" is not a duration' in result.stderr
    assert "did you mean --processes?" in user.run("start", "--proceses=3").stderr
