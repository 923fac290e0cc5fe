//! Kill -9, at random and at each journal step: nothing is lost, and nothing that was recorded is downloaded again.

use std::time::Duration;

use rand::{Rng, SeedableRng, rngs::StdRng};
use tintype_emulator::{CallKind, Generated, Library};
use tintype_testkit::{process::Spawned, seed, sized};

use crate::{
    catalogue::{downloaded_since, newest_manifest, stored},
    household::{Household, run, text, tintype},
};

const ITEMS: u64 = 2_000;

/// The steps at which a crash is provoked, and the n-th times at which.
const STEPS: [(&str, &[u32]); 13] = [
    ("archive-made", &[1]),
    ("run-started", &[1]),
    ("dispatched", &[1, 3]),
    ("leased", &[1, 3]),
    ("page-listed", &[1, 7]),
    ("page-written", &[1, 5]),
    ("downloaded", &[1, 90]),
    ("staged", &[1, 4]),
    ("committed", &[1, 4]),
    ("recorded", &[1, 4]),
    ("shard-finished", &[1, 2]),
    ("manifest-written", &[1]),
    ("snapshot-recorded", &[1]),
];

/// What is checked after each life of the process.
struct Watch {
    household: Household,
    ledger: u64,
    lives: u32,
}

impl Watch {
    async fn over(library: Library) -> Self {
        let household = Household::new(library).await;
        household.control.set(|switches| {
            switches.latency_ms.insert(CallKind::Download, 120);
        });
        Self {
            household,
            ledger: 0,
            lives: 0,
        }
    }

    /// One life of the process: whatever was recorded before it is not downloaded in it.
    async fn life(&mut self, live: impl AsyncFnOnce(&Household)) {
        let before = stored(&self.household).await;
        live(&self.household).await;
        self.lives += 1;
        let (downloaded, last) = downloaded_since(&self.household.control, self.ledger);
        self.ledger = last;
        let again: Vec<_> = downloaded
            .iter()
            .filter(|id| before.contains(*id))
            .collect();
        assert!(
            again.is_empty(),
            "life {}: recorded, but downloaded again: {again:?}",
            self.lives
        );
    }

    /// The last life ends well, and the archive holds just what Google does.
    async fn ends_well(mut self) {
        self.household
            .control
            .set(|switches| switches.latency_ms.clear());
        self.life(async |household| run(household.backup(&[])).await.assert_code(0))
            .await;
        let manifest = newest_manifest(&self.household).await;
        let account = tintype_emulator::DEFAULT_ACCOUNT;
        let google = self
            .household
            .control
            .items(account, 1_000_000)
            .expect("the account");
        assert_eq!(manifest.len(), google.len());
        for item in &google {
            let (_, size) = &manifest[&item.id];
            let expected = self
                .household
                .control
                .expected(&item.id, "d")
                .expect("known");
            assert_eq!(Some(*size), expected.map(|it| it.bytes), "{}", item.id);
        }
        let served = self.household.control.summary().downloads_per_item;
        assert!(
            served.keys().eq(manifest.keys()),
            "the manifest is what google's ledger served"
        );
        let archive = self.household.archive();
        run(tintype(&["verify", text(&archive)]))
            .await
            .assert_code(0);
    }
}

#[tokio::test]
async fn kill_at_random_again_and_again_loses_nothing() {
    let mut random = StdRng::seed_from_u64(seed());
    let mut watch = Watch::over(Library::Generated(Generated::photos(
        sized(ITEMS, 10_000),
        16_000,
    )))
    .await;
    for _ in 0..sized(50, 300) {
        let lives = Duration::from_millis(random.random_range(50..1_100));
        watch
            .life(async |household| {
                let mut process = Spawned::start(household.backup(&[]));
                tokio::time::sleep(lives).await;
                process.kill();
                process.wait(Duration::from_secs(10)).await;
            })
            .await;
    }
    watch.ends_well().await;
}

#[tokio::test]
async fn kill_at_each_journal_step_loses_nothing() {
    let mut watch = Watch::over(Library::Generated(Generated::photos(ITEMS, 16_000))).await;
    for (step, times) in STEPS {
        for time in times {
            // The steps at the end of a run come only once everything is stored.
            let is_late = step.starts_with("manifest") || step.starts_with("snapshot");
            watch.household.control.set(|switches| {
                let latency = if is_late { 0 } else { 120 };
                switches.latency_ms.insert(CallKind::Download, latency);
            });
            watch
                .life(async |household| {
                    let mut command = household.backup(&[]);
                    command.env("TINTYPE_CRASH_AT", format!("{step}:{time}"));
                    let ended = run(command).await;
                    assert_eq!(
                        ended.code(),
                        None,
                        "{step}:{time} was not reached:\n{}",
                        ended.stderr
                    );
                })
                .await;
        }
    }
    watch.ends_well().await;
}
