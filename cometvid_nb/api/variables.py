"""Variables: which variable of the environment HTTPX cannot use, for a message that names it."""

from __future__ import annotations

import os
import ssl
import urllib.request

import httpx

from ..errors import SettingsError


def certificates_error() -> SettingsError:
    """Say which variable of the TLS library names a file that cannot be used, and the file."""
    name = _certificates_variable()
    return SettingsError(
        f"The value of {name} cannot be used: {os.environ.get(name, '')[:200]!r}.",
        advice=f"Correct or unset {name}, then restart the kernel.",
    )


def _certificates_variable() -> str:
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if file := os.environ.get("SSL_CERT_FILE"):
        try:
            trust.load_verify_locations(cafile=file)
        except OSError:
            return "SSL_CERT_FILE"
    elif folder := os.environ.get("SSL_CERT_DIR"):
        try:
            trust.load_verify_locations(capath=folder)
        except OSError:
            return "SSL_CERT_DIR"
    return "SSLKEYLOGFILE"


def proxy_error() -> SettingsError:
    """Say which of the variables for proxies HTTPX cannot use; none of their values."""
    no_limits = httpx.Limits(max_connections=1)
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for scheme, proxy in urllib.request.getproxies().items():
        if scheme not in ("http", "https", "all") or not proxy:
            continue
        name = _proxy_variable(scheme)
        try:
            url = proxy if "://" in proxy else f"http://{proxy}"
            httpx.HTTPTransport(verify=trust, proxy=httpx.Proxy(url), limits=no_limits).close()
        except ImportError:
            return SettingsError(
                f"{name} names a SOCKS proxy, but the library for such proxies is missing.",
                advice=f'Run %pip install "httpx[socks]" and restart the kernel, or unset {name}.',
            )
        except (ValueError, httpx.InvalidURL):
            return SettingsError(
                f"The proxy in {name} cannot be used: it is not the address of a proxy.",
                advice=f"Correct or unset {name}. A proxy looks like http://host:8080.",
            )
    name = _proxy_variable("no")
    return SettingsError(
        f"A host in {name} cannot be read.",
        advice=f"Correct or unset {name}. It takes host names and addresses separated by commas, "
        "but no networks such as fe80::/10.",
    )


def _proxy_variable(scheme: str) -> str:
    """The name that `urllib.request.getproxies` has found it under, for the reader to look at."""
    names = (f"{scheme}_proxy", f"{scheme}_proxy".upper())
    return next((name for name in names if os.environ.get(name)), names[1])
