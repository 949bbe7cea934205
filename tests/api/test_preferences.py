"""Settings: which place counts first, where each value comes from, and what no file may set."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from orchestrator.api.preferences import PREFERENCES, settings_held, user_file
from orchestrator.console import research_groups
from orchestrator.console.keep_groups import KEEP_COMMANDS
from orchestrator.core.errors import BadFile, UserError

KEY = "sk-proj-" + "a1b2c3d4" * 4


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    user_file().parent.mkdir(parents=True)
    return user_file()


def held(folder: Path, **environ: str) -> dict[str, tuple[object, str]]:
    return {one.key: (one.value, one.origin) for one in settings_held(environ, folder)}


def test_the_environment_counts_before_the_folder_the_folder_before_the_user(
    user: Path, tmp_path: Path
) -> None:
    own = tmp_path / "aisci.toml"
    user.write_text('scale = "short"\npolicy = "strict"\nengine = "arxiv"\n')
    own.write_text('\nscale = "smoke"\npolicy = "ci-cpu"\n')
    found = held(tmp_path, AISCI_SCALE="full", AISCI_PARALLEL="3")
    assert found["scale"] == ("full", "AISCI_SCALE")
    assert found["parallel"] == (3, "AISCI_PARALLEL")
    assert found["policy"] == ("ci-cpu", f"{own}:3")
    assert found["engine"] == ("arxiv", f"{user}:3")
    assert found["model"] == ("builtin/sweep", "default")
    assert set(found) == set(PREFERENCES)


def test_a_price_does_not_count_for_a_model_from_a_place_above_it(
    user: Path, tmp_path: Path
) -> None:
    user.write_text('model = "openai/a"\nprice = "1,2"\n')
    assert held(tmp_path)["price"] == ("1,2", f"{user}:2")
    assert held(tmp_path, AISCI_MODEL="openai/b")["price"] == (None, "default")
    assert held(tmp_path, AISCI_MODEL="openai/b", AISCI_PRICE="3,4")["price"][0] == "3,4"


@pytest.mark.parametrize(
    ("line", "words", "todo"),
    [
        ('modle = "x"', "no setting 'modle'", "did you mean 'model'?"),
        ("model = 3", "'model' is not a text", "model ="),
        ("max_usd = true", "'max_usd' is not a number", "max_usd ="),
        ("max_usd = nan", "'max_usd' is not a number", "max_usd ="),
        ("parallel = 0", "'parallel' is not a whole number from 1", "parallel ="),
        ('model = ""', "'model' is not a text", "model ="),
        ("[model]", "'model' is not a text", "model ="),
        ('scale = "smok"', "no scale 'smok'", "did you mean 'smoke'?"),
        ("no_review = 1", "'no_review' is not true or false", "no_review = true"),
        ("reviews = 10", "'reviews' is not a whole number from 1 to 9", "reviews ="),
        ("improve = true", "'improve' is not a whole number from 0 to 5", "improve ="),
    ],
)
def test_a_wrong_line_is_told_with_its_place(
    line: str, words: str, todo: str, user: Path, tmp_path: Path
) -> None:
    user.write_text(f"# mine\n{line}\n")
    with pytest.raises(BadFile) as caught:
        held(tmp_path)
    assert words in caught.value.what
    assert todo in caught.value.todo
    assert caught.value.where.startswith(f"{user}:2")


def test_an_unknown_setting_is_told_with_all_that_there_are(user: Path, tmp_path: Path) -> None:
    user.write_text("qqq = 1\n")
    with pytest.raises(BadFile) as caught:
        held(tmp_path)
    assert f"known: {', '.join(PREFERENCES)}" in caught.value.todo


def test_a_scale_of_a_template_of_ones_own_is_no_error(user: Path, tmp_path: Path) -> None:
    user.write_text('scale = "shorter"\n')
    assert held(tmp_path)["scale"][0] == "shorter"


@pytest.mark.parametrize(("text", "value"), [("true", True), ("0", False), ("No", False)])
def test_a_switch_is_set_by_a_variable(
    text: str,
    value: object,
    user: Path,
    tmp_path: Path,
) -> None:
    assert not user.exists()
    assert held(tmp_path, AISCI_NO_REVIEW=text)["no_review"] == (value, "AISCI_NO_REVIEW")


def test_a_folders_file_shows_no_folder_to_containers(user: Path, tmp_path: Path) -> None:
    assert not user.exists()
    (tmp_path / "aisci.toml").write_text('data = "/home"\n')
    with pytest.raises(BadFile, match="'data' may not be set by a folder's file"):
        held(tmp_path)


def test_every_setting_of_a_run_is_an_option_of_it_with_the_same_default() -> None:
    takes = inspect.signature(research_groups.RESEARCH_COMMANDS["run"]).parameters
    assert inspect.signature(KEEP_COMMANDS["stamp"]).parameters["authority"].default is None
    for key, one in PREFERENCES.items():
        if key == "authority":
            continue  # of `aisci stamp`: a run asks no authority
        assert key in takes, key
        assert str(takes[key].default) == str(one.default) or key == "notify", key


@pytest.mark.parametrize(
    "line", [f'OPENAI_API_KEY = "{KEY}"', f'model = "{KEY}"', 'my_token = "hush-hush"']
)
def test_a_secret_is_refused_and_not_repeated(line: str, user: Path, tmp_path: Path) -> None:
    user.write_text(line)
    with pytest.raises(BadFile, match="looks like a secret") as caught:
        held(tmp_path)
    assert KEY not in str(vars(caught.value))
    assert "hush-hush" not in str(vars(caught.value))
    with pytest.raises(UserError) as refused:
        held(tmp_path / "none", AISCI_MODEL=KEY, XDG_CONFIG_HOME="")
    assert KEY not in str(vars(refused.value))


def test_a_folders_file_cannot_start_a_program(user: Path, tmp_path: Path) -> None:
    user.write_text('notify = "notify-send aisci"\n')
    assert held(tmp_path)["notify"][0] == "notify-send aisci"
    (tmp_path / "aisci.toml").write_text('notify = "touch /tmp/owned"\n')
    with pytest.raises(BadFile, match="may not be set by a folder's file"):
        held(tmp_path)


@pytest.mark.parametrize(("name", "value"), [("AISCI_IDEAS", "many"), ("AISCI_MAX_USD", "-1")])
def test_a_variable_of_another_kind_is_named(
    name: str, value: str, user: Path, tmp_path: Path
) -> None:
    assert not user.exists()
    with pytest.raises(UserError, match="is not a") as caught:
        held(tmp_path, **{name: value})
    assert caught.value.where == name
