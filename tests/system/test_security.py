"""Nobody else gets in: certificates, another account of this machine, the dashboard."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from accounts import Account, DracoOf, listening
from harness import PYTHON, SMALL, Draco, Sandbox, is_alive, wait_for

COMPUTE = """
from distributed import Client
with Client(timeout=20) as client:
    print(client.scheduler.address, sum(client.gather(client.map(lambda x: x * x, range(10)))))
"""

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
REFUSED = {
    "unix": {"PermissionError"},
    "read": {"PermissionError"},
    "plain": {"closed", "ConnectionResetError", "TimeoutError", "timeout"},
    "anonymous": {"closed", "ConnectionResetError", "SSLError"},
    "foreign": {"closed", "ConnectionResetError", "SSLError"},
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


def certificate_files(draco: Draco) -> list[Path]:
    """All that is under the directory of certificates."""
    return sorted((draco.state / "tls").glob("**/*"))


def address_of(url: str) -> tuple[str, int]:
    host, port = url.split("://")[1].rsplit(":", 1)
    return host, int(port)


# Certificates


def test_certificate_while_the_cluster_runs(draco: Draco) -> None:
    draco.start()
    address = draco.status()["scheduler"]["address"]
    assert address.startswith("tls://")
    cluster = draco.status()["cluster"]["id"]
    files = certificate_files(draco)
    assert [str(file.relative_to(draco.state / "tls")) for file in files] == [
        cluster,
        f"{cluster}/cert.pem",
        f"{cluster}/key.pem",
    ]
    assert [file.stat().st_mode & 0o7777 for file in files] == [0o700, 0o600, 0o600]
    assert (draco.state / "tls").stat().st_mode & 0o7777 == 0o700
    assert draco.python(COMPUTE) == f"{address} 285\n"
    workers = draco.python(
        "from distributed import Client\nprint(*Client().scheduler_info()['workers'])"
    ).split()
    assert workers and all(worker.startswith("tls://") for worker in workers)
    draco.run("stop")
    assert not (draco.state / "tls").exists()


def test_certificate_is_needed_on_both_sides(draco: Draco) -> None:
    draco.start()
    status = draco.status()
    host, port = address_of(status["scheduler"]["address"])
    cert, key = certificate_files(draco)[1:]
    context = ssl.create_default_context(cafile=cert)
    context.check_hostname = False
    with (
        socket.create_connection((host, port), timeout=20) as connection,
        pytest.raises((ssl.SSLError, ConnectionResetError)),
        context.wrap_socket(connection) as secure,
    ):
        secure.recv(1)
    context.load_cert_chain(cert, key)
    with (
        socket.create_connection((host, port), timeout=20) as connection,
        context.wrap_socket(connection) as secure,
    ):
        assert len(secure.recv(1)) == 1  # the scheduler serves us
    # A client that trusts another authority does not talk to this scheduler.
    with (
        socket.create_connection((host, port), timeout=20) as connection,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        ssl.create_default_context().wrap_socket(connection, server_hostname="localhost")


def test_each_start_has_its_own_certificate(draco: Draco) -> None:
    draco.start()
    old = draco.home / "old"
    shutil.copytree(draco.state / "tls" / draco.status()["cluster"]["id"], old)
    draco.run("stop")
    draco.start()
    assert (old / "cert.pem").read_text() != certificate_files(draco)[1].read_text()
    code = (
        "from distributed import Client, Security\n"
        f"s = Security(tls_ca_file='{old}/cert.pem', tls_client_cert='{old}/cert.pem',"
        f" tls_client_key='{old}/key.pem', require_encryption=True)\n"
        "try:\n    Client(security=s, timeout=6)\nexcept OSError:\n    print('refused')\n"
    )
    assert draco.python(code) == "refused\n"


def test_certificate_of_a_crashed_dracod_is_removed(draco: Draco) -> None:
    draco.start()
    files = certificate_files(draco)
    scheduler = draco.status()["scheduler"]["pid"]
    daemon = draco.daemon()
    os.kill(daemon, signal.SIGKILL)
    os.kill(scheduler, signal.SIGTERM)
    wait_for(lambda: not is_alive(daemon), "dracod is dead")
    assert all(file.exists() for file in files)
    draco.start()
    assert not any(file.exists() for file in files)
    assert len(certificate_files(draco)) == 3


def test_start_from_a_shell_that_used_another_cluster(draco: Draco) -> None:
    """The variables of ``dracoctl env`` of a cluster that is gone do no harm."""
    draco.start()
    old = json.loads(draco.run("env", "--format", "json").stdout)
    draco.run("stop")
    draco.environment.update(old, DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION="True")
    draco.start()
    assert draco.python(COMPUTE).endswith(" 285\n")
    draco.run("stop")
    del draco.environment["DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION"]
    draco.start("--security=none")
    assert draco.python(COMPUTE).endswith(" 285\n")


def test_state_directory_that_cannot_hold_a_certificate(draco: Draco) -> None:
    draco.state.mkdir(parents=True, mode=0o700)
    draco.state.parent.chmod(0o700)
    (draco.state / "tls").write_text("in the way")
    failed = draco.start(check=False)
    assert failed.returncode == 1
    assert f"cannot create the directory {draco.state}/tls" in failed.stderr
    assert not draco.all_jobs()


def test_node_that_cannot_read_the_certificate(draco: Draco) -> None:
    """A state directory that the nodes do not share: the job's log and the start say so."""
    variable = "DASK_DISTRIBUTED__COMM__TLS__CA_FILE"
    draco.environment["BASH_ENV"] = str(draco.home / "node.sh")
    (draco.home / "node.sh").write_text(
        f'[ -z "$SLURM_JOB_ID" ] || export {variable}=/elsewhere/cert.pem\n'
    )
    failed = draco.start(check=False)
    assert failed.returncode == 1
    assert (
        "cannot read /elsewhere/cert.pem: the nodes must share that directory" in failed.stderr
    )


def test_no_secret_on_command_lines_or_in_the_script(draco: Draco) -> None:
    draco.start()
    secret = "".join(certificate_files(draco)[2].read_text().splitlines()[1:-1])
    assert len(secret) > 100
    script = draco.sandbox.command(
        "scontrol", "write", "batch_script", draco.jobs()[0]["id"], "-"
    )
    texts = [script]
    for pid in draco.processes():
        texts += [
            Path(f"/proc/{pid}/{name}").read_text(errors="replace").replace("\0", "\n")
            for name in ("cmdline", "environ")
        ]
    assert len(texts) > 6
    assert not any(secret in text or "PRIVATE KEY" in text for text in texts)


def test_security_none_is_warned_about(draco: Draco) -> None:
    result = draco.start("--security", "none")
    address = draco.status()["scheduler"]["address"]
    warning = (
        f"dracoctl: warning: security is none: everyone who reaches {address} can run programs "
        "as you and read your data\n"
    )
    assert address.startswith("tcp://")
    assert result.stderr.endswith(warning)
    assert draco.run("status").stderr == warning
    assert draco.status()["security"] == "none"
    assert not certificate_files(draco)
    assert draco.python(COMPUTE) == f"{address} 285\n"
    assert "security is tls, not none" not in draco.start("--security=none").stdout


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--security=ssl", 'security: "ssl" is not known: give one of tls, none'),
        ("--dashboard=yes", 'dashboard: "yes" is not known: give one of on, socket, off'),
        (
            "--dashboard-port=80",
            'dashboard_port: "80" is no port: give auto or a number from 1024',
        ),
        ("--dashboard-port=any", 'dashboard_port: "any" is no port: give auto or a number'),
        ("--dashboard-address=here", 'dashboard_address: "here" is not an IPv4 address: give'),
    ],
)
def test_wrong_settings(draco: Draco, option: str, message: str) -> None:
    failed = draco.start(option, check=False)
    assert failed.returncode == 2
    assert message in failed.stderr
    assert not draco.processes()


# Another account


@as_root
def test_another_account_is_kept_out(owner: DracoOf, intruder: Account) -> None:
    owner.start()
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
    # What the README says: from this host, by loopback, everyone can.
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
    failed = owner.start(check=False)
    assert failed.returncode == 1
    assert f"{trap} belongs to another user (uid {intruder.uid})" in failed.stderr
    assert not any(trap.glob("**/*.sock")) and not owner.processes()


# The dashboard


def test_dashboard_off(draco: Draco) -> None:
    result = draco.start("--dashboard=off")
    assert "dashboard" not in result.stdout
    status = draco.status()
    assert listening(status["scheduler"]["pid"]) == {address_of(status["scheduler"]["address"])}
    assert not (draco.runtime / "draco" / draco.name / "http.sock").exists()
    assert draco.run("dashboard", check=False).returncode == 1
    assert "the dashboard is switched off (setting dashboard)" in draco.run("status").stdout
    # Clients show no link, and nothing trips over that.
    code = (
        "from distributed import Client\nwith Client() as c:\n"
        "    print([c.dashboard_link], len(c._repr_html_()) > 100)"
    )
    assert draco.python(code) == "[''] True\n"


def test_dashboard_port_stays_the_same(draco: Draco) -> None:
    draco.start()
    port = draco.status()["dashboard"]["wanted_port"]
    assert ("127.0.0.1", port) in listening(draco.status()["scheduler"]["pid"])
    with socket.create_connection(("127.0.0.1", port)):
        draco.run("stop")
    draco.start()
    assert draco.status()["dashboard"]["wanted_port"] == port
    assert ("127.0.0.1", port) in listening(draco.status()["scheduler"]["pid"])
    draco.run("stop")
    with socket.create_server(("127.0.0.1", port)):
        draco.start()
    ports = listening(draco.status()["scheduler"]["pid"])
    assert ("127.0.0.1", port) not in ports and len(ports) == 2
    moved = re.search(rf"port {port} is taken, so it is at port (\d+)", draco.log.read_text())
    assert moved and ("127.0.0.1", int(moved[1])) in ports


def test_dashboard_for_everyone_is_warned_about(draco: Draco) -> None:
    result = draco.start("--dashboard-address=0.0.0.0", "--dashboard-port=18787")
    warning = "dashboard_address is 0.0.0.0: everyone who reaches it can read the dashboard\n"
    assert result.stderr.endswith(warning)
    assert draco.run("status").stderr.endswith(warning)
    hosts = {host for host, _ in listening(draco.status()["scheduler"]["pid"])}
    assert "0.0.0.0" in hosts


def test_dashboard_address_of_another_host(draco: Draco) -> None:
    failed = draco.start("--dashboard-address=192.0.2.77", check=False)
    assert failed.returncode == 1
    assert "dashboard_address: 192.0.2.77 is not an address of this host" in failed.stderr


@pytest.mark.skipif(
    importlib.util.find_spec("bokeh") is not None, reason="bokeh is installed for this Python"
)
def test_dashboard_without_bokeh(draco: Draco) -> None:
    assert draco.run("dashboard", check=False).returncode == 3
    assert "http://" not in draco.start().stdout
    for options in ([], ["--json"]):
        result = draco.run(*options, "dashboard", check=False)
        assert result.returncode == 1
        assert f"there is no dashboard: {PYTHON} has no bokeh" in result.stdout + result.stderr
    assert draco.status()["dashboard"]["url"] is None
    assert draco.status()["scheduler"]["dashboard"] is None


@pytest.mark.skipif(
    importlib.util.find_spec("bokeh") is None, reason="this Python has no bokeh"
)
def test_dashboard_with_bokeh(draco: Draco) -> None:
    import urllib.request

    draco.start()
    answer = json.loads(draco.run("--json", "dashboard").stdout)
    port = answer["port"]
    url = f"http://127.0.0.1:{port}/status"
    assert answer["url"] == url and answer["jupyter_path"] == f"/proxy/{port}/status"
    assert answer["ssh"].startswith(f"ssh -N -L {port}:127.0.0.1:{port} ")
    text = draco.run("dashboard", JUPYTERHUB_SERVICE_PREFIX="/user/me/").stdout
    assert url in text and answer["ssh"] in text and f"/user/me/proxy/{port}/status" in text
    with urllib.request.urlopen(url, timeout=30) as page:
        assert page.status == 200 and b"Dask" in page.read()
    link = draco.python("from distributed import Client\nprint(Client().dashboard_link)")
    assert link == f"{url}\n"
    hub = draco.run("env", "--format=json", JUPYTERHUB_SERVICE_PREFIX="/user/me/").stdout
    assert json.loads(hub)["DASK_DISTRIBUTED__DASHBOARD__LINK"] == (
        "{JUPYTERHUB_SERVICE_PREFIX}proxy/{port}/status"
    )
    draco.run("stop")
    draco.start("--dashboard=socket")
    answer = json.loads(draco.run("--json", "dashboard").stdout)
    path = draco.runtime / "draco" / draco.name / "http.sock"
    assert answer["socket"] == str(path) and answer["url"] is None
    assert re.match(rf"ssh -N -L \d+:{path} ", answer["ssh"]) and answer["jupyter_path"] is None
    page = subprocess.check_output(["curl", "-sSL", "--unix-socket", path, "http://x/status"])
    assert b"Dask" in page


def test_second_start_does_not_change_security(draco: Draco) -> None:
    first = draco.popen("start", *SMALL)
    wait_for(lambda: draco.cluster_state() == "starting", "the cluster starts")
    second = draco.start("--security=none")
    assert first.wait(120) == 0
    assert "security is tls, not none" in second.stdout
    assert draco.status()["security"] == "tls"
