//! The drills come out as their files say, each once with its log and many times by chance.

use std::path::PathBuf;

use hotfix_core::rollout::audit;
use hotfix_examples::drill_file::Drill;

fn drills() -> Vec<Drill> {
    let folder = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("drills");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| Drill::read(file).unwrap_or_else(|error| panic!("{error:#}"))).collect()
}

#[test]
fn post_5_each_drill_comes_out_as_its_file_says_and_its_log_stands() {
    let drills = drills();
    assert!(drills.len() >= 10, "ten scenarios of the five documents are rehearsed");
    let mut wrong = Vec::new();
    for drill in &drills {
        let (player, _) = drill.campaign().unwrap().drill(0).unwrap();
        let unmet = drill.scenario.unmet(player.run());
        wrong.extend(unmet.iter().map(|sentence| format!("{}: {sentence}", drill.name)));
        let audited = audit(player.rollout().log().as_bytes(), None);
        assert!(audited.findings.is_empty(), "{}: {:?}", drill.name, audited.findings);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
