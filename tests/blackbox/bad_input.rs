//! Bad input: an error that names the field, says what is wrong and what to do; nothing is stored.

use tintype_emulator::Library;

use crate::household::{Household, run, tintype};

async fn refused(token: &str, field: &str, says: &str) {
    let household = Household::new(Library::Sample).await;
    std::fs::write(household.path("token.json"), token).expect("written");
    let ended = run(household.backup(&[])).await;
    ended.assert_code(2);
    assert!(
        ended.stderr.contains(field) && ended.stderr.contains(says),
        "{}",
        ended.stderr
    );
    assert!(
        !ended.stderr.contains("SECRET"),
        "a secret was echoed: {}",
        ended.stderr
    );
    assert!(
        !household.archive().join("tintype.json").exists(),
        "something was stored"
    );
}

#[tokio::test]
async fn tokens_that_are_none_are_refused_with_the_reason() {
    refused("", "token", "empty").await;
    refused(
        r#"{"access_token":"SECRET","token_type":"Bea"#,
        "token",
        "cut",
    )
    .await;
    refused(
        r#"{"access_token":"SECRET","token_type":"Bearer"}"#,
        "token",
        "refresh_token",
    )
    .await;
    refused("hello", "token", "JSON").await;
}

#[tokio::test]
async fn a_client_id_of_another_kind_is_refused() {
    let household = Household::new(Library::Sample).await;
    let mut command = household.backup(&[]);
    command.args(["--client-id", "someone@example.com"]);
    let ended = run(command).await;
    ended.assert_code(2);
    assert!(ended.stderr.contains("client"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_revoked_token_ends_with_code_3_and_a_new_one_goes_on() {
    let household = Household::new(Library::Sample).await;
    run(household.backup(&[])).await.assert_code(0);
    household
        .control
        .revoke_all(tintype_emulator::DEFAULT_ACCOUNT, None)
        .expect("revoked");
    let ended = run(household.backup(&["--full"])).await;
    ended.assert_code(3);
    let client = tintype_emulator::DEFAULT_CLIENT_ID;
    let blob = household
        .control
        .token_blob(tintype_emulator::DEFAULT_ACCOUNT, client)
        .expect("a blob");
    std::fs::write(household.path("token.json"), blob).expect("written");
    run(household.backup(&["--full"])).await.assert_code(0);
}

#[tokio::test]
async fn a_used_up_quota_ends_with_code_4_and_says_when_it_goes_on() {
    let household = Household::new(Library::Sample).await;
    let ended = run(household.backup(&["--quota-downloads", "3"])).await;
    ended.assert_code(4);
    assert!(ended.json()["resumes_at"].is_string(), "{}", ended.stdout);
}

#[tokio::test]
async fn options_that_do_not_fit_are_refused() {
    let household = Household::new(Library::Sample).await;
    run(household.backup(&["--mirror", "--recipient", "age1xyz"]))
        .await
        .assert_code(2);
    run(household.backup(&["--recipient", "age1xyz"]))
        .await
        .assert_code(2);
    run(tintype(&["verify", "/nowhere/at/all"])).await;
    let ended = run(tintype(&[
        "verify",
        "s3://bucket/x?endpoint=http://127.0.0.1:1&region=r",
    ]))
    .await;
    ended.assert_code(2);
    assert!(
        ended.stderr.contains("TINTYPE_S3_ACCESS_KEY_ID"),
        "{}",
        ended.stderr
    );
}
