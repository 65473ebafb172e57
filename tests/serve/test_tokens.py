"""Who gets in: tokens at rest, other addresses, other sites' pages, other clients' things."""

from __future__ import annotations

import asyncio
import stat

import pytest

from voicelane.base.errors import ConfigError, StoreError, VoicelaneError
from voicelane.cli.main import main
from voicelane.serve import ServeSettings, Tokens, serve

httpx = pytest.importorskip("httpx")
pytest.importorskip("starlette")


@pytest.fixture
def tokens(home):
    return Tokens()


def asked(
    settings: ServeSettings, tokens: Tokens, path="/v1/jobs", host="127.0.0.1:8765", **headers
) -> tuple:
    """The status, and the name of the client that the application sees."""
    from voicelane.serve.guard import Guard
    from voicelane.serve.metrics import Metrics

    async def app(scope, receive, send):
        name = scope["state"]["client"].name if scope["state"]["client"] else "nobody"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": name.encode()})

    async def ask():
        transport = httpx.ASGITransport(Guard(app, settings, tokens, Metrics()))
        async with httpx.AsyncClient(transport=transport, base_url=f"http://{host}") as session:
            answer = await session.get(path, headers=headers)
            return answer.status_code, answer.text if answer.status_code == 200 else ""

    return asyncio.run(ask())


def test_only_the_hash_of_a_token_is_kept_and_nobody_else_can_read_it(tokens, home):
    token = tokens.add("Anna's phone")
    assert token not in tokens.path.read_text() and token[3:] not in tokens.path.read_text()
    assert stat.S_IMODE(tokens.path.stat().st_mode) == 0o600
    assert tokens.client(token).name == "Anna's phone" and tokens.client(token + "x") is None


def test_a_removed_token_is_refused_at_once(tokens):
    token = tokens.add("one")
    other = Tokens()
    assert other.client(token)
    tokens.remove("one")
    assert other.client(token) is None
    with pytest.raises(StoreError, match="no token for one"):
        tokens.remove("one")


@pytest.mark.parametrize("content", ["", "{", "[1]", '[{"id": "../..", "name": 3}]'])
def test_a_damaged_file_of_tokens_is_told(tokens, content):
    tokens.path.parent.mkdir(parents=True)
    tokens.path.write_text(content)
    with pytest.raises(StoreError, match="damaged"):
        tokens.clients()


def test_every_client_has_people_of_its_own(tokens):
    clients = [tokens.client(tokens.add(name)) for name in ("one", "two")]
    assert len({client.home() for client in clients}) == 2


def test_without_tokens_this_machine_is_the_owner_and_others_are_nobody(tokens):
    assert asked(ServeSettings(), tokens) == (200, "owner")
    assert asked(ServeSettings(host="0.0.0.0"), tokens, host="192.168.1.2:8765") == (401, "")


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_with_tokens_nobody_gets_in_without(tokens, host):
    token, settings = tokens.add("one"), ServeSettings(host=host)
    assert asked(settings, tokens) == (401, "")
    assert asked(settings, tokens, authorization="Bearer wrong") == (401, "")
    assert asked(settings, tokens, authorization=f"Bearer {token}") == (200, "one")
    assert asked(settings, tokens, f"/v1/jobs?token={token}") == (200, "one")
    assert asked(settings, tokens, "/health")[0] == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:9999", "file://"])
def test_pages_of_other_sites_get_nothing(tokens, origin):
    assert asked(ServeSettings(), tokens, origin=origin) == (403, "")
    assert asked(ServeSettings(), tokens, origin="http://127.0.0.1:8765") == (200, "owner")


def test_a_name_that_was_made_to_point_here_gets_nothing(tokens):
    assert asked(ServeSettings(), tokens, host="evil.example:8765") == (403, "")


def test_a_server_for_others_needs_a_token(home):
    with pytest.raises(ConfigError, match="voicelane tokens add"):
        serve(ServeSettings(host="0.0.0.0"))


@pytest.mark.parametrize("wrong", [{"host": "here"}, {"port": 70_000}, {"workers": 0}, {"resume_s": -1.0}])
def test_wrong_settings_are_told(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        serve(ServeSettings(**wrong))


def test_a_certificate_that_is_none_is_told(tmp_path):
    (tmp_path / "wrong.pem").write_text("nothing")
    with pytest.raises(VoicelaneError, match=r"wrong\.pem"):
        serve(certificate=tmp_path / "wrong.pem")


def test_the_commands_make_show_and_remove_tokens(home, capsys):
    assert main(["tokens", "add", "Anna"]) == 0
    token = capsys.readouterr().out.strip()
    assert Tokens().client(token).name == "Anna"
    assert main(["tokens", "list"]) == 0 and "Anna" in capsys.readouterr().out
    assert main(["tokens", "remove", "Anna"]) == 0 and Tokens().clients() == []
    assert main(["tokens", "remove", "Anna"]) == 2
