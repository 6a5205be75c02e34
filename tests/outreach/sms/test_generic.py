"""The plain HTTP gateway: the request on the wire, and addresses that stores may not name."""

import datetime
import ssl
from ipaddress import ip_address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from outreach.channels import NotNow, Refused, outside
from outreach.channels.sms.generic import pinned
from tests.fakes import generic


@pytest.fixture
def line(line_to):
    return line_to("generic")


def test_the_request_on_the_wire(line):
    assert line.send(text="سلام") == "text-1"
    (seen,) = line.fake.seen
    assert (seen.method, seen.path) == ("POST", "/send")
    assert seen.headers["authorization"] == f"Bearer {generic.TOKEN}"
    assert seen.headers["idempotency-key"] == "abcdefgh23456789abcd"
    assert seen.json == {"to": line.number, "text": "سلام", "sender": "Bakery", "reference": "abcdefgh23456789abcd"}


def test_without_a_token_none_is_sent(line):
    with pytest.raises(Refused, match="401"):
        line.send(token="")
    assert "authorization" not in line.fake.seen[0].headers


def test_the_same_text_again_is_the_same_text(line):
    assert line.send() == line.send()


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/x",
        "https://127.1/x",
        "https://2130706433/x",
        "https://localhost/x",
        "https://[::1]/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://10.0.0.1",
        "https://192.168.1.1",
        "https://172.16.0.1",
        "https://169.254.169.254/latest/meta-data",
        "https://100.64.0.1",
        "https://0.0.0.0",
        "https://224.0.0.1",
        "https://[fe80::1]",
        "https://[fc00::1]",
        "https://user:pass@127.0.0.1",
    ],
)
def test_a_store_may_not_name_an_address_inside(line, url):
    with pytest.raises(Refused, match="not a public address"):
        line.send(base_url="", url=url)


@pytest.mark.parametrize(
    "url", ["", "http://sms.example.com", "ftp://x", "sms.example.com", "https://", "http://a:b:c"]
)
def test_a_store_must_name_https(line, url):
    with pytest.raises(Refused, match="address"):
        line.send(base_url="", url=url)


def test_the_servers_own_address_may_be_inside(line):
    assert line.account.base_url.startswith("http://127.0.0.1:")
    assert line.send(url="https://10.0.0.1") == "text-1"


def test_a_name_that_is_not_found_is_not_now(line):
    with pytest.raises(NotNow, match="out of reach"):
        line.send(base_url="", url="https://nobody.invalid/x")


def resolves_to(monkeypatch, *addresses: str) -> None:
    def found(_host, port, *_args, **_more):
        return [(2, 1, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(outside.socket, "getaddrinfo", found)


def test_the_checked_address_is_the_one_connected_to(monkeypatch):
    resolves_to(monkeypatch, "93.184.216.34")
    url, extra = pinned("https://sms.example.com:8443/send?a=1")
    assert url == "https://93.184.216.34:8443/send?a=1"
    assert extra == {"headers": {"Host": "sms.example.com:8443"}, "extensions": {"sni_hostname": "sms.example.com"}}


def test_one_private_address_among_public_ones_is_refused(monkeypatch):
    resolves_to(monkeypatch, "93.184.216.34", "10.0.0.7")
    with pytest.raises(Refused, match="not a public address"):
        pinned("https://sms.example.com/")


def test_who_runs_it_alone_may_name_a_gateway_of_their_own(monkeypatch, settings):
    resolves_to(monkeypatch, "10.0.0.7")
    settings.ALLOW_PRIVATE_HOSTS = True
    assert pinned("https://sms.example.com/")[0] == "https://10.0.0.7/"


def certificate(folder, name: str) -> str:
    """A key and a certificate for `name`, signed by itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    path = folder / "both.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return str(path)


@pytest.mark.parametrize("name", ["sms.example.com", "another.example.com"])
def test_the_certificate_must_be_the_names(line, monkeypatch, tmp_path, name):
    """Connecting to an address must not loosen TLS: the name is what the certificate is held against."""
    pem = certificate(tmp_path, "sms.example.com")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    line.fake.server.socket = context.wrap_socket(line.fake.server.socket, server_side=True)
    monkeypatch.setenv("SSL_CERT_FILE", pem)
    resolves_to(monkeypatch, "127.0.0.1")
    monkeypatch.setattr(outside, "is_public", lambda text: ip_address(text).is_loopback)
    url = f"https://{name}:{line.fake.server.server_port}/send"
    if name == "sms.example.com":
        assert line.send(base_url="", url=url) == "text-1"
        assert line.fake.seen[0].headers["host"] == f"sms.example.com:{line.fake.server.server_port}"
    else:
        with pytest.raises(NotNow, match="out of reach") as caught:
            line.send(base_url="", url=url)
        assert "Hostname mismatch" in str(caught.value.__cause__)
        assert not line.fake.seen
