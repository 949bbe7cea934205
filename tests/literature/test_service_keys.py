"""A service's key travels in its header, to its service alone, and is in nothing that is shown or kept."""

from __future__ import annotations

import base64
import json
import traceback
from pathlib import Path
from urllib.parse import quote

import pytest

from orchestrator.core.literature import Query, References, StatedReference
from orchestrator.literature.engines.engine import Caller, Counted
from orchestrator.literature.engines.limiter import LeftOut
from orchestrator.literature.engines.opening import SEARCHED, open_sources
from orchestrator.literature.loopback.server import FAULTS, Fault, Loopback
from tests.support.corpus import corpus
from tests.support.search_rig import Waited, ask, opened

KEY = "s3cret+key/with=signs&0123456789"
NAMES = {"openalex": "OPENALEX_API_KEY", "semanticscholar": "SEMANTIC_SCHOLAR_API_KEY"}
HEADERS = {"openalex": ("authorization", f"Bearer {KEY}"), "semanticscholar": ("x-api-key", KEY)}
KEYED = list(NAMES)
LATER = {"Retry-After": "90"}  # beyond the deadline of a search
SPELLED = [
    KEY, KEY.upper(), quote(KEY), quote(KEY, safe=""), json.dumps(KEY), f"Bearer {KEY}",
    base64.b64encode(KEY.encode()).decode(),
]  # fmt: skip
PARTS = [KEY[:9], quote(KEY, safe="")[:14], KEY[-9:], base64.b64encode(KEY.encode()).decode()[:12]]


def clean(text: str) -> bool:
    return not any(part.lower() in text.lower() for part in PARTS)


def environ(engine: str, key: str = KEY) -> dict[str, str]:
    return {NAMES[engine]: key}


@pytest.mark.parametrize("engine", KEYED)
def test_the_key_is_in_the_header_alone_and_in_no_file(engine: str, tmp_path: Path) -> None:
    with Loopback(corpus(), keys={engine: KEY}) as served:
        sources = opened(served, tmp_path, engine, environ=environ(engine))
        found = sources.search(Query("grokking"))
        assert found.papers
        (request,) = served.requests
        name, value = HEADERS[engine]
        assert request.headers[name] == value
        rest = {key: one for key, one in request.headers.items() if key != name}
        assert clean(f"{request.path} {request.query} {rest} {found!r}")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) == 3  # a lock, its limit, an answer
    assert all(clean(str(path) + path.read_text()) for path in files)


@pytest.mark.parametrize("engine", KEYED)
def test_the_key_of_one_service_is_not_sent_to_another(engine: str, tmp_path: Path) -> None:
    with Loopback(corpus()) as served:
        sources = opened(served, tmp_path, *SEARCHED, environ=environ(engine))
        sources.search(Query("grokking"))
        sources.check(References((StatedReference(key="a", title="T", id="doi:10.1000/x"),)))
        shown = {one.engine: clean(str(one.headers)) for one in served.requests}
        assert shown == {name: name != engine for name in (*SEARCHED, "crossref")}


@pytest.mark.parametrize("engine", KEYED)
@pytest.mark.parametrize("status", [200, 400, 403, 429])
def test_a_service_that_says_the_key_again_is_not_quoted(
    engine: str, status: int, tmp_path: Path
) -> None:
    bodies = []
    for spelled in SPELLED:
        for before in ("", "x" * 140, "word " * 38, "y" * 1990, "word " * 398, " " * 1990):
            text = f"{before} {spelled} is no API key"
            bodies += [json.dumps({"error": text}), json.dumps({"error": "E", "message": text})]
    bodies += [
        KEY,
        f"<html>{KEY}</html>",
        json.dumps({KEY: 1}),
        json.dumps({"error": {KEY: [KEY]}}),
    ]
    bodies += [f'{{"{KEY}": 1, "{KEY}": 2}}', f'{{"{KEY}": NaN}}']
    with Loopback(corpus()) as served:
        sources = opened(served, tmp_path, engine, environ=environ(engine), fresh=True)
        for body in bodies:
            (tmp_path / "limits" / f"{engine}.json").unlink(missing_ok=True)
            served.faults(engine, [Fault(status=status, headers=LATER, body=body.encode())])
            answer = ask(sources)
            assert answer.calls == 1
            assert clean(repr(answer)), (answer, body[:80])
    assert all(clean(path.read_text()) for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize("engine", KEYED)
def test_an_error_of_a_search_shows_no_key(engine: str, tmp_path: Path) -> None:
    with Loopback(corpus()) as served:
        away = f"http://{'x' * 60}.{quote(KEY, safe='').replace('%', '-').lower()}.invalid/{KEY}"
        faults = [
            Fault(
                status=401, body=json.dumps({"error": f"API key {KEY}", "message": KEY}).encode()
            ),
            Fault(status=302, headers={"Location": away}),
        ]
        served.faults(engine, faults)
        service = SEARCHED[engine]
        clock = Waited().clock
        caller = Caller(
            service, environ(engine), server=served.address(engine), limits=tmp_path, clock=clock
        )
        assert clean(repr(service.search(caller.server, Query("words"))))
        for _ in faults:
            with pytest.raises(LeftOut) as caught:
                caller.ask(
                    service.search(caller.server, Query("words")),
                    service.read, clock.now() + 60, Counted(),
                )  # fmt: skip
            shown = "".join(traceback.format_exception(caught.value))
            assert KEY not in shown + str(caught.value.args) + repr(caught.value)


@pytest.mark.parametrize("engine", KEYED)
def test_blanks_around_a_key_are_not_part_of_it(engine: str, tmp_path: Path) -> None:
    with Loopback(corpus(), keys={engine: KEY}) as served:
        sources = opened(served, tmp_path, engine, environ=environ(engine, f" {KEY}\n"))
        assert ask(sources).state == "answered"
        name, value = HEADERS[engine]
        assert served.requests[0].headers[name] == value


@pytest.mark.parametrize(
    "key", [f"{KEY}\n{KEY}", f"{KEY}é", f"{KEY} two", f"{KEY}\x00", f"{KEY}\r\nX: y"]
)
@pytest.mark.parametrize("engine", KEYED)
def test_a_key_that_no_header_can_carry_is_refused_without_a_call(
    engine: str, key: str, tmp_path: Path
) -> None:
    with Loopback(corpus()) as served:
        answer = ask(opened(served, tmp_path, engine, environ=environ(engine, key)))
        assert (answer.state, answer.calls) == ("refused", 0)
        assert clean(repr(answer))
        assert served.requests == []


def test_a_bad_key_is_refused_by_each_service_and_asked_once(tmp_path: Path) -> None:
    with Loopback(corpus(), keys=dict.fromkeys(KEYED, "another-key")) as served:
        both = {**environ("openalex"), **environ("semanticscholar")}
        found = opened(served, tmp_path, *KEYED, environ=both).search(Query("grokking"))
        assert [(one.state, one.calls) for one in found.engines] == [("refused", 1)] * 2
        assert all("key" in one.why for one in found.engines)


def test_a_spent_key_does_not_close_the_service_for_another(tmp_path: Path) -> None:
    with Loopback(corpus(), {"openalex": [FAULTS["openalex"]["spent"]]}) as served:
        first = opened(served, tmp_path, "openalex", environ=environ("openalex"))
        assert (ask(first).state, ask(first, "another").state) == ("spent", "spent")
        assert ask(opened(served, tmp_path, "openalex")).state == "answered"
        named = [("openalex", served.address("openalex"))]
        other = open_sources(named, environ("openalex", "another-key-9876"), folder=tmp_path)
        assert ask(other, "a third").state == "answered"
