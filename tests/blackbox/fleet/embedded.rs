//! The same promises of the embedded profile, where everything is one process.

use std::path::PathBuf;

use tempfile::TempDir;
use tintype_emulator::CallKind;
use tintype_testkit::{process::Spawned, sized};

use super::{
    api::{Api, PATIENCE},
    google::{DOWNLOADS_A_DAY, Google, REQUESTS_A_DAY},
    whole::{is_whole, no_canary_in, no_canary_in_logs, nothing_was_overspent},
};
use crate::household::{run, text, tintype};

struct Home {
    google: Google,
    dir: TempDir,
    settings: PathBuf,
}

impl Home {
    async fn new() -> Self {
        let google = Google::start().await;
        let dir = TempDir::new().expect("a folder");
        let settings = dir.path().join("tintype.toml");
        let toml = format!(
            "[google]\nurl = \"{}\"\n[gateway]\nlisten = \"127.0.0.1:0\"\n\
             [quota.default]\nrequests_per_day = {REQUESTS_A_DAY}\ndownloads_per_day = {DOWNLOADS_A_DAY}\n",
            google.url()
        );
        std::fs::write(&settings, toml).expect("written");
        Self {
            google,
            dir,
            settings,
        }
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// A process, and a client of it with the token that it has made.
    async fn serve(&self) -> (Spawned, Api) {
        let mut process = Spawned::start(tintype(&[
            "serve",
            "--profile",
            "embedded",
            "--config",
            text(&self.settings),
            "--data-dir",
            text(&self.data()),
        ]));
        let line = process
            .wait_for_line(PATIENCE, |line| line.contains("gateway.address"))
            .await;
        let line: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        let address = line["gateway.address"].as_str().expect("an address");
        let token = std::fs::read_to_string(self.data().join("operator.token"));
        let api = Api::new(address, token.expect("a token").trim());
        (process, api)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_the_one_process_again_and_again_and_lose_nothing() {
    let photos = sized(2_000, 10_000);
    let mut home = Home::new().await;
    home.google.control.set(|switches| {
        switches.latency_ms.insert(CallKind::Download, 100);
    });
    let (mut process, mut api) = home.serve().await;
    let mut customers = Vec::new();
    for number in 0..3 {
        let account = home.google.account(number, photos);
        customers.push(api.customer(account, home.dir.path()).await);
    }
    let mut ended = Vec::new();
    for percent in [3, 17, 33, 58, 83] {
        api.stored(&customers, 3 * photos * percent / 100).await;
        process.kill();
        // The folder is free once the process is gone.
        process.wait(PATIENCE).await;
        ended.push(process);
        (process, api) = home.serve().await;
    }
    api.succeeded(&customers).await;
    // Another run finds all of it there.
    customers[0].run = api.run(&customers[0].tenant, &customers[0].plan).await;
    api.succeeded(&customers[..1]).await;
    let again = api.run_of(&customers[0]).await;
    assert_eq!(again["progress"]["downloads"], 0, "{again}");
    process.terminate();
    let status = process.wait(PATIENCE).await;
    assert!(status.success(), "it ends in order: {status}");
    ended.push(process);

    for customer in &customers {
        is_whole(&home.google, customer).await;
    }
    nothing_was_overspent(&home.google);
    no_canary_in_logs(&home.google, &ended);
    for file in std::fs::read_dir(home.data()).expect("the data folder") {
        let file = file.expect("an entry").path();
        if file.is_file() {
            let bytes = std::fs::read(&file).expect("its bytes");
            no_canary_in(&home.google, &file.display().to_string(), &bytes);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn options_of_the_other_profile_are_refused() {
    let services = run(tintype(&[
        "serve",
        "--role",
        "worker",
        "--data-dir",
        "/tmp",
    ]))
    .await;
    services.assert_code(2);
    assert!(
        services.stderr.contains("--data-dir"),
        "{}",
        services.stderr
    );
    let arguments = ["serve", "--profile", "embedded", "--role", "worker"];
    let embedded = run(tintype(&arguments)).await;
    embedded.assert_code(2);
    assert!(embedded.stderr.contains("--role"), "{}", embedded.stderr);
}
