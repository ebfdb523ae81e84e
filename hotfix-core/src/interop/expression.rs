//! Conditions of Argo Rollouts on a measured value: the values that they accept.
//!
//! A condition becomes the set of numbers that it accepts, and whether it accepts a missing value.
//! An interval begins and ends beside a number: `x < 5` ends before 5, `x <= 5` after it.

/// A place between numbers.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(super) struct Cut {
    pub(super) figure: f64,
    /// Whether it is after the figure, otherwise before it.
    pub(super) after: bool,
}

impl Cut {
    const LEAST: Self = Self::before(f64::NEG_INFINITY);
    const MOST: Self = Self::after(f64::INFINITY);

    const fn before(figure: f64) -> Self {
        Self { figure, after: false }
    }

    const fn after(figure: f64) -> Self {
        Self { figure, after: true }
    }
}

type Interval = (Cut, Cut);

/// The values that a condition accepts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Accepts {
    /// Separate, not empty, and in rising order.
    pub(super) intervals: Vec<Interval>,
    pub(super) missing: bool,
    pub(super) series: Series,
}

/// How a condition quantifies the series of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Series {
    One,
    All,
    Any,
}

const MOST_TERMS: usize = 64;

/// Reads a condition. The error says what is not supported.
pub(super) fn read(text: &str) -> Result<Accepts, String> {
    let tokens = tokens(text)?;
    if tokens.len() > 16 * MOST_TERMS {
        return Err("it is too long".to_owned());
    }
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0, element: false };
    let accepts = parser.either()?;
    match parser.peek() {
        None => Ok(accepts),
        Some(token) => Err(format!("`{token}` is not supported here")),
    }
}

impl Accepts {
    fn new(intervals: Vec<Interval>, missing: bool) -> Self {
        Self { intervals, missing, series: Series::One }
    }

    fn constant(holds: bool) -> Self {
        let all = if holds { vec![(Cut::LEAST, Cut::MOST)] } else { Vec::new() };
        Self::new(all, holds)
    }

    pub(super) fn not(&self) -> Self {
        let mut rest = Vec::new();
        let mut from = Cut::LEAST;
        for &(low, high) in self.intervals.iter().chain([&(Cut::MOST, Cut::MOST)]) {
            if from < low {
                rest.push((from, low));
            }
            from = high;
        }
        let series = match self.series {
            Series::One => Series::One,
            Series::All => Series::Any,
            Series::Any => Series::All,
        };
        Self { intervals: rest, missing: !self.missing, series }
    }

    fn and(&self, other: &Self) -> Result<Self, String> {
        let mut both = Vec::new();
        for &(low, high) in &self.intervals {
            for &(other_low, other_high) in &other.intervals {
                let low = if low < other_low { other_low } else { low };
                let high = if high < other_high { high } else { other_high };
                if low < high {
                    both.push((low, high));
                }
            }
        }
        let series = self.joined(other)?;
        Ok(Self { intervals: both, missing: self.missing && other.missing, series })
    }

    fn or(&self, other: &Self) -> Result<Self, String> {
        let mut either = self.not().and(&other.not())?.not();
        either.series = self.joined(other)?;
        Ok(either)
    }

    fn joined(&self, other: &Self) -> Result<Series, String> {
        let silent =
            |accepts: &Self| accepts.intervals.is_empty() || accepts.not().intervals.is_empty();
        match (self.series, other.series) {
            (one, two) if one == two => Ok(one),
            (one, _) if silent(other) => Ok(one),
            (_, two) if silent(self) => Ok(two),
            _ => Err("it uses one series and also all series".to_owned()),
        }
    }
}

#[derive(Clone, Copy)]
enum Token<'t> {
    Number(f64),
    Word(&'t str),
    Sign(&'static str),
}

impl std::fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Word(word) => crate::text::shown(word).fmt(f),
            Self::Sign(sign) => sign.fmt(f),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token<'_>>, String> {
    const SIGNS: [&str; 20] = [
        "&&", "||", ">=", "<=", "==", "!=", ">", "<", "!", "(", ")", "[", "]", "{", "}", ",", "#",
        "-", "+", ".",
    ];
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = if first.is_ascii_digit() {
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '_'));
            let mut end = end.unwrap_or(rest.len());
            // `1e-3`
            let exponent = rest.get(..end).is_some_and(|t| t.ends_with(['e', 'E']));
            if exponent && rest.get(end..).is_some_and(|after| after.starts_with(['-', '+'])) {
                let after = rest.get(end + 1..).unwrap_or_default();
                let digits = after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len());
                end += 1 + digits;
            }
            let number = rest.get(..end).unwrap_or_default();
            let read =
                number.replace('_', "").parse().ok().filter(|number: &f64| number.is_finite());
            let shown = crate::text::shown(number);
            tokens.push(Token::Number(read.ok_or_else(|| format!("`{shown}` is not a number"))?));
            end
        } else if first.is_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
            tokens.push(Token::Word(rest.get(..end).unwrap_or_default()));
            end
        } else {
            let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign));
            let Some(sign) = sign else {
                let shown = crate::text::shown(&first.to_string());
                return Err(format!("`{shown}` is not supported here"));
            };
            tokens.push(Token::Sign(sign));
            sign.len()
        };
        rest = rest.get(end..).unwrap_or_default().trim_start();
    }
    Ok(tokens)
}

enum Side {
    Number(f64),
    /// The value, with the default for a missing one.
    Value(Option<f64>),
    /// The number of values.
    Count,
    /// No value: `nil`.
    Nothing,
}

struct Parser<'t> {
    tokens: &'t [Token<'t>],
    at: usize,
    depth: usize,
    /// Inside of `all` or `any`, where `#` is an element.
    element: bool,
}

impl<'t> Parser<'t> {
    fn peek(&self) -> Option<Token<'t>> {
        self.tokens.get(self.at).copied()
    }

    fn take(&mut self, sign: &str) -> bool {
        let there = matches!(self.peek(), Some(Token::Sign(next)) if next == sign);
        self.at += usize::from(there);
        there
    }

    fn expect(&mut self, sign: &str) -> Result<(), String> {
        if self.take(sign) {
            return Ok(());
        }
        let got = self.peek().map_or_else(|| "the end".to_owned(), |token| format!("`{token}`"));
        Err(format!("`{sign}` is expected instead of {got}"))
    }

    fn word(&mut self, words: &[&str]) -> Option<&'t str> {
        let Some(Token::Word(word)) = self.peek() else { return None };
        let there = words.contains(&word);
        self.at += usize::from(there);
        there.then_some(word)
    }

    fn either(&mut self) -> Result<Accepts, String> {
        self.depth += 1;
        if self.depth > MOST_TERMS {
            return Err("it is nested too deeply".to_owned());
        }
        let mut accepts = self.both()?;
        while self.take("||") || self.word(&["or"]).is_some() {
            accepts = accepts.or(&self.both()?)?;
        }
        self.depth -= 1;
        Ok(accepts)
    }

    fn both(&mut self) -> Result<Accepts, String> {
        let mut accepts = self.term()?;
        while self.take("&&") || self.word(&["and"]).is_some() {
            accepts = accepts.and(&self.term()?)?;
        }
        Ok(accepts)
    }

    fn term(&mut self) -> Result<Accepts, String> {
        let mut turned = false;
        while self.take("!") || self.word(&["not"]).is_some() {
            turned = !turned;
        }
        let accepts = self.plain()?;
        Ok(if turned { accepts.not() } else { accepts })
    }

    /// Whether the parenthesis that opens here is around a value: a comparison follows it.
    fn opens_value(&self) -> bool {
        let rest = self.tokens.get(self.at..).unwrap_or_default();
        let mut open = 0_usize;
        let end = rest.iter().position(|token| {
            match token {
                Token::Sign("(") => open += 1,
                Token::Sign(")") => open = open.saturating_sub(1),
                _ => {}
            }
            open == 0
        });
        let next = end.and_then(|end| rest.get(end + 1));
        matches!(next, Some(Token::Sign(">=" | "<=" | "==" | "!=" | ">" | "<")))
    }

    fn plain(&mut self) -> Result<Accepts, String> {
        if !self.opens_value() && self.take("(") {
            let accepts = self.either()?;
            self.expect(")")?;
            return Ok(accepts);
        }
        if let Some(word) = self.word(&["true", "false"]) {
            return Ok(Accepts::constant(word == "true"));
        }
        if let Some(word) = self.word(&["isNaN", "isNil", "isInf"]) {
            self.expect("(")?;
            self.side()?;
            self.expect(")")?;
            // A reading is finite or missing.
            return Ok(Accepts::new(Vec::new(), word != "isInf"));
        }
        if let Some(word) = self.word(&["all", "any", "none"]) {
            return self.every(word);
        }
        let left = self.side()?;
        let operator = match self.peek() {
            Some(Token::Sign(sign @ (">=" | "<=" | "==" | "!=" | ">" | "<"))) => sign,
            Some(token) => return Err(format!("`{token}` is not supported here")),
            None => return Err("a comparison has no value".to_owned()),
        };
        self.at += 1;
        let right = self.side()?;
        compared(&left, operator, &right)
    }

    fn every(&mut self, word: &str) -> Result<Accepts, String> {
        if self.element {
            return Err("`all` or `any` is nested in another".to_owned());
        }
        self.expect("(")?;
        if !matches!(self.side()?, Side::Value(None)) {
            return Err(format!("`{word}` is not applied to the result"));
        }
        self.expect(",")?;
        let braced = self.take("{");
        self.element = true;
        let inner = self.either();
        self.element = false;
        let inner = inner?;
        if braced {
            self.expect("}")?;
        }
        self.expect(")")?;
        // Without a series, `all` is true and `any` is false.
        Ok(match word {
            "all" => Accepts { missing: true, series: Series::All, ..inner },
            "any" => Accepts { missing: false, series: Series::Any, ..inner },
            _ => Accepts { missing: false, series: Series::Any, ..inner }.not(),
        })
    }

    fn side(&mut self) -> Result<Side, String> {
        if self.take("-") {
            return match self.side()? {
                Side::Number(number) => Ok(Side::Number(-number)),
                _ => Err("a value is negated".to_owned()),
            };
        }
        if self.take("+") {
            return self.side();
        }
        if self.take("(") {
            let side = self.side()?;
            self.expect(")")?;
            return Ok(side);
        }
        if self.element && self.take("#") {
            return Ok(Side::Value(None));
        }
        if self.word(&["nil"]).is_some() {
            return Ok(Side::Nothing);
        }
        if self.word(&["result"]).is_some() {
            if self.element {
                return Err("`result` is used inside `all` or `any`".to_owned());
            }
            if self.take("[") {
                match self.peek() {
                    Some(Token::Number(0.0)) => self.at += 1,
                    _ => return Err("a series other than the first is used".to_owned()),
                }
                self.expect("]")?;
            }
            return Ok(Side::Value(None));
        }
        if let Some(word) = self.word(&["len", "default", "asFloat", "asInt", "float", "int"]) {
            self.expect("(")?;
            let inner = self.side()?;
            let Side::Value(guard) = inner else {
                return Err(format!("`{word}` is not applied to the result"));
            };
            let side = match word {
                "len" => Side::Count,
                "default" => {
                    self.expect(",")?;
                    match self.side()? {
                        Side::Number(number) => Side::Value(Some(number)),
                        _ => return Err("the value of `default` is not a number".to_owned()),
                    }
                }
                "asInt" | "int" => return Err(format!("`{word}` rounds")),
                _ => Side::Value(guard),
            };
            self.expect(")")?;
            return Ok(side);
        }
        match self.peek() {
            Some(Token::Number(number)) => {
                self.at += 1;
                Ok(Side::Number(number))
            }
            Some(token) => Err(format!("`{token}` is not supported here")),
            None => Err("it is incomplete".to_owned()),
        }
    }
}

fn compared(left: &Side, operator: &'static str, right: &Side) -> Result<Accepts, String> {
    let turned = match operator {
        ">=" => "<=",
        "<=" => ">=",
        ">" => "<",
        "<" => ">",
        same => same,
    };
    let (low, high) = (Cut::LEAST, Cut::MOST);
    let accepted = |figure: f64| {
        let (before, after) = (Cut::before(figure), Cut::after(figure));
        match operator {
            ">=" => vec![(before, high)],
            "<=" => vec![(low, after)],
            ">" => vec![(after, high)],
            "<" => vec![(low, before)],
            "==" => vec![(before, after)],
            _ => vec![(low, before), (after, high)],
        }
    };
    let holds = |value: f64, figure: f64| {
        let (before, after) = (Cut::before(value), Cut::after(value));
        accepted(figure).iter().any(|(low, high)| *low <= before && after <= *high)
    };
    match (left, right) {
        (Side::Value(guard), Side::Number(figure)) => {
            let missing = guard.is_some_and(|value| holds(value, *figure));
            Ok(Accepts::new(accepted(*figure), missing))
        }
        // The number of values is 1 or 0.
        (Side::Count, Side::Number(figure)) => {
            Ok(Accepts { missing: holds(0.0, *figure), ..Accepts::constant(holds(1.0, *figure)) })
        }
        (Side::Value(None), Side::Nothing) => match operator {
            "==" => Ok(Accepts::new(Vec::new(), true)),
            "!=" => Ok(Accepts::new(Vec::new(), true).not()),
            _ => Err("`nil` cannot be ordered".to_owned()),
        },
        (Side::Number(_), Side::Value(_) | Side::Count) | (Side::Nothing, Side::Value(None)) => {
            compared(right, turned, left)
        }
        _ => Err("it does not compare the result with a number".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Cut, read};

    #[test]
    fn field_5_a_condition_accepts_what_it_says() {
        let (low, high) = (Cut::LEAST, Cut::MOST);
        let (before, after) = (Cut::before, Cut::after);
        for (text, intervals, missing) in [
            ("result[0] >= 0.95", vec![(before(0.95), high)], false),
            ("result < 5", vec![(low, before(5.0))], false),
            ("!(result < 5)", vec![(before(5.0), high)], true),
            ("0.95 <= result[0]", vec![(before(0.95), high)], false),
            ("isNaN(result[0]) || result[0] < -1e-3", vec![(low, before(-1e-3))], true),
            ("len(result) == 0 || result[0] <= 3", vec![(low, after(3.0))], true),
            ("len(result) > 0 && result[0] <= 3", vec![(low, after(3.0))], false),
            ("default(result[0], 0) <= 0.05", vec![(low, after(0.05))], true),
            ("(default(result, 0)) < 5", vec![(low, before(5.0))], true),
            ("0.05 > ((result[0]))", vec![(low, before(0.05))], false),
            ("((result[0]) < 5 && (1) < (result))", vec![(after(1.0), before(5.0))], false),
            ("default(result, 1) <= 0.05", vec![(low, after(0.05))], false),
            ("default(result, 0) > 0", vec![(after(0.0), high)], false),
            ("default(result, 0) >= 0", vec![(before(0.0), high)], true),
            ("result[0] >= 1 and (result[0] <= 2)", vec![(before(1.0), after(2.0))], false),
            ("result[0] > 1 && result[0] < 1", vec![], false),
            ("result[0] > 1 || result[0] <= 1", vec![(low, high)], false),
            ("result[0] >= -0 && result[0] <= 0", vec![(before(0.0), after(0.0))], false),
            ("!(result[0] > 2)", vec![(low, after(2.0))], true),
            ("result[0] == nil || result[0] == 7", vec![(before(7.0), after(7.0))], true),
            ("result[0] != 7", vec![(low, before(7.0)), (after(7.0), high)], false),
            ("true", vec![(low, high)], true),
            ("all(result, # <= 5)", vec![(low, after(5.0))], true),
            ("any(result, {# <= 5})", vec![(low, after(5.0))], false),
            ("asFloat(result[0]) <= 1_000", vec![(low, after(1000.0))], false),
        ] {
            let accepts = read(text).expect(text);
            assert_eq!((accepts.intervals, accepts.missing), (intervals, missing), "{text}");
        }
    }

    #[test]
    fn field_5_an_unsupported_condition_is_refused() {
        for (text, why) in [
            ("", "it is incomplete"),
            ("result[1] > 0", "a series other than the first is used"),
            ("result.ok == true", "`.` is not supported here"),
            ("result[0] > 1 extra", "`extra` is not supported here"),
            ("result[0] * 2 > 1", "`*` is not supported here"),
            ("result[0] == \"up\"", "`\"` is not supported here"),
            ("(result[0] > 1", "`)` is expected instead of the end"),
            ("asInt(result[0]) > 1", "`asInt` rounds"),
            ("1 > 2", "it does not compare the result with a number"),
            ("1.2.3 > result", "`1.2.3` is not a number"),
            ("all(result, # > 1) && result[0] > 1", "it uses one series and also all series"),
        ] {
            assert_eq!(read(text).expect_err(text), why, "{text}");
        }
        let deep = "(".repeat(1000);
        assert_eq!(read(&deep).expect_err("too deep"), "it is nested too deeply");
        let long = "result > 1 && ".repeat(1000);
        assert_eq!(read(&long).expect_err("too long"), "it is too long");
    }
}
