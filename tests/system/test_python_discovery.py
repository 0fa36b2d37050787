"""``Client(address)`` finds the certificate of the user's cluster by itself."""

from __future__ import annotations

import os
import signal

from harness import Draco
from kernels import Kernel

LOADER = {"DASK_DISTRIBUTED__CLIENT__SECURITY_LOADER": "draco.discovery.find_security"}


def test_from_files_alone(draco: Draco) -> None:
    """dracod need not answer: a client asks within its event loop, which must not wait."""
    draco.start()
    address = draco.status()["scheduler"]["address"]
    daemon = draco.daemon()
    with Kernel(draco, **LOADER) as kernel:
        # As a dracod leaves it that was killed, of a cluster that had the same address.
        old = draco.state.parent / "a-killed-one"
        old.mkdir()
        (old / "lock").touch()
        text = (draco.state / "connect.json").read_text()
        (old / "connect.json").write_text(text.replace("cert.pem", "old.pem"))
        os.kill(daemon, signal.SIGSTOP)
        try:
            out = kernel.run(
                "from distributed import Client\nfrom draco.discovery import find_security\n"
                f"with Client({address!r}, timeout=60) as client:\n"
                "    print(client.submit(pow, 2, 5).result())\n"
                "print(find_security({'address': 'tls://127.0.0.1:1'}),"
                " find_security({'address': 'tcp://127.0.0.1:1'}), find_security({}))"
            )
        finally:
            os.kill(daemon, signal.SIGCONT)
        assert out == "32\nNone None None\n"
        draco.run("stop")
        assert kernel.run(f"print(find_security({{'address': {address!r}}}))") == "None\n"
