//! Lists in which a text stands at most once, and ranges of time.

use schemars::{Schema, SchemaGenerator};

use super::rule::at_least;
use crate::policy::error::{Problem, shown};
use crate::policy::field::{Duration, List};
use crate::policy::node::Node;
use crate::policy::reader::{Field, Reader, Style, section};
use crate::policy::section::TimeRange;
use crate::unit::Span;

/// A list of texts, each at most once.
pub(super) struct Once<F>(F);

impl<F: Field> Field for Once<F> {
    type Out = Vec<F::Out>;

    fn read(node: &Node, reader: &mut Reader) -> Option<Self::Out> {
        let list = List::<F>::read(node, reader);
        let items = node.items();
        for (i, item) in items.iter().enumerate() {
            let Some(text) = item.as_text() else { continue };
            if let Some(first) = items.iter().take(i).position(|before| before == item) {
                let first = format!("{}/{first}", reader.path());
                let problem = Problem::StandsTwice { name: shown(text), first };
                reader.fail_at::<()>(&i.to_string(), problem);
            }
        }
        list
    }
    fn write(value: &Self::Out, style: Style) -> Node {
        List::<F>::write(value, style)
    }
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = List::<F>::schema(generator);
        schema.insert("uniqueItems".to_owned(), true.into());
        schema
    }
    fn example() -> &'static str {
        List::<F>::example()
    }
}

section! {
    plain
    /// From a least to a most time.
    TimeRange from TimeRangeDraft, time_range_rules {
        /// The least; 0 or more. Without it: not said.
        least: Duration, [optional];
        /// The most, at least `least`. Without it: not said.
        most: Duration, [optional];
    }
}

fn time_range_rules(range: &TimeRangeDraft, reader: &mut Reader) {
    rising(reader, range.least.flatten(), range.most.flatten());
}

/// The most is no less than the least.
pub(super) fn rising(reader: &mut Reader, least: Option<Span>, most: Option<Span>) {
    at_least(reader, "most", most, "least", least);
}

/// The default of a list.
pub(super) const fn none() -> Node {
    Node::List(Vec::new())
}

/// The default of a table.
pub(super) const fn empty() -> Node {
    Node::Table(Vec::new())
}
