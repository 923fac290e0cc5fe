//! Google Photos over HTTP: the adapter behind `ports::PhotoSource`, `ports::PhotoSink` and `ports::GoogleAuth`,
//! and full-resolution proxies, behind `ports::Originals`.
//!
//! | module | what it knows |
//! |---|---|
//! | [`endpoints`] | where Google is; no other crate knows a URL of Google's |
//! | [`settings`] | deadlines and how patiently a call is repeated |
//! | `attempt`, `patience`, `failure` | one HTTP attempt, when the next one is due, what an answer means |
//! | `call` | what a trace shows of an attempt |
//! | `library` | the Library API, read side: listings, albums, items by id |
//! | `download` | base URLs: bytes, with resumption |
//! | `original` | full-resolution proxies: whose turn it is, what they answer, when they rest |
//! | `upload` | bytes on their way to Google, and the items and albums that are made of them |
//! | `picker` | what a person picks: sessions, and their items as a source |
//! | `oauth` | sign-in, tokens and their end, which only the vault calls |
//!
//! Every attempt at Google, repeated ones included, first asks the `CallGate`; the client below repeats nothing by itself.

mod attempt;
mod call;
mod download;
pub mod endpoints;
mod failure;
mod library;
mod oauth;
mod original;
mod patience;
mod picker;
pub mod settings;
mod source;
mod upload;

pub use endpoints::GoogleEndpoints;
pub use oauth::GoogleOAuth;
pub use original::{ProxyOriginals, ProxySettings};
pub use settings::{Deadlines, GoogleSettings, RetryPolicy};
pub use source::GooglePhotosSources;
