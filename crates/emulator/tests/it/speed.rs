//! TLS, and that serving keeps its books under load.

use tintype_emulator::{CallKind, EmulatorConfig, Generated, Library, QuotaLimits, Switches};

use crate::helper::{Google, client};

#[tokio::test]
async fn everything_is_served_over_tls_too() {
    let google = Google::start(EmulatorConfig::default().with_tls()).await;
    let http = client(Some(google.running.ca_pem()));
    let base = google.running.https_url().unwrap();
    let call = http
        .get(format!("{base}/v1/mediaItems"))
        .bearer_auth(&google.token);
    let page: serde_json::Value = call.send().await.unwrap().json().await.unwrap();
    let address = page["mediaItems"][0]["baseUrl"].as_str().unwrap();
    assert!(address.starts_with(&base));
    assert_eq!(
        http.get(format!("{address}=d"))
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_a_million_items_cost_no_time_to_start_and_fast_mode_still_counts() {
    let switches = Switches {
        quota: QuotaLimits::unlimited(),
        ..Switches::default()
    };
    let library = Library::Generated(Generated::photos(500_000, 200 * 1024));
    let config = EmulatorConfig {
        switches,
        fast: true,
        ..EmulatorConfig::with_library(library)
    };
    let google = Google::start(config).await;
    let (_, page) = google.get_json("/v1/mediaItems?pageSize=100").await;
    let items = page["mediaItems"].as_array().unwrap();
    let mut loads = tokio::task::JoinSet::new();
    for item in items {
        let address = format!("{}=d", item["baseUrl"].as_str().unwrap());
        let http = google.http.clone();
        loads.spawn(async move {
            http.get(address)
                .send()
                .await
                .unwrap()
                .bytes()
                .await
                .unwrap()
                .len()
        });
    }
    let sizes = loads.join_all().await;
    assert!(sizes.iter().all(|size| *size == 200 * 1024));
    let summary = google.control().summary();
    assert_eq!(summary.calls[&CallKind::Download], 100);
    assert_eq!(summary.download_bytes, 100 * 200 * 1024);
    assert_eq!(summary.downloads_per_item.len(), 100);
    assert!(google.control().ledger(None, 0, 10).is_empty());
    google.running.shutdown().await;
}
