"""Bad days of an endpoint, played by a server of ours on the loopback interface."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import traceback
from pathlib import Path

import pytest

from embodied.errors import ConfigurationError, ModelError, ModelTimeoutError
from embodied.protocols import Message, Request

pytest.importorskip("pydantic_ai", reason="needs the [llm] extra")

from embodied.language.models import Retrying, open_model  # noqa: E402
from embodied.language.models._retrying import TransientModelError  # noqa: E402
from embodied.language.models.contract import SCHEMA_REQUEST  # noqa: E402
from embodied.language.models.endpoint import EndpointModel  # noqa: E402
from embodied.language.models.loopback import Act, LoopbackEndpoint  # noqa: E402

pytestmark = pytest.mark.llm

KEY = "sk-secret-0123456789abcdef"
ASK = Request(
    messages=(
        Message(role="system", text="Be brief."),
        Message(role="user", text="hello"),
    ),
    max_tokens=64,
)
KINDS = pytest.mark.parametrize("kind", ["openai", "anthropic"])


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)


def _open(kind: str, endpoint: LoopbackEndpoint, **options: object) -> EndpointModel:
    url = endpoint.root if kind == "anthropic" else endpoint.openai_url
    return EndpointModel(kind, "tiny", base_url=url, **options)  # type: ignore[arg-type]


def _fails(kind: str, act: Act, **options: object) -> ModelError:
    with LoopbackEndpoint([act]) as endpoint:
        model = _open(kind, endpoint, **options)
        with pytest.raises(ModelError) as caught:
            model.complete(ASK)
        model.close()
        assert len(endpoint.seen) == 1, "the client library must not retry on its own"
    return caught.value


@KINDS
def test_the_request_arrives_whole(kind: str) -> None:
    with LoopbackEndpoint(["hi"]) as endpoint:
        model = _open(kind, endpoint, price_usd_per_million=(3.0, 15.0))
        response = model.complete(ASK)
        model.close()
    (seen,) = endpoint.seen
    assert seen.body["model"] == "tiny"
    sent = json.dumps(seen.body)
    assert "Be brief." in sent and "hello" in sent
    assert 64 in (seen.body.get("max_tokens"), seen.body.get("max_completion_tokens"))
    assert KEY in (seen.headers.get("x-api-key"), seen.headers["authorization"].split()[-1])
    usage = response.usage
    assert response.text == "hi" and usage.output_tokens == 1
    assert usage.cost_usd == pytest.approx((3.0 * usage.input_tokens + 15.0) / 1e6)


@KINDS
def test_costs_are_unknown_without_prices(kind: str) -> None:
    with LoopbackEndpoint(["hi"]) as endpoint:
        model = _open(kind, endpoint)
        assert model.complete(ASK).usage.cost_usd is None
        model.close()


@KINDS
def test_down(kind: str) -> None:
    model = EndpointModel(kind, "tiny", base_url="http://127.0.0.1:9", timeout_s=5)
    with pytest.raises(TransientModelError, match=r"cannot reach .*127\.0\.0\.1:9.*running"):
        model.complete(ASK)
    model.close()


@KINDS
def test_slow(kind: str) -> None:
    error = _fails(kind, Act(text="late", delay_s=1.0), timeout_s=0.2)
    assert isinstance(error, ModelTimeoutError)
    assert "did not answer within 0.2 s" in str(error)


@KINDS
def test_rate_limited(kind: str) -> None:
    error = _fails(kind, Act(status=429, text="slow down", headers={"Retry-After": "7"}))
    assert isinstance(error, TransientModelError)
    assert error.retry_after_s == 7.0
    assert "rate" in str(error)


@KINDS
@pytest.mark.parametrize("status", [500, 502, 503, 529])
def test_overloaded_or_broken(kind: str, status: int) -> None:
    error = _fails(kind, Act(status=status, text="oops"))
    assert isinstance(error, TransientModelError) and str(status) in str(error)


@KINDS
@pytest.mark.parametrize("status", [400, 401, 404])
def test_refused(kind: str, status: int) -> None:
    error = _fails(kind, Act(status=status, text="no"))
    assert not isinstance(error, TransientModelError)
    assert str(status) in str(error)


def test_a_spent_quota_is_not_retried() -> None:
    error = _fails("openai", Act(status=429, text="pay", error_code="insufficient_quota"))
    assert not isinstance(error, TransientModelError)
    assert "quota" in str(error)


@KINDS
@pytest.mark.parametrize(
    "act",
    [
        Act(body='{"id": "x", "choi'),
        Act(body=""),
        Act(body="[]"),
        Act(body='{"hello": "world"}'),
        Act(body="<html>proxy</html>"),
        Act(hang_up=True),
    ],
    ids=["half", "nothing", "list", "other", "html", "hang-up"],
)
def test_garbage_is_a_transient_error(kind: str, act: Act) -> None:
    error = _fails(kind, act)
    assert isinstance(error, TransientModelError), repr(error)


@KINDS
def test_prose_and_nothing_are_answers(kind: str) -> None:
    with LoopbackEndpoint(["Sure! I would stack them.", ""]) as endpoint:
        model = _open(kind, endpoint)
        assert model.complete(ASK).text == "Sure! I would stack them."
        assert model.complete(ASK).text == ""
        model.close()


def test_retries_through_a_bad_patch_and_waits_as_long_as_asked() -> None:
    script = [
        Act(status=503, text="starting"),
        Act(status=429, text="slow down", headers={"Retry-After": "3"}),
        Act(body="{"),
        Act(text="finally"),
    ]
    pauses: list[float] = []
    with LoopbackEndpoint(script) as endpoint:
        model = Retrying(_open("openai", endpoint), attempts=4, sleep=pauses.append)
        assert model.complete(ASK).text == "finally"
        model.close()
        assert len(endpoint.seen) == 4
    assert pauses[1] == 3.0
    assert 0.25 <= pauses[0] <= 0.5 and 1.0 <= pauses[2] <= 2.0


def test_a_schema_goes_out_as_structured_output() -> None:
    with LoopbackEndpoint(['{"colour": "red"}']) as endpoint:
        model = _open("openai", endpoint)
        model.complete(SCHEMA_REQUEST)
        model.close()
    sent = endpoint.seen[0].body["response_format"]
    assert sent["type"] == "json_schema"
    assert sent["json_schema"]["schema"]["required"] == ["colour"]
    assert "tools" not in endpoint.seen[0].body


def test_a_server_that_refuses_schemas_is_asked_without() -> None:
    refuses = {"response_format": "structured output is not supported"}
    with LoopbackEndpoint(
        ['{"colour": "red"}'],
        refuses=lambda body: "".join(refuses[k] for k in refuses if k in body),
    ) as endpoint:
        model = _open("openai", endpoint)
        first, second = model.complete(SCHEMA_REQUEST), model.complete(SCHEMA_REQUEST)
        model.close()
    assert first.text == second.text == '{"colour": "red"}'
    (note,) = first.notes
    assert "asked again without the answer's schema" in note
    assert "status 400" in note and refuses["response_format"] in note
    assert not second.notes, "it is said once"
    offered = ["response_format" in seen.body for seen in endpoint.seen]
    assert offered == [True, False, False]


@pytest.mark.parametrize("kind", ["openai", "openai-responses", "anthropic"])
def test_what_is_cut_off_cached_and_reasoned_is_told(kind: str) -> None:
    acts = [Act(text="a b c", cut_off=True, cached=4, reasoning=7), Act(text="a b c")]
    with LoopbackEndpoint(acts) as endpoint:
        model = _open(kind, endpoint, price_usd_per_million=(3.0, 10.0, 1.0))
        first, second = model.complete(ASK), model.complete(ASK)
        model.close()
    assert first.cut_off and not second.cut_off
    for response, (cached, reasoning) in ((first, (4, 7)), (second, (0, 0))):
        usage = response.usage
        assert (usage.cached_tokens, usage.output_tokens) == (cached, 3 + reasoning)
        if kind != "anthropic":  # whose messages do not tell reasoning apart
            assert usage.reasoning_tokens == reasoning
        paid = 3.0 * (usage.input_tokens - cached) + 1.0 * cached + 10.0 * usage.output_tokens
        assert usage.cost_usd == pytest.approx(paid / 1e6)
    total = first.usage + second.usage
    assert (total.input_tokens, total.output_tokens) == (endpoint.read, endpoint.written)


def test_a_grammar_goes_out_where_the_server_takes_one() -> None:
    request = Request(messages=ASK.messages, grammar='root ::= "a"', schema=SCHEMA_REQUEST.schema)
    with LoopbackEndpoint(["a"]) as endpoint:
        model = _open("openai", endpoint, grammar_field="grammar")
        model.complete(request)
        model.close()
    assert endpoint.seen[0].body["grammar"] == 'root ::= "a"'
    assert "response_format" not in endpoint.seen[0].body


@KINDS
def test_a_missing_key_is_named(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(f"{kind.upper()}_API_KEY")
    with pytest.raises(ModelError, match=f"{kind.upper()}_API_KEY"):
        open_model(f"{kind}:tiny")


def test_a_local_server_needs_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    with LoopbackEndpoint(["hi"]) as endpoint:
        model = _open("openai", endpoint)
        assert model.complete(ASK).text == "hi"
        model.close()


def test_a_malformed_address_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="http://"):
        EndpointModel("openai", "tiny", base_url="localhost:8000")


@KINDS
def test_the_key_never_shows(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Not in errors that echo it, in tracebacks, logs, recordings or reprs."""
    path = tmp_path / "recorded.jsonl"
    script = [
        Act(text=f"your key is {KEY}"),
        Act(status=400, text=f"bad request with {KEY}"),
        Act(status=401, text=f"Incorrect API key provided: {KEY}"),
        Act(status=500, text=f"crash: {KEY}"),
        Act(body=f'{{"oops {KEY}'),
    ]
    texts: list[str] = []
    with caplog.at_level(logging.DEBUG), LoopbackEndpoint(script) as endpoint:
        url = endpoint.openai_url if kind == "openai" else endpoint.root
        model = open_model(f"{kind}:tiny", base_url=url, attempts=1, record=path)
        model.complete(ASK)
        for _ in script[1:]:
            with pytest.raises(ModelError) as caught:
                model.complete(ASK)
            texts += traceback.format_exception(caught.value)
        model.close()
    out, err = capfd.readouterr()
    everything = "\n".join([*texts, caplog.text, path.read_text(), out, err, repr(model)])
    assert KEY not in everything
    assert "_API_KEY>" in path.read_text()


def test_an_address_with_a_login_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="login") as caught:
        EndpointModel("openai", "tiny", base_url=f"http://user:{KEY}@127.0.0.1:9/v1")
    assert KEY not in str(caught.value)


def test_importing_the_package_imports_no_client() -> None:
    code = (
        "import sys, embodied.language.models\n"
        "sys.exit(any(m in sys.modules for m in ('pydantic_ai', 'openai', 'anthropic', "
        "'xllamacpp', 'pydantic', 'asyncio')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_the_extra_the_message_names_it() -> None:
    code = (
        "import sys; sys.modules['pydantic_ai'] = None\n"
        "from embodied.errors import EnvironmentMissingError\n"
        "from embodied.language.models import open_model\n"
        "try: open_model('openai:x', base_url='http://127.0.0.1:9')\n"
        "except EnvironmentMissingError as e: sys.exit(0 if '[llm]' in str(e) else 1)\n"
        "sys.exit(2)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
