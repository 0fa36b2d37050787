"""Settings: their layers, profiles, kinds and limits."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from user import User


def test_each_layer_wins_over_the_one_before(user: User) -> None:
    assert user.value("cores") == (40, "default")
    user.write_site("# of the site\ncores: 41\n")
    assert user.value("cores") == (41, f"{user.site}:2")
    user.write("cores: 42\n")
    assert user.value("cores") == (42, f"{user.config}:1")
    assert user.value("cores", DRACO_CORES="43") == (43, "DRACO_CORES")
    assert user.value("cores", "--cores=44", DRACO_CORES="43") == (44, "--cores")
    assert user.value("memory") == ("80 GiB", "default")


def test_variables_of_sbatch_are_a_layer_below_the_users_file(user: User) -> None:
    assert user.value("account", SBATCH_ACCOUNT="physics") == ("physics", "SBATCH_ACCOUNT")
    assert user.value("queues_to_try", SBATCH_PARTITION="a,b") == (
        ["a", "b"],
        "SBATCH_PARTITION",
    )
    assert user.value("qos", SBATCH_QOS="") == (None, "default")
    user.write_site("account: theirs\n")
    assert user.value("account", SBATCH_ACCOUNT="physics") == ("physics", "SBATCH_ACCOUNT")
    user.write("account: mine\n")
    assert user.value("account", SBATCH_ACCOUNT="physics") == ("mine", f"{user.config}:1")


def test_a_profile_wins_over_the_plain_values_of_its_file(user: User) -> None:
    user.write_site("cores: 41\nprofiles:\n  big:\n    cores: 51\n    memory: 100 GiB\n")
    user.write("processes: 3\nprofiles:\n  big:\n    processes: 4\n  other: {processes: 5}\n")
    assert user.value("cores", "--profile=big") == (51, f"{user.site}:4")
    assert user.value("processes", "--profile", "big") == (4, f"{user.config}:4")
    assert user.value("processes", DRACO_PROFILE="other") == (5, f"{user.config}:5")
    # The option wins over the variable, and an empty one means none.
    assert user.value("processes", "--profile=big", DRACO_PROFILE="other")[0] == 4
    assert user.value("processes", "--profile=", DRACO_PROFILE="other")[0] == 3
    # The plain values of the user win over the site's profile; what the user does not say, holds.
    user.write("cores: 42\n")
    assert user.value("cores", "--profile=big")[0] == 42
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
    assert user.value("cores", XDG_CONFIG_HOME=str(other))[0] == 77
    assert user.value("cores", XDG_CONFIG_HOME="relative")[0] == 42
    relative = user.run("config", "check", DRACO_SITE_CONFIG="x.yaml")
    assert relative.returncode == 1
    assert 'DRACO_SITE_CONFIG: "x.yaml" is not an absolute path' in relative.stdout
    missing = user.run("config", "check", DRACO_SITE_CONFIG="/nowhere/x.yaml")
    assert missing.returncode == 1 and "there is no file /nowhere/x.yaml" in missing.stdout


def test_variables(user: User) -> None:
    assert user.value("use_scratch_dir", DRACO_USE_SCRATCH_DIR="off")[0] is False
    assert user.value("queues_to_try", DRACO_QUEUES_TO_TRY='a, "b,c"')[0] == ["a", "b,c"]
    assert user.value("cores", DRACO_CORES="") == (40, "default")
    wrong = user.run("config", "check", DRACO_WALLTIME="soon", DRACO_CORES="x")
    assert wrong.returncode == 1
    assert 'DRACO_WALLTIME: "soon" is not a walltime' in wrong.stdout
    assert 'DRACO_CORES: "x" is not a whole number, from 1 to 65535' in wrong.stdout


def test_an_unknown_variable_is_a_warning(user: User) -> None:
    result = user.run("config", "show", DRACO_WALTIME="01:00:00")
    assert result.returncode == 0
    assert "warning: DRACO_WALTIME: the variable is not known" in result.stderr
    assert "did you mean DRACO_WALLTIME?" in result.stderr
    result = user.run("config", "show", DRACO_FOO="1", DRACO_X="1")
    assert "DRACO_FOO: the variable is not known and has no effect\n" in result.stderr
    assert "did you mean" not in result.stderr
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
    assert wrong.returncode == 2 and f'{option}: "1" cannot name' in wrong.stderr


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
    value = given if name == "walltime" else int(given)
    assert (setting["value"], setting["layer"]) == (value, "limit")
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
