//! The rules of the house. Each has its reason; a change here is a change of architecture and belongs
//! into ARCHITECTURE.md as well.

/// What one crate of ours may import of ours.
pub(super) struct Room {
    pub(super) package: &'static str,
    /// For the crate itself and its build script.
    pub(super) may_use: &'static [&'static str],
    /// For its tests, beyond `may_use` and [`TEST_HELPERS`].
    pub(super) tests_may_use: &'static [&'static str],
    pub(super) reason: &'static str,
}

const ADAPTER: &str = "an adapter knows its port and its outside thing; two that know each other, or \
                       a use case, cannot be swapped for the ones of the other mode";
const APART: &str = "it is used from outside, like any program: importing our code would let a bug \
                     hide in both";

/// Every crate under `crates/`. Crates under `services/` assemble all others and may use any.
pub(super) const ROOMS: &[Room] = &[
    Room {
        package: "tintype-model",
        may_use: &[],
        tests_may_use: &[],
        reason: "the model is pure: everything imports it, it imports nothing",
    },
    Room {
        package: "tintype-ports",
        may_use: &["tintype-model"],
        tests_may_use: &[],
        reason: "ports speak of the outside in words of the model alone",
    },
    Room {
        package: "tintype-app",
        may_use: &["tintype-model", "tintype-ports", "tintype-media"],
        tests_may_use: &[
            "tintype-store",
            "tintype-queue",
            "tintype-quota",
            "tintype-events",
            "tintype-blob",
            "tintype-google",
            "tintype-vault-core",
            "tintype-runtime",
        ],
        reason: "a use case sees ports only, so that both modes run the same logic",
    },
    Room {
        package: "tintype-media",
        may_use: &["tintype-model"],
        tests_may_use: &[],
        reason: "media is CPU only: bytes in, facts out",
    },
    Room {
        package: "tintype-runtime",
        may_use: &["tintype-model", "tintype-ports"],
        tests_may_use: &[],
        reason: "runtime is the ground under adapters and services, and stands on none of them",
    },
    Room {
        package: "tintype-store",
        may_use: &["tintype-model", "tintype-ports"],
        tests_may_use: &[],
        reason: ADAPTER,
    },
    Room {
        package: "tintype-queue",
        may_use: &[
            "tintype-model",
            "tintype-ports",
            "tintype-proto",
            "tintype-runtime",
        ],
        tests_may_use: &[],
        reason: ADAPTER,
    },
    Room {
        package: "tintype-quota",
        may_use: &["tintype-model", "tintype-ports"],
        tests_may_use: &[],
        reason: ADAPTER,
    },
    Room {
        package: "tintype-events",
        may_use: &["tintype-model", "tintype-ports"],
        tests_may_use: &[],
        reason: ADAPTER,
    },
    Room {
        package: "tintype-blob",
        // The guarded HTTP client lives in runtime.
        may_use: &["tintype-model", "tintype-ports", "tintype-runtime"],
        tests_may_use: &[],
        reason: ADAPTER,
    },
    Room {
        package: "tintype-google",
        // The guarded HTTP client lives in runtime.
        may_use: &["tintype-model", "tintype-ports", "tintype-runtime"],
        tests_may_use: &[],
        reason: ADAPTER,
    },
    Room {
        package: "tintype-vault-core",
        // The guarded HTTP client lives in runtime: a key service is reached with it.
        may_use: &["tintype-model", "tintype-ports", "tintype-runtime"],
        tests_may_use: &[],
        reason: ADAPTER,
    },
    Room {
        package: "tintype-proto",
        may_use: &[],
        tests_may_use: &[],
        reason: "contracts are what several sides agree on: they know none of them",
    },
    Room {
        package: "tintype-vault-client",
        may_use: &[
            "tintype-model",
            "tintype-ports",
            "tintype-proto",
            "tintype-runtime",
        ],
        tests_may_use: &[],
        reason: ADAPTER,
    },
    Room {
        package: "tintype-servers",
        may_use: &[],
        tests_may_use: &[],
        reason: "it starts other people's servers and knows nothing of ours",
    },
    Room {
        package: "tintype-emulator",
        may_use: &[],
        tests_may_use: &[],
        reason: APART,
    },
    Room {
        package: "tintype-testkit",
        may_use: &["tintype-model", "tintype-ports", "tintype-servers"],
        tests_may_use: &[],
        reason: "every crate's tests use the testkit: what it imports, all of them build",
    },
    Room {
        package: "xtask",
        may_use: &["tintype-servers"],
        tests_may_use: &[],
        reason: APART,
    },
];

/// Crates that stand for the outside world: for tests, and nowhere in what is shipped.
pub(super) const TEST_HELPERS: &[&str] =
    &["tintype-emulator", "tintype-testkit", "tintype-servers"];

/// The black-box tests: all of it is test code, so anything may be used anywhere in it.
pub(super) const BLACK_BOX: &str = "tintype-tests";

/// A test helper that a service ships all the same.
pub(super) struct Shipped {
    pub(super) helper: &'static str,
    pub(super) service: &'static str,
}

/// `tintype demo` and `tintype emulator` run the emulator.
pub(super) const SHIPPED: &[Shipped] = &[Shipped {
    helper: "tintype-emulator",
    service: "tintype",
}];

/// Where a dependency from outside may be declared.
pub(super) struct Outsider {
    pub(super) crates: &'static [&'static str],
    /// Packages of ours that may import it; `services/` stands for every crate of that folder.
    pub(super) only_in: &'static [&'static str],
    /// Whether the tests of any crate may import it too.
    pub(super) free_in_tests: bool,
    pub(super) reason: &'static str,
}

/// Dependencies that have one home, or a few.
pub(super) const OUTSIDERS: &[Outsider] = &[
    Outsider {
        crates: &["sqlx"],
        only_in: &["tintype-store", "tintype-vault-core", "tintype-testkit"],
        free_in_tests: false,
        reason: "SQL has two homes, the catalogue and the vault's own database (testkit makes and \
                 drops the tests' databases)",
    },
    Outsider {
        crates: &["opendal"],
        only_in: &["tintype-blob"],
        free_in_tests: false,
        reason: "destinations are reached through the archive alone",
    },
    Outsider {
        crates: &["age"],
        only_in: &["tintype-blob"],
        free_in_tests: false,
        reason: "an archive is encrypted in one place; tests open it with the age program",
    },
    Outsider {
        crates: &["reqwest"],
        only_in: &[
            "tintype-google",
            "tintype-runtime",
            "tintype-blob",
            "tintype-vault-core",
            "tintype",
        ],
        free_in_tests: true,
        reason: "all egress goes through one guarded client with deadlines, proxies and authorities; blob hands the one \
                 it is given to the object store, vault-core asks a key service with it, the command line a server",
    },
    Outsider {
        crates: &["axum", "hyper", "hyper-util"],
        only_in: &["tintype-emulator", "tintype-vault-client", "services/"],
        free_in_tests: true,
        reason: "HTTP is served by services and by the emulator; nothing else listens (the vault's \
                 client makes its own connections, to present a certificate that may change)",
    },
    Outsider {
        crates: &["tonic", "tonic-prost", "tonic-health", "tonic-reflection"],
        only_in: &[
            "tintype-proto",
            "tintype-vault-client",
            "tintype-testkit",
            "services/",
        ],
        free_in_tests: true,
        reason: "gRPC is spoken between services; use cases see ports",
    },
    Outsider {
        crates: &["lapin"],
        only_in: &["tintype-queue", "tintype-testkit"],
        free_in_tests: true,
        reason: "the broker is reached through the queue port alone",
    },
    Outsider {
        crates: &["redis"],
        only_in: &["tintype-quota", "tintype-events", "tintype-testkit"],
        free_in_tests: true,
        reason: "what is shared in Redis has two homes: counters and events",
    },
    Outsider {
        crates: &["jsonwebtoken"],
        only_in: &["tintype-vault-client", "services/"],
        free_in_tests: true,
        reason: "tokens are signed and checked at the doors, nowhere else",
    },
    Outsider {
        crates: &[
            "opentelemetry",
            "opentelemetry_sdk",
            "opentelemetry-otlp",
            "tracing-opentelemetry",
        ],
        only_in: &["tintype-runtime"],
        free_in_tests: false,
        reason: "telemetry has one home; everybody else uses tracing, metrics and its helpers",
    },
    Outsider {
        crates: &["opentelemetry-proto"],
        only_in: &["tintype-testkit"],
        free_in_tests: false,
        reason: "only the collector of the tests takes spans; everybody else sends them",
    },
    Outsider {
        crates: &["metrics-exporter-prometheus"],
        only_in: &["tintype-runtime"],
        free_in_tests: true,
        reason: "metrics are rendered in one place; tests read what was counted",
    },
    Outsider {
        crates: &["aws-lc-rs"],
        only_in: &[
            "tintype-vault-core",
            "tintype-blob",
            "tintype-emulator",
            "tintype-runtime",
            "tintype-google",
        ],
        free_in_tests: false,
        reason: "cryptography is reviewed where it stands, so it stands in few places; in the google crate it is the \
                 checksum that google compares uploads with",
    },
    Outsider {
        crates: &["ring", "openssl", "native-tls"],
        only_in: &[],
        free_in_tests: false,
        reason: "aws-lc-rs is the one TLS and AEAD provider",
    },
];

/// What the model may not touch at all, tests included: anything that waits, stores or calls.
pub(super) const NOT_IN_THE_MODEL: &[&str] = &[
    "tokio",
    "sqlx",
    "axum",
    "hyper",
    "reqwest",
    "opendal",
    "async-trait",
    "futures",
];

/// Adapter crates as source text names them. In a service only `wire.rs` (or a `wire/` folder) may.
pub(super) const ADAPTERS: &[&str] = &[
    "tintype_store",
    "tintype_queue",
    "tintype_quota",
    "tintype_events",
    "tintype_blob",
    "tintype_google",
    "tintype_vault_core",
    "tintype_vault_client",
];

/// The folders at the top; each may be missing, no other may stand beside them.
pub(super) const TOP_FOLDERS: &[&str] = &[
    "services",
    "proto",
    "crates",
    "deploy",
    "migrations",
    "tests",
];

/// Past this a file is two files.
pub(super) const MAX_LINES: usize = 400;

/// Files that may be longer, each with the reason in a comment beside it.
pub(super) const LONG_FILES: &[&str] = &[];
