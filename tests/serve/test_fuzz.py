"""Whatever the interface's own description allows, and much that it does not, is answered as it says."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("serve")]
MOST_S = 60_000
SLOW = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)
MESSAGE = st.builds(
    lambda kind, rest: json.dumps({**rest, "type": kind}),
    st.sampled_from(["start", "resume", "watch", "rename", "merge", "end", "dance"]),
    st.dictionaries(
        st.sampled_from(
            ["rate", "channels", "encoding", "session", "after", "speaker", "name", "into", "people"]
        ),
        JSON,
        max_size=4,
    ),
)


@pytest.fixture(scope="module")
def deaths(server) -> float:
    """How many processes had died before all this."""
    return server.gauge("worker_deaths")


def test_schemathesis_finds_no_answer_that_is_not_described(server, deaths):
    """But that no schema says which bytes are a recording."""
    schemathesis = pytest.importorskip("schemathesis")
    from schemathesis.specs.openapi.checks import positive_data_acceptance

    schema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    n_asked = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        n_asked += 1

        @given(case=operation.as_strategy())
        @settings(SLOW, max_examples=10)
        def ask(case):
            answer = case.call(timeout=250)
            assert answer.status_code < 500 or answer.status_code in (501, 503), answer.text
            case.validate_response(answer, excluded_checks=[positive_data_acceptance])

        ask()
    assert n_asked > 20


@SLOW
@given(said=st.lists(MESSAGE | st.text(max_size=40) | st.binary(max_size=5000), min_size=1, max_size=5))
def test_any_messages_end_in_a_code_or_an_end(server, said):
    from websockets.exceptions import ConnectionClosed
    from websockets.sync.client import connect

    with connect(server.live) as ws:
        try:
            for message in [*said, '{"type": "end"}', '{"type": "end"}']:
                ws.send(message)
            while True:
                ws.recv(60)
        except ConnectionClosed as closed:
            assert closed.rcvd is not None
            assert closed.rcvd.code == 1000 or 4400 <= closed.rcvd.code < 4500, closed


def test_the_server_is_as_well_as_before(server, deaths):
    server.until("live_streams", 0)
    assert server.client.get("/health") == {"status": "ok", "workers": 1, "streams": 0}
    assert server.gauge("worker_deaths") == deaths
