//! Google Photos over HTTP: the adapter behind `ports::PhotoSource` and `ports::GoogleAuth`.
//!
//! | module | what it knows |
//! |---|---|
//! | [`endpoints`] | where Google is; no other crate knows a URL of Google's |
//! | [`settings`] | deadlines and how patiently a call is repeated |
//! | `attempt`, `patience`, `failure` | one HTTP attempt, when the next one is due, what an answer means |
//! | `call` | what a trace shows of an attempt |
//! | `library` | the Library API: listings, albums, items by id |
//! | `download` | base URLs: bytes, with resumption |
//! | `oauth` | the token endpoint, which only the vault calls |
//!
//! Every attempt, repeated ones included, first asks the `CallGate`; the client below repeats nothing by itself. Uploads
//! belong beside `library` and `download` as a module `upload` (bytes, `batchCreate`, album membership): they share
//! `attempt`, `patience` and `failure`, which already tell a full account and the write lock apart.

mod attempt;
mod call;
mod download;
pub mod endpoints;
mod failure;
mod library;
mod oauth;
mod patience;
pub mod settings;
mod source;

pub use endpoints::GoogleEndpoints;
pub use oauth::GoogleOAuth;
pub use settings::{Deadlines, GoogleSettings, RetryPolicy};
pub use source::GooglePhotosSources;
