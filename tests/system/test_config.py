"""The command ``dracoctl config``."""

from __future__ import annotations

import json
import re

from harness import Draco
from user import User


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
        "value": 50,
        "layer": "user",
        "source": f"{user.config}:3",
        "file": str(user.config),
        "line": 3,
        "profile": "big",
    }
    assert answer["settings"]["queues_to_try"]["value"] == ["a", "b"]
    assert answer["settings"]["memory"]["layer"] == "default"


def test_values_have_types(user: User) -> None:
    """As docs/json.md says."""
    shown = user.show("--log-retention=1500 ms", "--account=a", "--environment=A=1")["settings"]
    values = {name: setting["value"] for name, setting in shown.items()}
    for name, value in {
        "processes": 20,
        "memory": "80 GiB",
        "walltime": "01:30:00",
        "wait_timeout": 300,
        "idle_timeout": 900,
        "log_retention": 1.5,
        "use_scratch_dir": True,
        "exclusive": False,
        "reservation": None,
        "prologue": None,
        "account": "a",
        "queues_to_try": ["short", "standard"],
        "worker_options": [],
        "environment": {"A": "1"},
        "directives": {},
        "security": "tls",
        "remote_port": "auto",
    }.items():
        assert (type(values[name]), values[name]) == (type(value), value), name


def test_lists_keep_their_items(user: User) -> None:
    user.write('worker_options: ["a,b", c, "say \\"x\\""]\n')
    values = user.value("worker_options")[0]
    assert values == ["a,b", "c", 'say "x"']
    # What show prints can be given as an option.
    printed = re.search(r"^worker_options +(.*?)  +~", user.run("config").stdout, re.M)
    assert printed
    assert user.value("worker_options", f"--worker-options={printed[1]}")[0] == values
    assert user.value("worker_options", "--worker-options=x,,y ,")[0] == ["x", "y"]
    assert user.run("config", "show", '--worker-options="x').returncode == 2


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
    assert again.returncode == 1 and "was not changed" in again.stderr
    assert user.config.read_text() == plain


def test_init_asks_slurm(draco: Draco) -> None:
    """The defaults do not fit the sandbox; with the file that init writes, a start does."""
    refused = draco.run("start", check=False)
    assert refused.returncode == 1 and "config init proposes settings" in refused.stderr
    made = json.loads(draco.run("--json", "config", "init").stdout)
    proposed = {p["setting"]: p["value"] for p in made["proposed"]}
    assert proposed.pop("queues_to_try") == "[standard]"  # short has a limit of one hour
    assert proposed == {"cores": "8", "processes": "8", "memory": "15 GiB"}
    assert made["hindrance"] is None
    # doctor does not find fault with what init has just chosen.
    checks = json.loads(draco.run("--json", "doctor").stdout)["checks"]
    assert [c["status"] for c in checks if "queue" in c["name"]] == ["ok", "ok"], checks
    again = draco.run("config", "init", "--cores=9", check=False)
    assert again.returncode == 1, again.stdout
    path = draco.home / ".config/draco/draco.yaml"
    assert f"Values that fit this Slurm, to be put into {path}:\n  cores: 8" in again.stdout
    again = draco.run("config", "init", check=False)
    assert "The settings fit this Slurm: nothing is proposed." in again.stdout
    draco.run("start")
    assert draco.status()["jobs"][0]["workers"] <= 8
    show = json.loads(draco.run("--json", "config", "show").stdout)
    assert show["settings"]["cores"]["value"] == 8


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
    assert answer["name"] == "queues_to_try" and answer["default"] == ["short", "standard"]
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
