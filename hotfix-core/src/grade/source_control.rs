//! What source control knows: flows and their steps, versions, tags, merges, and the fields of a commit.

closed_set! {
    /// The branching model.
    Flow {
        /// A branch from main, merged there, tagged, and merged into develop.
        GitFlow = "git_flow",
        /// A branch and an emergency pull request.
        GithubFlow = "github_flow",
        /// A commit on the trunk.
        Trunk = "trunk",
        /// A branch from the tag that is in production.
        ProductionTag = "production_tag",
    }
    /// A step of the source-control plan.
    VcsStep {
        Branch = "branch",
        Commit = "commit",
        Push = "push",
        PullRequest = "pull_request",
        Merge = "merge",
        Tag = "tag",
        Deploy = "deploy",
        /// Merge the fix into the other branches.
        MergeBack = "merge_back",
        DeleteBranch = "delete_branch",
    }
    /// How the next version is numbered.
    Versioning {
        /// 1.2.4 follows 1.2.3.
        Patch = "patch",
        /// 1.2.3-hotfix.1 follows 1.2.3. As a semantic version it ranks below 1.2.3.
        HotfixIdentifier = "hotfix_identifier",
    }
    /// How a tag is named.
    TagForm {
        /// By the version: v1.2.4.
        Version = "version",
        /// The version as it is: 2024.01.2, build-4711.
        Plain = "plain",
        /// By the time in UTC: hotfix-YYYYMMDD-HHMM.
        Timestamp = "timestamp",
    }
    /// How a branch is merged.
    MergeKind {
        /// Always with a merge commit.
        NoFf = "no_ff",
        /// As one squashed commit.
        Squash = "squash",
        /// With a merge commit only if the branch has new commits.
        FastForward = "fast_forward",
    }
    /// A field of a commit message.
    CommitField {
        /// The incident or ticket.
        Issue = "issue",
        Severity = "severity",
        /// Who or what is affected.
        Impact = "impact",
        Cause = "cause",
        Change = "change",
        /// How the change solves the issue.
        Solution = "solution",
        /// How the fix was tested.
        Tested = "tested",
        /// Who approved the fix.
        ApprovedBy = "approved_by",
        /// Who deployed the fix.
        DeployedBy = "deployed_by",
    }
}
