"""Another account serves where a client looks for dracod: nobody tells it anything, or obeys it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import PYTHON, hold_lock
from hostile import Attacker, Victim

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="only root can make a second account")

COMMANDS = [["status"], ["env"], ["events"], ["stop"], ["scale", "4"], ["shutdown"]]

#: Those that go on, with a dracod of their own.
STARTS = [["start"], ["run", "--", "env"], ["launch"]]

#: The ways of the package to dracod, each with what it prints when it has believed the server.
CELLS = {
    "from_name": "from draco import Cluster\nprint(Cluster.from_name('victim').scheduler_address)",
    "list_clusters": "import draco\nprint(draco.list_clusters())",
    "cluster": "from draco import Cluster\nprint(Cluster(name='victim', quiet=True))",
}


@pytest.fixture
def attacker() -> Iterator[Attacker]:
    with Attacker() as account:
        yield account


@pytest.fixture
def victim(attacker: Attacker) -> Iterator[Victim]:
    with Victim() as account:
        yield account
        assert "SECRET" not in attacker.heard()


def make_trap(attacker: Attacker, base: Path) -> Path:
    """A directory of the attacker's in the place of the victim's; the socket in it."""
    attacker.run("mkdir", "-m", "777", "-p", str(base / "victim"))
    attacker.run("chmod", "777", str(base))
    return base / "victim" / "control.sock"


def daemon_file(victim: Victim, path: Path, **change: object) -> str:
    """What a dracod would have left; with something else in it."""
    text = {"pid": 1, "host": socket.gethostname(), "boot": "b", "version": "0.1.0"}
    return json.dumps({**text, "socket": str(path), "started": 1, **change})


def check_told_nothing(
    attacker: Attacker, result: subprocess.CompletedProcess[str], *names: str
) -> None:
    """Nothing was sent or done, and one line of the output has all these names."""
    output = result.stdout + result.stderr
    assert attacker.heard() == "", output
    assert not attacker.evil.exists() and str(attacker.evil) not in output
    lines = [line for line in output.splitlines() if all(name in line for name in names)]
    assert len(lines) == 1, output


def words_of(commands: list[list[str]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("command", commands, ids=[words[0] for words in commands])


def check_start(
    victim: Victim, attacker: Attacker, result: subprocess.CompletedProcess[str]
) -> None:
    """It went on, as far as it can without Slurm, and its dracod serves in a place of its own."""
    output = result.stdout + result.stderr
    assert attacker.heard() == "" and not attacker.evil.exists()
    assert str(attacker.evil) not in output
    assert "was started" in output or "Slurm cannot be used" in output, output
    socket = json.loads(victim.dracoctl("--json", "launch").stdout)["socket"]
    assert socket.startswith(f"{victim.base}-"), socket
    assert Path(socket).parents[1].stat().st_uid == victim.uid


def check_nothing_runs(
    victim: Victim, attacker: Attacker, result: subprocess.CompletedProcess[str]
) -> None:
    """Without a dracod there is nobody to look for."""
    assert result.returncode == 3
    check_told_nothing(attacker, result, 'no cluster "victim"')


@words_of(COMMANDS)
def test_the_default_socket(victim: Victim, attacker: Attacker, command: list[str]) -> None:
    with attacker.serving(str(make_trap(attacker, victim.base))):
        check_nothing_runs(victim, attacker, victim.dracoctl(*command))


@words_of(STARTS)
def test_a_start_at_the_default_socket(
    victim: Victim, attacker: Attacker, command: list[str]
) -> None:
    with attacker.serving(str(make_trap(attacker, victim.base))):
        check_start(victim, attacker, victim.dracoctl(*command))


def test_behind_a_link(victim: Victim, attacker: Attacker) -> None:
    with attacker.serving(str(make_trap(attacker, attacker.root / "trap"))):
        attacker.run("ln", "-s", str(attacker.root / "trap"), str(victim.base))
        for command in COMMANDS:
            check_nothing_runs(victim, attacker, victim.dracoctl(*command))
        check_start(victim, attacker, victim.dracoctl("launch"))


@pytest.fixture
def locked(victim: Victim) -> Iterator[None]:
    """The state directory is locked, as if a dracod lived."""
    victim.write(victim.state / "lock", "")
    fd = hold_lock(victim.state)
    yield
    os.close(fd)


def test_a_directory_of_the_victim_with_a_server_of_another(
    victim: Victim, attacker: Attacker, locked: None
) -> None:
    """As after ``chmod 777``: the directory alone would tell nothing."""
    path = victim.base / "victim/control.sock"
    victim.run("mkdir", "-p", "-m", "777", str(path.parent))
    victim.run("chmod", "777", str(victim.base), str(path.parent))
    victim.write(victim.state / "daemon.json", daemon_file(victim, path))
    with attacker.serving(str(path)):
        victim.run("chmod", "700", str(victim.base), str(path.parent))
        for command in COMMANDS:
            result = victim.dracoctl(*command)
            assert result.returncode != 0
            check_told_nothing(attacker, result, "control.sock", f"uid {attacker.uid}")


@words_of([*COMMANDS, *STARTS])
def test_the_socket_that_was_recorded(
    victim: Victim, attacker: Attacker, command: list[str]
) -> None:
    """dracod was killed, /tmp was cleaned, and somebody else was quicker."""
    path = make_trap(attacker, victim.base)
    victim.write(victim.state / "daemon.json", daemon_file(victim, path))
    with attacker.serving(str(path)):
        result = victim.dracoctl(*command)
        if command in STARTS:
            check_start(victim, attacker, result)
        else:
            check_nothing_runs(victim, attacker, result)


@words_of([*COMMANDS, *STARTS])
def test_the_socket_of_a_dracod_that_lives(
    victim: Victim, attacker: Attacker, command: list[str], locked: None
) -> None:
    """Somebody else serves where its socket was, or in another /tmp that this program sees."""
    path = make_trap(attacker, victim.base)
    victim.write(victim.state / "daemon.json", daemon_file(victim, path))
    with attacker.serving(str(path)):
        result = victim.dracoctl(*command)
        assert result.returncode in (1, 3)
        check_told_nothing(attacker, result, str(victim.base), f"uid {attacker.uid}")


@pytest.mark.parametrize("cell", CELLS)
def test_the_socket_that_was_recorded_in_python(
    victim: Victim, attacker: Attacker, cell: str
) -> None:
    path = make_trap(attacker, victim.base)
    victim.write(victim.state / "daemon.json", daemon_file(victim, path))
    with attacker.serving(str(path)):
        result = victim.python(CELLS[cell])
        assert attacker.heard() == "" and "running" not in result.stdout
        victim.dracoctl("shutdown", "--force")
        victim.write(victim.state / "daemon.json", daemon_file(victim, path))
        victim.write(victim.state / "lock", "")
        fd = hold_lock(victim.state)
        result = victim.python(CELLS[cell])
        os.close(fd)
        assert attacker.heard() == "" and "running" not in result.stdout
        assert f"{victim.base} belongs to another user (uid {attacker.uid})" in result.stderr


@pytest.mark.parametrize("way", ["status", "env", *CELLS])
def test_a_state_directory_that_another_account_made(
    victim: Victim, attacker: Attacker, way: str
) -> None:
    """XDG_STATE_HOME below a directory of all, and all files are forged."""
    path = make_trap(attacker, attacker.root / "trap")
    forged = victim.shared / "draco/victim/daemon.json"
    attacker.run("mkdir", "-p", "-m", "777", str(forged.parent))
    attacker.run("tee", str(forged), input=daemon_file(victim, path))
    attacker.run("chmod", "644", str(forged))
    with attacker.serving(str(path)):
        environment = {"XDG_STATE_HOME": str(victim.shared)}
        if way in CELLS:
            result = victim.python(CELLS[way], **environment)
        else:
            result = victim.dracoctl(way, **environment)
            assert result.returncode == 1
            check_told_nothing(attacker, result, "draco", f"uid {attacker.uid}")
        assert attacker.heard() == ""
        assert f"{forged.parents[1]} belongs to another user" in result.stderr, result.stderr


def make_certificate(directory: Path) -> tuple[str, str]:
    """A self-signed certificate as dracod makes one, and its key."""
    certificate, key = str(directory / "cert.pem"), str(directory / "key.pem")
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    names = ["-subj", "/CN=draco cluster", "-keyout", key, "-out", certificate]
    command = ["openssl", "req", "-x509", *kind, *names]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, key


def expire(directory: Path, certificate: str, key: str) -> None:
    """Put another certificate of the same key in its place, one that was good for a day in 2020."""
    (directory / "index").touch()
    names = f"database = {directory}/index\nnew_certs_dir = {directory}\nrand_serial = yes"
    (directory / "ca.conf").write_text(
        f"[ca]\ndefault_ca = d\n[d]\n{names}\n"
        "default_md = sha256\npolicy = p\nunique_subject = no\n"
        "[p]\ncommonName = supplied\n"
    )
    request = ["openssl", "req", "-new", "-subj", "/CN=draco cluster", "-key", key, "-out"]
    subprocess.run([*request, str(directory / "csr.pem")], check=True, capture_output=True)
    dates = ["-startdate", "20200101000000Z", "-enddate", "20200102000000Z"]
    sign = [
        "openssl",
        "ca",
        "-batch",
        "-config",
        str(directory / "ca.conf"),
        "-selfsign",
        *dates,
    ]
    files = ["-keyfile", key, "-in", str(directory / "csr.pem"), "-out", certificate, "-notext"]
    subprocess.run([*sign, *files], check=True, capture_output=True)


def own_certificate(victim: Victim, expired: bool = False) -> tuple[str, str]:
    victim.write(victim.state / "tls/x/empty", "")
    files = make_certificate(victim.state / "tls/x")
    if expired:
        expire(victim.state / "tls/x", *files)
    for file in files:
        os.chown(file, victim.uid, victim.gid)
        os.chmod(file, 0o600)
    return files


def other_certificate(attacker: Attacker) -> tuple[str, str]:
    files = make_certificate(attacker.root)
    for file in files:
        os.chown(file, attacker.uid, attacker.gid)
    return files


def lead_to_port(victim: Victim, port: str, certificate: str, key: str) -> None:
    """Let the victim's files say that dracod is on another host."""
    elsewhere = daemon_file(victim, victim.base / "control.sock", host="elsewhere")
    victim.write(victim.state / "daemon.json", elsewhere)
    connect = {
        "scheduler": "tls://127.0.0.1:1",
        "daemon": f"127.0.0.1:{port}",
        "ca": certificate,
    }
    text = json.dumps({**connect, "certificate": certificate, "key": key})
    victim.write(victim.state / "connect.json", text)


WAYS_BY_PORT = ["status", "env", "start", "from_name", "cluster"]


def check_port(victim: Victim, attacker: Attacker, text: str) -> None:
    for way in WAYS_BY_PORT:
        result = victim.python(CELLS[way]) if way in CELLS else victim.dracoctl(way)
        assert result.returncode != 0
        assert attacker.heard() == "", way
        assert text in result.stderr and not attacker.evil.exists(), result.stderr
    result = victim.python(CELLS["list_clusters"])
    assert attacker.heard() == "" and "state='elsewhere'" in result.stdout


def test_a_port_with_another_certificate(victim: Victim, attacker: Attacker) -> None:
    """The same name in it, and signed by itself."""
    own = own_certificate(victim)
    with attacker.serving("port", *other_certificate(attacker)) as port:
        lead_to_port(victim, port, *own)
        check_port(victim, attacker, "certificate verify failed")


def test_a_port_with_an_expired_certificate(victim: Victim, attacker: Attacker) -> None:
    """Even the right one."""
    own = own_certificate(victim, expired=True)
    for file in own:
        shutil.copy(file, attacker.root)
    names = [attacker.root / Path(file).name for file in own]
    for name in names:
        os.chown(name, attacker.uid, attacker.gid)
    with attacker.serving("port", *map(str, names)) as port:
        lead_to_port(victim, port, *own)
        check_port(victim, attacker, "certificate verify failed")


def test_a_port_without_tls(victim: Victim, attacker: Attacker) -> None:
    """What comes is the greeting of TLS, and no request."""
    own = own_certificate(victim)
    with attacker.serving("port") as port:
        lead_to_port(victim, port, *own)
        for way in WAYS_BY_PORT:
            result = victim.python(CELLS[way]) if way in CELLS else victim.dracoctl(way)
            assert result.returncode != 0
    heard = attacker.record.read_bytes()
    assert b"hello" not in heard and b"SECRET" not in heard and not attacker.evil.exists()


DAMAGED = {
    "fifo": None,
    "link": None,
    "open": None,
    "huge": "[" * (1 << 20),
    "deep": '{"a":' * 10000,
    "nothing": "",
    "list": "[]",
    "host": {"host": "a;touch evil"},
    "option": {"host": "-oProxyCommand=touch evil"},
    "escape": {"host": "\x1b[2J"},
    "newline": {"socket": "/tmp/a\nb"},
    "relative": {"socket": "control.sock"},
    "type": {"socket": ["/tmp/a"]},
    "pid": {"pid": "1; touch evil"},
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_file(victim: Victim, attacker: Attacker, kind: str) -> None:
    """One line names it; nothing waits, and nothing is done."""
    path = make_trap(attacker, victim.base)
    file = victim.state / "daemon.json"
    content = DAMAGED[kind]
    if isinstance(content, dict):
        content = daemon_file(victim, path, **content)
    victim.write(file, content or daemon_file(victim, path))
    if kind == "nothing":
        victim.write(file, "")
    elif kind == "fifo":
        file.unlink()
        victim.run("mkfifo", str(file))
    elif kind == "link":
        file.rename(file.with_name("aside"))
        victim.run("ln", "-s", "aside", str(file))
    elif kind == "open":
        file.chmod(0o666)
    with attacker.serving(str(path)):
        for command in ("status", "env"):
            result = victim.dracoctl(command)
            assert result.returncode == 1
            check_told_nothing(attacker, result, str(file))
            assert "\x1b" not in result.stderr and len(result.stderr.splitlines()) == 1
        for cell in ("from_name", "list_clusters"):
            result = victim.python(CELLS[cell])
            assert attacker.heard() == "" and str(file) in result.stderr
            assert "\x1b" not in result.stderr and "running" not in result.stdout


def test_find_security_believes_no_other_account(victim: Victim, attacker: Attacker) -> None:
    """Its certificates would be those that a Client() trusts."""
    code = (
        "from draco.discovery import find_security\n"
        "print(find_security({'address': 'tls://127.0.0.1:1'}))"
    )
    own = own_certificate(victim)
    lead_to_port(victim, "1", *own)
    assert "Security(" in victim.python(code).stdout
    forged = victim.shared / "draco/victim/connect.json"
    attacker.run("mkdir", "-p", "-m", "755", str(forged.parent))
    shutil.copy(victim.state / "connect.json", forged)
    os.chown(forged, attacker.uid, attacker.gid)
    forged.chmod(0o644)
    result = victim.python(code, XDG_STATE_HOME=str(victim.shared))
    assert result.stdout == "None\n"
    assert f"{forged.parents[1]} belongs to another user (uid {attacker.uid})" in result.stderr


@pytest.mark.parametrize("own_directory", [False, True])
def test_the_preload_says_nothing_to_another_account(
    victim: Victim, attacker: Attacker, own_directory: bool
) -> None:
    """It would name the cluster and its workers, and do as it is asked."""
    path = victim.base / "victim/dask.sock"
    owner = victim if own_directory else attacker
    for directory in (victim.base, path.parent):
        owner.run("mkdir", "-m", "777", str(directory))
        owner.run("chmod", "777", str(directory))
    with attacker.serving(str(path)):
        owner.run("chmod", "700" if own_directory else "755", str(path.parent))
        variables = {
            "DRACO_DASK_SOCKET": str(path),
            "DRACO_CLUSTER_ID": "c",
            "DRACO_DASHBOARD": "off",
            "DRACO_ORPHAN_TIMEOUT": "2",
        }
        preload = ["--preload", str(victim.programs / "draco_scheduler.py")]
        address = ["--host", "127.0.0.1", "--port", "0"]
        command = [PYTHON, "-m", "distributed.cli.dask_scheduler", *preload, *address]
        environment = {**victim.environment, **variables}
        result = victim.run(*command, check=False, cwd=victim.home, env=environment)
    assert attacker.heard() == ""
    who = "served by another user" if own_directory else "is not a private directory"
    check_told_nothing(attacker, result, "nothing is sent", who, f"uid {attacker.uid}")
