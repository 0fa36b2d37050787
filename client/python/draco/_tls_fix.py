"""Keep the failure of one TLS connection from breaking others of the same thread.

Each process that uses TLS with Dask needs this. This package runs it when it finds a certificate.
dracod puts a copy beside each certificate, for the scheduler, its workers and programs without
this package, so it may need nothing but tornado.

OpenSSL keeps errors in a queue for each thread, and ``SSL_get_error()`` looks there first. Since
3.4 OpenSSL also puts failed system calls into that queue. If the peer has closed without
``close_notify``, a read makes OpenSSL send an alert, and writing the alert fails with EPIPE.
CPython turns such an error (library ``ERR_LIB_SYS``) into an OSError by ``PyErr_SetFromErrno()``,
in ``PySSL_SetError()`` of Modules/_ssl.c, and returns without ``ERR_clear_error()``, which each
other path through this function calls. So the error stays in the queue. When the next operation on
a healthy connection of this thread only has to wait, it seems to have failed with that error. Dask
closes the connection, and a worker or a client is lost
(https://github.com/python/cpython/issues/148594).

CPython clears the queue when it makes an SSL object, so this module makes one after each such
error. If CPython has cleared the queue already, that has no effect.
"""

from __future__ import annotations

import functools
import ssl
from collections.abc import Callable
from typing import Any

from tornado.iostream import SSLIOStream

#: Whether OpenSSL puts failed system calls into its queue.
NEEDED = ssl.OPENSSL_VERSION_INFO >= (3, 4)

#: All methods of tornado that call OpenSSL.
_METHODS = ("read_from_fd", "write_to_fd", "_do_ssl_handshake")

_MARK = "_draco_tls_fix"


def clear_errors() -> None:
    """Clear OpenSSL's error queue of this thread."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="draco")


def _clearing(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def clearing(stream: SSLIOStream, *args: Any) -> Any:
        try:
            result = method(stream, *args)
        except OSError as error:
            if not isinstance(error, ssl.SSLError):  # an SSLError leaves nothing in the queue
                clear_errors()
            raise
        if stream.closed():  # the method has handled an error without raising it
            clear_errors()
        return result

    return clearing


def install() -> None:
    """Patch tornado's connections, once in a process, where OpenSSL needs it."""
    if not NEEDED or hasattr(SSLIOStream, _MARK):
        return
    setattr(SSLIOStream, _MARK, True)
    for name in _METHODS:
        method = getattr(SSLIOStream, name, None)
        if method is not None:
            setattr(SSLIOStream, name, _clearing(method))


install()
