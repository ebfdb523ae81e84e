//! The language of message templates: a small subset of Jinja, checked here before minijinja reads
//! it.
//!
//! `{{ field }}`, `{{ field | filter("text") }}`, `{% if … %}`, `{% elif … %}`, `{% else %}`,
//! `{% endif %}`, `{% for line in field %}`, `{% endfor %}`. A condition has fields, `not`, `and`,
//! `or`, parentheses and comparisons with a text. There is no arithmetic, no assignment, no include and no macro,
//! so a template cannot build a name: all are checked when a policy is read, in conditions and loops as well.

use super::error::Problem;
use crate::grade::Audience;
use crate::policy::section::{MESSAGE_FIELDS, MessageField};
use crate::text::{nearest, shown};

pub(crate) const MOST_CHARACTERS: usize = 4_000;

/// How deep conditions and loops may be nested.
const MOST_DEPTH: usize = 8;

/// The filters; `message/render.rs` describes what each does.
pub(crate) const FILTERS: &[&str] = &["default", "first", "join", "last", "lower", "upper"];

/// A template, read as far as possible.
#[derive(Debug, Default)]
pub(crate) struct Read<'t> {
    /// The fields that it names, in order, with repetitions.
    pub(crate) fields: Vec<&'t str>,
    pub(crate) faults: Vec<Problem>,
}

pub(crate) fn read(text: &str, audience: Audience) -> Read<'_> {
    let mut reader =
        TemplateReader { audience, line: 1, blocks: Vec::new(), read: Read::default() };
    reader.text(text);
    reader.read
}

/// An open condition or loop.
struct Block<'t> {
    line: usize,
    /// The variable of the loop; none: a condition.
    variable: Option<&'t str>,
    /// Whether the `else` of the condition was read.
    has_else: bool,
}

struct TemplateReader<'t> {
    audience: Audience,
    line: usize,
    blocks: Vec<Block<'t>>,
    read: Read<'t>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'t> {
    Name(&'t str),
    Text,
    Sign(&'t str),
}

impl<'t> TemplateReader<'t> {
    fn text(&mut self, text: &'t str) {
        if text.chars().count() > MOST_CHARACTERS {
            self.form(format!("the text has more than {MOST_CHARACTERS} characters"));
            return;
        }
        let mut from = 0;
        while let Some((at, opens)) = next_tag(text, from) {
            self.line += text.get(from..at).map_or(0, |before| before.matches('\n').count());
            let closes = match opens {
                "{{" => "}}",
                "{%" => "%}",
                _ => {
                    self.form("comments are not allowed in a template".to_owned());
                    return;
                }
            };
            let inside = text.get(at + 2..).unwrap_or_default();
            // Braces that open again before these close belong to the next tag.
            let again = next_tag(inside, 0).map_or(inside.len(), |(again, _)| again);
            let Some(end) = inside.find(closes).filter(|end| *end < again) else {
                self.braces("a placeholder is not closed", text, at);
                return;
            };
            let tag = inside.get(..end).unwrap_or_default();
            if tag.trim().is_empty() {
                self.braces("a placeholder names no field", text, at);
            } else {
                match tokens(tag) {
                    Ok(tokens) if opens == "{{" => self.placeholder(&tokens),
                    Ok(tokens) => self.statement(&tokens),
                    Err(sign) => {
                        self.form(format!("`{sign}` has no meaning between braces"));
                    }
                }
            }
            self.line += tag.matches('\n').count();
            from = at + 2 + end + 2;
        }
        for block in std::mem::take(&mut self.blocks) {
            self.line = block.line;
            let opened = if block.variable.is_some() { "for" } else { "if" };
            self.form(format!("`{opened}` has no `end{opened}`"));
        }
    }

    /// Reports braces that are not closed or are empty. `at`: the byte where they open.
    fn braces(&mut self, detail: &'static str, text: &str, at: usize) {
        let at = text.get(..at).map_or(0, |before| before.chars().count()) + 1;
        self.read.faults.push(Problem::Placeholder { detail, at });
    }

    /// Reports something outside the template language.
    fn form(&mut self, detail: String) {
        self.read.faults.push(Problem::Template { detail, line: self.line });
    }

    /// Reads a name in an expression. None for the variable of a loop around it, and after an error.
    fn name(&mut self, name: &'t str) -> Option<&'static MessageField> {
        if self.blocks.iter().any(|block| block.variable == Some(name)) {
            return None;
        }
        self.read.fields.push(name);
        let (audience, line) = (self.audience, self.line);
        let Some(field) = MessageField::find(name) else {
            let known = MESSAGE_FIELDS.iter().filter(|field| field.is_for(audience));
            let nearest = nearest(name, known.map(|field| field.name));
            let fault = format!("`{}` is not a field of messages", shown(name));
            self.read.faults.push(Problem::MessageField { fault, line, nearest });
            return None;
        };
        if !field.is_for(audience) {
            let fault = format!("`{name}` is not available for the audience {audience}");
            self.read.faults.push(Problem::MessageField { fault, line, nearest: None });
        }
        Some(field)
    }

    /// `field`, `field | filter`, `field | filter("text")`.
    fn placeholder(&mut self, tokens: &[Token<'t>]) {
        let [Token::Name(name), rest @ ..] = tokens else {
            self.form("the name of a field has to come first in the braces".to_owned());
            return;
        };
        self.name(name);
        let mut rest = rest;
        while let [Token::Sign("|"), Token::Name(filter), more @ ..] = rest {
            let more = after(more, |first| {
                matches!(first, [Token::Sign("("), Token::Text, Token::Sign(")")])
            });
            let had = rest.len() - more.len() > 2;
            if !FILTERS.contains(filter) {
                let near = nearest(filter, FILTERS.iter().copied());
                let hint = near.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
                self.form(format!("there is no filter `{filter}`{hint}"));
            } else if had != matches!(*filter, "default" | "join") {
                let wants = if had { "takes no text" } else { "needs a text in parentheses" };
                self.form(format!("the filter `{filter}` {wants}"));
            }
            rest = more;
        }
        if !rest.is_empty() {
            self.form("only filters may follow a field, as in `| default(\"…\")`".to_owned());
        }
    }

    fn statement(&mut self, tokens: &[Token<'t>]) {
        let [Token::Name(word), rest @ ..] = tokens else {
            self.form("a statement begins with `if`, `elif`, `else`, `for` or an end".to_owned());
            return;
        };
        match (*word, rest) {
            ("if", condition) => {
                self.condition(condition);
                self.open(None);
            }
            ("elif", condition) => {
                self.within_condition("elif");
                self.condition(condition);
            }
            ("else", []) => {
                self.within_condition("else");
                if let Some(block) = self.blocks.last_mut() {
                    block.has_else = true;
                }
            }
            ("for", [Token::Name(variable), Token::Name("in"), Token::Name(list)]) => {
                if let Some(field) = self.name(list)
                    && !field.lines
                {
                    self.form(format!("`{list}` has no lines to go through"));
                }
                if MessageField::find(variable).is_some() || is_word(variable) {
                    self.form(format!("`{variable}` has a meaning: call the line something else"));
                }
                self.open(Some(variable));
            }
            ("for", _) => self.form("a loop is `for line in field`".to_owned()),
            ("endif", []) => self.close(false),
            ("endfor", []) => self.close(true),
            (word, _) => self.form(format!("there is no statement `{word}` of this form")),
        }
    }

    fn open(&mut self, variable: Option<&'t str>) {
        if self.blocks.len() == MOST_DEPTH {
            self.form(format!("more than {MOST_DEPTH} nested conditions and loops"));
        }
        self.blocks.push(Block { line: self.line, variable, has_else: false });
    }

    fn within_condition(&mut self, word: &str) {
        let fits = self.blocks.last().is_some_and(|of| of.variable.is_none() && !of.has_else);
        if !fits {
            self.form(format!("`{word}` has no `if` before it"));
        }
    }

    fn close(&mut self, of_loop: bool) {
        if self.blocks.last().is_some_and(|block| block.variable.is_some() == of_loop) {
            self.blocks.pop();
        } else {
            let opens = if of_loop { "for" } else { "if" };
            self.form(format!("`end{opens}` has no `{opens}` before it"));
        }
    }

    /// Reads a condition: fields, `not`, `and`, `or`, parentheses, `==` and `!=` with a text.
    fn condition(&mut self, tokens: &[Token<'t>]) {
        let mut open = 0_usize;
        // Whether a term is expected next, or an operator.
        let mut wants_term = true;
        let mut rest = tokens;
        let good = loop {
            rest = match (wants_term, rest) {
                (false, []) => break open == 0,
                (true, [Token::Name("not"), rest @ ..]) => rest,
                (true, [Token::Sign("("), rest @ ..]) if open < MOST_DEPTH => {
                    open += 1;
                    rest
                }
                (true, [Token::Name(name), rest @ ..]) if !is_word(name) => {
                    self.name(name);
                    wants_term = false;
                    after(rest, |first| matches!(first, [Token::Sign("==" | "!="), Token::Text]))
                }
                (false, [Token::Sign(")"), rest @ ..]) if open > 0 => {
                    open -= 1;
                    rest
                }
                (false, [Token::Name("and" | "or"), rest @ ..]) => {
                    wants_term = true;
                    rest
                }
                _ => break false,
            };
        };
        if !good {
            let form = "a condition has fields, `not`, `and`, `or`, parentheses, and `==` or `!=` with a text";
            self.form(form.to_owned());
        }
    }
}

/// The tokens after the first `N`, if these are as expected; otherwise all of them.
fn after<'a, 't, const N: usize>(
    tokens: &'a [Token<'t>],
    is_it: impl Fn(&[Token<'t>; N]) -> bool,
) -> &'a [Token<'t>] {
    tokens.split_first_chunk().filter(|(first, _)| is_it(first)).map_or(tokens, |(_, rest)| rest)
}

fn is_word(name: &str) -> bool {
    const WORDS: &str = "and or not in is if else true false none loop recursive self";
    WORDS.split(' ').any(|word| name.eq_ignore_ascii_case(word))
}

/// The next start of a tag from this byte on.
fn next_tag(text: &str, from: usize) -> Option<(usize, &str)> {
    let rest = text.get(from..)?;
    let at = ["{{", "{%", "{#"].iter().filter_map(|opens| rest.find(opens)).min()?;
    Some((from + at, rest.get(at..at + 2)?))
}

/// The tokens of a tag, or the first invalid character.
fn tokens(tag: &str) -> Result<Vec<Token<'_>>, char> {
    let mut tokens = Vec::new();
    let mut rest = tag.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            'a'..='z' | 'A'..='Z' | '_' => {
                let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
                let length = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
                tokens.push(Token::Name(rest.get(..length).unwrap_or_default()));
                length
            }
            '"' | '\'' => {
                let inside = rest.get(1..).unwrap_or_default();
                let end = inside.find(first).ok_or(first)?;
                if inside.get(..end).is_none_or(|text| text.contains('\\')) {
                    return Err('\\');
                }
                tokens.push(Token::Text);
                end + 2
            }
            '|' | '(' | ')' => {
                tokens.push(Token::Sign(rest.get(..1).unwrap_or_default()));
                1
            }
            '=' | '!' if rest.get(1..2) == Some("=") => {
                tokens.push(Token::Sign(rest.get(..2).unwrap_or_default()));
                2
            }
            other => return Err(other),
        };
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    Ok(tokens)
}
