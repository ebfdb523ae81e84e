//! Escaping and shortening of text from outside.

/// Escapes text for Slack's mrkdwn, in which `&`, `<` and `>` begin links and mentions.
/// Source: Slack, Formatting message text, "Escaping text".
pub(crate) fn slack(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Length of a character after [`slack`] has escaped it.
pub(crate) const fn slack_length(c: char) -> usize {
    match c {
        '&' => 5,
        '<' | '>' => 4,
        c => c.len_utf16(),
    }
}

/// Whether every format links this address unchanged: `https` or `http`, nothing ends it.
pub(crate) fn is_address(text: &str) -> bool {
    const MOST: usize = 500;
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/?#@!$&+,;=%".contains(&b);
    text.len() <= MOST
        && rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
        && text.bytes().all(legal)
}

/// Shortens a text to at most `most`, as counted by `length`. A shortened text ends with `…`, after a
/// whole word where that keeps half of what fits.
pub(crate) fn shorten(text: &str, most: usize, length: impl Fn(char) -> usize) -> String {
    let whole: usize = text.chars().map(&length).sum();
    if whole <= most {
        return text.to_owned();
    }
    let mut left = most.saturating_sub(length('…'));
    let mut end = 0;
    for (at, c) in text.char_indices() {
        let Some(rest) = left.checked_sub(length(c)) else { break };
        left = rest;
        end = at + c.len_utf8();
    }
    let (kept, cut) = text.split_at(end);
    // A last word that is cut is left out, but not a whole title that has no blank.
    let kept = match kept.rfind(char::is_whitespace) {
        Some(blank) if !cut.starts_with(char::is_whitespace) && 2 * blank >= end => &kept[..blank],
        _ => kept,
    };
    if most == 0 { String::new() } else { format!("{}…", kept.trim_end()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comm_2_a_text_is_cut_at_the_end_of_a_word() {
        let one = |_| 1;
        for (most, shown) in [
            (14, "one two three"),
            (13, "one two three"),
            (12, "one two…"),
            (8, "one two…"),
            (7, "one…"),
            (2, "o…"),
            (1, "…"),
            (0, ""),
        ] {
            let short = shorten("one two three", most, one);
            assert_eq!(short, shown, "{most}");
            assert!(short.chars().count() <= most);
        }
        assert_eq!(shorten("INC-1: 支付服务在结账时异常", 12, one), "INC-1: 支付服务…");
        assert_eq!(shorten("a&b c", 6, slack_length), "a…");
        assert_eq!(shorten("a&b c", 9, slack_length), "a&b c");
    }

    #[test]
    fn comm_2_an_address_is_one_everywhere() {
        for good in ["https://status.example.org", "http://a.b/c?d=e&f=%20#g"] {
            assert!(is_address(good), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "https://",
            "https://a b",
            "https://a|b",
            "https://a>b",
            "https://a)b",
            "https://a]b",
            "https://a`b",
            "https://[::1]/",
            "https://-a",
            "HTTPS://a",
        ] {
            assert!(!is_address(bad), "{bad}");
        }
    }
}
