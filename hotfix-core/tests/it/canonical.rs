//! Canonical JSON against the RFC's own examples and a slow, obvious model.

use hotfix_core::canonical::{CanonicalError, Digest, Encoder, LineError, digest, verify_line};
use proptest::prelude::*;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;

fn encode<T: Serialize + ?Sized>(value: &T) -> Result<String, CanonicalError> {
    let mut out = b"kept".to_vec();
    let result = Encoder::new().encode(value, &mut out);
    let text = String::from_utf8(out).unwrap();
    let written = text.strip_prefix("kept").unwrap();
    if result.is_err() {
        assert_eq!(written, "", "an error leaves nothing behind");
    }
    result.map(|()| written.to_owned())
}

fn canonicalise(json: &str) -> Result<String, CanonicalError> {
    let mut out = Vec::new();
    Encoder::new().canonicalise(json, &mut out)?;
    Ok(String::from_utf8(out).unwrap())
}

/// Sorted by a map whose keys are UTF-16 units; written by string concatenation.
fn model(value: &Value) -> String {
    let list = |items: Vec<String>| items.join(",");
    match value {
        Value::Number(number) => ryu_js::Buffer::new().format(number.as_f64().unwrap()).to_owned(),
        Value::Array(items) => format!("[{}]", list(items.iter().map(model).collect())),
        Value::Object(members) => {
            let sorted: BTreeMap<Vec<u16>, (&String, &Value)> =
                members.iter().map(|(k, v)| (k.encode_utf16().collect(), (k, v))).collect();
            let text = |(k, v): (&String, &Value)| format!("{}:{}", Value::from(&**k), model(v));
            format!("{{{}}}", list(sorted.into_values().map(text).collect()))
        }
        // serde_json escapes as RFC 8785 does: short forms, lower-case \u00xx for the rest.
        plain => plain.to_string(),
    }
}

/// The hash as the documentation defines it, from a parsed line.
fn hash_of(line: &Value) -> String {
    let mut hashed = line.clone();
    hashed.as_object_mut().unwrap().retain(|key, _| key != "hash" && key != "personal");
    let mut hex = String::new();
    for byte in Sha256::digest(model(&hashed)) {
        write!(hex, "{byte:02x}").unwrap();
    }
    hex
}

/// A value that keeps its members in the order given.
#[derive(Clone, Debug)]
enum Node {
    Null,
    Bool(bool),
    Whole(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => s.serialize_none(),
            Self::Bool(v) => s.serialize_bool(*v),
            Self::Whole(v) => s.serialize_i64(*v),
            Self::Float(v) => s.serialize_f64(*v),
            Self::Text(v) => s.serialize_str(v),
            Self::List(v) => v.serialize(s),
            Self::Object(members) => {
                let mut map = s.serialize_map(None)?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z_]{1,6}",
        1 => "[\\x00-\\x7f]{0,4}",
        2 => "[\u{e000}-\u{ffff}\u{1f600}-\u{1f64f}é€a\"\\\\]{0,3}",
        1 => ".{0,4}",
        1 => prop::sample::select(vec!["hash", "personal", "prev", "has", "hashe", "i"]).prop_map(str::to_owned),
    ]
}

fn float() -> impl Strategy<Value = f64> {
    prop_oneof![
        any::<u64>().prop_map(f64::from_bits),
        any::<i32>().prop_map(f64::from),
        (-1e4..1e4f64),
        (0u32..10_000).prop_map(|n| f64::from(n) / 10_000.0),
        (any::<i64>()).prop_map(|n| n as f64),
    ]
    .prop_filter("finite", |v| v.is_finite())
}

fn node() -> impl Strategy<Value = Node> {
    let whole = -(1i64 << 53)..=(1i64 << 53);
    let leaf = prop_oneof![
        Just(Node::Null),
        any::<bool>().prop_map(Node::Bool),
        whole.prop_map(Node::Whole),
        float().prop_map(Node::Float),
        ".{0,12}".prop_map(Node::Text),
        "[\\x00-\\x7f]{0,12}".prop_map(Node::Text),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Node::List),
            members(inner).prop_map(Node::Object),
        ]
    })
}

/// Names once each, in any order.
fn members(value: impl Strategy<Value = Node>) -> impl Strategy<Value = Vec<(String, Node)>> {
    prop::collection::btree_map(name(), value, 0..8)
        .prop_map(|map| map.into_iter().collect::<Vec<_>>())
        .prop_shuffle()
}

fn event() -> impl Strategy<Value = Node> {
    members(node()).prop_map(|mut members| {
        members.retain(|(name, _)| name != "hash" && name != "prev");
        members.push(("prev".to_owned(), Node::Text(Digest::of(b"before").to_string())));
        Node::Object(members)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(700))]

    #[test]
    fn roll_7_encoding_is_the_models(value in node()) {
        let expected = model(&serde_json::to_value(&value).unwrap());
        let text = encode(&value).unwrap();
        prop_assert_eq!(&text, &expected);
        prop_assert_eq!(canonicalise(&text).unwrap(), text.clone());
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        prop_assert_eq!(canonicalise(&pretty).unwrap(), text);
    }

    #[test]
    fn roll_7_doubles_come_back_bit_for_bit(bits in any::<u64>()) {
        let value = f64::from_bits(bits);
        prop_assume!(value.is_finite() && bits != (-0.0f64).to_bits());
        let text = encode(&value).unwrap();
        prop_assert_eq!(text.parse::<f64>().unwrap().to_bits(), bits);
        prop_assert_eq!(serde_json::from_str::<f64>(&text).unwrap().to_bits(), bits);
        let mut buffer = ryu_js::Buffer::new();
        prop_assert_eq!(buffer.format(value), text);
    }

    #[test]
    fn roll_7_sealed_lines_verify_and_any_changed_byte_is_found(
        event in event(),
        place in any::<prop::sample::Index>(),
        byte in 1u8..128,
    ) {
        let mut line = Vec::new();
        let hash = Encoder::new().seal(&event, &mut line).unwrap();
        prop_assert_eq!(line.pop(), Some(b'\n'));
        let value: Value = serde_json::from_slice(&line).unwrap();
        prop_assert_eq!(std::str::from_utf8(&line).unwrap(), model(&value));
        prop_assert_eq!(hash.to_string(), hash_of(&value));

        let read = verify_line(&line).unwrap();
        prop_assert_eq!((read.prev(), read.hash()), (Digest::of(b"before"), hash));
        prop_assert!(read.is_canonical());

        let pretty = serde_json::to_string_pretty(&value).unwrap();
        let read = verify_line(pretty.as_bytes()).unwrap();
        prop_assert_eq!(read.hash(), hash);
        prop_assert!(!read.is_canonical());

        let mut changed = line.clone();
        let at = place.index(changed.len());
        changed[at] ^= byte;
        if let Ok(read) = verify_line(&changed) {
            // Only `personal` may change, or the spelling of the same value.
            let after: Value = serde_json::from_slice(&changed).unwrap();
            prop_assert_eq!(hash_of(&after), read.hash().to_string());
            prop_assert_eq!(read.hash(), hash);
        }
    }

    /// The fast way and the slow way of reading agree about every text near a canonical one.
    #[test]
    fn roll_7_a_line_is_canonical_exactly_when_encoding_leaves_it_alone(
        event in event(),
        place in any::<prop::sample::Index>(),
        patch in prop::sample::select(vec![
            "", " ", "0", "1", "-", ".0", "e1", "E", "\\", "\"", "a", "\\u0041", "\\u000a", "\\n",
            "\\/", ",", ":", "{}", "[", "]", "é", "00", "+", "9007199254740993", "9223372036854776000",
        ]),
        cut in 0usize..3,
    ) {
        let mut line = Vec::new();
        Encoder::new().seal(&event, &mut line).unwrap();
        line.pop();
        let text = String::from_utf8(line).unwrap();
        let at = (0..=place.index(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap();
        let end = (at + cut..text.len()).find(|end| text.is_char_boundary(*end)).unwrap_or(text.len());
        let changed = format!("{}{patch}{}", &text[..at], &text[end..]);
        let Ok(canonical) = canonicalise(&changed) else {
            prop_assert!(verify_line(changed.as_bytes()).is_err());
            return Ok(());
        };
        // Give both the right hash, so that every legal text verifies.
        let value: Value = serde_json::from_str(&canonical).unwrap();
        // One that is written with an escape is left as it is: to replace a part of it would make another text.
        let is_whole = |old: &&str| old.len() == 64 && changed.contains(&format!("\"{old}\""));
        let old = value["hash"].as_str().filter(is_whole);
        let right = |text: &str| match old {
            Some(old) => text.replace(old, &hash_of(&value)),
            None => text.to_owned(),
        };
        let (changed, canonical) = (right(&changed), right(&canonical));
        let read = verify_line(changed.as_bytes());
        let fast = verify_line(canonical.as_bytes());
        match (read, fast) {
            (Ok(read), Ok(fast)) => {
                prop_assert_eq!(read.hash(), fast.hash());
                prop_assert_eq!(read.is_canonical(), changed == canonical);
            }
            (Err(read), Err(fast)) => prop_assert_eq!(read, fast),
            (read, fast) => prop_assert!(false, "{read:?} but {fast:?} for {changed}"),
        }
    }
}

#[test]
fn roll_7_numbers_are_those_of_the_rfc() {
    // RFC 8785, appendix B.
    let table = [
        (0x0000_0000_0000_0000, "0"),
        (0x8000_0000_0000_0000, "0"),
        (0x0000_0000_0000_0001, "5e-324"),
        (0x8000_0000_0000_0001, "-5e-324"),
        (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
        (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
        (0x4340_0000_0000_0000, "9007199254740992"),
        (0xc340_0000_0000_0000, "-9007199254740992"),
        (0x4430_0000_0000_0000, "295147905179352830000"),
        (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
        (0x44b5_2d02_c7e1_4af6, "1e+23"),
        (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
        (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
        (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
        (0x444b_1ae4_d6e2_ef50, "1e+21"),
        (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
        (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
        (0x41b3_de43_5555_5553, "333333333.3333332"),
        (0x41b3_de43_5555_5554, "333333333.33333325"),
        (0x41b3_de43_5555_5555, "333333333.3333333"),
        (0x41b3_de43_5555_5556, "333333333.3333334"),
        (0x41b3_de43_5555_5557, "333333333.33333343"),
        (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
        (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
    ];
    for (bits, text) in table {
        assert_eq!(encode(&f64::from_bits(bits)).as_deref(), Ok(text), "{bits:#018x}");
        assert_eq!(canonicalise(text).as_deref(), Ok(text), "{bits:#018x}");
    }
}

#[test]
fn roll_7_what_a_double_cannot_hold_is_refused() {
    for (value, found) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf")] {
        assert_eq!(encode(&value), Err(CanonicalError::NotFinite { value: found }));
    }
    let limit = 1i64 << 53;
    assert_eq!(encode(&limit).unwrap(), "9007199254740992");
    assert_eq!(encode(&-limit).unwrap(), "-9007199254740992");
    for beyond in [limit + 1, -limit - 1, i64::MAX, i64::MIN] {
        let value = beyond.to_string();
        assert_eq!(encode(&beyond), Err(CanonicalError::IntegerRange { value }));
    }
    assert_eq!(encode(&u128::MAX).map_err(|e| e.code()), Err("HF-JSON-002"));
    assert_eq!(canonicalise("9007199254740993").map_err(|e| e.code()), Err("HF-JSON-002"));
    assert_eq!(canonicalise("-18014398509481985").map_err(|e| e.code()), Err("HF-JSON-002"));
    assert_eq!(canonicalise("9007199254740994").unwrap(), "9007199254740994");
    // What the encoder writes for 2^63 is read again, although that number is not 2^63.
    let large = encode(&9_223_372_036_854_775_808f64).unwrap();
    assert_eq!(canonicalise(&large).unwrap(), large);
}

#[test]
fn roll_7_a_whole_number_beyond_64_bits_is_kept_or_refused() {
    // Exactly a double, or printed so.
    for (whole, written) in [
        ("18446744073709551616", "18446744073709552000"),
        ("18446744073709552000", "18446744073709552000"),
        ("-9223372036854777856", "-9223372036854778000"),
        ("100000000000000000000", "100000000000000000000"),
        ("-100000000000000000000", "-100000000000000000000"),
        ("999999999999999900000", "999999999999999900000"),
        ("1000000000000000000000", "1e+21"),
        ("10000000000000000000000", "1e+22"),
        ("99999999999999991611392", "1e+23"),
    ] {
        assert_eq!(canonicalise(whole).as_deref(), Ok(written));
        let within = format!(r#"{{"a\"\\":"1{whole}1","b":[0.5, {whole} ,{whole}]}}"#);
        let expected = format!(r#"{{"a\"\\":"1{whole}1","b":[0.5,{written},{written}]}}"#);
        assert_eq!(canonicalise(&within).unwrap(), expected);
    }
    for whole in [
        "18446744073709551615",
        "18446744073709551617",
        "-9223372036854775809",
        "100000000000000000001",
        "-100000000000000000001",
        "100000000000000000000000",
        &format!("1{}1", "0".repeat(300)),
    ] {
        let refused = CanonicalError::IntegerRange { value: whole.to_owned() };
        for text in [
            whole.to_owned(),
            format!(" [1e300,{whole}]"),
            format!(r#"{{"a":"\\","b" : {whole}}}"#),
        ] {
            assert_eq!(canonicalise(&text), Err(refused.clone()), "{text}");
        }
    }
    // What is not written as a whole number is whatever double it is nearest to.
    assert_eq!(canonicalise("1e23").as_deref(), Ok("1e+23"));
    assert_eq!(canonicalise("100000000000000000001.0").as_deref(), Ok("100000000000000000000"));
}

#[test]
fn roll_7_a_line_with_another_whole_number_does_not_verify() {
    let mut line = Vec::new();
    let value = Node::Object(vec![
        ("prev".into(), Node::Text(Digest::ZERO.to_string())),
        ("trials".into(), Node::Float(1e20)),
    ]);
    Encoder::new().seal(&value, &mut line).unwrap();
    let line = String::from_utf8(line).unwrap();
    assert!(line.contains("100000000000000000000"), "{line}");
    let changed = line.replace("100000000000000000000", "100000000000000000001");
    let told = verify_line(changed.as_bytes()).map_err(|error| error.code());
    assert_eq!(told, Err("HF-JSON-002"));
    let other_layout = line.replace("100000000000000000000", "1e20");
    assert!(!verify_line(other_layout.as_bytes()).unwrap().is_canonical());
}

#[test]
fn roll_7_examples_of_the_rfc() {
    let given = r#"{
        "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
        "literals": [null, true, false]
    }"#;
    let expected = concat!(
        r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"#,
        r#""string":"€$\u000f\nA'B\"\\\\\"/"}"#
    );
    assert_eq!(canonicalise(given).unwrap(), expected);

    let keys = ["\u{20ac}", "\r", "\u{fb33}", "1", "\u{1f600}", "\u{80}", "\u{f6}"];
    let value = Node::Object(keys.map(|key| (key.to_owned(), Node::Null)).into());
    let sorted = ["\\r", "1", "\u{80}", "\u{f6}", "\u{20ac}", "\u{1f600}", "\u{fb33}"];
    let expected = sorted.map(|key| format!("\"{key}\":null")).join(",");
    assert_eq!(encode(&value).unwrap(), format!("{{{expected}}}"));
}

#[test]
fn roll_7_a_member_named_twice_is_refused() {
    let twice = |a: &str, b: &str| {
        Node::Object(vec![
            (a.to_owned(), Node::Whole(1)),
            ("z".to_owned(), Node::Null),
            (b.to_owned(), Node::Whole(2)),
        ])
    };
    assert_eq!(encode(&twice("a", "a")), Err(CanonicalError::DuplicateKey { key: "a".into() }));
    assert_eq!(encode(&twice("\u{1f600}", "\u{1f600}")).map_err(|e| e.code()), Err("HF-JSON-003"));
    // A tree would keep the second and hide the first.
    assert_eq!(canonicalise(r#"{"a":1,"\u0061":2}"#).map_err(|e| e.code()), Err("HF-JSON-003"));
    let mut line = Vec::new();
    let event = Node::Object(vec![("prev".into(), Node::Text(Digest::ZERO.to_string()))]);
    Encoder::new().seal(&event, &mut line).unwrap();
    let line = String::from_utf8(line).unwrap();
    let hidden = line.replacen('{', r#"{"personal":1,"personal":2,"#, 1);
    assert_eq!(verify_line(hidden.as_bytes()).map_err(|e| e.code()), Err("HF-JSON-003"));
}

#[test]
fn roll_7_every_shape_of_serde_is_that_of_serde_json() {
    #[derive(serde::Serialize)]
    struct Unit;
    #[derive(serde::Serialize)]
    struct Wrapped(u8);
    #[derive(serde::Serialize)]
    struct Pair(u8, char);
    #[derive(serde::Serialize)]
    enum Kind {
        Plain,
        New(i8),
        Tuple(i16, i32),
        Struct { z: u16, a: u32 },
    }
    #[derive(serde::Serialize)]
    #[serde(tag = "kind", rename_all = "snake_case")]
    enum Tagged {
        Observe { trials: u64 },
    }
    #[derive(serde::Serialize)]
    struct All {
        zero: Unit,
        wrapped: Wrapped,
        pair: Pair,
        kinds: Vec<Kind>,
        tagged: Tagged,
        bytes: &'static [u8],
        single: f32,
        big: i128,
        none: Option<u8>,
        some: Option<bool>,
        by_number: BTreeMap<i32, u8>,
        by_char: BTreeMap<char, u8>,
        #[serde(flatten)]
        rest: BTreeMap<String, u8>,
    }
    let all = All {
        zero: Unit,
        wrapped: Wrapped(7),
        pair: Pair(1, 'é'),
        kinds: vec![Kind::Plain, Kind::New(-1), Kind::Tuple(-2, 3), Kind::Struct { z: 1, a: 2 }],
        tagged: Tagged::Observe { trials: 10 },
        bytes: b"ab",
        single: 0.5,
        big: -12,
        none: None,
        some: Some(false),
        by_number: [(10, 1), (-3, 2), (9, 3)].into(),
        by_char: [('"', 1), ('!', 2)].into(),
        rest: [("m".to_owned(), 1)].into(),
    };
    let expected = model(&serde_json::to_value(&all).unwrap());
    assert_eq!(encode(&all).unwrap(), expected);

    let address: std::net::IpAddr = [127, 0, 0, 1].into(); // goes through `Display`
    assert_eq!(encode(&address).unwrap(), "\"127.0.0.1\"");
    let pairs: BTreeMap<(u8, u8), u8> = [((1, 2), 3)].into();
    assert_eq!(encode(&pairs), Err(CanonicalError::KeyNotText));
}

#[test]
fn roll_7_what_is_written_can_be_read_however_deep() {
    fn nested(levels: usize) -> Node {
        (0..levels).fold(Node::Null, |inner, level| match level % 2 {
            0 => Node::List(vec![inner]),
            _ => Node::Object(vec![("a".into(), inner)]),
        })
    }
    let deepest = encode(&nested(127)).unwrap();
    assert_eq!(canonicalise(&deepest).unwrap(), deepest);
    assert_eq!(encode(&nested(128)), Err(CanonicalError::TooDeep { limit: 127 }));
    let too_deep = CanonicalError::TooDeep { limit: 127 };
    assert_eq!(canonicalise(&format!("[{deepest}]")), Err(too_deep.clone()));
    for open in ["[", "{\"a\":"] {
        for levels in [128, 100_000] {
            let refused = verify_line(open.repeat(levels).as_bytes()).map(|_| ());
            assert_eq!(refused, Err(LineError::Canonical(too_deep.clone())), "{levels}");
        }
    }
}

#[test]
fn roll_7_what_is_no_log_line_says_why() {
    let zero = Digest::ZERO.to_string();
    let seal = |value: Value| {
        let mut out = b"kept".to_vec();
        let result = Encoder::new().seal(&value, &mut out);
        assert!(result.is_ok() || out == b"kept");
        result.map_err(|error| error.code())
    };
    assert_eq!(seal(serde_json::json!([1])), Err("HF-JSON-008"));
    assert_eq!(seal(serde_json::json!({"prev": zero, "hash": zero})), Err("HF-JSON-009"));
    assert_eq!(seal(serde_json::json!({"seq": 1})), Err("HF-JSON-010"));
    assert_eq!(seal(serde_json::json!({"prev": "ABC"})), Err("HF-JSON-010"));

    let read = |text: &str| verify_line(text.as_bytes()).map(|_| ()).map_err(|error| error.code());
    assert_eq!(read(""), Err("HF-JSON-007"));
    assert_eq!(read("{\"a\":"), Err("HF-JSON-007"));
    assert_eq!(read("[]"), Err("HF-JSON-008"));
    assert_eq!(read("{}"), Err("HF-JSON-011"));
    assert_eq!(read(r#"{"hash":1,"prev":2}"#), Err("HF-JSON-012"));
    assert_eq!(verify_line(b"\xff").map_err(|error| error.code()), Err("HF-JSON-007"));
    let wrong = format!(r#"{{"hash":"{zero}","prev":"{zero}"}}"#);
    let computed = Digest::of(format!(r#"{{"prev":"{zero}"}}"#).as_bytes());
    let mismatch = LineError::Mismatch { written: Digest::ZERO, computed };
    assert_eq!(verify_line(wrong.as_bytes()), Err(mismatch));
}

#[test]
fn roll_7_personal_values_are_in_the_line_but_not_in_its_hash() {
    #[derive(serde::Serialize)]
    struct Event<'a> {
        prev: Digest,
        personal: Option<&'a str>,
        seq: u8,
    }
    let seal = |personal| {
        let mut out = Vec::new();
        let hash = Encoder::new().seal(&Event { prev: Digest::ZERO, personal, seq: 1 }, &mut out);
        (hash.unwrap(), String::from_utf8(out).unwrap())
    };
    let (full, line) = seal(Some("R. Okafor"));
    let (redacted, _) = seal(None);
    assert_eq!(full, redacted);
    assert!(line.contains(r#","personal":"R. Okafor","#));
    let hidden = line.replace("R. Okafor", "(redacted)");
    assert_eq!(verify_line(hidden.as_bytes()).unwrap().hash(), full);
    let gone = line.replace(r#""personal":"R. Okafor","#, "");
    assert_eq!(verify_line(gone.as_bytes()).unwrap().hash(), full);
    assert_eq!(verify_line(line.trim_end().as_bytes()).unwrap().text(), line.trim_end());
    assert!(verify_line(line.replace('\n', "\r\n").as_bytes()).unwrap().is_canonical());
}

#[test]
fn roll_7_digests_are_hexadecimal_text() {
    let digest = digest("abc").unwrap(); // with its quotes
    assert_eq!(digest, Digest::of(b"\"abc\""));
    let text = Digest::of(b"abc").to_string();
    assert_eq!(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    let json = serde_json::to_string(&Digest::of(b"abc")).unwrap();
    assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), Digest::of(b"abc"));
    for bad in [&text[1..], &text.to_uppercase(), "", &format!("{}g", &text[1..])] {
        assert_eq!(
            bad.parse::<Digest>().map_err(|error| error.code()),
            Err("HF-JSON-014"),
            "{bad}"
        );
    }
    assert_eq!(Digest::ZERO.to_string(), "0".repeat(64));
}
