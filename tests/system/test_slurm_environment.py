"""Which environment Slurm's programs get from a start, and from those that come later."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import BUILD, PATIENT, PYTHON, SMALL, Draco, wait_for

#: Stands for draco-slurm, and notes the environment that it is started in.
NOTING_HELPER = f"""#!{PYTHON}
import json, os, sys
with open(os.path.join(os.path.dirname(sys.argv[0]), "environments"), "a") as file:
    file.write(json.dumps(dict(os.environ)) + "\\n")
if os.environ.get("SLURM_JWT") == "as-good-as-none":
    del os.environ["SLURM_JWT"]
os.execv({str(BUILD / "draco-slurm")!r}, ["draco-slurm"])
"""


def use_noting_helper(draco: Draco) -> Path:
    """Run draco from a directory of its own, where a stand-in notes draco-slurm's environment."""
    directory = draco.root / "bin"
    directory.mkdir()
    for name in os.listdir(BUILD):
        if name.startswith("draco") and name not in ("draco-slurm", "dracoctl"):
            (directory / name).symlink_to(BUILD / name)
    for name in ("dracod", "dracoctl"):
        (directory / name).unlink(missing_ok=True)
        (directory / name).write_bytes((BUILD / name).read_bytes())
        (directory / name).chmod(0o755)
    (directory / "draco-slurm").write_text(NOTING_HELPER)
    (directory / "draco-slurm").chmod(0o755)
    draco.environment["DRACO_BIN"] = str(directory / "dracod")
    draco.command = lambda *arguments: [str(directory / "dracoctl"), *arguments]
    return directory


def test_a_later_program_brings_a_new_token(draco: Draco) -> None:
    environments = use_noting_helper(draco) / "environments"
    draco.start(*SMALL)
    assert "SLURM_JWT" not in environments.read_text()
    result = draco.start(*SMALL, SLURM_JWT="as-good-as-none")
    assert "is running" in result.stdout
    wait_for(
        lambda: '"as-good-as-none"' in environments.read_text(), "draco-slurm has the token"
    )
    draco.run("scale", "--jobs", "2")
    wait_for(lambda: len(draco.jobs()) == 2, "Slurm is asked with it")
    pid = draco.status()["slurm"]["helper_pid"]
    draco.start(*SMALL, SLURM_JWT="as-good-as-none")  # the same again changes nothing
    assert draco.status()["slurm"]["helper_pid"] == pid


def test_doctor_asks_as_a_start_does(draco: Draco) -> None:
    """draco-slurm has the same environment in both, with and without a dracod."""
    directory = use_noting_helper(draco)
    variables = {
        "SLURM_JOB_ID": "1",
        "SLURM_CLUSTERS": "sandbox",
        "SBATCH_PARTITION": "short",
        "SOMETHING": "else",
    }

    def noted(*command: str, **more: str) -> dict[str, str]:
        (directory / "environments").unlink(missing_ok=True)
        draco.run(*command, check=False, **{**variables, **more})
        lines = (directory / "environments").read_text().splitlines()
        first = json.loads(lines[0])
        assert all(json.loads(line) == first for line in lines)
        return first

    # A token that is no good here: the start fails, but that is not the question.
    token = {"SLURM_JWT": "a-token"}
    assert noted("doctor", **token) == noted("start", *SMALL, **token)
    assert noted("doctor", **token)["SLURM_JWT"] == "a-token"
    alone = noted("doctor")
    started = noted("start", *SMALL, PATIENT)
    assert alone == started
    assert draco.status()["cluster"]["state"] == "running"
    assert started["SOMETHING"] == "else" and "SLURM_JWT" not in started
    assert not {"SLURM_JOB_ID", "SBATCH_PARTITION", "SLURM_CLUSTERS"} & set(started)
    # What is dracod's own is not the shell's.
    assert noted("doctor", SOMETHING="new") == started
    draco.run("stop")
    assert noted("start", *SMALL, PATIENT, SOMETHING="new") == started


CONFIGLESS = """
mount -t tmpfs t /run
mkdir /run/munge
ln -s "$SANDBOX/munge.socket" /run/munge/munge.socket.2
if [ -n "$RESOLVER" ]; then
    mkdir -p "$(dirname "$(readlink -m /etc/resolv.conf)")"
    touch /etc/resolv.conf
    mount --bind "$RESOLVER" /etc/resolv.conf
fi
unset SLURM_CONF
exec "$@"
"""

#: Where the name server listens, and the record that leads to slurmctld.
NAME_SERVER = "127.0.0.99"
SERVICE = b"\x0a_slurmctld\x04_tcp"


@contextlib.contextmanager
def name_server(port: int) -> Iterator[None]:
    """Answer, as a site's DNS does, that slurmctld is at this port of this host."""
    place = struct.pack(">HHH", 0, 0, port) + b"\x09localhost\x00"
    answer = b"\xc0\x0c" + struct.pack(">HHIH", 33, 1, 60, len(place)) + place

    def serve() -> None:
        while not done.is_set():
            try:
                query, asker = server.recvfrom(512)
            except TimeoutError:
                continue
            question = query[12 : query.index(b"\0", 12) + 5]
            if question.startswith(SERVICE):
                reply = struct.pack(">HHHHH", 0x8580, 1, 1, 0, 0) + question + answer
            else:
                reply = struct.pack(">HHHHH", 0x8583, 1, 0, 0, 0) + question
            server.sendto(query[:2] + reply, asker)

    done = threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((NAME_SERVER, 53))
        server.settimeout(0.1)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()


@pytest.mark.skipif(os.getuid() != 0, reason="only root can hide /run")
@pytest.mark.parametrize("by", ["SLURM_CONF_SERVER", "DNS"])
def test_configless(draco_alone: Draco, by: str, tmp_path: Path) -> None:
    """Without any file of Slurm's on this host all goes on as with one."""
    user, sandbox = draco_alone, draco_alone.sandbox
    conf = sandbox.environment["SLURM_CONF"]
    port = sandbox.conf("SlurmctldPort")
    with open(conf, "a") as file:
        file.write("SlurmctldParameters=enable_configless\n")
    sandbox.kill("slurmctld", "TERM")
    sandbox.restart("slurmctld")
    inside = ["unshare", "-m", "sh", "-c", CONFIGLESS, "sh"]
    there = {**user.environment, "SANDBOX": sandbox.directory, "RESOLVER": ""}
    with contextlib.ExitStack() as stack:
        if by == "DNS":
            there["RESOLVER"] = str(tmp_path / "resolv.conf")
            (tmp_path / "resolv.conf").write_text(
                f"nameserver {NAME_SERVER}\nsearch site.example\n"
            )
            stack.enter_context(name_server(int(port)))
        else:
            there["SLURM_CONF_SERVER"] = f"127.0.0.1:{port}"
        use_configless(user, inside, there)


def use_configless(user: Draco, inside: list[str], there: dict[str, str]) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*inside, *user.command(*arguments)], env=there, text=True, capture_output=True
        )

    assert subprocess.run([*inside, "sinfo"], env=there, capture_output=True).returncode == 0
    started = run("start", *SMALL, PATIENT)
    assert started.returncode == 0, started.stdout + started.stderr
    assert user.status()["slurm"]["cluster"] == "sandbox"  # as seen with a file
    where = json.loads(run("--json", "where").stdout)
    assert where["name"] == user.name
    if there.get("SLURM_CONF_SERVER"):  # a search in DNS is left to Slurm
        assert where["slurm"]["cluster"] == "sandbox"
    assert run("doctor", *SMALL, PATIENT).stdout.count("\nfailed ") == 0
    assert len(user.jobs()) == 1
    # Another name is another cluster of the same Slurm, and no Slurm is asked where there is no
    # choice.
    other = run("--name", "another", "--json", "where")
    assert json.loads(other.stdout)["name"] == "another"
    assert run("shutdown").returncode == 0  # while Slurm's commands still find it by DNS
