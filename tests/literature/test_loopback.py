"""The loopback answers as the four services do; what a user's test builds on is checked here."""

from __future__ import annotations

import http.client
import json
import re
import socket
import threading
import time
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from orchestrator.literature.loopback.graphs import S2_FIELDS
from orchestrator.literature.loopback.server import FAULTS, Fault, Loopback
from tests.support.corpus import corpus, odd

ATOM = "{http://www.w3.org/2005/Atom}"
COUNT = "{http://a9.com/-/spec/opensearch/1.1/}totalResults"
GROK = "10.48550/arxiv.2201.02177"


@dataclass(frozen=True)
class Got:
    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def get(url: str, headers: Mapping[str, str] | None = None, **query: object) -> Got:
    asked = urllib.request.Request(f"{url}?{urlencode(query)}", headers=dict(headers or {}))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(asked, timeout=10) as answer:
            return Got(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Got(error.code, error.headers, error.read())


def test_the_corpus_has_real_ids_and_each_key_once() -> None:
    papers = corpus() + odd()
    assert len({paper.key for paper in papers}) == len(papers) >= 150
    assert sum(bool(paper.doi or paper.arxiv) for paper in corpus()) >= 110
    assert {"power2022grokking", "ho2020denoising", "kermack1927contribution"} < {
        paper.key for paper in papers
    }
    assert all(paper.title and paper.authors and paper.year for paper in corpus())
    assert {"twin2014invented", "twin2014inventeda"} < {paper.key for paper in odd()}


def test_openalex_finds_papers_by_words_and_says_every_field() -> None:
    with Loopback(corpus()) as served:
        page = get(
            served.address("openalex") + "/works", search="grokking weight decay", per_page=5
        )
        first = page.json["results"][0]
        assert "grokking" in first["title"].lower()
        assert len(page.json["results"]) == 5 < page.json["meta"]["count"]
        assert page.json["group_by"] == []
        assert {"relevance_score", "is_retracted", "best_oa_location", "fwci"} < set(first)
        assert page.headers["X-RateLimit-Cost-USD"] == "0.001"
        assert page.headers["X-RateLimit-Remaining-USD"] == "0.999"
        assert page.json["meta"]["cost_usd"] == 0.001
        everything = get(served.address("openalex") + "/works", per_page=100).json["results"]
        sources = [work["primary_location"]["source"] for work in everything]
        authors = [one for work in everything for one in work["authorships"]]
        abstracts = [work["abstract_inverted_index"] for work in everything]
        for values in (sources, [one.get("author") for one in authors], abstracts):
            assert None in values
            assert any(values)


def test_openalex_gives_a_single_work_free_by_doi_arxiv_doi_and_id() -> None:
    with Loopback(corpus()) as served:
        base = served.address("openalex") + "/works/"
        work = get(f"{base}doi:{GROK}")
        assert work.headers["X-RateLimit-Cost-USD"] == "0"
        assert work.headers["X-RateLimit-Remaining-USD"] == "1"
        assert work.json["doi"] == f"https://doi.org/{GROK}"
        number = work.json["id"].rpartition("/")[2]
        for name in (f"https://doi.org/{GROK.upper()}", quote(f"doi:{GROK}", safe=""), number):
            assert get(base + name).json["id"] == work.json["id"]
        assert set(get(f"{base}{number}", select="id,doi").json) == {"id", "doi"}
        absent = get(f"{base}doi:10.1234/none")
        assert absent.status == 404
        assert "error" in absent.json


def test_openalex_refuses_searches_once_the_budget_is_spent_but_not_single_works() -> None:
    with Loopback(corpus(), usd=0.002) as served:
        works = served.address("openalex") + "/works"
        statuses = [get(works, search="diffusion").status for _ in range(3)]
        assert statuses == [200, 200, 429]
        spent = get(works, search="diffusion")
        assert int(spent.headers["Retry-After"]) == spent.json["retryAfter"] > 4 * 3600
        assert "Insufficient budget" in spent.json["message"]
        assert spent.json["dailyRemainingUsd"] == 0
        assert spent.headers["X-RateLimit-Remaining-USD"] == "0"
        assert get(f"{works}/doi:{GROK}").status == 200


def test_openalex_names_what_is_wrong_with_a_request() -> None:
    with Loopback(corpus()) as served:
        works = served.address("openalex") + "/works"
        assert get(works, search="x", per_page=200).status == 400
        unknown = get(works, filter="wrong:1")
        assert unknown.json == {"error": "Invalid filter", "message": "Unknown filter field: wrong"}
        year = get(works, filter="publication_year:2022,title.search:grokking").json["results"]
        assert {work["publication_year"] for work in year} == {2022}


def test_semantic_scholar_sends_the_asked_fields_alone_and_no_data_where_nothing_is_found() -> None:
    with Loopback(corpus()) as served:
        search = served.address("semanticscholar") + "/paper/search"
        found = get(search, query="denoising diffusion", limit=3, fields="title,year,authors.name")
        assert found.json["next"] == 3
        assert all(
            set(one) == {"paperId", "title", "year", "authors"} for one in found.json["data"]
        )
        assert get(search, query="zzzz").json == {"total": 0, "offset": 0}
        unknown = get(search, query="x", fields="title,unknown")
        assert unknown.status == 400
        assert unknown.json == {"error": "Unrecognized or unsupported fields: [unknown]"}
        whole = get(search, query="grokking", limit=100, fields=",".join(S2_FIELDS)).json["data"]
        assert all(set(one) == set(S2_FIELDS) for one in whole)
        assert re.fullmatch("[0-9a-f]{40}", whole[0]["paperId"])


def test_semantic_scholar_knows_papers_by_doi_arxiv_id_and_its_own() -> None:
    with Loopback(corpus()) as served:
        paper = served.address("semanticscholar") + "/paper"
        known = get(f"{paper}/ARXIV:2201.02177", fields="externalIds").json
        assert known["externalIds"]["DOI"].lower() == GROK
        assert get(f"{paper}/DOI:{GROK}").json["paperId"] == known["paperId"]
        assert get(f"{paper}/{known['paperId']}").json["title"].startswith("Grokking")
        absent = get(f"{paper}/DOI:10.1234/none")
        assert absent.status == 404
        assert absent.json == {"error": "Paper with id DOI:10.1234/none not found"}


def test_arxiv_answers_with_a_feed_of_papers_that_have_an_arxiv_id() -> None:
    with Loopback(corpus() + odd()) as served:
        query = "all:grokking AND all:modular"
        answer = get(served.address("arxiv"), search_query=query, start=0, max_results=2)
        feed = ET.fromstring(answer.body)
        entries = feed.findall(f"{ATOM}entry")
        assert int(feed.findtext(COUNT, "")) >= len(entries) == 2
        assert all(
            re.fullmatch(r"http://arxiv\.org/abs/\d{4}\.\d{5}v1", one.findtext(f"{ATOM}id", ""))
            for one in entries
        )
        by_id = ET.fromstring(get(served.address("arxiv"), id_list="1706.03762v7").body)
        names = [one.text for one in by_id.iter(f"{ATOM}name")]
        assert "Łukasz Kaiser" in names
        phrase = get(served.address("arxiv"), search_query='ti:"double descent"').body
        assert b"Deep Double Descent" in phrase
        ET.fromstring(get(served.address("arxiv"), search_query="all:invented").body)


def test_arxiv_finds_nothing_with_a_feed_and_refuses_a_bad_id_with_a_feed() -> None:
    with Loopback(corpus()) as served:
        nothing = ET.fromstring(get(served.address("arxiv"), search_query="all:zzzz").body)
        assert nothing.findtext(COUNT) == "0"
        assert nothing.find(f"{ATOM}entry") is None
        wrong = get(served.address("arxiv"), id_list="wrong")
        assert wrong.status == 400
        assert ET.fromstring(wrong.body).findtext(f"{ATOM}entry/{ATOM}title") == "Error"


def test_crossref_knows_publishers_dois_alone_and_says_no_in_plain_text() -> None:
    with Loopback(corpus() + odd()) as served:
        works = served.address("crossref")
        work = get(f"{works}/{quote('10.1098/rspa.1927.0118', safe='')}")
        assert work.json["message-type"] == "work"
        assert work.json["message"]["issued"] == {"date-parts": [[1927]]}
        assert work.json["message"]["author"][0]["family"] == "Kermack"
        group = get(f"{works}/10.1126/science.aac4716").json["message"]["author"]
        assert group[0]["name"] == "Open Science Collaboration"
        no_year = get(f"{works}/10.5555/invented.noyear").json["message"]
        assert no_year["issued"] == {"date-parts": [[None]]}
        retracted = get(f"{works}/10.5555/invented.retracted").json["message"]
        assert retracted["updated-by"][0]["type"] == "retraction"
        absent = get(f"{works}/{GROK}")
        assert (absent.status, absent.body) == (404, b"Resource not found.")
        assert absent.headers["Content-Type"] == "text/plain"
        listed = get(works, {"User-Agent": "x (mailto:a@b.c)"}, **{"query.bibliographic": "SIR"})
        assert listed.json["message-type"] == "work-list"
        assert listed.headers["x-api-pool"] == "polite-array"


def test_a_key_that_a_service_does_not_know_is_refused_and_none_is_needed() -> None:
    with Loopback(corpus(), keys={"openalex": "k", "semanticscholar": "k"}) as served:
        works = served.address("openalex") + "/works"
        for headers, status in (({}, 200), ({"Authorization": "Bearer k"}, 200)):
            assert get(works, headers, search="grokking").status == status
        wrong = get(works, {"Authorization": "Bearer other"}, search="grokking")
        assert wrong.status == 401
        assert "API key" in wrong.json["error"]
        search = served.address("semanticscholar") + "/paper/search"
        assert get(search, {"x-api-key": "k"}, query="grokking").status == 200
        refused = get(search, {"x-api-key": "other"}, query="grokking")
        assert (refused.status, refused.json) == (403, {"message": "Forbidden"})


@pytest.mark.parametrize("engine", [name for name in FAULTS if name != "any"])
def test_faults_come_once_each_in_turn_and_then_the_right_answer(engine: str) -> None:
    ones = list(FAULTS[engine].values())
    with Loopback(corpus(), {engine: ones}) as served:
        served.faults(engine, [FAULTS["any"]["maintenance"]])
        for fault in (*ones, FAULTS["any"]["maintenance"]):
            got = get(served.address(engine))
            assert (got.status, got.body) == (fault.status, fault.body)
            assert all(got.headers[name] == value for name, value in fault.headers.items())
        get(served.address(engine))
        assert len(served.requests) == len(ones) + 2
        with pytest.raises(ValueError, match="no engine"):
            served.faults("other", [])


def test_a_cut_answer_promises_more_than_it_sends_and_a_huge_one_is_ten_megabytes() -> None:
    with Loopback(corpus(), {"arxiv": [FAULTS["any"]["cut"], FAULTS["any"]["huge"]]}) as served:
        with pytest.raises(http.client.IncompleteRead) as error:
            get(served.address("arxiv"), search_query="all:grokking")
        assert error.value.partial.endswith(b"</feed>\n")
        assert len(get(served.address("arxiv")).body) == 10 << 20


def test_a_request_is_noted_with_its_parameters_and_how_many_were_open() -> None:
    with Loopback(corpus(), {"arxiv": [Fault(hang=0.4), Fault(hang=0.4)]}) as served:
        address = served.address("arxiv")
        threads = [threading.Thread(target=get, args=(address,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        get(address, {"X-Api-Key": "k"}, search_query="all:a b")
        assert [one.open for one in served.requests] == [1, 2, 1]
        last = served.requests[-1]
        assert (last.engine, last.path) == ("arxiv", "/arxiv/api/query")
        assert last.query == {"search_query": "all:a b"}
        assert last.headers["x-api-key"] == "k"
        assert served.requests[0].at <= served.requests[1].at < last.at


@pytest.mark.parametrize("fault", [FAULTS["any"]["slow"], FAULTS["any"]["drip"]])
def test_the_end_does_not_wait_for_an_answer_that_hangs(fault: Fault) -> None:
    with Loopback(corpus(), {"crossref": [fault]}) as served:
        address = served.address("crossref").removeprefix("http://127.0.0.1:")
        line = socket.create_connection(("127.0.0.1", int(address.partition("/")[0])))
        line.sendall(b"GET /crossref/works HTTP/1.1\r\nHost: x\r\n\r\n")
        while not served.requests:
            time.sleep(0.01)
        began = time.monotonic()
    assert time.monotonic() - began < 1
    line.close()


@pytest.mark.parametrize("paper", odd(), ids=lambda paper: paper.key)
def test_awkward_records_stay_in_form(paper: Any) -> None:
    with Loopback([paper]) as served:
        works = get(served.address("openalex") + "/works").json["results"]
        assert works[0]["title"] == paper.title
        found = get(served.address("semanticscholar") + "/paper/search", query=paper.title)
        assert found.json["data"][0]["title"] == paper.title
        feed = ET.fromstring(get(served.address("arxiv"), search_query=f"all:{paper.title}").body)
        assert len(feed.findall(f"{ATOM}entry")) == bool(paper.arxiv)
