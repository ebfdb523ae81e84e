//! The tool of a text's documents, and the document that a policy is made from.

use std::cell::Cell;

use super::fault::Fault;
use super::finding::ImportFinding;
use super::reader::At;
use super::{Kind, nothing};
use crate::document::{Node, Value};
use crate::text::{joined, nearest, shown};

/// Most kinds that a sentence names.
const MOST_KINDS: usize = 8;

struct Tool {
    title: &'static str,
    /// The kinds of its documents that are read.
    kinds: &'static [&'static str],
    /// The accepted values of `apiVersion`, the usual one first.
    versions: &'static [&'static str],
    /// The documents that a policy can be made from.
    expected: &'static str,
}

impl Kind {
    const fn tool(self) -> Tool {
        match self {
            Self::ArgoRollouts => Tool {
                title: "Argo Rollouts",
                kinds: &["Rollout", "AnalysisTemplate", "ClusterAnalysisTemplate"],
                versions: &["argoproj.io/v1alpha1"],
                expected: "a Rollout, AnalysisTemplate or ClusterAnalysisTemplate of Argo Rollouts (`apiVersion: argoproj.io/v1alpha1`)",
            },
            Self::Flagger => Tool {
                title: "Flagger",
                kinds: &["Canary", "MetricTemplate"],
                versions: &["flagger.app/v1beta1", "flagger.app/v1alpha3"],
                expected: "a Canary or MetricTemplate of Flagger (`apiVersion: flagger.app/v1beta1`)",
            },
            Self::Kayenta => Tool {
                title: "Kayenta",
                kinds: &[],
                versions: &[],
                expected: "a canary configuration of Kayenta (a table with `metrics`)",
            },
            Self::OpenSlo => Tool {
                title: "OpenSLO",
                kinds: &["SLO", "SLI", "AlertPolicy", "AlertCondition"],
                versions: &["openslo/v1", "openslo.com/v1"],
                expected: "an SLO of OpenSLO, which has the objectives (`apiVersion: openslo/v1`)",
            },
        }
    }

    /// The tool with documents of this kind, if there is one.
    fn having(kind: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind_of| kind_of.tool().kinds.contains(&kind))
    }
}

/// A document of a tool.
pub(super) struct Source<'d> {
    pub(super) at: At<'d>,
    pub(super) kind: &'d str,
    pub(super) name: &'d str,
    pub(super) namespace: &'d str,
    /// Whether the policy uses it, or a finding says why not.
    pub(super) used: Cell<bool>,
}

/// Reports that no document can become a policy, at the first whose kind is misspelt.
pub(super) fn unknown<T>(sources: &[Source<'_>], tool: Kind) -> Option<T> {
    let mut kinds: Vec<String> = Vec::new();
    for source in sources {
        source.at.ignore();
        source.used.set(true);
        let kind = match source.kind {
            "" => "a document without `kind`".to_owned(),
            kind => format!("`{}`", shown(kind)),
        };
        if kinds.len() <= MOST_KINDS && !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    if kinds.len() > MOST_KINDS {
        "others".clone_into(&mut kinds[MOST_KINDS]);
    }
    let misspelt = |source: &&Source<'_>| !meant(source.kind, &[tool]).is_empty();
    let named = sources.iter().find(misspelt).or(sources.first())?;
    let version = named.at.node.text_at("apiVersion").unwrap_or_default();
    let (kinds, of, meant) = (kinds.join(", "), shown(version), meant(named.kind, &[tool]));
    let what = format!("the text has only {kinds} of `{of}`, which cannot become a policy{meant}");
    named.at.fail(Fault::UnknownKind { what, expected: tool.tool().expected.to_owned() })
}

/// The kind of these tools that a misspelt kind probably means, as the end of a sentence.
fn meant(kind: &str, tools: &[Kind]) -> String {
    /// Similar to the name of a template, but known to be something else.
    const OTHER: &str = "AnalysisRun";
    let known = tools.iter().flat_map(|tool| tool.tool().kinds.iter().copied());
    match nearest(kind, known) {
        Some(near) if near != kind && kind != OTHER => {
            format!(" (did you mean `{near}` instead of `{}`?)", shown(kind))
        }
        _ => String::new(),
    }
}

/// The document of one of these kinds with this name. Marks it as used.
pub(super) fn named<'s, 'd>(
    sources: &'s [Source<'d>],
    kinds: &[&str],
    name: &str,
) -> Option<&'s Source<'d>> {
    let found = sources.iter().find(|source| kinds.contains(&source.kind) && source.name == name);
    if let Some(source) = found {
        source.used.set(true);
    }
    found
}

/// The document that the policy is made from.
pub(super) fn main_of<'s, 'd>(
    sources: &'s [Source<'d>],
    what: &'static str,
) -> Option<&'s Source<'d>> {
    let mut all = sources.iter().filter(|source| source.kind == what);
    let first = all.next()?;
    first.used.set(true);
    for other in all {
        other.used.set(true);
        other.at.ignore();
        other.at.fail::<()>(Fault::Several { what });
    }
    Some(first)
}

/// Marks documents of these kinds as without effect on a policy: data sources and services.
pub(super) fn silent(sources: &[Source<'_>], kinds: &[&str]) {
    for source in sources.iter().filter(|source| kinds.contains(&source.kind)) {
        source.used.set(true);
        source.at.lost(ImportFinding::OtherDocument { kind: source.kind.to_owned() });
    }
}

/// The tool of a document, from its `apiVersion` and `kind`.
fn kind_of(node: &Node) -> Option<Kind> {
    let version = node.text_at("apiVersion").unwrap_or_default();
    let group = version.split('/').next().unwrap_or_default();
    match group {
        "argoproj.io" => Some(Kind::ArgoRollouts),
        "flagger.app" => Some(Kind::Flagger),
        "openslo" | "openslo.com" => Some(Kind::OpenSlo),
        _ if version.is_empty() && node.key("kind").is_none() => {
            let config = node.key("canaryConfig").unwrap_or(node);
            let metrics = matches!(config.key("metrics").map(|n| &n.value), Some(Value::List(_)));
            metrics.then_some(Kind::Kayenta)
        }
        _ => None,
    }
}

/// The documents of a text, with lists expanded, also those that `kubectl get` prints.
fn parts<'d>(roots: &[At<'d>]) -> Vec<At<'d>> {
    let mut parts: Vec<At<'d>> = Vec::new();
    for root in roots {
        let items = root.node.key("items").map(|items| &items.value);
        if matches!(root.node.value, Value::List(_)) {
            parts.extend(root.items());
        } else if root.node.text_at("kind").is_some_and(|kind| kind.ends_with("List"))
            && matches!(items, Some(Value::List(_)))
        {
            nothing(root, &["apiVersion", "kind", "metadata"]);
            parts.extend(root.list("items"));
        } else {
            parts.push(root.clone());
        }
    }
    parts
}

/// The documents of one tool, others get a finding. None after errors, which are in the notes.
pub(super) fn sources<'d>(
    roots: &[At<'d>],
    wanted: Option<Kind>,
) -> Result<(Kind, Vec<Source<'d>>), Option<Fault>> {
    let parts = parts(roots);
    let stated = |part: &At<'d>| match wanted {
        Some(Kind::Kayenta) if part.node.key("apiVersion").is_none() => {
            wanted.filter(|_| part.node.key("kind").is_none())
        }
        _ => kind_of(part.node),
    };
    let Some(kind) = parts.iter().filter_map(stated).find(|kind| wanted.is_none_or(|w| w == *kind))
    else {
        return Err(of_none(&parts, wanted));
    };
    let mut sources = Vec::new();
    let mut sound = true;
    for part in parts {
        let name = part.node.text_at("kind").unwrap_or_default();
        let version = part.node.text_at("apiVersion");
        let own = stated(&part) == Some(kind);
        if let Some(tool) = Kind::having(name)
            && (own || version.is_none() && tool == kind)
            && version.is_none_or(|version| !tool.tool().versions.contains(&version))
        {
            wrong_version(&part, tool, name);
            sound = false;
            continue;
        }
        if !own {
            if wanted.is_none() && kind_of(part.node).is_some() {
                part.fail::<()>(Fault::Several { what: "tool" });
            }
            let kind =
                part.node.text_at("kind").map_or("document without a kind".to_owned(), shown);
            part.lost(ImportFinding::OtherDocument { kind });
            continue;
        }
        let metadata = part.node.key("metadata");
        let of = |key| metadata.and_then(|metadata| metadata.text_at(key)).unwrap_or_default();
        if kind != Kind::Kayenta {
            nothing(&part, &["apiVersion", "kind", "metadata", "status"]);
        }
        sources.push(Source {
            kind: name,
            name: of("name"),
            namespace: of("namespace"),
            used: Cell::new(false),
            at: part,
        });
    }
    if sound { Ok((kind, sources)) } else { Err(None) }
}

/// A document of a known kind with a missing or different version.
fn wrong_version(part: &At<'_>, tool: Kind, kind: &str) {
    let Tool { title: of, versions, .. } = tool.tool();
    let expected = versions.first().copied().unwrap_or_default();
    let at = part.get("apiVersion");
    let got = at.as_ref().map(|at| at.node.shown());
    let fault = Fault::Version { kind: kind.to_owned(), of, got, expected };
    at.as_ref().unwrap_or(part).fail::<()>(fault);
}

/// Why the documents are of no known tool, or not of the wanted one. None if the notes say it.
fn of_none(parts: &[At<'_>], wanted: Option<Kind>) -> Option<Fault> {
    let kind_in = |part: &At<'_>| part.node.text_at("kind").and_then(Kind::having);
    let own = parts.iter().find(|part| kind_in(part).is_some()).or_else(|| parts.first());
    if let Some(part) = own
        && let Some(tool) = kind_in(part)
        && wanted.is_none_or(|wanted| wanted == tool)
    {
        wrong_version(part, tool, part.node.text_at("kind").unwrap_or_default());
        return None;
    }
    let of = |part: &At<'_>| {
        let version = part.node.text_at("apiVersion");
        version.map_or("without `apiVersion`".to_owned(), |of| format!("of `{}`", shown(of)))
    };
    let what = match own.map(|part| (part.node.text_at("kind"), of(part))) {
        None => "the text has no document".to_owned(),
        Some((None, of)) => format!("a document {of} has no `kind`"),
        Some((Some(kind), of)) => {
            let by = wanted.map_or_else(String::new, |wanted| format!(" as `{wanted}`"));
            format!("the kind `{}` {of} is not imported{by}{}", shown(kind), meant(kind, Kind::ALL))
        }
    };
    let expected = wanted.map_or_else(
        || joined(Kind::ALL.iter().map(|kind| kind.tool().expected), ", or "),
        |wanted| wanted.tool().expected.to_owned(),
    );
    let fault = Fault::UnknownKind { what, expected };
    match own {
        Some(part) => part.fail(fault),
        None => Some(fault),
    }
}
