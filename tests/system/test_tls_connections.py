"""The failure of one TLS connection costs no other one: see the text of draco's ``_tls_fix.py``."""

from __future__ import annotations

import json
import ssl
import subprocess
from pathlib import Path

import pytest
from harness import PYTHON, SOURCE, Draco

FIX = SOURCE / "client/python/draco/_tls_fix.py"

#: Two of Dask's connections in a thread. The other end of one closes it without a word of TLS,
#: and this end sends something: that is answered with a reset. Then it reads on: at this end of
#: the stream OpenSSL writes an alert, which fails. Whoever sleeps here does so without the
#: event loop, to be the first to see.
BREAK_ONE = """
import asyncio, runpy, sys, threading, time
from distributed.comm import CommClosedError, connect, listen
from distributed.security import Security

certificate, key, fix = sys.argv[1:]
security = Security(
    tls_ca_file=certificate, tls_scheduler_cert=certificate, tls_scheduler_key=key,
    tls_client_cert=certificate, tls_client_key=key, require_encryption=True,
)
for _ in range(2):  # once is enough, twice does no harm
    if fix:
        runpy.run_path(fix)

async def answer(comm):
    try:
        while (message := await comm.read()) != "close":
            await comm.write(message)
        await comm.close()
    except CommClosedError:
        pass

async def serve():
    listener = await listen("tls://127.0.0.1:0", answer, **security.get_listen_args("scheduler"))
    address.append(listener.contact_address)
    serving.set()
    await asyncio.sleep(100)

async def main():
    options = security.get_connection_args("client")
    healthy = await connect(address[0], **options)
    for number in range(5):
        broken = await connect(address[0], **options)
        await broken.write("close")
        time.sleep(0.2)
        await broken.write("into the void")
        time.sleep(0.2)
        try:
            await broken.read()
        except CommClosedError as error:
            print("broken:", error, file=sys.stderr)
        await healthy.write(number)
        assert await healthy.read() == number

address, serving = [], threading.Event()
threading.Thread(target=lambda: asyncio.run(serve()), daemon=True).start()
serving.wait()
asyncio.run(main())
"""


def make_certificate(directory: Path) -> list[str]:
    files = [str(directory / "cert.pem"), str(directory / "key.pem")]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-batch",
         "-subj", "/CN=test", "-out", files[0], "-keyout", files[1]],
        check=True, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return files


def break_one(files: list[str], fix: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PYTHON, "-c", BREAK_ONE, *files, fix], text=True, capture_output=True, timeout=120
    )


def test_a_broken_connection_costs_no_other(tmp_path: Path) -> None:
    files = make_certificate(tmp_path)
    fixed = break_one(files, str(FIX))
    assert fixed.returncode == 0, fixed.stderr
    assert fixed.stderr.count("broken:") == 5
    without = break_one(files, "")
    if without.returncode == 0:
        pytest.skip("Python and OpenSSL of this system do so without help")
    assert "CommClosedError" in without.stderr


#: A newer OpenSSL than that of some systems, as far as Python says.
PRETEND = "import ssl\nssl.OPENSSL_VERSION_INFO = ({}, 5, 0, 0, 0)\n"

LOOK = """
import json, logging
from distributed import Client
def look(dask_worker=None, dask_scheduler=None):
    import sys
    from tornado.iostream import SSLIOStream
    method = SSLIOStream.read_from_fd
    count = 0
    while hasattr(method, "__wrapped__"):
        method, count = method.__wrapped__, count + 1
    return [count, sys.modules["__main__"].__dict__.get("__file__", "").rsplit("/")[-1]]
with Client() as client:
    print(json.dumps({
        "client": look()[0],
        "scheduler": client.run_on_scheduler(look)[0],
        "nannies": [count for count, _ in client.run(look, nanny=True).values()],
        "workers": [count for count, _ in client.run(look).values()],
    }))
"""

WAYS = {
    "copies": "--worker-start=forkserver",
    "Dask's forkserver": "--environment=PYTHONHASHSEED=6640",
    "spawn": "--worker-start=spawn",
    "preload": "--worker-options=--preload-nanny,json",
}


@pytest.mark.parametrize("version", [1, 3])
@pytest.mark.parametrize("way", WAYS)
def test_all_that_speak_tls_are_helped_once(draco: Draco, way: str, version: int) -> None:
    if version == 1 and ssl.OPENSSL_VERSION_INFO >= (3, 4):
        pytest.skip("this system needs the help: without it workers are lost")
    folder = draco.root / "pretend"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(PRETEND.format(version))
    draco.environment["PYTHONPATH"] = str(folder)
    draco.start("--minimum=2", WAYS[way])
    needed = int(version == 3)
    assert json.loads(draco.python(LOOK)) == {
        "client": needed, "scheduler": needed, "nannies": [needed] * 2, "workers": [needed] * 2,
    }  # fmt: skip
    assert draco.status()["cluster"]["notices"] == []
    draco.run("stop")
    assert not (draco.state / "tls").exists()  # with what Python keeps there
