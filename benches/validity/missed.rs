//! Claims that are known not to hold, with the reason. The pages show them as missed; the program
//! fails for any other missed claim, and for one of these that holds in a full run.

/// Why a claim with this text is known not to hold, if so.
pub(crate) fn why(claim: &str) -> Option<&'static str> {
    let found = MISSED.iter().find(|(_, claims)| claims.contains(&claim));
    found.map(|(why, _)| *why)
}

/// Reasons, each with the claims that it is for.
const MISSED: &[(&str, &[&str])] = &[
    (
        "The joint bet spends more of its α than the average of tests at each boundary, whose \
         design figure is 0.002, and decides sooner. It keeps the guaranteed 0.01.",
        &["Latency: w 0.1, at most the design figure"],
    ),
    (
        "The formula assumes rare errors and an evaluation after every event. At 3% with five \
         events per tick a small chance is smaller than that.",
        &["Planning: w 0.5, base 3%, r = 1.25, found"],
    ),
    (
        "The sums of an arm cannot distinguish one client's failures from those of many. With counts \
         by instance (`replay`) they are clipped, and the cell holds.",
        &[
            "Noise: replay by sums, retrying customer: 30 failures a minute for 2 minutes, twice an hour, 1000 a minute, 10 of 20",
            "Noise: replay by sums, retrying customer: 30 failures a minute for 2 minutes, twice an hour, 6000 a minute, 10 of 20",
            "Noise: replay by sums, retrying customer: 30 failures a minute for 2 minutes, twice an hour, 1000 a minute, 5 of 50, each with 0.3 × the traffic",
            "Noise: replay by sums, retrying customer: 30 failures a minute for 2 minutes, twice an hour, 1000 a minute, 5 of 50, each with 0.5 × the traffic",
        ],
    ),
    (
        "Four blocks of 30 s decide at the earliest, which takes more readings where arms or instances are scraped \
         at seconds of their own, and each waits for the scrapes of both arms.",
        &[
            "Whole rollouts: customer, pauses, arms 5%, totals each 15 s, 6000 a minute, without history: minutes until 1.5 × slower is found",
            "Whole rollouts: totals each 15 s, of each instance at its own second, 1000 a minute, with history: minutes until 1.5 × slower is found",
            "Worlds kept for the end: totals each 60 s, of each instance at its own second, ticks of 30 s, 1000 a minute, without history: minutes until 1.5 × slower is found",
            "Worlds kept for the end: totals each 60 s, of each instance at its own second, ticks of 30 s, 1000 a minute, without history: minutes until 2 × slower is found",
            "Worlds kept for the end: totals each 60 s, of each instance at its own second, ticks of 30 s, 1000 a minute, with history: minutes until 1.5 × slower is found",
            "Worlds kept for the end: totals each 60 s, of each instance at its own second, ticks of 30 s, 1000 a minute, with history: minutes until 2 × slower is found",
            "Worlds kept for the end: totals each 60 s, of each instance at its own second, ticks of 30 s, 6000 a minute, without history: minutes until 1.5 × slower is found",
            "Worlds kept for the end: totals each 60 s, of each instance at its own second, ticks of 30 s, 6000 a minute, without history: minutes until 2 × slower is found",
            "Worlds kept for the end: totals each 60 s, of each instance at its own second, ticks of 30 s, 6000 a minute, with history: minutes until 1.5 × slower is found",
            "Worlds kept for the end: totals each 60 s, of each instance at its own second, ticks of 30 s, 6000 a minute, with history: minutes until 2 × slower is found",
            "Worlds kept for the end: pauses, new ones + 30%, instances 5%, customer, cron, resets 5%, totals each 30 s, 6000 a minute, without history: minutes until 1.5 × slower is found",
            "Worlds kept for the end: pauses, new ones + 30%, instances 5%, customer, cron, resets 5%, totals each 30 s, 6000 a minute, with history: minutes until 1.5 × slower is found",
        ],
    ),
    (
        "Evidence has to come from two boundaries that are farther apart than what is tolerated, in a minute of a \
         hundred requests of the canary, and pauses of both arms hide one of them.",
        &[
            "Whole rollouts: each instance pauses 1 s a minute, 1000 a minute, without history: minutes until 1.5 × slower is found",
        ],
    ),
    (
        "The noise of the history is as large as the fault: a threshold or cap that spares healthy releases \
         takes longer.",
        &[
            "Whole rollouts: instances twice as slow, 90 s of each 21 min, 1000 a minute, with history: minutes until 1.5 × slower is found",
            "Whole rollouts: instances twice as slow, 90 s of each 21 min, 6000 a minute, with history: minutes until 1.5 × slower is found",
            "Whole rollouts: a client with requests of 5 s: 1%, 2 min of each 12, 1000 a minute, with history: minutes until 1.5 × slower is found",
            "Whole rollouts: a client with requests of 5 s: 1%, 2 min of each 12, 1000 a minute, with history: minutes until 2 × slower is found",
            "Whole rollouts: a client with requests of 5 s: 1%, 2 min of each 12, 6000 a minute, with history: minutes until 1.5 × slower is found",
            "Whole rollouts: a client with requests of 5 s: 0.5%, 30 s of each 6 min, 1000 a minute, with history: minutes until 1.5 × slower is found",
            "Whole rollouts: a client with requests of 5 s: 0.5%, 30 s of each 6 min, 6000 a minute, with history: minutes until 1.5 × slower is found",
            "Whole rollouts: a client with requests of 5 s: 0.5%, 30 s of each 6 min, 6000 a minute, with history: minutes until 2 × slower is found",
        ],
    ),
    (
        "Without a history errors are assumed to be independent, and one client's are not: those that begin with \
         a phase, fail more than a tenth of the canary's requests before the live version has had a burst, or last \
         for more than four to eight minutes, are evidence.",
        &[
            "Whole rollouts: retrying customer: 2 min of each 12, 1000 a minute, without history: rolled back",
            "Whole rollouts: retrying customer: 2 min of each 12, 6000 a minute, without history: rolled back",
            "Whole rollouts: evidence of `phased-canary`, retrying customer: 2 min of each 12, 1000 a minute, without history: rolled back",
            "Whole rollouts: evidence of `phased-canary`, retrying customer: 2 min of each 12, 6000 a minute, without history: rolled back",
            "Whole rollouts: totals each 30 s, arms apart; retrying customer, 1000 a minute, without history: rolled back",
            "Whole rollouts: totals each 30 s, arms apart; retrying customer, 6000 a minute, without history: rolled back",
            "Whole rollouts: customer, pauses, arms 5%, totals each 15 s, 1000 a minute, without history: rolled back",
            "Whole rollouts: customer, pauses, arms 5%, totals each 15 s, 6000 a minute, without history: rolled back",
            "Whole rollouts: retrying customer: 2 min of each 12, 6000 a minute, without history, read before the start: rolled back",
            "Whole rollouts: customer, pauses, arms 5%, totals each 15 s, 1000 a minute, without history, read before the start: rolled back",
        ],
    ),
    (
        "Without a history, slow requests of one client are evidence that begin in the first three minutes of a \
         phase, last for more than four minutes, or are more than a tenth of the canary's.",
        &[
            "Whole rollouts: a client with requests of 5 s: 1%, 2 min of each 12, 1000 a minute, without history: rolled back",
            "Whole rollouts: a client with requests of 5 s: 1%, 2 min of each 12, 6000 a minute, without history: rolled back",
            "Whole rollouts: a client with requests of 5 s: 0.5%, 30 s of each 6 min, 6000 a minute, without history: rolled back",
        ],
    ),
    (
        "The live version has had bursts as large: failures count once they have lasted for four minutes, and \
         then for scrapes of both arms.",
        &[
            "Whole rollouts: totals each 30 s, arms apart; retrying customer, 6000 a minute, without history, read before the start: minutes until 30 × errors is found",
            "Whole rollouts: customer, pauses, arms 5%, totals each 15 s, 6000 a minute, without history, read before the start: minutes until 30 × errors is found",
        ],
    ),
    (
        "A window of one minute has fewer than the 100 requests it needs at a tenth of this \
         traffic.",
        &[
            "Whole rollouts: evidence of `phased-canary`, traffic ± 50% in 2 h, 1000 a minute, without history: asked",
        ],
    ),
    (
        "The client's instance fails again every five minutes, as a broken one would: it is named, and a \
         person is asked.",
        &[
            "Whole rollouts: cron client: 20 s of each 5 min, 1000 a minute, without history, by instance: asked",
        ],
    ),
];
