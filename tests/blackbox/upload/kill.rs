//! Kill -9 at each step of an upload: every file becomes one item, whatever Google does with a token that comes again.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tintype_emulator::{DEFAULT_ACCOUNT, Replay};
use tintype_runtime::HttpSettings;

use super::{albums_in, ids_in, name_of, nobody, photo, put_photos, upload, uploaded};
use crate::household::{Household, PATIENCE, run};

const FILES: usize = 1_000;

/// Where the process dies, in one life after the other.
const DEATHS: [&str; 15] = [
    "run-started:1",
    "page-written:2",
    "bytes-sent:1",
    "album-intended:1",
    "album-made:1",
    "upload-journalled:1",
    "items-made:1",
    "upload-recorded:1",
    "bytes-sent:150",
    "items-made:2",
    "upload-journalled:2",
    "upload-recorded:2",
    "items-made:3",
    "shard-finished:1",
    "albums-joined:1",
];

/// All lives of the upload; the last one ends well, with every file there. Its report comes along.
async fn survive(replay: Replay) -> (Household, Value) {
    let household = nobody().await;
    household
        .control
        .set(|switches| switches.token_replay = replay);
    let pictures = household.path("pictures");
    put_photos(&pictures, "", 0..100);
    put_photos(&pictures, "Trips/", 100..600);
    put_photos(&pictures, "Trips/2019 Rome/", 600..FILES);
    for death in DEATHS {
        let mut command = upload(&household, &pictures, &[]);
        command.env("TINTYPE_CRASH_AT", death);
        let ended = run(command).await;
        assert_eq!(
            ended.code(),
            None,
            "{death} was not reached:\n{}",
            ended.stderr
        );
    }
    let ended = run(upload(&household, &pictures, &["--json"])).await;
    ended.assert_code(0);
    let report = ended.json();
    let progress = &report["progress"];
    assert_eq!(
        (&progress["stored"], &progress["failed"]),
        (&FILES.into(), &0.into()),
        "{report}"
    );
    let ids = ids_in(&household.control, DEFAULT_ACCOUNT);
    assert_eq!(ids.len(), FILES);
    for number in 0..FILES {
        for id in &ids[&name_of(number)] {
            let there = uploaded(&household.control, id);
            assert!(there == photo(number), "{} differs", name_of(number));
        }
    }
    (household, report)
}

async fn makes_nothing_twice(replay: Replay) {
    let (household, report) = survive(replay).await;
    let ids = ids_in(&household.control, DEFAULT_ACCOUNT);
    let twice: Vec<_> = ids.iter().filter(|(_, ids)| ids.len() > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
    let albums = albums_in(&household, DEFAULT_ACCOUNT).await;
    let expected = [("Trips", 500), ("Trips/2019 Rome", 400)];
    let expected = expected.map(|(title, count)| (title.to_owned(), count));
    assert_eq!(albums, BTreeMap::from(expected));
    assert!(duplicates(&household).await.is_empty());
    assert_eq!(report["duplicates"], serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_makes_nothing_twice_where_a_token_gives_its_item_again() {
    makes_nothing_twice(Replay::SameId).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_makes_nothing_twice_where_a_token_is_refused_the_second_time() {
    makes_nothing_twice(Replay::AlreadyExists).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_where_a_token_makes_a_second_item_and_each_of_them_is_told() {
    let (household, report) = survive(Replay::Duplicate).await;
    let told = duplicates(&household).await;
    let in_report = report["duplicates"].as_array().expect("a list");
    let in_report = in_report
        .iter()
        .map(|it| it["id"].as_str().expect("an id").to_owned());
    assert_eq!(in_report.collect::<BTreeSet<_>>(), told);
    let ids = ids_in(&household.control, DEFAULT_ACCOUNT);
    let mut surplus = 0;
    for (name, ids) in &ids {
        let of_name = ids.iter().filter(|id| told.contains(*id)).count();
        assert_eq!(of_name, ids.len() - 1, "{name}: {ids:?}, told: {told:?}");
        surplus += of_name;
    }
    assert_eq!(told.len(), surplus, "{told:?}");
    assert!(surplus > 0, "no token came a second time");
    let albums = albums_in(&household, DEFAULT_ACCOUNT).await;
    let titles: Vec<&str> = albums.keys().map(String::as_str).collect();
    assert_eq!(titles, ["Trips", "Trips/2019 Rome"]);
}

/// Ids of items that a server on the same data folder tells to be there too often.
async fn duplicates(household: &Household) -> BTreeSet<String> {
    let (mut process, base) = household.serve().await;
    let token = std::fs::read_to_string(household.data().join("operator.token"));
    let server = Server {
        base,
        token: token.expect("a token").trim().to_owned(),
    };
    let told = server.duplicates().await;
    process.terminate();
    assert!(process.wait(PATIENCE).await.success());
    told
}

struct Server {
    base: String,
    token: String,
}

impl Server {
    async fn get(&self, path: &str, tenant: &str) -> Value {
        let http = HttpSettings::default().client().expect("a client");
        let asked = http
            .get(format!("{}{path}", self.base))
            .bearer_auth(&self.token)
            .header("tintype-tenant", tenant);
        let answer = asked.send().await.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {answer:?}");
        answer.json().await.expect("JSON")
    }

    async fn duplicates(&self) -> BTreeSet<String> {
        let tenants = self.get("/v1/tenants", "").await;
        let tenant = tenants["data"][0]["id"].as_str().expect("a tenant");
        let storages = self.get("/v1/storages", tenant).await;
        let account = storages["data"]
            .as_array()
            .and_then(|all| all.iter().find(|it| it["kind"] == "google_photos"))
            .expect("the account");
        let account = account["id"].as_str().expect("an id");
        let path = format!("/v1/storages/{account}/duplicates?limit=100");
        let (mut told, mut next) = (BTreeSet::new(), path.clone());
        loop {
            let page = self.get(&next, tenant).await;
            for twin in page["data"].as_array().expect("a list") {
                let id = twin["id"].as_str().expect("an id");
                assert!(told.insert(id.to_owned()), "{id} is told twice");
            }
            let Some(cursor) = page["next_cursor"].as_str() else {
                return told;
            };
            next = format!("{path}&cursor={cursor}");
        }
    }
}
