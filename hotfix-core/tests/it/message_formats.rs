//! Messages in the formats that services take: their form, their limits, and what nobody can smuggle in (COMM-2).

use std::collections::BTreeMap;

use hotfix_core::grade::{Audience, MessageKind};
use hotfix_core::message::{Format, Rendered, Request};
use hotfix_core::policy::Policy;
use hotfix_core::rollout::Rollout;
use serde_json::{Value, json};

use crate::message_story::{Play, draft, marked_states, moments};

fn schema(format: Format) -> Option<jsonschema::Validator> {
    let text = match format {
        Format::Text | Format::Markdown => return None,
        Format::Slack => include_str!("../schemas/slack.json"),
        Format::Teams => include_str!("../schemas/teams.json"),
        Format::PagerDuty => include_str!("../schemas/pagerduty.json"),
    };
    let schema: Value = serde_json::from_str(text).unwrap();
    Some(jsonschema::validator_for(&schema).unwrap())
}

fn document(message: Rendered) -> Value {
    match message {
        Rendered::Json(document) => document,
        Rendered::Text(text) => panic!("no document: {text}"),
    }
}

#[test]
fn comm_2_documents_have_the_form_that_services_take() {
    for format in [Format::Slack, Format::Teams, Format::PagerDuty] {
        let schema = schema(format).unwrap();
        let mut checked = 0;
        let mut check = |rollout: &Rollout, kind: MessageKind, audience: Audience| {
            let document = document(draft(rollout, kind, audience, format));
            let faults: Vec<String> =
                schema.iter_errors(&document).map(|error| error.to_string()).collect();
            assert!(faults.is_empty(), "{format} {kind} {audience}: {faults:?}\n{document}");
            checked += 1;
        };
        for (_, rollout) in moments() {
            for kind in MessageKind::ALL {
                for audience in Audience::ALL {
                    check(&rollout, *kind, *audience);
                }
            }
        }
        for preset in Policy::presets() {
            for rollout in marked_states(preset) {
                for kind in MessageKind::ALL {
                    for audience in Audience::ALL {
                        check(&rollout, *kind, *audience);
                    }
                }
            }
        }
        assert!(checked >= 8 * 8 * 4 + 6 * 7 * 8 * 4, "{checked}");
    }
}

/// A rollout whose update says just this.
fn saying(template: &str) -> Rollout {
    let mut policy: Value =
        serde_json::from_str(&Policy::preset("phased-canary").unwrap().to_json()).unwrap();
    policy["messages"] =
        json!([{ "id": "m", "kind": "update", "audience": "responders", "text": template }]);
    let release = json!({ "version": "2", "previous": "1" });
    let mut play = Play::new(&policy, &json!({ "id": "INC-1", "severity": "P1" }), &release);
    play.say("14:08", &json!({ "kind": "note", "by": "lena", "text": "x" }));
    play.rollout
}

fn told(rollout: &Rollout, format: Format, values: &[(&str, &str)]) -> Rendered {
    // Most tests are about what a template prints, without the names before it.
    let values = [("incident_id", "")].iter().chain(values);
    let values = values.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let request = Request { format, values, ..Request::new(MessageKind::Update) };
    rollout.message_for(&request).unwrap()
}

/// A text of words, so many characters long.
fn words(length: usize) -> String {
    let mut text = "abcd ".repeat(length / 5 + 1);
    text.truncate(length);
    if text.ends_with(' ') {
        text.pop();
        text.push('z');
    }
    text
}

fn texts<'a>(document: &'a Value, key: &str, found: &mut Vec<&'a str>) {
    match document {
        Value::Object(object) => {
            for (name, value) in object {
                if name == key && value.is_string() {
                    found.extend(value.as_str());
                }
                texts(value, key, found);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| texts(value, key, found)),
        _ => {}
    }
}

#[test]
fn comm_2_a_slack_header_keeps_its_limit() {
    let rollout = saying("{{ title }}\nbody");
    for (length, whole) in [(149, true), (150, true), (151, false), (1_000, false)] {
        let title = words(length);
        let document = document(told(&rollout, Format::Slack, &[("title", &title)]));
        let header = document["blocks"][0]["text"]["text"].as_str().unwrap();
        assert!(header.chars().count() <= 150);
        let title = title.replacen('a', "A", 1);
        assert_eq!(header == title, whole, "{length}");
        let body = document["blocks"][1]["text"]["text"].as_str().unwrap();
        if whole {
            assert_eq!(body, "body");
        } else {
            assert!(header.ends_with("abcd…"), "{header}");
            assert_eq!(body, format!("{title}\nbody"));
        }
    }
    // Emoji count as two in some places, and none is cut in half.
    let document = document(told(&rollout, Format::Slack, &[("title", &"🚀".repeat(100))]));
    let header = document["blocks"][0]["text"]["text"].as_str().unwrap();
    assert!(header.encode_utf16().count() <= 150 && header.ends_with("🚀…"));
}

#[test]
fn comm_2_slack_sections_blocks_and_the_whole_keep_their_limits() {
    let schema = schema(Format::Slack).unwrap();
    let mut cut = 0;
    for lines in [1, 2, 3, 4, 5, 12, 13, 30, 60] {
        for length in [10, 400, 998, 999, 1_000] {
            for address in ["", "https://status.example.org"] {
                let template =
                    format!("head\n{}", "{{ title }} {{ cause | default('-') }}\n".repeat(lines));
                let rollout = saying(&template);
                let title = words(length);
                let values = [("title", title.as_str()), ("cause", address)];
                let document = document(told(&rollout, Format::Slack, &values));
                assert!(schema.is_valid(&document), "{document}");
                let mut found = Vec::new();
                texts(&document["blocks"], "text", &mut found);
                let whole: usize = found.iter().map(|text| text.encode_utf16().count()).sum();
                assert!(whole <= 12_000, "{lines} × {length}: {whole}");
                let is_cut = found.last().unwrap().ends_with('…');
                let all = found.concat().matches(&title).count();
                assert_eq!(is_cut, all < lines, "{lines} × {length}: {all}");
                cut += usize::from(is_cut);
            }
        }
    }
    assert!(cut > 4, "nothing was too long");
    // A link is as long as it is written, and one that has no room is a sign that something was left out.
    let rollout = saying("head\n{{ cause }} {{ url }}");
    for (ampersands, fits) in [(0, true), (390, true), (490, false)] {
        let address = format!("https://a?{}", "&".repeat(ampersands));
        let cause = words(1_000);
        let values = [("cause", cause.as_str()), ("url", address.as_str())];
        let document = document(told(&rollout, Format::Slack, &values));
        assert!(schema.is_valid(&document), "{document}");
        let section = document["blocks"][1]["text"]["text"].as_str().unwrap();
        let link =
            if fits { format!("<{}>", address.replace('&', "&amp;")) } else { "…".to_owned() };
        assert_eq!(section, format!("{cause} {link}"), "{ampersands}");
    }
    // Lines with and without a link take turns, so each is a section of its own.
    let rollout = saying(&format!("head\n{}", "a\n{{ url }}\n".repeat(40)));
    let document = document(told(&rollout, Format::Slack, &[("url", "https://a.example.org")]));
    assert_eq!(document["blocks"].as_array().unwrap().len(), 50);
    assert!(schema.is_valid(&document));
}

#[test]
fn comm_2_a_teams_card_keeps_its_limit() {
    let schema = schema(Format::Teams).unwrap();
    for lines in [1, 10, 15, 16, 17, 18, 20, 30] {
        for word in ["abcd ", "é\"\\ ", "🚀🚀 "] {
            let rollout = saying(&format!("head\n{}", "{{ title }}\n".repeat(lines)));
            let title = word.repeat(199);
            let document = document(told(&rollout, Format::Teams, &[("title", &title)]));
            assert!(schema.is_valid(&document), "{document}");
            let escaped: usize = document
                .to_string()
                .chars()
                .map(|c| if c.is_ascii() { 1 } else { 6 * c.len_utf16() })
                .sum();
            assert!(escaped <= 20_000, "{lines} × {word}: {escaped}");
            let mut found = Vec::new();
            texts(&document, "text", &mut found);
            let whole = found.iter().filter(|text| **text == title.trim()).count();
            assert!(
                whole == lines || found.iter().any(|text| text.ends_with('…')),
                "{lines} × {word}: {whole}"
            );
            if word == "abcd " {
                assert_eq!(whole == lines, lines <= 16, "{lines}: {whole}");
            }
        }
    }
}

/// An item that begins with a link is an item with a link.
#[test]
fn comm_2_a_teams_card_has_items_that_are_links() {
    let rollout = saying("head\n- {{ url }}\n- {{ url }} x\nrest");
    let document = document(told(&rollout, Format::Teams, &[("url", "https://a.example.org")]));
    let mut found = Vec::new();
    texts(&document, "text", &mut found);
    assert_eq!(found, ["Head", "• https://a.example.org", "• https://a.example.org", " x", "rest"]);
    let mut found = Vec::new();
    texts(&document, "url", &mut found);
    assert_eq!(found, ["https://a.example.org"; 2]);
}

#[test]
fn comm_2_a_pagerduty_event_keeps_its_limits() {
    let schema = schema(Format::PagerDuty).unwrap();
    let rollout = saying("{{ title }} {{ cause }}\n{{ title }}");
    for (length, whole) in [(511, true), (512, false), (900, false)] {
        let title = words(length);
        let values = [("title", title.as_str()), ("cause", title.as_str())];
        let document = document(told(&rollout, Format::PagerDuty, &values));
        assert!(schema.is_valid(&document), "{document}");
        let summary = document["payload"]["summary"].as_str().unwrap();
        assert_eq!(!summary.ends_with('…'), whole, "{length}: {}", summary.len());
        assert_eq!(document["event_action"], "trigger");
    }
    let long = "{{ title }}\n".repeat(25);
    let document =
        document(told(&saying(&long), Format::PagerDuty, &[("title", &"🚀 ".repeat(500))]));
    assert!(schema.is_valid(&document));
    let escaped: usize = document.to_string().chars().map(|c| 6 * c.len_utf16()).sum();
    assert!(escaped < 512 * 1_024, "{escaped}");
}

#[test]
fn comm_2_nothing_from_outside_has_a_meaning() {
    let rollout = saying("Title: {{ title }}\n- {{ cause }}\nSee {{ url }}: {{ title }}");
    let evil = "<!here> @channel *b* _i_ `c` [l](https://evil.example.org) <b>&amp; {{ title }} {% if %}\n# head\u{202e}\u{1}\u{2}x\u{3}";
    let values = [("title", evil), ("cause", evil), ("url", "https://a.example.org/x?a=1&b=2")];
    for format in Format::ALL {
        let text = told(&rollout, *format, &values).to_string();
        for bad in ["<!here>", " @channel", "\u{202e}", "\u{1}", "\u{2}", "\u{3}", "\n# head"] {
            assert!(!text.contains(bad), "{format}: {bad:?} in {text}");
        }
    }
    let markdown = told(&rollout, Format::Markdown, &values).to_string();
    for sign in ["\\<", "\\*b\\*", "\\_i\\_", "\\`c\\`", "\\[l\\]", "https\\://evil"] {
        assert!(markdown.contains(sign), "{sign} not in {markdown}");
    }
    assert!(markdown.contains("<https://a.example.org/x?a=1&b=2>"), "{markdown}");
    let mut events = pulldown_cmark::Parser::new(&markdown);
    let plain = events.all(|event| {
        !matches!(
            event,
            pulldown_cmark::Event::Html(_)
                | pulldown_cmark::Event::InlineHtml(_)
                | pulldown_cmark::Event::Code(_)
        )
    });
    assert!(plain, "{markdown}");
    let slack = document(told(&rollout, Format::Slack, &values));
    let mut found = Vec::new();
    texts(&slack["blocks"], "text", &mut found);
    let link =
        found.iter().find(|text| text.contains("<https://a.example.org/x?a=1&amp;b=2>")).unwrap();
    assert!(link.contains("&lt;b&gt;&amp;amp;") && !link.contains("<b>"), "{link}");
    let blocks = slack["blocks"].as_array().unwrap();
    let marked: Vec<&Value> = blocks.iter().filter(|b| b["text"]["type"] == "mrkdwn").collect();
    assert!(marked.len() == 1 && marked[0]["text"]["verbatim"] == true, "{slack}");
    let teams = document(told(&rollout, Format::Teams, &values));
    let mut types = Vec::new();
    texts(&teams, "type", &mut types);
    assert!(!types.contains(&"TextBlock"), "what has markup in it: {types:?}");
}

#[test]
fn comm_2_only_an_address_becomes_a_link() {
    let rollout = saying("{{ url }}");
    for bad in
        ["javascript:alert(1)", "https://a|b", "https://a>b", "https://a b", "ftp://a", "//a"]
    {
        for format in Format::ALL {
            let text = told(&rollout, *format, &[("url", bad)]).to_string();
            assert!(
                !text.contains("OpenUrl") && !text.contains("\"href\"") && !text.contains("mrkdwn"),
                "{format}: {text}"
            );
        }
    }
    let text = told(&rollout, Format::PagerDuty, &[("url", "https://a.example.org")]).to_string();
    assert!(text.contains("\"href\":\"https://a.example.org\""), "{text}");
}

#[test]
fn comm_2_a_template_has_a_budget() {
    let loops = "{% for a in metrics %}{% for b in metrics %}{% for c in metrics %}{{ c }}{% endfor %}{% endfor %}{% endfor %}";
    let rollout = saying(loops);
    let values = BTreeMap::from([("metrics".to_owned(), "x\n".repeat(50))]);
    let request = Request { values, ..Request::new(MessageKind::Update) };
    let error = rollout.message_for(&request).unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().contains("20000 steps")),
        ("HF-MSG-006", true),
        "{error}"
    );
    let rollout = saying(&"{{ title }}\n".repeat(70));
    let values = BTreeMap::from([("title".to_owned(), words(1_000))]);
    let request = Request { values, ..Request::new(MessageKind::Update) };
    let error = rollout.message_for(&request).unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().contains("64000 bytes")),
        ("HF-MSG-006", true),
        "{error}"
    );
}

#[test]
fn comm_1_a_line_without_its_value_is_left_out() {
    let template = "{{ title }}\nChannel: {{ channel }}\n{% if channel %}in {{ channel }}{% else %}nowhere{% endif %}, \
        {{ cause | default(\"cause unknown\") }}\n{{ metrics }}\nList: {{ metrics }}\n{% for m in metrics %}- {{ m | upper }}\n{% endfor %}end";
    let rollout = saying(template);
    let text = |values: &[(&str, &str)]| told(&rollout, Format::Text, values).to_string();
    assert_eq!(text(&[("title", "a")]), "A\nnowhere, cause unknown\nend");
    let all = [("title", "a"), ("channel", "#inc"), ("cause", "x"), ("metrics", "one\ntwo\n")];
    let told = "A\nChannel: #inc\nin #inc, x\n- one\n- two\nList:\n- one\n- two\n- ONE\n- TWO\nend";
    assert_eq!(text(&all), told);
    // Empty text takes a value away.
    assert_eq!(text(&[("title", "a"), ("cause", " ")]), "A\nnowhere, cause unknown\nend");
}

#[test]
fn comm_1_a_text_that_names_the_incident_begins_as_it_is_written() {
    let title = |template: &str, values: &[(&str, &str)]| {
        told(&saying(template), Format::Text, values).to_string()
    };
    let names = [("incident_id", "INC-1"), ("service", "shop"), ("title", "a")];
    assert_eq!(title("fix of {{ title }}", &names), "shop, INC-1: Fix of a");
    assert_eq!(title("fix of {{ title }}", &[names[0], names[2]]), "INC-1: Fix of a");
    assert_eq!(title("[{{ incident_id }}] {{ title }}", &names), "[INC-1] a");
    // Empty text takes the names away.
    assert_eq!(title("fix of {{ title }}", &names[1..]), "Fix of a");
}

#[test]
fn comm_2_what_cannot_be_asked_for_is_refused_with_a_remedy() {
    for (request, code, part) in [
        ("[]", "HF-MSG-001", "a list is not allowed here: write a table"),
        ("{", "HF-MSG-001", "EOF"),
        ("{}", "HF-MSG-001", "`kind` is missing"),
        (r#"{"kind": 1}"#, "HF-MSG-001", "(/kind): a number is not allowed here: write a text"),
        (r#"{"kind": "alert", "to": "public"}"#, "HF-MSG-001", "`to`"),
        (r#"{"kind": "alert", "values": []}"#, "HF-MSG-001", "(/values)"),
        (r#"{"kind": "alert", "values": {"title": 1}}"#, "HF-MSG-001", "(/values/title)"),
        (r#"{"kind": "alert", "draft": 1}"#, "HF-MSG-001", "(/draft)"),
        (r#"{"kind": "alert", "at": "now"}"#, "HF-MSG-001", "now"),
        (r#"{"kind": "alrt"}"#, "HF-MSG-002", "did you mean `alert`?"),
        (r#"{"kind": "alert", "audience": "press"}"#, "HF-MSG-002", "`stakeholders`"),
        (r#"{"kind": "alert", "format": "html"}"#, "HF-MSG-002", "`pagerduty`"),
        (r#"{"kind": "alert", "values": {"titel": "x"}}"#, "HF-MSG-003", "did you mean `title`?"),
        (r#"{"kind": "alert", "utc_offset": "Europe/Berlin"}"#, "HF-MSG-004", "-12:00"),
        (r#"{"kind": "alert", "utc_offset": "+14:01"}"#, "HF-MSG-004", "+14:00"),
        (r#"{"kind": "alert", "utc_offset": "+1:00"}"#, "HF-MSG-004", "+14:00"),
        (r#"{"kind": "alert", "utc_offset": "+01:60"}"#, "HF-MSG-004", "+14:00"),
    ] {
        let errors = Request::from_json(request).unwrap_err();
        let first = errors.first().unwrap();
        assert!(first.code() == code && first.to_string().contains(part), "{request}: {errors}");
        assert_eq!(errors.count(), 1, "{request}: {errors}");
    }
    for good in ["Z", "UTC", "+00:00", "-12:00", "+14:00", "+05:45"] {
        let request = format!(r#"{{"kind": "alert", "utc_offset": "{good}"}}"#);
        Request::from_json(&request).unwrap();
    }
}

#[test]
fn field_5_all_faults_of_a_message_request_have_line_and_column() {
    let text = r#"{"kind": "alrt", "audience": "press",
  "at": "now", "utc_offset": "+15:00",
  "values": {"titel": "x", "title": 1}, "draft": "no", "to": "me", "at": null}"#;
    let errors = Request::from_json(text).unwrap_err();
    let got: Vec<_> = errors
        .iter()
        .map(|e| (e.line().unwrap(), e.column().unwrap(), e.code(), e.path()))
        .collect();
    let expected = [
        (1, 10, "HF-MSG-002", "/kind"),
        (1, 30, "HF-MSG-002", "/audience"),
        (2, 9, "HF-MSG-001", "/at"),
        (2, 30, "HF-MSG-004", "/utc_offset"),
        (3, 23, "HF-MSG-003", "/values/titel"),
        (3, 37, "HF-MSG-001", "/values/title"),
        (3, 50, "HF-MSG-001", "/draft"),
        (3, 56, "HF-MSG-001", "/to"),
        (3, 68, "HF-MSG-001", "/at"),
    ];
    assert_eq!(got, expected, "{errors}");
    let in_a_program = Request::from_value(&serde_json::json!({ "kind": "alrt" })).unwrap_err();
    assert!(in_a_program.to_string().starts_with("HF-MSG-002 at /kind: "), "{in_a_program}");
}

#[test]
fn comm_2_a_value_that_is_given_reaches_only_those_who_may_read_its_field() {
    let (_, rollout) = &moments()[0];
    let values = BTreeMap::from([
        ("commander".to_owned(), "SECRET".to_owned()),
        ("service".to_owned(), "Card payments".to_owned()),
    ]);
    for audience in Audience::ALL {
        let request = Request {
            audience: *audience,
            values: values.clone(),
            ..Request::new(MessageKind::Alert)
        };
        let text = rollout.message_for(&request).unwrap().to_string();
        assert_eq!(text.contains("SECRET"), *audience == Audience::Responders, "{text}");
        assert!(*audience != Audience::Public || text.contains("Card payments"), "{text}");
    }
}
