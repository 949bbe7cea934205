"""A price file of one's own: read strictly, below ``--price`` and above litellm's list."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from orchestrator.core.errors import BadFile, UserError
from orchestrator.core.files import config_home
from orchestrator.models.litellm import open_model
from orchestrator.models.model_end import ModelEnd, end_notice, end_of
from orchestrator.models.price_file import own_price, own_prices_path
from orchestrator.models.prices import parse_price, prices_of, stated_price

IN, OUT = "input_cost_per_token", "output_cost_per_token"
CACHED, WRITTEN = "cache_read_input_token_cost", "cache_creation_input_token_cost"


def prices(folder: Path, text: str) -> Path:
    path = folder / "prices.yaml"
    path.write_text(text)
    return path


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own file, not there yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    own_prices_path().parent.mkdir()
    return own_prices_path()


def test_a_price_is_dollars_for_a_million_tokens_and_a_cache_has_its_own(tmp_path: Path) -> None:
    path = prices(
        tmp_path,
        "openai/mine: {input: 3, output: 15, cached: 0.3, written: 3.75}\n"
        "other: {input: 0, output: 0}\n",
    )
    assert own_price("openai/mine", path) == pytest.approx(
        {IN: 3e-6, OUT: 15e-6, CACHED: 0.3e-6, WRITTEN: 3.75e-6}
    )
    assert own_price("other", path) == {IN: 0.0, OUT: 0.0}
    assert own_price("mine", path) == {}


@pytest.mark.parametrize("text", ["", "# nothing yet\n"])
def test_a_file_that_names_nothing_has_no_price(text: str, tmp_path: Path) -> None:
    assert own_price("a", prices(tmp_path, text)) == {}


def test_a_file_that_is_not_there_has_no_price(tmp_path: Path) -> None:
    assert own_price("a", tmp_path / "none.yaml") == {}
    assert own_price("a", Path("/dev/null/prices.yaml")) == {}


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="cannot read"):
        own_price("a", tmp_path)


def test_every_error_is_told_at_once_with_its_place_also_of_models_that_nobody_asks_for(
    tmp_path: Path,
) -> None:
    path = prices(
        tmp_path,
        "a: {inptu: 1, output: -2}\nb: 3\nc: {input: '3', output: true}\nd: {input: 1}\n",
    )
    with pytest.raises(BadFile) as refused:
        own_price("nobody", path)
    found = {(one.place.line, one.place.column, one.place.key): (one.what, one.todo)
             for one in refused.value.problems}  # fmt: skip
    assert found[1, 5, "a.inptu"] == ("unknown key 'inptu'", "did you mean 'input'?")
    assert found[1, 15, "a.output"][0] == "must be 0 or more, not -2"
    assert found[2, 1, "b"][0] == "must be a mapping of keys to values, not 3"
    assert found[3, 5, "c.input"][0] == "must be a number, not '3'"
    assert found[3, 17, "c.output"][0] == "must be a number, not true"
    assert found[4, 1, "d.output"][0] == "the key 'output' is missing"
    assert len(found) == 6


@pytest.mark.parametrize("number", [".inf", "-.inf", ".nan", "1e400", "0x10", "1_000"])
def test_what_is_no_plain_finite_number_is_refused(number: str, tmp_path: Path) -> None:
    with pytest.raises(BadFile) as refused:
        own_price("a", prices(tmp_path, f"a: {{input: {number}, output: 1}}\n"))
    assert ":1:12: a.input" in refused.value.where


def test_a_name_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    text = "a/b: {input: 1, output: 2}\n'a/b': {input: 1, output: 3}\n"
    with pytest.raises(BadFile, match="the key 'a/b' occurs twice") as refused:
        own_price("a/b", prices(tmp_path, text))
    assert ":2:1:" in refused.value.where


def test_a_list_is_no_file_of_prices(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="not a mapping"):
        own_price("a", prices(tmp_path, "- a\n"))


# --- which price counts -------------------------------------------------------------------


def test_the_file_stands_in_the_users_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "/somewhere")
    assert own_prices_path() == Path("/somewhere/aisci/prices.yaml")
    monkeypatch.delenv("XDG_CONFIG_HOME")
    assert config_home() == Path.home() / ".config" / "aisci"


def test_the_option_counts_before_the_file_and_the_file_before_the_list(mine: Path) -> None:
    model = open_model("openai/gpt-4o", environ={"OPENAI_API_KEY": "k"})
    listed = dict(prices_of(model, stated_price(None, model.name)))
    assert listed[IN] == pytest.approx(2.5e-6)
    mine.write_text("openai/gpt-4o: {input: 7, output: 8, cached: 1}\n")
    filed = dict(prices_of(model, stated_price(None, model.name)))
    assert filed == pytest.approx({IN: 7e-6, OUT: 8e-6, CACHED: 1e-6})
    stated = dict(prices_of(model, stated_price("0,0", model.name)))
    assert stated == {IN: 0.0, OUT: 0.0}


def test_what_asks_no_vendor_takes_no_price_of_the_file(mine: Path) -> None:
    mine.write_text("builtin/sweep: {input: 7, output: 8}\nbroken\n")
    assert stated_price(None, "builtin/sweep") == stated_price(None, "scripted/x") == {}


def test_a_model_of_unknown_price_is_told_of_the_option_and_of_the_file(mine: Path) -> None:
    model = open_model("openai/mine", environ={"OPENAI_API_BASE": "http://127.0.0.1:9/v1"})
    with pytest.raises(UserError, match="no price is known for openai/mine") as refused:
        prices_of(model, stated_price(None, model.name))
    assert "--price IN,OUT" in refused.value.todo
    assert f"{mine}: `openai/mine: {{input: 3, output: 15}}`" in refused.value.todo
    mine.write_text(refused.value.todo.split("`")[1] + "\n")
    assert dict(prices_of(model, stated_price(None, model.name))) == parse_price("3,15")


# --- a model's end ------------------------------------------------------------------------

ENDING = {"deprecation_date": "2026-11-30"}


@pytest.mark.parametrize(
    ("today", "said"),
    [
        (date(2026, 10, 30), ""),
        (date(2026, 10, 31), "model: v/m ends on 2026-11-30, in 30 days; "),
        (date(2026, 11, 29), "model: v/m ends on 2026-11-30, in 1 day; "),
        (date(2026, 11, 30), "model: v/m ends on 2026-11-30, today; "),
        (date(2026, 12, 1), "model: v/m ended on 2026-11-30, 1 day ago; "),
        (date(2027, 11, 30), "model: v/m ended on 2026-11-30, 365 days ago; "),
    ],
)
def test_a_models_end_is_told_from_thirty_days_before(today: date, said: str) -> None:
    notice = end_notice("v/m", ENDING, today)
    assert notice.startswith(said)
    assert bool(notice) == bool(said)


def test_an_end_is_a_day_and_how_many_are_left() -> None:
    assert end_of(ENDING, date(2026, 11, 1)) == ModelEnd(date(2026, 11, 30), 29)


@pytest.mark.parametrize("value", [None, "", "soon", "2026-13-01", 3])
def test_what_is_no_date_is_no_end(value: object) -> None:
    facts = {} if value is None else {"deprecation_date": value}
    assert end_of(facts, date(2026, 11, 1)) is None
    assert end_notice("v/m", facts, date(2026, 11, 1)) == ""
