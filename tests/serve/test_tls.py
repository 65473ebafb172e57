"""A server for others: TLS by certificate files, and nobody without a token."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl

import pytest

from tests.serve.conftest import Server
from voicelane.client import Client, ServerError
from voicelane.serve import Tokens

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("serve")]


@pytest.fixture
def certificate(tmp_path):
    """A certificate for 127.0.0.1 that it signed itself, and its key."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "voicelane")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(here, critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (tmp_path / "cert.pem").write_bytes(made.public_bytes(pem))
    (tmp_path / "key.pem").write_bytes(key.private_bytes(pem, *private))
    return tmp_path / "cert.pem", tmp_path / "key.pem"


def has_ticket(url: str, trust: ssl.SSLContext) -> bool:
    """Whether a server sends something after the handshake: a client of two threads may stumble over it."""
    name, port = url.removeprefix("https://").split(":")
    with (
        socket.create_connection((name, int(port))) as plain,
        trust.wrap_socket(plain, server_hostname=name) as s,
    ):
        s.sendall(f"GET /health HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
        assert s.recv(1000).startswith(b"HTTP/1.1 200")
        return bool(s.session and s.session.has_ticket)


def test_others_get_in_with_a_token_over_tls_alone(home, certificate, speech):
    pytest.importorskip("uvicorn")
    tokens = [Tokens().add(name) for name in ("one", "two")]
    options = ["--certificate", str(certificate[0]), "--key", str(certificate[1]), "--host", "0.0.0.0"]
    server = Server(home, *options)
    trust = ssl.create_default_context(cafile=certificate[0])
    url = server.url.replace("0.0.0.0", "127.0.0.1")
    try:
        assert url.startswith("https://")
        assert not has_ticket(url, trust)
        with pytest.raises(ServerError, match="401"):
            Client(url, verify=trust).get("/v1/sessions")
        with pytest.raises(ServerError, match="4401"), Client(url, "vl_wrong", trust).stream():
            pass
        one, two = (Client(url, token, trust) for token in tokens)
        with one.stream(record=True) as stream:
            stream.send(speech[: 3 * 16_000])
            assert one.get(f"/v1/streams/{stream.session}")["connected"]
            with pytest.raises(ServerError, match="no such stream"):
                two.get(f"/v1/streams/{stream.session}")
            assert list(stream.finish())[-1]["heard_s"] == 3.0
        assert len(one.get("/v1/sessions")["sessions"]) == 1
        assert two.get("/v1/sessions") == {"sessions": []}
    finally:
        said = server.stop()
    assert "needs a token" in said and "Traceback" not in said
