//! `tintype storage` against an embedded server.

use std::process::Command;

use tintype_emulator::{
    CallKind, ClientConfig, ConsentAnswer, DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID,
    DEFAULT_CLIENT_SECRET, Generated, Library, SCOPE_READ,
};
use tintype_runtime::HttpSettings;
use tintype_testkit::process::{Spawned, Stream};

use crate::household::{Ended, Household, PATIENCE, run, text, tintype};

/// A person with a server of their own.
struct Home {
    household: Household,
    server: String,
    process: Spawned,
}

impl Home {
    async fn new() -> Self {
        let household = Household::new(Library::Generated(Generated::photos(3, 8_000))).await;
        let (process, server) = household.serve().await;
        Self {
            server,
            household,
            process,
        }
    }

    async fn storage(&self, words: &[&str]) -> Ended {
        run(self.command(words)).await
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = tintype(&["storage"]);
        command
            .args(words)
            .args(["--server", &self.server, "--data-dir"])
            .arg(self.household.data())
            .env("TINTYPE_CLIENT_SECRET", DEFAULT_CLIENT_SECRET)
            .env_remove("TINTYPE_TOKEN")
            .env_remove("TINTYPE_TENANT");
        command
    }

    async fn add(&self, name: &str, more: &[&str]) -> Ended {
        let token = self.household.path("token.json");
        let mut words = vec!["add", "google-photos", "--name", name];
        words.extend(["--client-id", DEFAULT_CLIENT_ID]);
        words.extend(["--token-file", text(&token)]);
        words.extend(more);
        self.storage(&words).await
    }

    fn write_token(&self, scopes: Option<&str>) {
        let control = &self.household.control;
        let grant = control.grant(DEFAULT_ACCOUNT, DEFAULT_CLIENT_ID, scopes);
        let token = serde_json::json!({
            "access_token": "ya29.old", "token_type": "Bearer", "expiry": "2020-01-01T00:00:00Z",
            "refresh_token": grant.expect("a grant").refresh_token,
        });
        let file = self.household.path("token.json");
        std::fs::write(file, token.to_string()).expect("written");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_connected_tested_and_listed() {
    let home = Home::new().await;
    let nothing = home.storage(&["list"]).await;
    nothing.assert_code(1);
    assert!(
        nothing.stderr.contains("tintype storage add"),
        "{}",
        nothing.stderr
    );

    let added = home.add("family", &[]).await;
    added.assert_code(0);
    assert!(
        added.stdout.starts_with("family is connected as stg_"),
        "{}",
        added.stdout
    );
    for line in [
        "✓ credential",
        "✓ token refresh",
        "✓ granted scopes",
        "✓ listing",
        "✓ upload",
    ] {
        assert!(added.stderr.contains(line), "{line}: {}", added.stderr);
    }
    let again = home.add("family", &[]).await;
    again.assert_code(2);
    assert!(again.stderr.contains("already"), "{}", again.stderr);

    let tested = home.storage(&["test", "family", "--json"]).await;
    tested.assert_code(0);
    let tested = tested.json();
    assert_eq!(
        (&tested["passed"], &tested["requests"]),
        (&true.into(), &3.into())
    );
    assert_eq!(tested["checks"].as_array().map(Vec::len), Some(6));

    let folder = home.household.path("disk");
    std::fs::create_dir(&folder).expect("a folder");
    let disk = ["add", "folder", "--name", "disk", "--path", text(&folder)];
    home.storage(&disk).await.assert_code(0);
    let list = home.storage(&["list"]).await;
    for word in [
        "family",
        "google_photos",
        "cloud project 123456789012",
        "disk",
    ] {
        assert!(list.stdout.contains(word), "{word}: {}", list.stdout);
    }
    let unknown = home.storage(&["test", "nothing"]).await;
    unknown.assert_code(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn how_items_are_made_is_chosen_where_an_account_is_connected() {
    let home = Home::new().await;
    let words = [
        "--batch-mode",
        "async",
        "--batch-size",
        "20",
        "--batch-timeout",
        "5",
    ];
    home.add("family", &words).await.assert_code(0);
    home.add("studio", &[]).await.assert_code(0);
    let listed = home.storage(&["list", "--json"]).await.json();
    let batch_of = |name: &str| {
        let storages = listed["data"].as_array().expect("a list");
        let found = storages.iter().find(|it| it["name"] == name);
        found.expect("the account")["batch"].clone()
    };
    assert_eq!(
        batch_of("family"),
        serde_json::json!({"mode": "async", "size": 20, "timeout_seconds": 5})
    );
    assert_eq!(
        batch_of("studio"),
        serde_json::json!({"mode": "sync", "size": 0, "timeout_seconds": 0})
    );
    for wrong in [
        ["--batch-size", "50"],
        ["--batch-timeout", "3601"],
        ["--batch-mode", "often"],
    ] {
        let refused = home.add("late", &wrong).await;
        refused.assert_code(2);
        assert!(refused.stderr.contains(wrong[0]), "{}", refused.stderr);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_proxy_is_named_tested_shown_and_taken_back() {
    let home = Home::new().await;
    let proxy = home.household.google.download_proxy_url();
    let added = home.add("family", &["--proxy", &proxy]).await;
    added.assert_code(0);
    assert!(
        added.stderr.contains("✓ download proxy"),
        "{}",
        added.stderr
    );
    let list = home.storage(&["list"]).await;
    assert!(list.stdout.contains(&proxy), "{}", list.stdout);
    let none = home.storage(&["update", "family", "--no-proxy"]).await;
    none.assert_code(0);
    let list = home.storage(&["list"]).await;
    assert!(!list.stdout.contains("gphotosdl"), "{}", list.stdout);

    let wrong = format!("{proxy}/wrong");
    let words = ["update", "family", "--proxy", &wrong, "--name", "studio"];
    home.storage(&words).await.assert_code(0);
    let tested = home.storage(&["test", "studio"]).await;
    tested.assert_code(1);
    assert!(
        tested.stderr.contains("✗ download proxy"),
        "{}",
        tested.stderr
    );
    assert!(tested.stderr.contains("→ "), "{}", tested.stderr);
    for words in [
        &["update", "studio"][..],
        &["update", "studio", "--proxy", "ftp://h"],
        &["update", "studio", "--proxy", "http://me:pw@h"],
        &["update", "studio", "--proxy", &proxy, "--no-proxy"],
    ] {
        home.storage(words).await.assert_code(2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_ones_own_takes_originals_from_a_proxy() {
    let household = Household::new(Library::Sample).await;
    let proxy = household.google.download_proxy_url();
    let ended = run(household.backup(&["--proxy", &proxy])).await;
    ended.assert_code(0);
    let calls = |kind| household.control.calls(kind);
    assert_eq!(calls(CallKind::Original), 6 + 1, "six, and one of the test");
    assert_eq!(calls(CallKind::Download), 1, "of the test");
    // Without it the next run is as any.
    let lake = tintype_emulator::ItemBytes::Photo(20_000);
    household
        .control
        .add_item(
            DEFAULT_ACCOUNT,
            DEFAULT_CLIENT_ID,
            tintype_emulator::NewItem::new("new.jpg", lake),
        )
        .expect("added");
    run(household.backup(&[])).await.assert_code(0);
    assert_eq!(calls(CallKind::Original), 7);
    assert_eq!(calls(CallKind::Download), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn four_troubles_have_four_diagnoses() {
    let home = Home::new().await;
    home.add("family", &[]).await.assert_code(0);
    let control = &home.household.control;
    let mut said = Vec::new();
    let mut test = async |words: &str| {
        let ended = home.storage(&["test", "family"]).await;
        ended.assert_code(3);
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
        let action = ended.stderr.lines().find(|line| line.starts_with("→ "));
        said.push(action.expect("what to do").to_owned());
    };
    control.set(|switches| switches.api_disabled = true);
    test("switched off in cloud project 123456789012").await;
    control.set(|switches| switches.api_disabled = false);

    control.revoke_all(DEFAULT_ACCOUNT, None).expect("revoked");
    control.expire_access_tokens();
    test("does not accept the refresh token").await;

    home.write_token(Some(SCOPE_READ));
    let refused = home.add("reader", &[]).await;
    refused.assert_code(3);
    assert!(
        refused.stderr.contains("photoslibrary.appendonly"),
        "{}",
        refused.stderr
    );
    assert!(
        refused.stderr.contains("not connected"),
        "{}",
        refused.stderr
    );
    let action = refused.stderr.lines().find(|line| line.starts_with("→ "));
    let read_only = action.expect("what to do").to_owned();
    assert!(read_only.contains("read only"), "{read_only}");
    home.add("reader", &["--read-only"]).await.assert_code(0);
    assert_eq!(
        control.calls(CallKind::UploadRaw),
        1,
        "by the first account alone"
    );

    home.write_token(None);
    control.add_client(ClientConfig {
        client_secret: "GOCSPX-another-one-now".into(),
        ..ClientConfig::default()
    });
    let expired = home.add("late", &[]).await;
    expired.assert_code(3);
    assert!(
        expired.stderr.contains("client id and secret"),
        "{}",
        expired.stderr
    );
    let action = expired.stderr.lines().find(|line| line.starts_with("→ "));
    said.extend([read_only, action.expect("what to do").to_owned()]);
    said.sort();
    said.dedup();
    assert_eq!(said.len(), 4, "{said:#?}");
}

/// What a browser does: Google sends the person back, and the browser goes there.
async fn browse(url: &str) -> String {
    let http = HttpSettings::default().client().expect("a client");
    let consent = http.get(url).send().await.expect("google's answer");
    let back = consent.headers()["location"].to_str().expect("text");
    let page = http.get(back).send().await.expect("a page");
    page.text().await.expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_with_a_browser_and_ends_it_again() {
    let home = Home::new().await;
    let control = &home.household.control;
    control.set(|switches| switches.consent = Some(ConsentAnswer::Allow));
    let is_page = |line: &str| line.trim_start().starts_with("http");
    let mut adding = Spawned::start(home.command(&[
        "add",
        "google-photos",
        "--name",
        "studio",
        "--client-id",
        DEFAULT_CLIENT_ID,
        "--sign-in",
    ]));
    let url = adding.wait_for_line(PATIENCE, is_page).await;
    let page = browse(url.trim()).await;
    assert!(page.contains("studio is connected"), "{page}");
    let status = adding.wait(PATIENCE).await;
    let said = adding.text(Stream::Stderr);
    assert!(status.success(), "{said}");
    assert!(said.contains("✓ upload"), "{said}");

    home.storage(&["disconnect", "studio"]).await.assert_code(0);
    assert_eq!(control.calls(CallKind::Revoke), 1);
    let tested = home.storage(&["test", "studio"]).await;
    assert!(tested.stderr.contains("✗ credential"), "{}", tested.stderr);

    let words = ["sign-in", "studio", "--client-id", DEFAULT_CLIENT_ID];
    let mut again = Spawned::start(home.command(&words));
    let url = again.wait_for_line(PATIENCE, is_page).await;
    browse(url.trim()).await;
    assert!(again.wait(PATIENCE).await.success());

    home.storage(&["remove", "studio"]).await.assert_code(0);
    assert_eq!(control.calls(CallKind::Revoke), 2);
    let list = home.storage(&["list"]).await;
    assert!(
        list.stdout.contains("nothing is connected"),
        "{}",
        list.stdout
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tokens_death_is_counted_down_in_words() {
    let home = Home::new().await;
    let control = &home.household.control;
    control.set(|switches| switches.testing_mode = true);
    for name in ["family", "studio"] {
        home.add(name, &[]).await.assert_code(0);
        home.storage(&["test", name]).await.assert_code(0);
    }
    let good = home.storage(&["list"]).await;
    let said = &good.stdout;
    assert!(said.contains("good for 6 days 23 h"), "{said}");

    control.advance(5 * 24 * 3_600_000);
    control.expire_access_tokens();
    let tested = home.storage(&["test", "family"]).await;
    tested.assert_code(0);
    let said = &tested.stderr;
    assert!(said.contains("credential: dies in 47 h"), "{said}");
    let action = "sign in again before then";
    assert!(said.contains(action), "{said}");
    let shown = home.storage(&["show", "family"]).await;
    for words in ["dies in 47 h", "as Google said", "last used", action] {
        assert!(shown.stdout.contains(words), "{words}: {}", shown.stdout);
    }
    let shown = home.storage(&["show", "family", "--json"]).await.json();
    assert_eq!(shown["health"]["state"], "expiring");

    control.advance(2 * 24 * 3_600_000);
    control.expire_access_tokens();
    // Another one: a token that Google rejects is replaced once a minute.
    home.storage(&["test", "studio"]).await.assert_code(3);
    let dead = home.storage(&["list"]).await;
    assert!(dead.stdout.contains("dead: Google"), "{}", dead.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_or_a_wrong_token_is_told_plainly() {
    let mut home = Home::new().await;
    let wrong = home.household.path("wrong.token");
    std::fs::write(&wrong, "0123456789abcdef0123456789abcdef").expect("written");
    let refused = home
        .storage(&["list", "--server-token-file", text(&wrong)])
        .await;
    refused.assert_code(2);
    let told = refused.stderr;
    assert!(told.contains("does not know the token"), "{told}");
    home.process.terminate();
    assert!(home.process.wait(PATIENCE).await.success());
    let gone = home.storage(&["list"]).await;
    gone.assert_code(1);
    assert!(
        gone.stderr.contains("tintype serve --profile embedded"),
        "{}",
        gone.stderr
    );
}
