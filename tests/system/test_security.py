"""The certificate of each cluster: who has it, who needs it, and what it costs to go without."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import ssl
from pathlib import Path

import pytest
from accounts import address_of, certificate_files
from harness import COMPUTE, SMALL, Draco, is_alive, wait_for


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
        f"{cluster}/tls_fix.py",
    ]
    assert [file.stat().st_mode & 0o7777 for file in files] == [0o700, 0o600, 0o600, 0o600]
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
    cert, key = certificate_files(draco)[1:3]
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
    wait_for(lambda: not is_alive(daemon) and not is_alive(scheduler), "both are dead")
    assert all(file.exists() for file in files)
    draco.start()
    assert not any(file.exists() for file in files)
    assert len(certificate_files(draco)) == 4


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
    draco.wait_for_workers(2)
    for pid in draco.processes():
        with contextlib.suppress(OSError):  # it has just ended
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
            '--dashboard-port: "80" is neither a port nor a range of ports: give auto',
        ),
        (
            "--dashboard-port=any",
            '--dashboard-port: "any" is neither a port nor a range of ports: give auto',
        ),
        (
            "--dashboard-address=here",
            '--dashboard-address: "here" is not an IPv4 address: give',
        ),
    ],
)
def test_wrong_settings(draco: Draco, option: str, message: str) -> None:
    failed = draco.start(option, check=False)
    assert failed.returncode == 2
    assert message in failed.stderr
    assert not draco.processes()


def test_second_start_does_not_change_security(draco: Draco) -> None:
    first = draco.popen("start", *SMALL)
    # On a busy machine it may run before this is seen.
    wait_for(lambda: draco.cluster_state() in ("starting", "running"), "the cluster starts")
    second = draco.start("--security=none")
    assert first.wait(120) == 0
    assert "security is tls, not none" in second.stdout
    assert draco.status()["security"] == "tls"
