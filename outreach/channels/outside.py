"""Hosts that a store's owner has typed: they must lead to the public internet, not into our own network.

The address that was checked is the address that is connected to, so a name that answers differently
the second time (DNS rebinding) gains nothing. ALLOW_PRIVATE_HOSTS lifts it, for shops that run this
themselves beside their own mail server.
"""

from __future__ import annotations

import ipaddress
import smtplib
import socket
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.core.mail.backends.smtp import EmailBackend
from requests.adapters import HTTPAdapter


class NotPublic(Exception):
    """The host is, or leads to, an address that is not on the public internet."""


def address_of(host: str, port: int) -> str:
    """The address to connect to for this host; raises NotPublic, and OSError when there is none.

    A name that leads to one private address among public ones is refused too.
    """
    try:
        found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except UnicodeError as error:
        raise NotPublic("not a host name") from error
    if not found:
        raise OSError("no address")
    if not settings.ALLOW_PRIVATE_HOSTS and not all(is_public(one) for one in found):
        raise NotPublic("not a public address")
    return found[0]


def is_public(text: str) -> bool:
    """Whether the IP address belongs to the public internet."""
    address = ipaddress.ip_address(text.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_global and not address.is_multicast


class _Outside(smtplib.SMTP):
    """SMTP to the address that was checked; certificates are still checked against the name."""

    def _get_socket(self, host: str, port: int, timeout: float | None) -> socket.socket:
        return socket.create_connection((address_of(host, port), port), timeout)


class _OutsideSSL(smtplib.SMTP_SSL, _Outside):
    """The same, with TLS from the first byte: SMTP_SSL wraps what `_Outside` connects."""


class StoreSmtp(EmailBackend):
    """Django's SMTP for a host that somebody of a store has typed."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        """What connects."""
        return _OutsideSSL if self.use_ssl else _Outside


class Pinned(HTTPAdapter):
    """HTTPS of `requests` to the address that was checked, under the host's own name."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send it there; raises InvalidURL for what is not public, ConnectionError for what is not there."""
        parts = urlsplit(str(request.url))
        name, port = parts.hostname or "", parts.port or 443
        try:
            address = address_of(name, port)
        except NotPublic as error:
            raise requests.exceptions.InvalidURL(str(error)) from error
        except OSError as error:
            raise requests.exceptions.ConnectTimeout(str(error)) from error
        host = f"[{address}]" if ":" in address else address
        request.url = parts._replace(netloc=f"{host}:{port}").geturl()
        request.headers["Host"] = parts.netloc.rpartition("@")[2]
        # One letter, one session: what is set here for one name serves no other.
        if parts.scheme == "https":
            self.poolmanager.connection_pool_kw.update(server_hostname=name, assert_hostname=name)
        return super().send(request, *args, **kwargs)


def pin(session: requests.Session) -> None:
    """From now on the session reaches public addresses only, follows no redirect and uses no proxy."""
    session.max_redirects = 0
    session.trust_env = False
    for scheme in ("https://", "http://"):
        session.mount(scheme, Pinned())
