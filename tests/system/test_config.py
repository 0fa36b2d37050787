"""Settings: their layers, profiles and limits, ``dracoctl config``, and what is said of mistakes."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
from harness import BUILD, SMALL, Draco

DRACOCTL = BUILD / "dracoctl"


class User:
    """Somebody with settings files, but without Slurm.

    Parameters
    ----------
    root : Path
        An empty directory: home and site are made there.
    """

    def __init__(self, root: Path) -> None:
        self.home = root / "home"
        self.site = root / "etc/draco.yaml"
        self.config = self.home / ".config/draco/draco.yaml"
        for file in (self.site, self.config):
            file.parent.mkdir(parents=True)
        self.runtime = root / "run"
        self.runtime.mkdir(mode=0o700)
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("DRACO_", "XDG_"))},
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.runtime),
            "DRACO_SITE_CONFIG": "/dev/null",
            "TERM": "dumb",
        }

    def write_site(self, text: str) -> None:
        self.site.write_text(text)
        self.environment["DRACO_SITE_CONFIG"] = str(self.site)

    def write(self, text: str | bytes) -> None:
        self.config.write_bytes(text.encode() if isinstance(text, str) else text)

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(DRACOCTL), *arguments],
            text=True,
            capture_output=True,
            timeout=60,
            cwd=self.home,
            env={**self.environment, **environment},
        )

    def show(self, *arguments: str, **environment: str) -> dict[str, Any]:
        """What ``config show --json`` answers."""
        result = self.run("--json", "config", "show", *arguments, **environment)
        assert result.returncode == 0, result.stdout + result.stderr
        return json.loads(result.stdout)

    def value(self, name: str, *arguments: str, **environment: str) -> tuple[Any, str]:
        """Value and source of a setting."""
        setting = self.show(*arguments, **environment)["settings"][name]
        return setting["value"], setting["source"]


@pytest.fixture
def user(tmp_path: Path) -> User:
    return User(tmp_path)


# Layers


def test_each_layer_wins_over_the_one_before(user: User) -> None:
    assert user.value("cores") == ("40", "default")
    user.write_site("# of the site\ncores: 41\n")
    assert user.value("cores") == ("41", f"{user.site}:2")
    user.write("cores: 42\n")
    assert user.value("cores") == ("42", f"{user.config}:1")
    assert user.value("cores", DRACO_CORES="43") == ("43", "DRACO_CORES")
    assert user.value("cores", "--cores=44", DRACO_CORES="43") == ("44", "--cores")
    assert user.value("memory") == ("80 GiB", "default")


def test_a_profile_wins_over_the_plain_values_of_its_file(user: User) -> None:
    user.write_site("cores: 41\nprofiles:\n  big:\n    cores: 51\n    memory: 100 GiB\n")
    user.write("processes: 3\nprofiles:\n  big:\n    processes: 4\n  other: {processes: 5}\n")
    assert user.value("cores", "--profile=big") == ("51", f"{user.site}:4")
    assert user.value("processes", "--profile", "big") == ("4", f"{user.config}:4")
    assert user.value("processes", DRACO_PROFILE="other") == ("5", f"{user.config}:5")
    # The option wins over the variable, and an empty one means none.
    assert user.value("processes", "--profile=big", DRACO_PROFILE="other")[0] == "4"
    assert user.value("processes", "--profile=", DRACO_PROFILE="other")[0] == "3"
    # The plain values of the user win over the site's profile; what the user does not say, holds.
    user.write("cores: 42\n")
    assert user.value("cores", "--profile=big")[0] == "42"
    assert user.value("memory", "--profile=big")[0] == "100 GiB"
    table = user.run("config", "show", "--profile=big").stdout
    assert re.search(rf"^memory +100 GiB +{user.site}:5 \(profile big\)$", table, re.M), table


def test_an_unknown_profile_names_the_known(user: User) -> None:
    nothing = user.run("config", "show", "--profile=big")
    assert nothing.returncode == 2
    assert '--profile: there is no profile "big": no file has any' in nothing.stderr
    user.write("profiles:\n  night: {cores: 50}\n  gpu: {cores: 60}\n")
    near = user.run("start", "--profile=nihgt")
    assert near.returncode == 2 and 'did you mean "night"?' in near.stderr
    far = user.run("config", "check", DRACO_PROFILE="elsewhere")
    assert far.returncode == 1
    assert 'DRACO_PROFILE: there is no profile "elsewhere"; there are: night, gpu' in far.stdout


def test_files_are_found_by_the_environment(user: User, tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / "draco").mkdir(parents=True)
    (other / "draco/draco.yaml").write_text("cores: 77\n")
    user.write("cores: 42\n")
    assert user.value("cores", XDG_CONFIG_HOME=str(other))[0] == "77"
    assert user.value("cores", XDG_CONFIG_HOME="relative")[0] == "42"
    relative = user.run("config", "check", DRACO_SITE_CONFIG="x.yaml")
    assert relative.returncode == 1
    assert 'DRACO_SITE_CONFIG: "x.yaml" is not an absolute path' in relative.stdout
    missing = user.run("config", "check", DRACO_SITE_CONFIG="/nowhere/x.yaml")
    assert missing.returncode == 1 and "there is no file /nowhere/x.yaml" in missing.stdout


def test_variables(user: User) -> None:
    assert user.value("use_scratch_dir", DRACO_USE_SCRATCH_DIR="off")[0] == "false"
    assert user.value("queues_to_try", DRACO_QUEUES_TO_TRY='a, "b,c"')[0] == ["a", "b,c"]
    assert user.value("cores", DRACO_CORES="") == ("40", "default")
    wrong = user.run("config", "check", DRACO_WALLTIME="soon", DRACO_CORES="x")
    assert wrong.returncode == 1
    assert 'DRACO_WALLTIME: walltime: "soon" is not a walltime' in wrong.stdout
    assert 'DRACO_CORES: cores: "x" is not a whole number, from 1 to 65535' in wrong.stdout


def test_an_unknown_variable_is_a_warning(user: User) -> None:
    result = user.run("config", "show", DRACO_WALTIME="01:00:00")
    assert result.returncode == 0
    assert "warning: DRACO_WALTIME: the variable is not known" in result.stderr
    assert "did you mean DRACO_WALLTIME?" in result.stderr
    assert user.run("config", "show", "-q", DRACO_WALTIME="01:00:00").stderr == ""
    checked = user.run("config", "check", DRACO_PROCESS="3")
    assert checked.returncode == 0 and "DRACO_PROCESS: warning:" in checked.stdout
    for known in ("DRACO_NAME", "DRACO_BIN", "DRACO_CLUSTER_ID"):
        assert user.run("config", "show", **{known: "x"}).stderr == "", known


def find_setting(user: User, kind: str) -> str:
    """The first setting whose type is described like this."""
    names = list(user.show()["settings"])
    answer = json.loads(user.run("--json", "config", "explain", *names).stdout)
    found = [setting["name"] for setting in answer if setting["type"].startswith(kind)]
    if not found:
        pytest.skip(f"no setting is a {kind}")
    return found[0]


def test_mappings_of_all_layers_are_put_together(user: User) -> None:
    name = "environment"  # a mapping of any names
    option, variable = f"--{name.replace('_', '-')}", f"DRACO_{name.upper()}"
    user.write_site(f"{name}: {{A: 1, B: 2}}\n")
    user.write(f'{name}:\n  B: "x, y"\n  C: 3\n')
    value, source = user.value(name, f"{option}=D=4,E=5", option, "F=6", **{variable: "G=7"})
    assert value == {"A": "1", "B": "x, y", "C": "3", "G": "7", "D": "4", "E": "5", "F": "6"}
    assert source == f"{user.site}:1 + {user.config}:1 + {variable} + {option}"
    shown = re.search(rf"^{name} +(.*?)  +(.*)$", user.run("config").stdout, re.M)
    assert shown and shown[1] == 'A=1, "B=x, y", C=3'
    assert shown[2] == f"{user.site}:1 ~/.config/draco/draco.yaml:1"
    assert user.value(name, f"{option}=none") == ({}, option)
    wrong = user.run("start", option, "1=2")
    assert wrong.returncode == 2 and f'{option}: {name}: "1" cannot name' in wrong.stderr


def test_texts_are_kept_as_they_are(user: User) -> None:
    name = find_setting(user, "text of any number of lines")
    user.write(f'{name}: |\n  module load python\n\n    indented, "quoted"\n')
    assert user.value(name)[0] == 'module load python\n\n  indented, "quoted"\n'
    assert "module load python ... (2 more lines)" in user.run("config").stdout
    explained = user.run("config", "explain", name).stdout
    assert explained.endswith('    | module load python\n    | \n    |   indented, "quoted"\n')
    assert user.value(name, **{f"DRACO_{name.upper()}": "a\nb"})[0] == "a\nb"


def test_choices_name_their_words(user: User) -> None:
    name = find_setting(user, "one of ")
    user.write(f"{name}: nonsense\n")
    line = user.run("config", "check").stdout
    assert (
        f'{user.config}:1:{len(name) + 3}: {name}: "nonsense" is not known: give one of '
        in line
    )


# Limits


LIMITS = "limits:\n  maximum: 100\n  walltime: 1-00:00:00\n  poll_interval: 5\n"


@pytest.mark.parametrize(
    ("options", "name", "asked", "given"),
    [
        (["--maximum=400"], "maximum", "400", "100"),
        (["--maximum=101"], "maximum", "101", "100"),
        (["--adaptive-scale-factor=9"], "maximum", "0 (180 workers)", "100"),
        (["--minimum=120", "--maximum=100"], "minimum", "120", "100"),
        (["--processes=120", "--cores=120"], "processes", "120", "100"),
        (["--processes=30", "--maximum=91"], "maximum", "91", "90"),
        (["--walltime=1-00:00:01"], "walltime", "1-00:00:01", "1-00:00:00"),
        (["--poll-interval=4999 ms"], "poll_interval", "4999 ms", "5"),
    ],
)
def test_a_limit_bites(
    user: User, options: list[str], name: str, asked: str, given: str
) -> None:
    user.write_site(LIMITS)
    answer = user.show(*options)
    line = {"maximum": 2, "minimum": 2, "processes": 2, "walltime": 3, "poll_interval": 4}[name]
    setting = answer["settings"][name]
    assert (setting["value"], setting["layer"]) == (given, "limit")
    assert setting["source"] == f"limit {user.site}:{line}"
    told = {limit["setting"]: limit for limit in answer["limits"]}[name]
    assert (told["asked"], told["given"]) == (asked, given)
    word = "raised" if name == "poll_interval" else "lowered"
    assert told["message"].startswith(f"{name} {asked} is {word} to {given}: the site allows ")
    assert told["message"].endswith(f"({user.site}:{line})")
    assert told["message"] in user.run("config", "show", *options).stdout


@pytest.mark.parametrize(
    "options",
    [
        ["--maximum=100"],
        ["--maximum=90", "--processes=30"],
        ["--walltime=1-00:00:00"],
        ["--poll-interval=5"],
        [],
    ],
)
def test_a_limit_does_not_bite(user: User, options: list[str]) -> None:
    user.write_site(LIMITS)
    assert user.show(*options)["limits"] == []


def test_a_limit_below_minimum_walltime(user: User) -> None:
    user.write_site("limits: {walltime: 00:30:00}\n")
    answer = user.show()
    assert answer["settings"]["walltime"]["value"] == "00:30:00"
    assert {limit["setting"] for limit in answer["limits"]} == {"walltime", "minimum_walltime"}


# Mistakes: each is told with file, line, column, the key, the value and what would be right.

WRONG = {
    "unknown": ("cores: 4\nproceses: 3\n", "2:1", ["proceses", 'mean "processes"?']),
    "unknown, far": ("colour: red\n", "1:1", ['no setting "colour"', "config show lists all"]),
    "other case": ("Walltime: 02:00:00\n", "1:1", ['"Walltime"', 'mean "walltime"?']),
    "no number": ("processes: many\n", "1:12", ['processes: "many"', "from 1 to 4096"]),
    "half a worker": ("processes: 2.5\n", "1:12", ['processes: "2.5"', "whole number"]),
    "zero": ("processes: 0\n", "1:12", ["processes: 0", "from 1 to 4096"]),
    "negative": ("minimum: -1\n", "1:10", ["minimum: -1", "from 1 to 100000"]),
    "huge": ("cores: 99999999999999999999\n", "1:8", ["cores: 9999", "from 1 to 65535"]),
    "no value": ("cores:\n", "1:7", ["cores: there is no value", "from 1 to 65535"]),
    "apples": ("memory: 80 apples\n", "1:9", ['memory: "80 apples"', "80 GiB or 512 MB"]),
    "no unit": ("memory: 80\n", "1:9", ['memory: "80" has no unit', "80 GiB or 80 MiB"]),
    "walltime": ("walltime: 1h\n", "1:11", ['walltime: "1h"', "01:30:00"]),
    "no walltime": ("walltime: 00:00:00\n", "1:11", ["walltime: 00:00:00", "later"]),
    "unlimited": ("walltime: UNLIMITED\n", "1:11", ['walltime: "UNLIMITED"', "01:30:00"]),
    "time span": ("wait_timeout: a while\n", "1:15", ['wait_timeout: "a while"', "5 min"]),
    "too short": ("wait_timeout: 0.1\n", "1:15", ["wait_timeout: 0.1", "at least 1 s"]),
    "too long": ("wait_timeout: 800 days\n", "1:15", ["800 days", "at most 366 days"]),
    "maybe": (
        "use_scratch_dir: maybe\n",
        "1:18",
        ['use_scratch_dir: "maybe"', "true nor false"],
    ),
    "empty list": ("queues_to_try: []\n", "1:16", ['queues_to_try: "[]"', "give NAME"]),
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
        ['"memory 8 GiB"', '":" behind', "missing"],
    ),
    "equals": ("cores=4\n", "1:1", ["cores=4", 'lines "setting: value"']),
    "tab": ("profiles:\n\ta: {cores: 4}\n", "2:1", ["a: {cores: 4}", "not by tabs"]),
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
        ["minimum 10", "maximum 5", "lower the one"],
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


def test_all_mistakes_at_once(user: User) -> None:
    user.write_site("cores: x\n")
    user.write("memory: x\nprocesses: 50\nprofiles:\n  a: {walltime: x}\n")
    expected = [f"{user.site}:1:8: ", f"{user.config}:1:9: ", f"{user.config}:4:17: "]
    check = user.run("config", "check", DRACO_MINIMUM="x").stdout.splitlines()
    # No complaint follows from a value that was not understood: cores are not known here.
    assert [line.split(" ")[0] + " " for line in check] == [*expected, "DRACO_MINIMUM: "]
    start = user.run("start", "--maximum=x", DRACO_MINIMUM="x").stderr.splitlines()
    places = [line.split(" ")[1] + " " for line in start]
    assert places == [*expected, "DRACO_MINIMUM: ", "--maximum: "]
    answer = json.loads(user.run("--json", "start").stdout)
    assert [problem["place"] + ": " for problem in answer["data"]["problems"]] == expected


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
    assert 'dracoctl: --wait-timeout: wait_timeout: "long" is not a duration' in result.stderr
    assert "did you mean --processes?" in user.run("start", "--proceses=3").stderr


# dracoctl config


def test_show_for_people(user: User) -> None:
    user.write("walltime: 02:00:00\n")
    text = user.run("config", "show", "--cores=44").stdout
    assert re.search(r"^SETTING +VALUE +FROM$", text, re.M)
    assert re.search(r"^walltime +02:00:00 +~/.config/draco/draco.yaml:1$", text, re.M), text
    assert re.search(r"^cores +44 +--cores$", text, re.M)
    columns = {line.index(line.split()[-1]) for line in text.splitlines()[1:]}
    assert len(columns) == 1, text  # aligned
    assert user.run("config").stdout == user.run("config", "show").stdout


def test_show_for_programs(user: User) -> None:
    user.write("profiles:\n  big:\n    cores: 50\n")
    answer = user.show("--profile=big", "--queues-to-try=a,b")
    assert answer["profile"] == "big"
    assert answer["settings"]["cores"] == {
        "value": "50",
        "layer": "user",
        "source": f"{user.config}:3",
        "file": str(user.config),
        "line": 3,
        "profile": "big",
    }
    assert answer["settings"]["queues_to_try"]["value"] == ["a", "b"]
    assert answer["settings"]["memory"]["layer"] == "default"


def test_lists_keep_their_items(user: User) -> None:
    user.write('queues_to_try: ["a,b", c, "say \\"x\\""]\n')
    values = user.value("queues_to_try")[0]
    assert values == ["a,b", "c", 'say "x"']
    # What show prints can be given as an option.
    printed = re.search(r"^queues_to_try +(.*?)  +~", user.run("config").stdout, re.M)
    assert printed
    assert user.value("queues_to_try", f"--queues-to-try={printed[1]}")[0] == values
    assert user.value("queues_to_try", "--queues-to-try=x,,y ,")[0] == ["x", "y"]
    assert user.run("config", "show", '--queues-to-try="x').returncode == 2


def test_check_of_good_files(user: User) -> None:
    result = user.run("config", "check")
    assert result.returncode == 0 and f"user  {user.config}: not there" in result.stdout
    user.write("cores: 40\n")
    assert f"user  {user.config}: good" in user.run("config", "check").stdout
    assert user.run("--quiet", "config", "check").stdout == ""
    answer = json.loads(user.run("--json", "config", "check").stdout)
    assert answer == {"good": True, "problems": []}


def test_path(user: User) -> None:
    user.write("")
    text = user.run("config", "path").stdout
    assert re.search(rf"^user +{user.config} +exists$", text, re.M)
    assert user.run("config", "path", "user").stdout == f"{user.config}\n"
    assert user.run("config", "path", "site").stdout == "/dev/null\n"
    del user.environment["DRACO_SITE_CONFIG"]
    site = json.loads(user.run("--json", "config", "path").stdout)["site"]["path"]
    assert site.endswith("/draco/draco.yaml")
    wrong = user.run("config", "path", "mine")
    assert wrong.returncode == 2 and "give site or user" in wrong.stderr


def uncomment(text: str) -> str:
    """The settings that a file made by init has as comments."""
    return "".join(
        f"{line[1:]}\n" for line in text.splitlines() if re.match(r"#[a-z_ ]+:", line)
    )


def test_init(user: User) -> None:
    user.config.parent.rmdir()
    made = user.run("config", "init")
    assert made.returncode == 0 and str(user.config) in made.stdout
    assert user.config.stat().st_mode & 0o777 == 0o600
    text = user.config.read_text()
    assert user.run("config", "check").returncode == 0
    assert all(s["layer"] == "default" for s in user.show()["settings"].values())
    # Every setting is there, and as comments they say what holds without the file.
    defaults = {name: s["value"] for name, s in user.show()["settings"].items()}
    plain = uncomment(text)
    user.write(plain)
    answer = user.show()["settings"]
    assert {name: s["value"] for name, s in answer.items()} == defaults
    assert {s["layer"] for s in answer.values()} == {"user"}
    assert [p["name"] for p in json.loads(user.run("--json", "config", "profiles").stdout)]
    # It writes over nothing.
    again = user.run("config", "init")
    assert again.returncode == 1 and "stays as it is" in again.stderr
    assert user.config.read_text() == plain


def test_init_for_a_site(user: User) -> None:
    user.environment["DRACO_SITE_CONFIG"] = str(user.site)
    assert user.run("config", "init", "site").returncode == 0
    user.site.write_text(uncomment(user.site.read_text()))
    assert user.run("config", "check").returncode == 0
    assert user.show("--walltime=30-0")["limits"]


def test_profiles(user: User) -> None:
    assert "No file defines a profile" in user.run("config", "profiles").stdout
    user.write_site("profiles:\n  big: {}\n")
    user.write("profiles:\n  small: {cores: 20}\n  big: {cores: 50}\n")
    assert user.run("config", "profiles", "-q").stdout == "big\nsmall\n"
    answer = json.loads(user.run("--json", "config", "profiles").stdout)
    assert answer[0] == {"name": "big", "places": [f"{user.site}:2", f"{user.config}:3"]}


def test_explain(user: User) -> None:
    user.write_site("limits: {walltime: 1-0}\n")
    user.write("walltime: 02:00:00\n")
    text = user.run("config", "explain", "walltime").stdout
    for part in (
        "walltime of one job",
        "01:30:00",
        "at least 00:01:00",
        "DRACO_WALLTIME",
        "--walltime TIME",
        f"at most 1-00:00:00 for all users of this site ({user.site}:1)",
        "02:00:00, from ~/.config/draco/draco.yaml:1",
    ):
        assert part in text
    answer = json.loads(user.run("--json", "config", "explain", "queues-to-try").stdout)
    assert answer["name"] == "queues_to_try" and answer["default"] == "short, standard"
    wrong = user.run("config", "explain", "waltime")
    assert wrong.returncode == 2 and 'did you mean "walltime"?' in wrong.stderr
    assert user.run("config", "explain").returncode == 2
    user.write("walltime: x\n")
    assert "config check finds errors" in user.run("config", "explain", "cores").stdout


def test_every_setting_can_be_explained(user: User) -> None:
    names = list(user.show()["settings"])
    text = user.run("config", "explain", *names).stdout
    assert re.findall(r"^(\w+): ", text, re.M) == names


def test_wrong_action(user: User) -> None:
    result = user.run("config", "shwo")
    assert result.returncode == 2 and 'did you mean "show"?' in result.stderr
    assert user.run("config", "show", "me").returncode == 2
    help_text = user.run("config", "--help").stdout
    assert all(word in help_text for word in ("show", "check", "path", "init", "explain"))


# With dracod


class Control:
    """A program that talks to dracod by itself.

    Parameters
    ----------
    draco : Draco
        Whose dracod.
    """

    def __init__(self, draco: Draco) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(120)
        self.socket.connect(str(draco.runtime / "draco" / draco.name / "control.sock"))
        self.lines = self.socket.makefile("r")
        self.call("hello", protocol=1)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """The answer to a request, passing over notifications."""
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        self.socket.sendall(json.dumps(message).encode() + b"\n")
        while True:
            answer = json.loads(self.lines.readline())
            if "id" in answer:
                return answer


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
    assert (settings["maximum"], settings["walltime"]) == ("4", "00:55:00")
    limit = draco.sandbox.command("squeue", "-h", "-j", draco.jobs()[0]["id"], "-o", "%l")
    assert limit.strip() == "55:00"
    # Programs get them with the answer; dracod takes no client's word.
    answer = Control(draco).call(
        "start",
        settings={"processes": 2, "cores": 2, "memory": "1 GiB", "maximum": 50},
        environment={**draco.environment, **environment},
    )
    assert answer["result"]["limits"][0]["message"].startswith("maximum 50 is lowered to 4")


def test_dracod_goes_by_the_environment_of_the_caller(draco: Draco) -> None:
    """Not by its own, which is that of the first start."""
    small = [option for option in SMALL if not option.startswith("--processes")]
    other = draco.root / "config"
    (other / "draco").mkdir(parents=True)
    (other / "draco/draco.yaml").write_text("profiles:\n  tiny: {scheduler_timeout: 77}\n")
    draco.run("start", *small, DRACO_PROCESSES="1", DRACO_WORKER_TIMEOUT="99")
    assert draco.status()["settings"]["processes"] == "1"
    draco.run("stop")
    draco.run(
        "start", *small, "--profile=tiny", DRACO_PROCESSES="2", XDG_CONFIG_HOME=str(other)
    )
    settings = draco.status()["settings"]
    assert (settings["processes"], settings["worker_timeout"]) == ("2", "180")
    assert settings["scheduler_timeout"] == "77"


def test_dracod_refuses_wrong_settings_of_any_client(draco: Draco) -> None:
    draco.start()
    control = Control(draco)
    answer = control.call(
        "start",
        settings={
            "processes": "x",
            "memory": None,
            "colour": "red",
            "queues_to_try": ["a", {}],
        },
        environment={"HOME": str(draco.home), "DRACO_CORES": "x"},
    )
    assert answer["error"]["code"] == -32602
    assert answer["error"]["message"].splitlines() == [
        'DRACO_CORES: cores: "x" is not a whole number, from 1 to 65535',
        'processes: "x" is not a whole number, from 1 to 4096',
        "memory: there is no value: give a size with its unit: 80 GiB, 512 MB, 1.5 TiB, at "
        "least 1 MiB",
        'there is no setting "colour"',
        "queues_to_try: item 2 of the list is not a string",
    ]
    assert len(answer["error"]["data"]["problems"]) == 5
    unknown = control.call("start", profile="nowhere", environment={"HOME": str(draco.home)})
    assert 'there is no profile "nowhere"' in unknown["error"]["message"]


# Manual pages


def test_install_puts_pages_and_completions_where_they_belong(tmp_path: Path) -> None:
    subprocess.run(
        ["make", "-s", "-C", str(BUILD), "install", f"DESTDIR={tmp_path}", "prefix=/usr"],
        check=True,
        capture_output=True,
        timeout=300,
    )
    for file in (
        "man/man1/dracoctl.1",
        "man/man8/dracod.8",
        "man/man5/draco.yaml.5",
        "bash-completion/completions/dracoctl",
        "zsh/site-functions/_dracoctl",
        "fish/vendor_completions.d/dracoctl.fish",
    ):
        assert (tmp_path / "usr/share" / file).stat().st_size > 1000, file


PAGES = ["client/dracoctl.1", "daemon/dracod.8", "common/draco.yaml.5"]


@pytest.mark.parametrize("page", PAGES)
def test_manual_page_is_right(page: str) -> None:
    text = (BUILD / page).read_text()
    assert not re.search(r"@[A-Z_]+@", text)
    if not shutil.which("man"):
        pytest.skip("man is not installed (on Debian: apt-get install man-db groff)")
    shown = subprocess.run(
        ["man", "--warnings=w", "-E", "UTF-8", "-l", "-Tutf8", str(BUILD / page)],
        text=True,
        capture_output=True,
        timeout=60,
        env={**os.environ, "MANPAGER": "cat", "LC_ALL": "C.UTF-8"},
    )
    assert shown.returncode == 0 and shown.stderr == "", shown.stderr


@pytest.mark.parametrize("page", PAGES)
def test_manual_page_passes_lint(page: str) -> None:
    if not shutil.which("mandoc"):
        pytest.skip("mandoc is not installed (on Debian: apt-get install mandoc)")
    lint = subprocess.run(
        ["mandoc", "-T", "lint", str(BUILD / page)], text=True, capture_output=True, timeout=60
    )
    assert lint.stdout + lint.stderr == ""


def test_manual_pages_have_all_settings_and_commands(user: User) -> None:
    settings = (BUILD / PAGES[2]).read_text()
    commands = (BUILD / PAGES[0]).read_text()
    for name, setting in user.show()["settings"].items():
        assert f"\n\\fB{name}\\fR\n" in settings, name
        assert f"\\fB\\-\\-{name}".replace("_", "\\-") in commands, name
        assert setting["layer"] == "default"
    overview = user.run("--help").stdout
    names = re.findall(
        r"^  ([a-z]+) ", overview.split("Commands:")[1].split("Options")[0], re.M
    )
    assert len(names) > 8
    for name in names:
        assert f"\n.TP\n\\fB{name}\\fR" in commands, name
