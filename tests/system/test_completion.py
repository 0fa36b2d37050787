"""The shells' completions, in real shells."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import BUILD
from terminal import Terminal

FOLDER = BUILD / "client/completion"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A home with a settings file that has profiles, and clusters of two names."""
    config = tmp_path / ".config/draco/draco.yaml"
    config.parent.mkdir(parents=True)
    config.write_text("profiles:\n  gpu: {cores: 40}\n  night: {cores: 40}\n")
    sinfo = tmp_path / "bin/sinfo"
    sinfo.parent.mkdir()
    sinfo.write_text("#!/bin/sh\nprintf 'short\\nstandard\\ngpu-long\\n'\n")
    sinfo.chmod(0o755)
    for name in ("default", "second"):
        (tmp_path / ".local/state/draco" / name).mkdir(parents=True)
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith(("DRACO_", "XDG_"))},
        "HOME": str(tmp_path),
        "XDG_RUNTIME_DIR": str(tmp_path),
        "DRACO_SITE_CONFIG": "/dev/null",
        "PATH": f"{sinfo.parent}:{BUILD}:{os.environ['PATH']}",
        "TERM": "xterm",
        "LC_ALL": "C.UTF-8",
    }


def need(shell: str) -> str:
    path = shutil.which(shell)
    if not path:
        pytest.skip(f"{shell} is not installed (on Debian: apt-get install {shell})")
    return path


COMMANDS = {"start", "status", "stop", "shutdown", "logs", "env", "config", "version", "help"}

#: What is typed, words that must be offered, words that must not.
OFFERED = [
    ("dracoctl ", COMMANDS, {"show", "cores"}),
    ("dracoctl --name second ", COMMANDS, {"second"}),
    ("dracoctl st", {"start", "status", "stop"}, {"env"}),
    ("dracoctl config ", {"show", "check", "path", "init", "profiles", "explain"}, {"start"}),
    ("dracoctl config path ", {"site", "user"}, {"show"}),
    ("dracoctl config explain ", {"cores", "wait_timeout", "queues_to_try"}, {"show"}),
    ("dracoctl config explain cores wa", {"walltime", "wait_timeout"}, {"cores"}),
    ("dracoctl logs ", {"scheduler", "daemon"}, {"start"}),
    ("dracoctl help ", COMMANDS, {"show"}),
    ("dracoctl env --format ", {"sh", "csh", "fish", "json"}, {"start"}),
    ("dracoctl env --format=", {"sh", "csh", "fish", "json"}, {"start"}),
    ("dracoctl start --queues-to-try ", {"short", "standard", "gpu-long"}, {"start"}),
    ("dracoctl start --queues-to-try=sh", {"short"}, {"standard"}),
    ("dracoctl start --queues-to-try short,st", {"standard"}, {"gpu-long"}),
    ("dracoctl start --profile ", {"gpu", "night"}, {"start"}),
    ("dracoctl start --profile=", {"gpu", "night"}, {"start"}),
    ("dracoctl --name ", {"default", "second"}, {"start"}),
    ("dracoctl start --wa", {"--walltime", "--wait-timeout"}, {"--cores"}),
    ("dracoctl start --cores 4 --m", {"--memory", "--minimum", "--maximum"}, {"--cores"}),
    ("dracoctl start --no-", {"--no-use-scratch-dir"}, {"--name"}),
    ("dracoctl stop --", {"--force", "--name", "--json"}, {"--cores", "--follow"}),
    ("dracoctl re", {"resume", "retire"}, {"start"}),
    ("dracoctl scale --", {"--jobs", "--workers", "--cores", "--memory"}, {"--processes"}),
    ("dracoctl adapt --m", {"--minimum", "--maximum"}, {"--memory"}),
    ("dracoctl logs --", {"--follow", "--lines", "--name"}, {"--cores"}),
]


def split_line(line: str) -> list[str]:
    """The words as bash has them in COMP_WORDS: "=" is one of its own."""
    words = [part for word in line.split(" ") for part in re.split("(=)", word) if part]
    return [*words, ""] if line[-1] in " =" and words[-1] != "=" else words


@pytest.mark.parametrize(("line", "wanted", "unwanted"), OFFERED)
def test_bash(
    environment: dict[str, str], line: str, wanted: set[str], unwanted: set[str]
) -> None:
    bash = need("bash")
    script = (
        f'source "{FOLDER}/dracoctl"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"\n'
        '_dracoctl; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    result = subprocess.run(
        [bash, "--norc", "-c", script, "bash", *split_line(line)],
        text=True,
        capture_output=True,
        timeout=60,
        env=environment,
    )
    # Of a list, what stands before the comma is offered with the rest.
    offered = {word.split(",")[-1] for word in result.stdout.split()}
    assert wanted <= offered, result.stderr
    assert not unwanted & offered


@pytest.mark.parametrize(("line", "wanted", "unwanted"), OFFERED)
def test_fish(
    environment: dict[str, str], line: str, wanted: set[str], unwanted: set[str]
) -> None:
    fish = need("fish")
    result = subprocess.run(
        [fish, "--no-config", "-c", f"source {FOLDER}/dracoctl.fish; complete -C '{line}'"],
        text=True,
        capture_output=True,
        timeout=60,
        env=environment,
    )
    assert result.stderr == ""
    offered = {
        re.split("[=,]", entry.split("\t")[0])[-1] for entry in result.stdout.splitlines()
    }
    assert wanted <= offered
    assert not unwanted & offered


@pytest.fixture
def zsh(environment: dict[str, str]) -> Iterator[Terminal]:
    terminal = Terminal([need("zsh"), "-f", "-i"], environment)
    terminal.send(
        f"fpath=({FOLDER} $fpath); autoload -U compinit; compinit -u -D\n"
        "unsetopt zle_bracketed_paste\n"
        "zstyle ':completion:*' list-prompt ''; LISTMAX=10000; COLUMNS=500; LINES=500\n"
        # Ctrl-T shows what would be offered, Ctrl-O what the line has become.
        "show() { print -r -- $'\\n'\"<line:$BUFFER>\"; BUFFER=; zle reset-prompt }; zle -N show\n"
        "bindkey '^O' show; bindkey '^T' list-choices; bindkey '^I' complete-word\n"
        "print rea''dy\n"
    )
    terminal.wait_for("ready\r")
    yield terminal
    terminal.send("\x15exit\n")
    terminal.close()


@pytest.mark.parametrize(("line", "wanted", "unwanted"), OFFERED)
def test_zsh(zsh: Terminal, line: str, wanted: set[str], unwanted: set[str]) -> None:
    zsh.send(f"{line}\x14\x0f")
    text = zsh.wait_for(r"<line:.*?>").rsplit("<line:", 1)[0]
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "\n", text).replace(line.strip(), "\n")
    # Columns of words, or a word and its description in each line.
    offered = {
        word for row in re.split(r"[\r\n]+", text) for word in row.split(" -- ")[0].split()
    }
    assert wanted <= offered, text
    assert not unwanted & offered, text


def test_zsh_completes(zsh: Terminal) -> None:
    zsh.send("dracoctl conf\tex\tadap\t\x0f")
    assert "<line:dracoctl config explain adaptive_scale_factor >" in zsh.wait_for(
        r"<line:.*?>"
    )
    zsh.send("dracoctl start --adap\t9 --no-u\t\x0f")
    text = zsh.wait_for(r"<line:.*?>")
    assert re.search(r"--adaptive-scale-factor[= ]9 --no-use-scratch-dir", text), text


def test_bash_completes(environment: dict[str, str]) -> None:
    terminal = Terminal([need("bash"), "--norc", "--noprofile", "-i"], environment)
    try:
        terminal.send(
            f"source '{FOLDER}/dracoctl'; bind 'set enable-bracketed-paste off'\n"
            "dracoctl() { echo \"<$*>\"; }; echo rea''dy\n"
        )
        terminal.wait_for("ready\r")
        terminal.send("dracoctl conf\tex\tadap\t\n")
        terminal.wait_for("<config explain adaptive_scale_factor>")
        terminal.send("dracoctl env --form\tc\t\n")
        terminal.wait_for("<env --format csh>")
        terminal.send("dracoctl env --format=c\t\n")
        terminal.wait_for("<env --format=csh>")
        terminal.send("exit\n")
    finally:
        terminal.close()
