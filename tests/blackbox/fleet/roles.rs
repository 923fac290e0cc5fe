//! A role that cannot do its work says so at once.

use crate::household::{run, tintype};

#[tokio::test(flavor = "multi_thread")]
async fn a_role_without_its_settings_names_them_at_once() {
    for (role, name) in [
        ("gateway", "postgres"),
        ("worker", "postgres"),
        ("scheduler", "postgres"),
        ("vault", "vault_server"),
        ("migrate", "postgres.url"),
    ] {
        let ended = run(tintype(&["serve", "--role", role])).await;
        ended.assert_code(2);
        assert!(ended.stderr.contains(name), "{role}: {}", ended.stderr);
    }
}
