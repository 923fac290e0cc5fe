//! Tests a Google Photos storage with real calls: token, scopes, listing, bytes. At most three quota units and one refresh.

use std::sync::Arc;

use tintype_model::{ErrorKind, StorageId, TenantId, item::MediaKind, storage::StorageSettings};
use tintype_ports::{
    photos::{CallGate, ListedItem, PhotoError, PhotoSource, Scope},
    vault::Grant,
};

use crate::{App, AppError, AppResult, worker::gate::Gate};

/// What is tested, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckName {
    /// Google trades the refresh token for an access token.
    Token,
    /// The scope for reading was granted.
    Scopes,
    /// The library can be listed.
    Listing,
    /// The bytes of one item can be fetched.
    Bytes,
}

impl CheckName {
    /// The line a person reads.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Token => "token refresh",
            Self::Scopes => "granted scopes",
            Self::Listing => "listing",
            Self::Bytes => "one item's bytes",
        }
    }
}

/// How a check went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckResult {
    /// Good, with the evidence.
    Passed(String),
    /// Nothing to test it on, and why.
    Skipped(String),
    /// Bad.
    Failed {
        /// The class.
        kind: ErrorKind,
        /// The cause.
        cause: String,
        /// The one thing to do next.
        action: &'static str,
    },
}

/// One line of the checklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was tested.
    pub name: CheckName,
    /// How it went.
    pub result: CheckResult,
}

const READ_SCOPE: &str = "photoslibrary.readonly.appcreateddata";

const fn action(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::AuthLost => "authorise again and paste the new token",
        ErrorKind::Forbidden => {
            "enable the Photos Library API in the cloud project and grant the read scope"
        }
        ErrorKind::QuotaExhausted => "wait until the quota day turns, or use another cloud project",
        _ => "try again in a minute; check the network and the proxy when it stays",
    }
}

fn failed(name: CheckName, error: &PhotoError) -> Check {
    let kind = error.kind();
    Check {
        name,
        result: CheckResult::Failed {
            kind,
            cause: crate::runs::describe(error),
            action: action(kind),
        },
    }
}

impl App {
    /// Runs the checklist and hands out each line as it is known. Stops at the first failure. Returns whether all passed.
    ///
    /// # Errors
    /// Only when the storage is not there or is no Google Photos account; failed checks are lines, not errors.
    pub async fn test_storage(
        &self,
        tenant: TenantId,
        storage: StorageId,
        mut on_check: impl FnMut(Check) + Send,
    ) -> AppResult<bool> {
        let storage = self.storage(tenant, storage).await?;
        let StorageSettings::GooglePhotos(settings) = &storage.settings else {
            return Err(AppError::Invalid(
                "storage: only a google photos storage can be tested".into(),
            ));
        };
        let grant = Grant {
            tenant,
            storage: storage.id,
            run: None,
            purpose: "test".into(),
        };
        let gate = Arc::new(Gate::new(self, grant, settings.project.clone()));
        let token = match gate.access_token(None).await {
            Ok(token) => token,
            Err(error) => {
                let kind = error.kind();
                let cause = crate::runs::describe(&error);
                on_check(Check {
                    name: CheckName::Token,
                    result: CheckResult::Failed {
                        kind,
                        cause,
                        action: action(kind),
                    },
                });
                return Ok(false);
            }
        };
        let evidence = format!("valid until {}", token.expires_at.format("%H:%M UTC"));
        on_check(Check {
            name: CheckName::Token,
            result: CheckResult::Passed(evidence),
        });

        if !token.scopes.iter().any(|scope| scope.ends_with(READ_SCOPE)) {
            let cause = format!("{READ_SCOPE} is not among the granted scopes");
            let result = CheckResult::Failed {
                kind: ErrorKind::Forbidden,
                cause,
                action: "authorise again and allow reading",
            };
            on_check(Check {
                name: CheckName::Scopes,
                result,
            });
            return Ok(false);
        }
        on_check(Check {
            name: CheckName::Scopes,
            result: CheckResult::Passed(READ_SCOPE.into()),
        });

        let source = self.ports.sources.open(gate);
        let scope = Scope::Library {
            include_archived: settings.include_archived,
        };
        let page = match source.list(&scope, None).await {
            Ok(page) => page,
            Err(error) => {
                on_check(failed(CheckName::Listing, &error));
                return Ok(false);
            }
        };
        let more = if page.next.is_some() { " or more" } else { "" };
        let evidence = if page.entries.is_empty() {
            "0 items: Google shows an app only what that app itself uploaded; add photos with the Picker or Takeout".into()
        } else {
            format!("{}{more} items", page.entries.len())
        };
        on_check(Check {
            name: CheckName::Listing,
            result: CheckResult::Passed(evidence),
        });

        let check = probe_bytes(source.as_ref(), &page.entries).await;
        let passed = !matches!(check.result, CheckResult::Failed { .. });
        on_check(check);
        Ok(passed)
    }
}

async fn probe_bytes(source: &dyn PhotoSource, entries: &[ListedItem]) -> Check {
    let name = CheckName::Bytes;
    let photo_first = entries
        .iter()
        .filter(|item| item.base_url.is_some())
        .min_by_key(|item| item.metadata.kind == MediaKind::Video);
    let Some((item, url)) =
        photo_first.and_then(|item| item.base_url.as_ref().map(|url| (item, url)))
    else {
        return Check {
            name,
            result: CheckResult::Skipped("no item to fetch".into()),
        };
    };
    let opened = async {
        let mut download = source.download(url, item.metadata.kind).await?;
        let first = download.next().await?;
        Ok::<_, PhotoError>((
            download.total_length(),
            first.map_or(0, |bytes| bytes.len()),
        ))
    };
    match opened.await {
        Ok((total, got)) => {
            let evidence = total.map_or_else(
                || format!("{got} bytes"),
                |total| format!("{total} bytes promised"),
            );
            Check {
                name,
                result: CheckResult::Passed(evidence),
            }
        }
        Err(error) => failed(name, &error),
    }
}
