//! What the text of a message may be, when a policy is read (COMM-2): every fault with its line, and what is like it and good.

use std::collections::BTreeSet;
use std::sync::Arc;

use hotfix_core::grade::{Audience, MessageKind};
use hotfix_core::message::{Rendered, Request};
use hotfix_core::plan::Plan;
use hotfix_core::policy::Policy;
use hotfix_core::policy::section::{MESSAGE_FIELDS, Reach};
use hotfix_core::rollout::{Recording, Rollout};
use serde_json::{Value, json};

/// The faults of a text for an audience: code and sentence.
fn faults(text: &str, audience: &str) -> Vec<(String, String)> {
    let mut policy: Value =
        serde_json::from_str(&Policy::preset("phased-canary").unwrap().to_json()).unwrap();
    policy["messages"] =
        json!([{ "id": "m", "kind": "update", "audience": audience, "text": text }]);
    match Policy::from_json(&policy.to_string()) {
        Ok(policy) => {
            assert_eq!(policy.messages()[0].text, text);
            Vec::new()
        }
        Err(errors) => errors
            .iter()
            .map(|error| {
                assert_eq!(error.path(), "/messages/0/text");
                (error.code().to_owned(), error.sentence())
            })
            .collect(),
    }
}

#[test]
fn comm_2_what_templates_may_be() {
    for text in [
        "no braces { } }} %}",
        "{{title}} {{ title|upper }} {{ eta | default(\"soon\") | lower }} {{ eta|default('x') }}",
        "{% if title %}a{% elif not eta and (cause or severity != \"P0\") %}b{% else %}c{% endif %}",
        "{% for line in metrics %}- {{ line }}\n{% endfor %}",
        "{% for a in metrics %}{% for b in timeline %}{{ a | upper }}{{ b }}{% endfor %}{% endfor %}",
        "{{ metrics | join(\", \") }} {{ approvers | first }} {{ timeline | last }}",
    ] {
        assert_eq!(faults(text, "responders"), [], "{text}");
    }
    assert_eq!(faults(&"é".repeat(4_000), "public"), []);
}

#[test]
fn comm_2_an_unknown_field_is_refused_when_the_policy_is_read() {
    for (text, audience, says) in [
        ("{{ titel }}", "responders", vec!["`titel`", "line 1", "did you mean `title`?"]),
        ("a\nb\n{{ comander }}", "stakeholders", vec!["`comander`", "line 3", "`commander`"]),
        ("a\n{% if seviritee %}x{% endif %}", "responders", vec!["line 2", "`severity`"]),
        ("{% if title == \"x\" or nope %}{% endif %}", "business", vec!["`nope`"]),
        ("{% for m in metrix %}{% endfor %}", "responders", vec!["did you mean `metrics`?"]),
        // A loop's variable is known in its loop alone.
        ("{% for m in metrics %}{% endfor %}{{ m }}", "responders", vec!["`m`"]),
        (
            "{{ title }}{{ xxxxxxxxx }}",
            "public",
            vec!["`title` is not available for the audience public", "`xxxxxxxxx`"],
        ),
        // The nearest name is one that these readers may see.
        ("{{ version }}", "business", vec!["`version` is not available for the audience business"]),
        (
            "{% if commander %}{% endif %}",
            "public",
            vec!["`commander` is not available for the audience public"],
        ),
        (
            "{% for m in metrics %}{% endfor %}",
            "public",
            vec!["`metrics` is not available for the audience public"],
        ),
        ("{{ servise }}", "public", vec!["did you mean `service`?"]),
        ("{{ commandr }}", "public", vec!["`commandr`"]),
    ] {
        let found = faults(text, audience);
        assert!(found.iter().all(|(code, _)| code == "HF-POL-062"), "{text}: {found:?}");
        let all: String = found.iter().map(|(_, sentence)| sentence.as_str()).collect();
        for part in says {
            assert!(all.contains(part), "{text}: {all}");
        }
    }
    assert!(!faults("{{ commandr }}", "public")[0].1.contains("did you mean"));
}

#[test]
fn comm_2_what_is_no_part_of_a_template_is_refused() {
    for (text, code, part) in [
        ("{{ title", "HF-POL-045", "not closed at character 1"),
        ("é{% if title", "HF-POL-045", "not closed at character 2"),
        ("{{ }}", "HF-POL-045", "names no field"),
        ("{{ title + title }}", "HF-POL-063", "`+`"),
        ("{{ \"a\" * 9 }}", "HF-POL-063", "`*`"),
        ("{{ title ~ eta }}", "HF-POL-063", "`~`"),
        ("{{ title.length }}", "HF-POL-063", "`.`"),
        ("{{ title[0] }}", "HF-POL-063", "`[`"),
        ("{{- title -}}", "HF-POL-063", "`-`"),
        ("{{ \"text\" }}", "HF-POL-063", "the name of a field has to come first"),
        ("{{ title eta }}", "HF-POL-063", "only filters"),
        ("{{ range(\"9\") }}", "HF-POL-062", "`range`"),
        ("{{ range(9) }}", "HF-POL-063", "`9`"),
        ("{{ title | safe }}", "HF-POL-063", "no filter `safe`"),
        ("{{ title | uper }}", "HF-POL-063", "did you mean `upper`?"),
        ("{{ title | default }}", "HF-POL-063", "needs a text"),
        ("{{ title | upper(\"x\") }}", "HF-POL-063", "takes no text"),
        ("{{ title | default(\"a\\n\") }}", "HF-POL-063", "`\\`"),
        ("{{ title | default(eta) }}", "HF-POL-063", "needs a text"),
        ("{# note #}", "HF-POL-063", "comment"),
        ("{% include \"x\" %}", "HF-POL-063", "`include`"),
        ("{% set x = 1 %}", "HF-POL-063", "`=`"),
        ("{% macro m() %}{% endmacro %}", "HF-POL-063", "`macro`"),
        ("{% raw %}{{ x }}{% endraw %}", "HF-POL-063", "`raw`"),
        ("{% if title %}", "HF-POL-063", "no `endif`"),
        ("a\n{% for m in metrics %}\n", "HF-POL-063", "no `endfor`, in line 2"),
        ("{% endif %}", "HF-POL-063", "no `if` before"),
        ("{% if title %}{% endfor %}{% endif %}", "HF-POL-063", "no `for` before"),
        ("{% for m in metrics %}{% else %}{% endfor %}", "HF-POL-063", "`else` has no `if`"),
        ("{% if title %}{% else %}{% else %}{% endif %}", "HF-POL-063", "`else` has no `if`"),
        ("{% for m in title %}{% endfor %}", "HF-POL-063", "no lines"),
        ("{% for title in metrics %}{% endfor %}", "HF-POL-063", "call the line something else"),
        ("{% for loop in metrics %}{% endfor %}", "HF-POL-063", "call the line something else"),
        ("{% for self in metrics %}{% endfor %}", "HF-POL-063", "call the line something else"),
        ("{% for m in metrics recursive %}{% endfor %}", "HF-POL-063", "a loop is"),
        ("{% if %}{% endif %}", "HF-POL-063", "a condition has"),
        ("{% if title == eta %}{% endif %}", "HF-POL-063", "a condition has"),
        ("{% if (title %}{% endif %}", "HF-POL-063", "a condition has"),
        ("{% if title) %}{% endif %}", "HF-POL-063", "a condition has"),
        ("{% if title is defined %}{% endif %}", "HF-POL-063", "a condition has"),
        ("{% if not %}{% endif %}", "HF-POL-063", "a condition has"),
        ("{% if true %}{% endif %}", "HF-POL-063", "a condition has"),
    ] {
        let found = faults(text, "responders");
        let hit = |(got, sentence): &(String, String)| got == code && sentence.contains(part);
        assert!(found.iter().any(hit), "{text}: {found:?}");
    }
    let found = faults(&"é".repeat(4_001), "responders");
    assert!(found[0].1.contains("more than 4000 characters"), "{found:?}");
    let deep = |depth: usize| "{% if title %}".repeat(depth) + &"{% endif %}".repeat(depth);
    assert_eq!(faults(&deep(8), "responders"), []);
    assert_eq!(faults(&deep(9), "responders").len(), 1);
}

#[test]
fn comm_2_the_public_s_fields_name_nothing_internal() {
    let public: BTreeSet<&str> =
        MESSAGE_FIELDS.iter().filter(|f| f.reach == Reach::Public).map(|f| f.name).collect();
    let expected = BTreeSet::from([
        "service",
        "status",
        "now",
        "began_at",
        "started_at",
        "deployed_at",
        "held_back",
        "no_problem",
        "resolved_at",
        "duration",
        "downtime",
        "eta",
        "next_update",
        "status_page",
        "verified_at",
    ]);
    assert_eq!(public, expected);
    for field in MESSAGE_FIELDS {
        assert!(field.is_for(Audience::Responders), "{}", field.name);
        assert_eq!(field.is_for(Audience::Stakeholders), field.is_for(Audience::Responders));
        assert!(!field.is_for(Audience::Public) || field.is_for(Audience::Business));
        assert!(!field.what.is_empty());
    }
}

#[test]
fn comm_2_the_page_has_every_field_and_its_example_loads() {
    let page = include_str!("../../../docs/messages.md");
    for field in MESSAGE_FIELDS {
        let readers = match field.reach {
            Reach::Public => "everybody",
            Reach::Business => "business, stakeholders, responders",
            Reach::Internal => "stakeholders, responders",
        };
        let lines = if field.lines { "; lines" } else { "" };
        let row = format!("| `{}` | {readers} | {}{lines} |\n", field.name, field.what);
        assert!(page.contains(&row), "docs/messages.md lacks\n{row}");
    }
    let (_, block) = page.split_once("```toml\n").unwrap();
    let (example, _) = block.split_once("```").unwrap();
    let policy = Policy::from_toml(example).unwrap_or_else(|errors| panic!("{errors}"));
    let own = policy.messages().iter().find(|message| message.id.as_str() == "rolling_back");
    assert!(own.unwrap().text.contains("ask in the channel"));
}

#[test]
fn comm_1_standard_has_a_text_for_each_kind_and_audience() {
    let standard = Policy::preset("standard").unwrap();
    for kind in MessageKind::ALL {
        for audience in Audience::ALL {
            let any = standard.messages().iter().any(|message| {
                message.kind == *kind
                    && message.audience == *audience
                    && message.severities.is_empty()
                    && message.when.is_none()
            });
            assert!(any, "{kind} {audience}");
        }
    }
}

#[test]
fn comm_1_a_text_that_a_policy_adds_comes_before_those_it_inherits() {
    let incident = r#"{"id": "INC-1", "title": "Login fails", "severity": "P2"}"#;
    let release = r#"{"version": "2", "previous": "1"}"#;
    for kind in MessageKind::ALL {
        for audience in Audience::ALL {
            let policy = format!(
                "extends = 'standard'\nname = 'ours'\n[[messages]]\nid = 'ours'\nkind = '{kind}'\naudience = \
                 '{audience}'\ntext = 'ours'\n[[messages]]\nid = 'not_this'\nkind = '{kind}'\naudience = '{audience}'\ntext \
                 = 'second'\n"
            );
            let policy = Arc::new(Policy::from_toml(&policy).unwrap());
            let plan = Plan::from_json(policy, incident, release, "").unwrap();
            let rollout = Rollout::try_new(plan, Recording::Off, "salt").unwrap();
            let at = Some("2026-03-03T14:40:00Z".parse().unwrap());
            let request = Request { audience: *audience, at, draft: true, ..Request::new(*kind) };
            let message = rollout.message_for(&request).unwrap();
            let names = if *audience == Audience::Public { "" } else { "INC-1: " };
            assert_eq!(message, Rendered::Text(format!("Draft: {names}Ours")));
        }
    }
}
