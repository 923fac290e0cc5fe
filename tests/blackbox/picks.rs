//! `tintype backup --pick`: a person at a terminal with a browser beside it.

use tintype_emulator::{
    DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, Generated, Library, SCOPE_PICKER, SCOPE_READ,
};
use tintype_runtime::HttpSettings;
use tintype_testkit::process::{Spawned, Stream};

use crate::household::{Household, PATIENCE, run, text, tintype};

#[tokio::test]
async fn a_person_picks_behind_the_link_that_the_command_prints() {
    let home = Household::new(Library::Generated(Generated::photos(12, 20_000))).await;
    let scopes = format!("{SCOPE_READ} {SCOPE_PICKER}");
    let grant = home
        .control
        .grant(DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, Some(&scopes))
        .expect("a grant");
    let token = format!(r#"{{"refresh_token":"{}"}}"#, grant.refresh_token);
    std::fs::write(home.path("token.json"), token).expect("written");

    let mut backup = Spawned::start(home.backup(&["--pick"]));
    let line = backup
        .wait_for_line(PATIENCE, |line| line.contains("pick photos at "))
        .await;
    let (_, link) = line.split_once("pick photos at ").expect("a link");
    let browser = HttpSettings::default().client().expect("a client");
    let window = browser.post(link.trim()).form(&[("newest", "5")]);
    assert!(
        window
            .send()
            .await
            .expect("an answer")
            .status()
            .is_success()
    );
    let status = backup.wait(PATIENCE).await;
    assert_eq!(
        status.code(),
        Some(0),
        "{}{}",
        backup.text(Stream::Stdout),
        backup.text(Stream::Stderr)
    );
    let told: serde_json::Value = serde_json::from_str(&backup.text(Stream::Stdout)).expect("JSON");
    assert_eq!(told["mode"], "picks", "{told}");
    assert_eq!(told["progress"]["stored"], 5, "{told}");

    // A link that nobody used is in nobody's way.
    let mut left = Spawned::start(home.backup(&["--pick"]));
    left.wait_for_line(PATIENCE, |line| line.contains("pick photos at "))
        .await;
    left.terminate();
    left.wait(PATIENCE).await;

    // The app's own photos join them, and what was picked of these is no second one.
    let whole = run(home.backup(&["--full"])).await;
    whole.assert_code(0);
    assert_eq!(whole.json()["items"], 12, "{}", whole.stdout);
    run(tintype(&["verify", text(&home.archive())]))
        .await
        .assert_code(0);
}
