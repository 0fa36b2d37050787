"""The fields of dracod's log in the systemd journal, whose socket is here that of the test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from harness import BUILD, Draco

#: Serves the journal's socket while dracod runs, and prints what arrives, one datagram a line.
SERVER = """
import json, os, signal, socket, subprocess, sys
os.makedirs("/run/systemd/journal")
with (socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal,
      open(sys.argv[1], "w") as stream):
    journal.bind("/run/systemd/journal/socket")
    journal.settimeout(60)
    stat = os.fstat(stream.fileno())
    dracod = subprocess.Popen(
        sys.argv[2:], stderr=stream,
        env={**os.environ, "JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino}"},
    )
    text = ""
    while "MESSAGE=dracod: ends" not in text:
        text = journal.recv(65536).decode()
        print(json.dumps(dict(line.split("=", 1) for line in text.splitlines())), flush=True)
        if " serves " in text:
            dracod.send_signal(signal.SIGTERM)
    sys.exit(dracod.wait())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a mount namespace")
def test_entries_have_fields(draco: Draco) -> None:
    if "#define HAVE_SYSTEMD 1" not in Path(BUILD, "config.h").read_text():
        pytest.skip("built without libsystemd")
    stream = draco.root / "stderr"
    result = subprocess.run(
        ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs tmpfs /run && exec "$@"', "sh",
         sys.executable, "-c", SERVER, str(stream), str(BUILD / "dracod"), "--name", draco.name],
        env=draco.environment, text=True, capture_output=True, timeout=120,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    entries = [json.loads(line) for line in result.stdout.splitlines()]
    assert {entry["DRACO_CLUSTER"] for entry in entries} == {draco.name}
    assert {entry["SYSLOG_IDENTIFIER"] for entry in entries} == {"dracod"}
    ends = entries[-1]
    assert (ends["DRACO_KIND"], ends["DRACO_SUBJECT"], ends["PRIORITY"]) == (
        "note", "dracod", "6"
    )  # fmt: skip
    assert len(ends["MESSAGE_ID"]) == 32
    assert stream.read_text() == ""
