"""Policies: presets, texts, files, errors."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

import hotfix


def preset() -> hotfix.Policy:
    return hotfix.Policy.preset("phased-canary")


@pytest.mark.parametrize("name", hotfix.Policy.presets())
def test_every_preset_survives_toml_json_and_dict(name: str) -> None:
    policy = hotfix.Policy.preset(name)
    assert policy.name == name
    assert policy.title
    for again in (
        hotfix.Policy.from_toml(policy.to_toml()),
        hotfix.Policy.from_json(policy.to_json()),
        hotfix.Policy.from_json(json.dumps(policy.to_dict())),
    ):
        assert again == policy
        assert hash(again) == hash(policy)
        assert again.digest == policy.digest


def test_on_the_wire_shares_are_fractions_and_durations_seconds() -> None:
    document = preset().to_dict()
    assert json.loads(preset().to_json()) == document
    assert document["phases"][0]["share"] == 0.1
    assert document["phases"][0]["watch"] == 600
    assert document["metrics"]["error_rate"]["reference"] == 0.003


def test_people_write_units() -> None:
    document = tomllib.loads(preset().to_toml())
    assert document["phases"][0]["watch"] == "10min"
    assert document["metrics"]["error_rate"]["reference"] == "0.3%"


def test_a_digest_is_that_of_the_content() -> None:
    other = hotfix.Policy.from_toml(preset().to_toml().replace('watch = "10min"', 'watch = "11min"'))
    assert other != preset()
    assert len(other.digest) == 64
    assert other.digest != preset().digest


def test_field_5_all_errors_come_at_once_with_code_place_and_remedy() -> None:
    text = preset().to_toml().replace('watch = "10min"', 'watch = "10 parsecs"').replace("title =", "tilte =", 1)
    with pytest.raises(hotfix.PolicyError) as caught:
        hotfix.Policy.from_toml(text)
    error = caught.value
    assert isinstance(error, hotfix.Error)
    assert isinstance(error, ValueError)
    places = {(problem.code, problem.path) for problem in error.errors}
    assert {("HF-UNIT-001", "/phases/0/watch"), ("HF-POL-006", "/tilte")} <= places
    assert (error.code, error.path) == (error.errors[0].code, error.errors[0].path)
    tilte = next(problem for problem in error.errors if problem.path == "/tilte")
    assert "did you mean `title`" in tilte.message
    assert tilte["message"] == tilte.to_dict()["message"] == tilte.message
    line = 1 + text[: text.index("tilte =")].count("\n")
    assert (tilte.line, tilte.column, tilte.base) == (line, 1, None)
    assert tilte.to_dict().keys() == {"code", "message", "path", "line", "column"}


def test_an_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(hotfix.PolicyError, match="did you mean `phased-canary`") as caught:
        hotfix.Policy.preset("phased-canray")
    assert caught.value.code == "HF-POL-025"


def test_syntax_is_an_error_too() -> None:
    for read, text in ((hotfix.Policy.from_toml, "format = "), (hotfix.Policy.from_json, "{")):
        with pytest.raises(hotfix.PolicyError):
            read(text)


def test_load_goes_by_the_name_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "house.toml").write_text(preset().to_toml())
    (tmp_path / "house.json").write_text(preset().to_json())
    assert hotfix.Policy.load(tmp_path / "house.toml") == preset()
    assert hotfix.Policy.load(str(tmp_path / "house.json")) == preset()
    with pytest.raises(FileNotFoundError) as missing:
        hotfix.Policy.load(tmp_path / "nothing.toml")
    assert missing.value.filename == str(tmp_path / "nothing.toml")
    with pytest.raises(OSError, match=r'"a\\0b" is not a path: .*NUL'):
        hotfix.Policy.load("a\0b")
    (tmp_path / "latin.toml").write_bytes("title = 'Störung'".encode("latin-1"))
    (tmp_path / "own.toml").write_text("extends = 'latin'")
    for name in ("latin", "own"):
        with pytest.raises(OSError, match=r"latin\.toml is not UTF-8"):
            hotfix.Policy.load(tmp_path / f"{name}.toml")
    (tmp_path / "bad.toml").write_text("x = 1")
    with pytest.raises(hotfix.PolicyError) as caught:
        hotfix.Policy.load(tmp_path / "bad.toml")
    assert any("bad.toml" in note for note in caught.value.__notes__)


def test_a_policy_is_a_value() -> None:
    assert {preset(), preset()} == {preset()}
    assert preset() != "phased-canary"
    assert "phased-canary" in repr(preset())
    with pytest.raises(AttributeError):
        preset().name = "mine"  # type: ignore[misc]
    with pytest.raises(TypeError):
        hotfix.Policy()  # a policy is read, not made


def test_roll_7_what_a_policy_extends_is_resolved_away() -> None:
    asked: list[str] = []

    def resolve(name: str) -> str | None:
        asked.append(name)
        return "extends = 'phased-canary'\n[watch]\nleast_trials = 7" if name == "house" else None

    policy = hotfix.Policy.from_toml("extends = 'house'\nname = 'mine'", resolve)
    assert asked == ["house", "phased-canary"]
    assert (policy.name, policy.to_dict()["watch"]["least_trials"]) == ("mine", 7)
    assert "extends" not in policy.to_dict()
    assert hotfix.Policy.from_json('{"extends": "house", "name": "mine"}', resolve=resolve) == policy
    assert hotfix.Policy.from_json(policy.to_json()).digest == policy.digest
    assert hotfix.Policy.from_toml("extends = 'phased-canary'") == preset()


def test_field_5_what_resolve_raises_is_passed_on_as_it_is() -> None:
    class GoneError(Exception):
        pass

    asked: list[str] = []
    gone = GoneError("no such share")

    def resolve(name: str) -> str | None:
        asked.append(name)
        raise gone

    for read, text in (
        (hotfix.Policy.from_toml, "extends = ['a', 'b']"),
        (hotfix.Policy.from_json, '{"extends": ["a", "b"]}'),
    ):
        with pytest.raises(GoneError) as caught:
            read(text, resolve)
        assert caught.value is gone
    assert asked == ["a", "a"], "nobody is asked after a failure"
    with pytest.raises(TypeError):
        hotfix.Policy.from_toml("extends = 'a'", lambda _: 1)  # type: ignore[arg-type, return-value]


def test_field_5_resolve_may_read_policies_itself() -> None:
    def resolve(name: str) -> str | None:
        return hotfix.Policy.from_toml("extends = 'standard'", lambda _: None).to_json() if name == "a" else None

    assert hotfix.Policy.from_toml("extends = 'a'", resolve) == hotfix.Policy.preset("standard")


def test_field_5_load_finds_what_is_extended_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "payments.toml").write_text("extends = ['enterprise', 'standard', 'late']\nname = 'payments'")
    (tmp_path / "enterprise.toml").write_text("extends = 'phased-canary'\ntitle = 'ours'")
    (tmp_path / "enterprise.json").write_text('{"extends": "nobody"}')
    (tmp_path / "standard.json").write_text('{"watch": {"least_trials": 7}}')
    (tmp_path / "late.json").write_text("watch.stale = '9min'")
    policy = hotfix.Policy.load(tmp_path / "payments.toml")
    document = policy.to_dict()
    assert (policy.name, policy.title) == ("payments", "ours")
    assert (document["watch"]["least_trials"], document["watch"]["stale"]) == (7, 540)
    (tmp_path / "late.json").unlink()
    with pytest.raises(hotfix.PolicyError, match="there is no policy `late`") as caught:
        hotfix.Policy.load(tmp_path / "payments.toml")
    assert any("payments.toml" in note for note in caught.value.__notes__)
    (tmp_path / "late.toml").mkdir()
    with pytest.raises(OSError, match=r"late\.toml"):
        hotfix.Policy.load(tmp_path / "payments.toml")
    # A name is plain: nothing above or below the folder is read.
    (tmp_path / "payments.toml").write_text("extends = '../secret'")
    with pytest.raises(hotfix.PolicyError) as caught:
        hotfix.Policy.load(tmp_path / "payments.toml")
    assert caught.value.code == "HF-UNIT-008"


MOST_TEXT = 1 << 20


@pytest.mark.parametrize("bad", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe2\x82"])
@pytest.mark.parametrize("suffix", ["toml", "json"])
def test_field_5_a_file_that_is_no_text_is_refused(tmp_path: Path, bad: bytes, suffix: str) -> None:
    file = tmp_path / f"house.{suffix}"
    for before in (b"", b" " * (MOST_TEXT // 2)):
        file.write_bytes(before + bad)
        with pytest.raises((OSError, ValueError), match="UTF-8"):
            hotfix.Policy.load(file)


def test_field_5_half_a_character_is_refused() -> None:
    for read in (hotfix.Policy.from_toml, hotfix.Policy.from_json):
        with pytest.raises(hotfix.PolicyError, match="surrogate"):
            read("name = '\ud83d'")


def test_field_5_a_megabyte_is_read_and_one_byte_more_is_refused() -> None:
    for read, text in (
        (hotfix.Policy.from_toml, "extends = 'standard'\nname = 'long'\n#"),
        (hotfix.Policy.from_json, '{"extends": "standard", "name": "long"}'),
    ):
        assert read(text.ljust(MOST_TEXT)).name == "long"
        with pytest.raises(hotfix.PolicyError) as caught:
            read(text.ljust(MOST_TEXT + 1))
        assert [problem.code for problem in caught.value.errors] == ["HF-POL-002"]
    with pytest.raises(hotfix.PolicyError) as caught:
        hotfix.Policy.from_toml("=\n" * (MOST_TEXT // 8))
    assert len(caught.value.errors) == 1000
