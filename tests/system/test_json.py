"""What ``--json`` prints is what docs/json.md says: every key, with its type."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import Any

import pytest
from harness import SMALL, SOURCE, Draco, Sandbox, wait_for
from standins import Connection
from user import User

TYPES = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "null": lambda value: value is None,
    "any": lambda value: True,
}


def read_page() -> dict[str, dict[str, tuple[list[str], str]]]:
    """The page: for each answer its keys, each with types and meaning."""
    page = (SOURCE / "docs/json.md").read_text().split("\n## Answers\n")[1]
    answers = {}
    for title, text in re.findall(r"^### (.+)\n((?:(?!### ).*\n)*)", page, re.M):
        rows = re.findall(r"^\| `(.+)` \| (.+?) \| (.*?) ?\|$", text, re.M)
        answers[title] = {key: (types.split(" or "), help) for key, types, help in rows}
    return answers


PAGE = read_page()


class Answers:
    """Compares answers with the page, and remembers which keys there were."""

    def __init__(self) -> None:
        self.seen: dict[str, set[str]] = defaultdict(set)
        self.faults: list[str] = []

    def check(self, title: str, value: Any, *more: str) -> None:
        """Compare a value with the keys of these answers together."""
        keys = {key: row for name in (title, *more) for key, row in PAGE[name].items()}
        self.walk(title, keys, value, "")

    def walk(self, title: str, keys: dict, value: Any, path: str) -> None:
        if isinstance(value, list):
            for item in value:
                self.walk(title, keys, item, f"{path}[]")
        if not isinstance(value, dict):
            return
        for name, child in value.items():
            places = [f"{path}.{key}" if path else key for key in (name, "*")]
            place = next((place for place in places if place in keys), None)
            if place is None:
                self.faults.append(f"{title}: no key {places[0]}")
                continue
            types, help = keys[place]
            self.seen[title].add(place)
            if not any(TYPES[kind](child) for kind in types):
                self.faults.append(f"{title}: {places[0]} is {child!r}, and no {types}")
            inner = any(key.startswith((f"{place}.", f"{place}[]")) for key in keys)
            if inner:
                self.walk(title, keys, child, place)
            elif isinstance(child, (dict, list)) and child:
                described = types == ["any"] or help.startswith(("as `", "strings: "))
                described = described or ": as `" in help or ", as `" in help
                if not described:
                    self.faults.append(f"{title}: nothing says what is in {place}")

    def missing(self, title: str) -> set[str]:
        return set(PAGE[title]) - self.seen[title]


@pytest.fixture
def answers() -> Answers:
    return Answers()


def ask(draco: Draco, *arguments: str, status: int = 0) -> Any:
    result = draco.run("--json", *arguments, check=False)
    assert result.returncode == status, result.stdout + result.stderr
    return json.loads(result.stdout)


def test_a_running_cluster(draco: Draco, answers: Answers) -> None:
    lines = draco.run("--json", "start", *SMALL, "--account=a").stdout
    *steps, last = re.split(r"\n(?=\{)", lines)
    for step in steps:
        answers.check("start", json.loads(step))
    answers.check("status", json.loads(last), "start, at the end")
    again = ask_last(draco, "start", *SMALL, "--maximum=6")
    assert again["joined"] and again["differences"]
    answers.check("status", again, "start, at the end")
    with Connection(draco) as program:
        label = {"host": "h", "pid": 1, "notebook": "n", "program": "p"}
        program.call("attach", label=label)
        draco.python(
            "from distributed import Client\n"
            "c = Client()\n"
            "print(sum(c.gather(c.map(abs, range(9)))))"
        )
        wait_for(lambda: draco.status()["scheduler"]["load"], "the load is known")
        answers.check("status", ask(draco, "status"))
    title = "scale, adapt, pause, resume, retire"
    for command in (["scale", "4"], ["adapt"], ["pause"], ["resume"]):
        answers.check(title, ask(draco, *command))
    answers.check(title, ask(draco, "retire", draco.status()["jobs"][0]["id"]))
    assert not answers.missing(title)
    for line in draco.run("--json", "events").stdout.splitlines():
        answers.check("events", json.loads(line))
    assert answers.missing("events") == {"log", "tail"}
    answers.check("logs --list", ask(draco, "logs", "--list"))
    answers.check("logs", ask(draco, "logs", "scheduler"))
    answers.check("script", ask(draco, "script"))
    answers.check("version", ask(draco, "version"))
    answers.check("launch", ask(draco, "launch"))
    for one in ask(draco, "list"):
        answers.check("list", one)
    answers.check("where", ask(draco, "where"))
    assert all(isinstance(value, str) for value in ask(draco, "env").values())
    answers.check("start --dry-run", ask(draco, "start", "--dry-run", *SMALL))
    answers.check("restart", ask(draco, "restart"))
    answers.check("stop, shutdown", ask(draco, "stop"))
    answers.check("status", ask(draco, "status", status=3))
    answers.check("stop, shutdown", ask(draco, "shutdown"))
    answers.check("Errors", ask(draco, "status", status=3))
    assert answers.faults == []
    for title in (
        "start",
        "logs --list",
        "logs",
        "script",
        "version",
        "launch",
        "restart",
        "list",
        "where",
    ):
        assert not answers.missing(title), title
    assert not answers.missing("start --dry-run") - {"candidates"}
    # What is there only now and then.
    rare = {f"cluster.excluded_nodes[].{key}" for key in ("node", "until")}
    # What only programs in Python have; test_python_shared.py looks at it.
    rare |= {f"attached[].{key}" for key in ("client", "running", "core_seconds", "bytes")}
    assert answers.missing("status") == rare


def ask_last(draco: Draco, *arguments: str) -> Any:
    """The last object that a start prints."""
    return json.loads(re.split(r"\n(?=\{)", draco.run("--json", *arguments).stdout)[-1])


def test_failures(draco: Draco, answers: Answers) -> None:
    draco.run("launch")
    for options, status in (
        (["--cores=x", "--memory=1"], 2),
        (["--queues-to-try=nowhere"], 1),
        (["--prologue=exit 7"], 1),
    ):
        result = draco.run("--json", "start", *SMALL, *options, check=False)
        assert result.returncode == status, result.stdout + result.stderr
        answers.check("Errors", json.loads(re.split(r"\n(?=\{)", result.stdout)[-1]))
    answers.check("status", ask(draco, "status", status=1))
    for line in draco.run("--json", "events").stdout.splitlines():
        answers.check("events", json.loads(line))
    assert answers.faults == []
    assert not answers.missing("events") and not answers.missing("Errors")


def test_limits_of_the_site(draco: Draco, answers: Answers) -> None:
    site = draco.root / "site.yaml"
    site.write_text("limits:\n  maximum: 4\n")
    draco.environment["DRACO_SITE_CONFIG"] = str(site)
    answers.check(
        "status", ask_last(draco, "start", *SMALL, "--maximum=100"), "start, at the end"
    )
    assert answers.faults == []
    assert {key for key in answers.seen["status"] if key.startswith("limits[].")} == {
        key for key in PAGE["start, at the end"] if key.startswith("limits[].")
    }


def test_settings(user: User, draco: Draco, answers: Answers) -> None:
    user.write_site("limits: {walltime: 1-0}\nprofiles:\n  a: {cores: 40}\n")
    user.write("walltime: 02:00:00\nprofiles:\n  a: {cores: 50}\n")

    def ask(*arguments: str, status: int = 0) -> Any:
        result = user.run("--json", "config", *arguments)
        assert result.returncode == status, result.stdout + result.stderr
        return json.loads(result.stdout)

    answers.check("config show", ask("show", "--profile=a", "--walltime=2-0"))
    answers.check("config explain", ask("explain", "cores", "--profile=a"))
    for one in ask("explain", "cores", "environment"):
        answers.check("config explain", one)
    answers.check("config path", ask("path"))
    answers.check("config profiles", ask("profiles"))
    user.write("walltime: x\n")
    answers.check("config check", ask("check", status=1))
    answers.check("config explain", ask("explain", "walltime"))
    user.config.unlink()
    answers.check("config init", ask("init"))
    answers.check("config init", json.loads(draco.run("--json", "config", "init").stdout))
    titles = [title for title in PAGE if title.startswith("config ")]
    assert (answers.faults, [answers.missing(title) for title in titles]) == (
        [],
        [set()] * len(titles),
    )


def test_doctor(shared_sandbox: Sandbox, draco: Draco, answers: Answers) -> None:
    answers.check("doctor", json.loads(draco.run("--json", "doctor", check=False).stdout))
    assert (answers.faults, answers.missing("doctor")) == ([], set())


def test_a_key_that_is_not_on_the_page_is_found(answers: Answers) -> None:
    answers.check("stop, shutdown", {"state": "stopped", "unconfirmed": "0", "more": [1]})
    assert answers.faults == [
        "stop, shutdown: unconfirmed is '0', and no ['integer']",
        "stop, shutdown: no key more",
    ]
