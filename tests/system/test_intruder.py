"""Another account of this machine tries to get in."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from accounts import Account, DracoOf, address_of, certificate_files, listening
from harness import COMPUTE, PYTHON, Sandbox

#: Try to get in as another account does; prints what came of each attempt.
INTRUDE = r"""
import asyncio, json, os, socket, ssl, sys
task = json.load(sys.stdin)
result = {}

def attempt(name, function, *arguments, **keywords):
    try:
        result[name] = function(*arguments, **keywords)
    except Exception as error:
        result[name] = type(error).__name__

def unix(path):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
    return "connected"

def read(path):
    return os.listdir(path) if os.path.isdir(path) else open(path, "rb").read().decode()

def tls(host, port, certificate, key):
    # Accepts whatever the server shows; the server must not accept us.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if certificate:
        context.load_cert_chain(certificate, key)
    with socket.create_connection((host, port), timeout=20) as connection:
        with context.wrap_socket(connection) as secure:
            return "served" if secure.recv(1) else "closed"

def plain(host, port):
    with socket.create_connection((host, port), timeout=5) as connection:
        connection.sendall(b"\0" * 64)
        return "served" if connection.recv(1) else "closed"

def tcp(host, port):
    with socket.create_connection((host, port), timeout=20):
        return "connected"

def client(address, **security):
    from distributed import Client, Security
    with Client(address, timeout=6, security=Security(**security)) as client:
        return client.scheduler_info()["id"]

for path in task["sockets"]:
    attempt("unix " + path, unix, path)
for path in task["files"]:
    attempt("read " + path, read, path)
for host, port in task["tls"]:
    where = f"{host}:{port}"
    attempt("plain " + where, plain, host, port)
    attempt("anonymous " + where, tls, host, port, None, None)
    attempt("foreign " + where, tls, host, port, task["certificate"], task["key"])
for host, port in task["tcp"]:
    attempt(f"tcp {host}:{port}", tcp, host, port)
if task["client"]:
    certificate, key = task["certificate"], task["key"]
    attempt("client plain", client, task["client"].replace("tls://", "tcp://"))
    attempt("client foreign", client, task["client"], require_encryption=True,
        tls_ca_file=certificate, tls_client_cert=certificate, tls_client_key=key)
json.dump(result, sys.stdout)
"""

#: What an attempt may end in when it is refused.
REFUSED_TLS = {"closed", "BrokenPipeError", "ConnectionResetError", "SSLError", "SSLEOFError"}
REFUSED = {
    "unix": {"PermissionError"},
    "read": {"PermissionError"},
    "plain": {"closed", "ConnectionResetError", "TimeoutError", "timeout"},
    "anonymous": REFUSED_TLS,
    "foreign": REFUSED_TLS,
    "tcp": {"ConnectionRefusedError"},
    "client": {"OSError", "TimeoutError", "CommClosedError", "FatalCommClosedError"},
}

as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can make a second account")


@pytest.fixture(scope="module")
def public_sandbox() -> Iterator[Sandbox]:
    with Sandbox("--nodes", "2", "--shared", "--public") as sandbox:
        yield sandbox


@pytest.fixture
def owner(public_sandbox: Sandbox) -> Iterator[DracoOf]:
    """A user of draco that is an ordinary account."""
    with Account() as account:
        with DracoOf(account, public_sandbox) as user:
            yield user
        user.check_nothing_left()


@pytest.fixture
def intruder(tmp_path: Path) -> Iterator[Account]:
    """Another account, with a certificate of its own in ``directory``."""
    with Account() as account:
        account.directory = Path("/tmp") / account.name
        account.directory.mkdir(mode=0o700)
        os.chown(account.directory, account.uid, account.gid)
        kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "9"]
        names = ["-subj", "/CN=draco cluster", "-keyout", "key.pem", "-out", "cert.pem"]
        account.run("openssl", "req", "-x509", *kind, *names, cwd=account.directory)
        yield account
        shutil.rmtree(account.directory)


def intrude(account: Account, **task: Any) -> dict[str, Any]:
    """Let another account try; each attempt's outcome by its name."""
    empty: dict[str, Any] = {"sockets": [], "files": [], "tls": [], "tcp": [], "client": None}
    own = {
        "certificate": str(account.directory / "cert.pem"),
        "key": str(account.directory / "key.pem"),
    }
    text = json.dumps({**empty, **own, **task})
    run = account.run(PYTHON, "-c", INTRUDE, input=text, cwd=account.directory)
    return json.loads(run.stdout)


def check_refused(result: dict[str, Any], count: int) -> None:
    assert len(result) == count, result
    for name, outcome in result.items():
        assert outcome in REFUSED[name.split()[0]], f"{name}: {outcome}"


@as_root
def test_another_account_is_kept_out(owner: DracoOf, intruder: Account) -> None:
    owner.start("--maximum=2")
    owner.wait_for_workers(2)
    assert owner.python(COMPUTE).endswith(" 285\n")  # the owner gets in
    status = owner.status()
    job = status["jobs"][0]
    places = owner.python(
        "from distributed import Client\n"
        "for w in Client().scheduler_info()['workers'].items():\n    print(w[0], w[1]['nanny'])"
    ).split()
    assert len(places) == 4
    scheduler = address_of(status["scheduler"]["address"])
    servers = [scheduler, *map(address_of, places)]
    runtime = owner.runtime / "draco" / owner.name
    sockets = [str(runtime / name) for name in ("control.sock", "dask.sock", "http.sock")]
    logs = Path(status["cluster"]["log_directory"])
    files = [
        runtime,
        owner.state,
        owner.state / "daemon.json",
        owner.state / "state.json",
        owner.state / "dracod.log",
        owner.state / "tls",
        *certificate_files(owner),
        logs,
        logs / "scheduler.log",
        Path(job["log"]),
        Path(f"/proc/{owner.daemon()}/environ"),
        Path(f"/proc/{status['scheduler']['pid']}/environ"),
    ]
    assert all(file.exists() for file in files)
    result = intrude(
        intruder,
        sockets=sockets,
        files=[str(file) for file in files],
        tls=servers,
        client=status["scheduler"]["address"],
    )
    check_refused(result, len(sockets) + len(files) + 3 * len(servers) + 2)
    # And all that had no effect.
    assert owner.python(COMPUTE).endswith(" 285\n")
    assert owner.status()["cluster"]["workers"] == 2


@as_root
def test_the_dashboard_from_another_address(owner: DracoOf, intruder: Account) -> None:
    owner.start()
    status = owner.status()
    servers = listening(status["scheduler"]["pid"])
    servers.remove(address_of(status["scheduler"]["address"]))
    assert servers == {("127.0.0.1", status["dashboard"]["wanted_port"])}
    port = status["dashboard"]["wanted_port"]
    text = subprocess.check_output(["hostname", "-I"], text=True)
    others = ["127.0.0.2", *[host for host in text.split() if ":" not in host]]
    check_refused(intrude(intruder, tcp=[(host, port) for host in others]), len(others))
    # What docs/security.md says: from this host, by loopback, everyone can.
    assert intrude(intruder, tcp=[("127.0.0.1", port)]) == {
        f"tcp 127.0.0.1:{port}": "connected"
    }


@as_root
def test_the_dashboard_at_a_socket(owner: DracoOf, intruder: Account) -> None:
    owner.start("--dashboard=socket")
    status = owner.status()
    path = owner.runtime / "draco" / owner.name / "http.sock"
    assert listening(status["scheduler"]["pid"]) == {address_of(status["scheduler"]["address"])}
    assert path.is_socket() and path.stat().st_mode & 0o7777 == 0o600
    check_refused(intrude(intruder, sockets=[str(path)]), 1)
    get = (
        "import socket\ns = socket.socket(socket.AF_UNIX)\n"
        f"s.connect('{path}')\n"
        "s.sendall(b'GET /info/main/workers.html HTTP/1.0\\r\\n\\r\\n')\n"
        "page = b''\nwhile True:\n    part = s.recv(65536)\n    page += part\n"
        "    if not part:\n        break\nprint(page.decode())"
    )
    page = owner.python(get)
    assert page.startswith("HTTP/1.1 200 ") and "<html" in page
    owner.run("stop")
    assert not path.exists()


@as_root
def test_a_runtime_directory_that_another_account_made(
    owner: DracoOf, intruder: Account
) -> None:
    shared = owner.root / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    trap = shared / f"draco-{owner.account.uid}"
    intruder.run("mkdir", "-m", "777", str(trap))
    del owner.environment["XDG_RUNTIME_DIR"]
    owner.environment["TMPDIR"] = str(shared)
    owner.start()
    socket = Path(json.loads((owner.state / "daemon.json").read_text())["socket"])
    assert socket.parents[1].name.startswith(f"{trap.name}-")
    check_refused(intrude(intruder, sockets=[str(socket)], files=[str(socket.parent)]), 2)
    assert not any(trap.iterdir())
