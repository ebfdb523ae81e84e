//! Commands of an organisation: one line for a POSIX shell, with placeholders as in `{{ version }}`.
//!
//! A value is inserted in its quoted form, so it is one argument or a part of one, whatever it
//! contains. Inside quotes that would be wrong: a placeholder there is refused. Braces around
//! anything but a plain name belong to the command, as in `docker inspect -f '{{.State}}'`.

use crate::document::Node;
use crate::grade::closed_set;
use crate::policy::error::{Problem, nearest, shown};
use crate::policy::field::TextOrNone;
use crate::policy::reader::{Narrowed, PolicyReader};
use crate::unit::is_invisible;

closed_set! {
    /// A value that a command can name in double braces, as in `{{ version }}`.
    CommandField {
        /// The version of the fix.
        Version = "version",
        /// The version to roll back to.
        Previous = "previous",
        /// The tag of the fix, where tags are named after versions.
        Tag = "tag",
        /// The branch of the fix.
        Branch = "branch",
        /// The commit of the fix.
        Commit = "commit",
        /// The service of the incident.
        Service = "service",
        /// The id of the incident.
        Incident = "incident",
        /// The name of the phase.
        Phase = "phase",
        /// The share of the traffic in the phase, in percent and without a sign: `10`.
        Share = "share",
        /// How many instances a phase of a rolling deployment updates; no value with another strategy.
        Batch = "batch",
    }
}

impl CommandField {
    /// Whether only the commands of a phase have a value for it.
    pub const fn is_of_a_phase(self) -> bool {
        matches!(self, Self::Phase | Self::Share | Self::Batch)
    }
}

/// A command; `PHASE`: it may name the phase and its share.
pub(super) struct CommandLine<const PHASE: bool>;

impl<const PHASE: bool> Narrowed for CommandLine<PHASE> {
    type Of = TextOrNone;

    fn check(text: String, _: &Node, reader: &mut PolicyReader) -> Option<String> {
        let read = command_parts(&text, PHASE).map(|_| ());
        read.map_or_else(|problem| reader.fail(problem), |()| Some(text))
    }
}

const MOST_CHARACTERS: usize = 2_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommandPart<'t> {
    Text(&'t str),
    Field(CommandField),
}

/// Where the shell is in the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quoting {
    Plain,
    Single,
    Double,
    Backticks,
}

/// The parts of a command. `in_phase`: it belongs to a phase, which has a name and a share.
pub(crate) fn command_parts(text: &str, in_phase: bool) -> Result<Vec<CommandPart<'_>>, Problem> {
    if text.trim().is_empty() {
        return form("the command is empty");
    }
    if text.chars().count() > MOST_CHARACTERS {
        return form("the command has more than 2000 characters");
    }
    if text.contains(is_invisible) {
        return form("the command has a line break or another invisible character");
    }
    let (mut parts, mut from, mut quoting) = (Vec::new(), 0, Quoting::Plain);
    // How many parts come before the first quotes that are inside of quotes.
    let (mut skip, mut nested_after) = (0, None);
    for (at, c) in text.char_indices() {
        if at < skip {
            continue;
        }
        let rest = text.get(at..).unwrap_or_default();
        if let Some((name, length)) = placeholder(rest) {
            let field = field(name, in_phase)?;
            if quoting != Quoting::Plain {
                let detail = format!("`{name}` is inside quotes, and its value is quoted already");
                return Err(Problem::CommandForm { detail });
            }
            parts.extend(text.get(from..at).filter(|t| !t.is_empty()).map(CommandPart::Text));
            parts.push(CommandPart::Field(field));
            skip = at + length;
            from = skip;
            continue;
        }
        if let Some(name) = rest.strip_prefix("{{").and_then(unclosed) {
            let fault = format!("`{name}` is not followed by `}}}}`");
            return Err(Problem::CommandField { fault, nearest: None });
        }
        match (quoting, c) {
            (Quoting::Plain | Quoting::Double | Quoting::Backticks, '\\') => {
                // The escaped character has no meaning; a line break is refused above.
                let Some(escaped) = rest.chars().nth(1) else {
                    return form("the command ends with a backslash");
                };
                skip = at + 1 + escaped.len_utf8();
                if placeholder(text.get(at + 1..).unwrap_or_default()).is_some() {
                    return form("a backslash comes before a placeholder");
                }
            }
            (Quoting::Plain | Quoting::Backticks, '$') if names_variable(rest) => {
                return form("`$` comes before a placeholder, whose value would name a variable");
            }
            (Quoting::Plain, '$') if rest.starts_with("$'") => {
                return form("`$'…'` is not a quote of every shell");
            }
            // Quotes inside would be those of another command.
            (Quoting::Double, '$' | '`') if nests(rest) => {
                nested_after.get_or_insert(parts.len());
            }
            (Quoting::Plain, '\'') => quoting = Quoting::Single,
            (Quoting::Plain, '"') => quoting = Quoting::Double,
            (Quoting::Plain, '`') => quoting = Quoting::Backticks,
            (Quoting::Single, '\'') | (Quoting::Double, '"') | (Quoting::Backticks, '`') => {
                quoting = Quoting::Plain;
            }
            (Quoting::Plain | Quoting::Single | Quoting::Double | Quoting::Backticks, _) => {}
        }
    }
    if quoting != Quoting::Plain {
        return form("a quote is not closed");
    }
    if nested_after.is_some_and(|before| parts.len() > before) {
        return form(
            "a placeholder follows `$(`, `${` or a back-tick inside double quotes (put these behind \
             it, or in front without quotes, as in `x=$(…)`)",
        );
    }
    parts.extend(text.get(from..).filter(|rest| !rest.is_empty()).map(CommandPart::Text));
    Ok(parts)
}

/// Whether a `$` is here whose variable a placeholder would name: `${{ version }}`, as in other tools.
fn names_variable(text: &str) -> bool {
    let mut names = ["$", "${"].iter().filter_map(|start| text.strip_prefix(start));
    names.any(|name| placeholder(name).is_some())
}

/// Whether quotes may follow inside of the double quotes here: not after the plain name of a variable.
fn nests(text: &str) -> bool {
    let is_plain = |inside: &str| {
        let name = inside.split('}').next().unwrap_or_default();
        name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    match text.strip_prefix("${") {
        Some(inside) => !is_plain(inside),
        None => text.starts_with('`') || text.starts_with("$("),
    }
}

fn form<T>(detail: &str) -> Result<T, Problem> {
    Err(Problem::CommandForm { detail: detail.to_owned() })
}

/// The name of the placeholder with which a text begins, and its length in bytes.
fn placeholder(text: &str) -> Option<(&str, usize)> {
    let inside = text.strip_prefix("{{")?;
    let end = inside.find("}}")?;
    let name = inside.get(..end)?.trim();
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    is_name.then_some((name, end + 4))
}

/// The field that the text in braces begins with, where these are no placeholder. None: the braces belong
/// to the shell, or to the template of a program.
fn unclosed(inside: &str) -> Option<&'static str> {
    let inside = inside.trim_start();
    let end = inside.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(inside.len());
    let name = inside.get(..end)?;
    CommandField::ALL.iter().map(|field| field.as_str()).find(|field| *field == name)
}

fn field(name: &str, in_phase: bool) -> Result<CommandField, Problem> {
    let is_known = |field: &&CommandField| in_phase || !field.is_of_a_phase();
    let mut known = CommandField::ALL.iter().filter(is_known);
    known.clone().find(|field| field.as_str() == name).copied().ok_or_else(|| {
        let nearest = nearest(name, known.by_ref().map(|field| field.as_str()));
        let fault = format!("`{}` is not a placeholder here", shown(name));
        Problem::CommandField { fault, nearest }
    })
}

/// A value in the form in which a command gets it; None if no command may have it: an empty one, one
/// that a program takes for an option, or one with invisible characters.
pub(crate) fn quoted_value(value: &str) -> Option<String> {
    if value.is_empty() || value.starts_with('-') || value.contains(is_invisible) {
        return None;
    }
    shlex::try_quote(value).ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(text: &str) -> String {
        let part = |part: &CommandPart<'_>| match part {
            CommandPart::Text(text) => (*text).to_owned(),
            CommandPart::Field(field) => format!("<{field}>"),
        };
        match command_parts(text, true) {
            Ok(parts) => parts.iter().map(part).collect(),
            Err(fault) => format!("{fault:?}"),
        }
    }

    #[test]
    fn plan_8_placeholders_are_found_outside_of_quotes_only() {
        for (text, wanted) in [
            (
                "./deploy.sh {{ version }} --canary {{share}}%",
                "./deploy.sh <version> --canary <share>%",
            ),
            ("image=app:{{ version }}", "image=app:<version>"),
            // The command's own braces.
            (
                "docker inspect -f '{{.State}}' {{ service }}",
                "docker inspect -f '{{.State}}' <service>",
            ),
            ("echo ${x} \\{", "echo ${x} \\{"),
            (
                "cp {{a,b},c} '{{ .version }}' {{versions",
                "cp {{a,b},c} '{{ .version }}' {{versions",
            ),
            (
                "tail -f log | grep \"a\\\"b\" {{ service }}",
                "tail -f log | grep \"a\\\"b\" <service>",
            ),
        ] {
            assert_eq!(marked(text), wanted);
        }
        for text in ["echo \"{{ version }}\"", "echo '{{ version }}'", "echo `x {{ version }}`"] {
            let detail = "`version` is inside quotes, and its value is quoted already".to_owned();
            assert_eq!(command_parts(text, true), Err(Problem::CommandForm { detail }), "{text}");
        }
        for text in [
            "",
            " ",
            "a\nb",
            "echo 'a",
            "echo \"a",
            "a\\",
            "echo $'a'",
            "echo \\{{ version }}",
            "echo \"$(echo \"{{ version }}\")\"",
        ] {
            let is_form = |detail: &str| !detail.contains("its value is quoted already");
            let fault = command_parts(text, true).unwrap_err();
            assert!(matches!(fault, Problem::CommandForm { detail } if is_form(&detail)), "{text}");
        }
        let near = command_parts("echo {{ verison }}", true);
        let fault = "`verison` is not a placeholder here".to_owned();
        assert_eq!(near, Err(Problem::CommandField { fault, nearest: Some("version") }));
        assert!(command_parts("echo {{ share }}", false).is_err());
        for text in ["echo {{version", "echo {{ version }", "echo '{{version | upper}}'"] {
            let fault = "`version` is not followed by `}}`".to_owned();
            let found = Err(Problem::CommandField { fault, nearest: None });
            assert_eq!(command_parts(text, true), found, "{text}");
        }
    }

    #[test]
    fn plan_8_a_value_is_one_argument_or_none() {
        let values = ["2.3.1", "a b", "$(reboot)", "a'b", "x;y"].map(quoted_value);
        assert_eq!(values.map(|value| shlex::split(&value.unwrap()).unwrap().len()), [1; 5]);
        assert_eq!(
            ["", "--force", "a\nb", "a\u{1b}[2J"].map(quoted_value),
            [None, None, None, None]
        );
    }
}
