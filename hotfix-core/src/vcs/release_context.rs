//! The checked names, kinds and targets that a plan's steps use.

use super::branch_name;
use super::name::{live_tag, message, next_try, one_line, reference, slug, stem, tag_name};
use super::step::git;
use super::{Command, Fix, OrderFault, VcsError, VcsFinding, order_fault, own_order};
use crate::grade::{Flow, MergeKind, TagForm, VcsStep, Versioning};
use crate::policy::section::{PullRequest, Vcs};
use crate::text::{quoted, shown};
use crate::unit::RefName;

/// Most characters of a subject, so that `git log --oneline` shows it completely.
const MOST_SUBJECT: usize = 72;

/// The policy's `base` for the tag of the live version.
const PRODUCTION_TAG: &str = "production_tag";

/// The trunk if the policy names none.
const TRUNK: &str = "main";

/// Where the fix is committed.
pub(super) enum Site {
    /// On the trunk.
    Trunk(RefName),
    /// On a branch of its own.
    Branch { name: RefName, base: Base },
}

/// What the branch of the fix starts from.
#[derive(Clone)]
pub(super) enum Base {
    Branch(RefName),
    /// The tag of the live version.
    Tag(RefName),
}

pub(super) struct ReleaseContext<'a> {
    pub(super) vcs: &'a Vcs,
    pub(super) flow: Flow,
    pub(super) way: Option<String>,
    pub(super) order: Vec<VcsStep>,
    pub(super) site: Site,
    /// Branch and commit already exist.
    pub(super) taken_up: bool,
    pub(super) commit: Option<&'a str>,
    /// None if no step tags.
    pub(super) tag: Option<RefName>,
    /// The tag of the previous version, if it has one.
    pub(super) live: Option<RefName>,
    pub(super) version: &'a str,
    pub(super) previous: String,
    pub(super) merge: MergeKind,
    /// The pull request, if a step opens one.
    pub(super) request: Option<PullRequest>,
    /// The target of `merge`, if there is such a step.
    pub(super) into: Option<RefName>,
    /// The targets of `merge_back`.
    pub(super) into_back: Vec<RefName>,
    /// The branches that must get the fix.
    pub(super) home: Vec<RefName>,
    /// Those of them that the release alone names: a maintained older line may be one of them.
    pub(super) named: Vec<RefName>,
    pub(super) line: String,
    pub(super) message: String,
    /// The version is raised in a commit of its own.
    pub(super) version_commit: bool,
    pub(super) named_after: Option<VcsFinding>,
    /// The rollout moves the traffic in steps.
    pub(super) in_steps: bool,
    /// The previous attempt, if this one continues its fix.
    pub(super) after: Option<Box<Self>>,
}

/// Flow, steps and base, as the policy and the release choose them.
struct Choice<'a> {
    flow: Flow,
    way: Option<String>,
    order: &'a [VcsStep],
    base: &'a str,
    /// The policy describes this flow or alternative. A flow that is only allowed has no base and
    /// no branches of its own.
    described: bool,
}

impl<'a> Choice<'a> {
    fn order(&self) -> &'a [VcsStep] {
        if self.order.is_empty() { own_order(self.flow) } else { self.order }
    }

    /// Whether the version is raised in a commit of its own. A flow that is only allowed has its own steps
    /// alone.
    const fn raises_version(&self, vcs: &Vcs) -> bool {
        vcs.commit.version_commit && self.described
    }
}

/// The reference to the newest commit of the fix.
pub(crate) fn fix_record(version: &str) -> String {
    record(version, "fix")
}

fn record(version: &str, of: &str) -> String {
    format!("refs/hotfix/{version}/{of}")
}

/// Whether a fix that takes these steps is on a branch of several people when it is deployed: a revert
/// there takes it out of what is deployed.
pub(super) fn is_merged_first(order: &[VcsStep]) -> bool {
    let mut before = order.iter().take_while(|step| **step != VcsStep::Deploy);
    !order.contains(&VcsStep::Branch)
        || before.any(|step| matches!(step, VcsStep::Merge | VcsStep::MergeBack))
}

/// Whether a release with this flow and way is deployed from its own branch, or from a tag of it: then
/// there is no merge yet that a rollback could revert.
pub(crate) fn is_deployed_unmerged(vcs: &Vcs, flow: Option<Flow>, way: Option<&str>) -> bool {
    choose(vcs, flow, way).is_ok_and(|choice| !is_merged_first(choice.order()))
}

/// Whether a fix is merged, before the deployment, into the only branch that needs it.
pub(crate) fn is_merged_alone(vcs: &Vcs, fix: &Fix<'_>) -> bool {
    let is_alone = |of: ReleaseContext<'_>| of.home.len() == 1 && is_merged_first(&of.order);
    ReleaseContext::try_new(vcs, fix).is_ok_and(is_alone)
}

/// Whether a release with this flow and way raises the version in a commit of its own.
pub(crate) fn raises_version(vcs: &Vcs, flow: Option<Flow>, way: Option<&str>) -> bool {
    choose(vcs, flow, way).is_ok_and(|choice| choice.raises_version(vcs))
}

/// The flow of a release with this flow and way; None if the policy does not allow them.
pub(crate) fn flow_of(vcs: &Vcs, flow: Option<Flow>, way: Option<&str>) -> Option<Flow> {
    choose(vcs, flow, way).ok().map(|choice| choice.flow)
}

fn choose<'a>(vcs: &'a Vcs, flow: Option<Flow>, way: Option<&str>) -> Result<Choice<'a>, VcsError> {
    let named = way.map(|id| {
        let known: Vec<&str> = vcs.ways.iter().map(|way| way.id.as_str()).collect();
        let way = vcs.ways.iter().find(|way| way.id.as_str() == id);
        way.ok_or_else(|| VcsError::Way { way: shown(id), known: quoted(&known, ", ") })
    });
    let named = named.transpose()?;
    let refused = |flow, allowed: &[Flow]| VcsError::Flow { flow, allowed: quoted(allowed, ", ") };
    let asked = flow.unwrap_or_else(|| named.map_or(vcs.flow, |way| way.flow));
    if let Some(way) = named.filter(|way| way.flow != asked) {
        return Err(refused(asked, &[way.flow]));
    }
    let own = named.is_none() && asked == vcs.flow;
    let way = named.or_else(|| vcs.ways.iter().find(|way| way.flow == asked)).filter(|_| !own);
    let described = own || way.is_some();
    if !described && !vcs.also.contains(&asked) {
        let mut allowed = vec![vcs.flow];
        for flow in vcs.also.iter().copied().chain(vcs.ways.iter().map(|way| way.flow)) {
            if !allowed.contains(&flow) {
                allowed.push(flow);
            }
        }
        return Err(refused(asked, &allowed));
    }
    let own_steps: &[VcsStep] = if own { &vcs.order } else { &[] };
    let order = way.map_or(own_steps, |way| &way.order);
    // Without its own base a way starts from the base of the policy's first flow.
    let base = way.and_then(|way| way.base.as_deref()).unwrap_or(&vcs.base);
    Ok(Choice { flow: asked, way: way.map(|way| way.id.to_string()), order, base, described })
}

impl Site {
    /// The branch that the fix is committed on: its own, or the trunk.
    pub(super) const fn name(&self) -> &RefName {
        let (Self::Trunk(name) | Self::Branch { name, .. }) = self;
        name
    }

    /// The branch of the fix; None on the trunk.
    pub(super) const fn branch(&self) -> Option<&RefName> {
        if let Self::Branch { name, .. } = self { Some(name) } else { None }
    }

    pub(super) const fn trunk(&self) -> Option<&RefName> {
        if let Self::Trunk(name) = self { Some(name) } else { None }
    }

    /// The branch or tag that the fix starts from.
    pub(super) const fn base(&self) -> &RefName {
        let (Self::Trunk(base) | Self::Branch { base: Base::Branch(base) | Base::Tag(base), .. }) =
            self;
        base
    }

    /// The branch that the fix starts from; None if that is a tag.
    pub(super) fn base_branch(&self) -> Option<&RefName> {
        let from_tag = matches!(self, Self::Branch { base: Base::Tag(_), .. });
        (!from_tag).then(|| self.base())
    }
}

/// The branches that the release names beside those of the policy.
fn named_beside(home: &[RefName], fix: &Fix<'_>) -> Result<Vec<RefName>, VcsError> {
    let mut named = Vec::new();
    for name in fix.merge_back {
        let name = reference("/release/merge_back", "branch", name)?;
        if !home.contains(&name) && !named.contains(&name) {
            named.push(name);
        }
    }
    Ok(named)
}

impl<'a> ReleaseContext<'a> {
    pub(super) fn try_new(vcs: &'a Vcs, fix: &Fix<'a>) -> Result<Self, VcsError> {
        let choice = choose(vcs, fix.flow, fix.way)?;
        let order = choice.order();
        if let Some(fault) = order_fault(order, choice.flow == Flow::Trunk) {
            return Err(fault.into());
        }
        let has = |step| order.contains(&step);
        // The version is part of the references that the steps record.
        reference("/release/version", "version", fix.version)?;
        let branch_of = |name: &str| reference("/policy/vcs", "branch", name);
        let home: Vec<RefName> =
            vcs.merge_back.iter().map(|name| branch_of(name)).collect::<Result<_, _>>()?;
        let base_branch = || {
            let branch = Some(choice.base).filter(|&base| base != PRODUCTION_TAG);
            let fallback = || vcs.merge_back.first().map_or(TRUNK, String::as_str);
            branch_of(branch.unwrap_or_else(fallback))
        };
        let from_tag = choice.flow == Flow::ProductionTag
            || (choice.described && choice.base == PRODUCTION_TAG);
        let site = if has(VcsStep::Branch) {
            let base = if from_tag {
                Base::Tag(live_tag(vcs.tag, fix.previous)?)
            } else {
                Base::Branch(base_branch()?)
            };
            Site::Branch { name: branch(vcs, fix)?, base }
        } else {
            Site::Trunk(base_branch()?)
        };
        // An allowed flow has its own steps. Without a merge back it has no other branch than its base.
        let mut home = if choice.described || has(VcsStep::MergeBack) { home } else { Vec::new() };
        let mut named = named_beside(&home, fix)?;
        home.extend_from_slice(&named);
        let mut targets = home.clone();
        let base = site.base_branch();
        if let Some(base) = base.filter(|base| !targets.contains(base)) {
            targets.insert(0, base.clone());
        }
        let first = base.or(home.first()).cloned();
        let nowhere = |step| VcsError::Order(OrderFault::Nowhere { step });
        let merged = has(VcsStep::Merge).then(|| first.ok_or_else(|| nowhere(VcsStep::Merge)));
        let into = merged.transpose()?;
        let mut into_back = if has(VcsStep::MergeBack) {
            if home.is_empty() {
                return Err(nowhere(VcsStep::MergeBack));
            }
            home
        } else if into.is_some() || !has(VcsStep::Branch) {
            named.clone()
        } else {
            // Without a merge among the steps, people bring the fix to other branches.
            Vec::new()
        };
        let reached = into.as_ref().or(site.trunk());
        into_back.retain(|name| Some(name) != reached);
        named.retain(|name| Some(name) != base && Some(name) != reached);
        let mut order = order.to_vec();
        if !has(VcsStep::MergeBack) && !into_back.is_empty() {
            // The flow has no step for the branches that the release names.
            let end = order.iter().position(|step| *step == VcsStep::DeleteBranch);
            order.insert(end.unwrap_or(order.len()), VcsStep::MergeBack);
        }
        let request = vcs.pull_request.clone().filter(|_| has(VcsStep::PullRequest));
        let squash = request.as_ref().is_some_and(|request| request.squash);
        let (line, named_after) = line(fix);
        let branched = site.branch().is_some();
        let tag = has(VcsStep::Tag).then(|| tag_name(vcs.tag, fix.version, fix.at)).transpose()?;
        let text = message(fix.message.unwrap_or_default());
        let context = Self {
            vcs,
            version_commit: choice.raises_version(vcs),
            flow: choice.flow,
            way: choice.way,
            order,
            taken_up: branched && fix.branch.is_some() && fix.commit.is_some(),
            // The finding is about a branch that was named after a text, not by the release.
            named_after: named_after.filter(|_| branched && fix.branch.is_none()),
            commit: fix.commit.map(hash).transpose()?,
            tag,
            live: live(vcs, fix, &site),
            version: fix.version,
            previous: one_line(fix.previous, MOST_SUBJECT),
            merge: if squash { MergeKind::Squash } else { vcs.merge },
            request,
            into,
            into_back,
            home: targets,
            named,
            message: if text.is_empty() { subject(&vcs.commit.subject, &line) } else { text },
            line,
            site,
            in_steps: fix.in_steps,
            after: None,
        };
        let context = match fix.after {
            Some(former) => {
                context.continuing(Self::try_new(vcs, &Fix { after: None, ..*former })?)?
            }
            None => context,
        };
        context.names_differ()?;
        Ok(context)
    }

    /// This attempt after a former one. Both have the same fix if they have the same branch: git knows that
    /// branch, and perhaps its merge and the revert. The fix continues on the next branch.
    fn continuing(self, former: Self) -> Result<Self, VcsError> {
        let (Site::Branch { name, base }, Some(before)) = (&self.site, former.site.branch()) else {
            // On the trunk the fix is known only by its line.
            let same = self.site.branch() == former.site.branch() && self.line == former.line;
            return Ok(Self { after: same.then(|| Box::new(former)), ..self });
        };
        let next = next_try(before.as_str());
        // The next branch with a commit on it was begun by hand.
        let begun = self.taken_up && name.as_str() == next;
        let names = [before.as_str(), stem(before.as_str()), &next];
        if begun || !names.contains(&name.as_str()) {
            return Ok(self);
        }
        let name = reference("/release/branch", "branch", &next)?;
        let site = Site::Branch { name, base: base.clone() };
        Ok(Self { site, taken_up: false, after: Some(Box::new(former)), ..self })
    }

    /// Checks that no branch, path or tag has the name of the fix's branch: git would confuse them.
    fn names_differ(&self) -> Result<(), VcsError> {
        let Some(branch) = self.site.branch() else { return Ok(()) };
        // git cannot keep both `hotfix` and `hotfix/x`.
        let inside = |outer: &str, inner: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
        };
        let name = branch.as_str();
        let other = if self.home.contains(branch) {
            "a branch that it is merged into"
        } else if self.home.iter().any(|of| inside(of.as_str(), name) || inside(name, of.as_str()))
        {
            "a path above or below a branch that it is merged into"
        } else if self.tag.as_ref() == Some(branch) || self.live.as_ref() == Some(branch) {
            "a tag"
        } else {
            return Ok(());
        };
        Err(VcsError::SameName { name: branch.to_string(), one: "the branch of the fix", other })
    }

    pub(super) fn versioning(&self) -> Vec<Versioning> {
        let first = self.vcs.version.unwrap_or(Versioning::Patch);
        std::iter::once(first).chain(self.vcs.also_version.iter().copied()).collect()
    }

    pub(super) fn record(&self, of: &str) -> String {
        record(self.version, of)
    }

    pub(super) fn fix(&self) -> String {
        fix_record(self.version)
    }

    pub(super) fn before(&self, target: &RefName) -> String {
        self.record(&format!("before/{target}"))
    }

    pub(super) fn merged(&self, target: &RefName) -> String {
        self.record(&format!("merged/{target}"))
    }

    pub(super) fn reverted(&self, target: &RefName) -> String {
        self.record(&format!("reverted/{target}"))
    }

    /// What the fix is based on: the tag of the live version, or its base branch as it was then.
    pub(super) fn start(&self) -> String {
        match &self.site {
            Site::Branch { base: Base::Tag(tag), .. } => format!("refs/tags/{tag}"),
            Site::Branch { .. } => self.record("base"),
            Site::Trunk(trunk) => self.before(trunk),
        }
    }

    /// The target of the pull request, if a step opens one: the branch that is merged into first.
    pub(super) fn requested_into(&self) -> Option<&RefName> {
        let first = self.into.as_ref().or(self.into_back.first());
        first.filter(|_| self.order.contains(&VcsStep::PullRequest))
    }

    /// Whether `target` gets the fix as commits of which only the range is known. Of a pull request
    /// the server may have squashed or rebased the commits, whatever was asked of it.
    pub(super) fn as_range(&self, target: &RefName) -> bool {
        self.site.trunk().is_some()
            || self.named.contains(target)
            || self.merge == MergeKind::FastForward
            || self.requested_into() == Some(target)
            || self.restores(target)
    }

    /// Whether the merge itself records where the range begins; else that is recorded before the
    /// revert of the revert.
    pub(super) fn merge_begins_range(&self, target: &RefName) -> bool {
        self.as_range(target) && !self.restores(target)
    }

    /// Whether `target` may have the previous attempt's branch and its revert. Then it gets this
    /// attempt's branch only after a revert of the revert. A squashed and reverted fix leaves no
    /// trace that git merges by, and the previous attempt's base is restored on the new branch.
    pub(super) fn restores(&self, target: &RefName) -> bool {
        self.after.as_ref().is_some_and(|former| former.restored_elsewhere(target))
    }

    /// Whether another attempt, which starts from this fix or its base, restores `target`.
    pub(super) fn restored_elsewhere(&self, target: &RefName) -> bool {
        let merged = self.site.branch().is_some() && self.merge != MergeKind::Squash;
        merged && self.site.base() != target
    }

    /// The branches that the plan's own steps bring the fix to, in order.
    pub(super) fn reached(&self) -> Vec<&RefName> {
        self.site.trunk().or(self.into.as_ref()).into_iter().chain(&self.into_back).collect()
    }

    /// Fetches branches and tags, and the recorded references.
    pub(super) fn fetch(&self) -> Vec<Command> {
        let all = self.record("*");
        let records = git(&["fetch", "origin", &format!("+{all}:{all}")]);
        vec![git(&["fetch", "--tags", "origin"]), records]
    }

    /// Pushes the recorded references; forced, as the newest holds after an amended branch.
    pub(super) fn push_records(records: &[&str]) -> Command {
        let forced = records.iter().map(|record| format!("+{record}"));
        let argv = ["git", "push", "origin"].map(str::to_owned);
        Command::new(argv.into_iter().chain(forced))
    }

    /// Switches to a branch as it is on the remote.
    pub(super) fn take_up(branch: &RefName) -> Vec<Command> {
        let branch = branch.as_str();
        vec![git(&["switch", branch]), git(&["pull", "--ff-only", "origin", branch])]
    }

    /// The subject of a commit for this fix.
    pub(super) fn about(&self, prefix: &str) -> String {
        subject(prefix, &self.line)
    }
}

fn subject(prefix: &str, line: &str) -> String {
    one_line(&format!("{prefix}{line}"), MOST_SUBJECT)
}

/// The fix in one line, and a finding if the description does not give it.
fn line(fix: &Fix<'_>) -> (String, Option<VcsFinding>) {
    let names = [fix.description, fix.title, Some(fix.id), Some(fix.version)];
    let line = names.iter().flatten().map(|name| one_line(name, MOST_SUBJECT));
    let line = line.into_iter().find(|line| !line.is_empty());
    let after = named_after(fix).and_then(|(_, after)| {
        let said = fix.description.or(fix.title).is_some_and(|text| slug(text).is_none());
        said.then_some(VcsFinding::NamedAfter { after })
    });
    (line.unwrap_or_else(|| "hotfix".to_owned()), after)
}

/// The text that a branch is named after, and its source.
fn named_after<'a>(fix: &Fix<'a>) -> Option<(&'a str, &'static str)> {
    let names = [
        (fix.description, "the description"),
        (fix.title, "the incident's title"),
        (Some(fix.id), "the incident's id"),
        (Some(fix.version), "the version"),
    ];
    let with_text = |(name, what): (Option<&'a str>, _)| Some((name?, what));
    names.into_iter().filter_map(with_text).find(|(name, _)| slug(name).is_some())
}

fn branch(vcs: &Vcs, fix: &Fix<'_>) -> Result<RefName, VcsError> {
    if let Some(name) = fix.branch {
        return reference("/release/branch", "branch", name);
    }
    let named = named_after(fix).map_or(fix.version, |(name, _)| name);
    branch_name(vcs.prefix_or_default(), named)
}

/// The tag of the previous version. If no step tags, there may be no tags.
fn live(vcs: &Vcs, fix: &Fix<'_>, site: &Site) -> Option<RefName> {
    match site {
        Site::Branch { base: Base::Tag(tag), .. } => Some(tag.clone()),
        // With tags named by time, the previous version need not be a tag.
        _ if vcs.tag == TagForm::Timestamp => None,
        _ => live_tag(vcs.tag, fix.previous).ok(),
    }
}

fn hash(commit: &str) -> Result<&str, VcsError> {
    let digits = commit.bytes().all(|b| b.is_ascii_hexdigit());
    if digits && (7..=64).contains(&commit.len()) {
        Ok(commit)
    } else {
        Err(VcsError::Commit { got: shown(commit) })
    }
}
