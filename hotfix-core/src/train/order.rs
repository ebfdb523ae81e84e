//! Which service starts after which.

use std::collections::BTreeMap;

use super::error::TrainError;
use crate::document::{ValueFault, read_json};
use crate::text::{instead, shown};

/// Longest name of a service, in bytes.
const LONGEST_NAME: usize = 256;

/// The services of a train and what each waits for. It is checked: no duplicate names, no cycle.
///
/// ```
/// use hotfix_core::train::Order;
///
/// let order = Order::sequence(["ledger", "payments", "checkout"])?;
/// assert_eq!(order.after("checkout").collect::<Vec<_>>(), ["payments"]);
/// let after = r#"{"checkout": ["ledger", "mail"]}"#;
/// let order = Order::from_json(["ledger", "mail", "checkout"], after)?;
/// assert_eq!(order.after("mail").count(), 0);
/// let error = Order::from_json(["a", "b"], r#"{"a": ["b"], "b": ["a"]}"#).unwrap_err();
/// assert_eq!(error.code(), "HF-TRAIN-005");
/// # Ok::<(), hotfix_core::train::TrainError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub(super) services: Vec<Service>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Service {
    pub(super) name: String,
    /// The places of the services that it waits for.
    pub(super) after: Vec<usize>,
    /// The places of those that wait for it, directly or through others.
    pub(super) dependents: Vec<usize>,
    /// Its place in an order in which each service comes after those that it waits for.
    pub(super) rank: usize,
}

impl Order {
    /// The services start one after the other, in this order.
    ///
    /// # Errors
    /// `HF-TRAIN-001` to `-003`, and `-016`.
    pub fn sequence<S: AsRef<str>>(
        services: impl IntoIterator<Item = S>,
    ) -> Result<Self, TrainError> {
        let names = names(services)?;
        let after = (0..names.len()).map(|place| place.checked_sub(1).into_iter().collect());
        let after = after.collect();
        Self::checked(names, after)
    }

    /// Each service starts after those that `after` names for it, and after none where it names none.
    ///
    /// # Errors
    /// `HF-TRAIN-001` to `-005`, and `-016`.
    pub fn graph<S: AsRef<str>>(
        services: impl IntoIterator<Item = S>,
        after: &BTreeMap<String, Vec<String>>,
    ) -> Result<Self, TrainError> {
        let names = names(services)?;
        let place = |got: &str| {
            names.iter().position(|name| name == got).ok_or_else(|| TrainError::Unknown {
                got: shown(got),
                instead: instead(got, names.iter().map(String::as_str)),
            })
        };
        let mut waits = vec![Vec::new(); names.len()];
        for (service, others) in after {
            let here = place(service)?;
            for other in others {
                let other = place(other)?;
                if !waits[here].contains(&other) {
                    waits[here].push(other);
                }
            }
        }
        Self::checked(names, waits)
    }

    /// As [`graph`](Self::graph) with `after` as JSON, `{"payments": ["ledger"]}`; as
    /// [`sequence`](Self::sequence) where the text is empty.
    ///
    /// # Errors
    /// `HF-TRAIN-001` to `-006`, and `-016`.
    pub fn from_json<S: AsRef<str>>(
        services: impl IntoIterator<Item = S>,
        after: &str,
    ) -> Result<Self, TrainError> {
        if after.is_empty() {
            return Self::sequence(services);
        }
        let after = read_json(after)
            .map_err(|faults| TrainError::Syntax { fault: ValueFault::list(&faults) })?;
        Self::graph(services, &after)
    }

    /// Ranks the services: the next is the first in the list that waits for none without a rank.
    fn checked(names: Vec<String>, after: Vec<Vec<usize>>) -> Result<Self, TrainError> {
        let mut services: Vec<Service> = names
            .into_iter()
            .zip(after)
            .map(|(name, after)| Service { name, after, dependents: Vec::new(), rank: usize::MAX })
            .collect();
        let ranked = |service: &Service| service.rank != usize::MAX;
        let mut by_rank: Vec<usize> = Vec::new();
        while by_rank.len() < services.len() {
            let is_next = |service: &Service| {
                !ranked(service) && service.after.iter().all(|place| ranked(&services[*place]))
            };
            let Some(next) = services.iter().position(is_next) else {
                return Err(TrainError::Cycle { cycle: cycle(&services) });
            };
            services[next].rank = by_rank.len();
            by_rank.push(next);
        }
        // From the last to the first: the dependents of each dependent are known by then.
        for &place in by_rank.iter().rev() {
            let Service { after, dependents, .. } = services[place].clone();
            for before in after {
                let known = &mut services[before].dependents;
                for later in [place].iter().chain(&dependents) {
                    if !known.contains(later) {
                        known.push(*later);
                    }
                }
            }
        }
        Ok(Self { services })
    }

    /// The services, as they were named.
    pub fn services(&self) -> impl ExactSizeIterator<Item = &str> {
        self.services.iter().map(|service| service.name.as_str())
    }

    /// Those that a service waits for; none for a name that is not in the train.
    pub fn after<'o>(&'o self, service: &str) -> impl Iterator<Item = &'o str> {
        let after = self.place(service).map_or(&[][..], |place| &self.services[place].after);
        after.iter().map(|place| self.name(*place))
    }

    pub(super) fn place(&self, service: &str) -> Option<usize> {
        self.services.iter().position(|known| known.name == service)
    }

    pub(super) fn name(&self, place: usize) -> &str {
        &self.services[place].name
    }
}

fn names<S: AsRef<str>>(services: impl IntoIterator<Item = S>) -> Result<Vec<String>, TrainError> {
    let mut names: Vec<String> = Vec::new();
    for (index, name) in services.into_iter().enumerate() {
        let name = name.as_ref();
        if name.trim().is_empty() || name.len() > LONGEST_NAME {
            let (bytes, most) = (name.len(), LONGEST_NAME);
            return Err(TrainError::Name { index, bytes, most });
        }
        if name.chars().any(char::is_control) {
            return Err(TrainError::ControlCharacter { index, got: shown(name) });
        }
        if names.iter().any(|known| known == name) {
            return Err(TrainError::Twice { service: name.to_owned() });
        }
        names.push(name.to_owned());
    }
    if names.is_empty() { Err(TrainError::Empty) } else { Ok(names) }
}

/// The names of services that wait for each other, the first again at the end: follows the waits of a
/// service that cannot start until one comes again.
fn cycle(services: &[Service]) -> Vec<String> {
    let stuck = |place: &usize| services[*place].rank == usize::MAX;
    let mut path: Vec<usize> = Vec::new();
    let mut here = (0..services.len()).find(stuck);
    while let Some(place) = here {
        if let Some(first) = path.iter().position(|known| *known == place) {
            path.push(place);
            let names = path.iter().skip(first).map(|place| &services[*place].name);
            return names.map(|name| format!("`{name}`")).collect();
        }
        path.push(place);
        here = services[place].after.iter().copied().find(stuck);
    }
    Vec::new()
}
