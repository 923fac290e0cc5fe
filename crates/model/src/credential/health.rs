//! How long a refresh token lives by what is known of it, when its person is warned, and when it is used only to live on.
//!
//! Two deaths can be foreseen: the one that Google announces (`refresh_token_expires_in`; seven days for an app in Testing), and
//! that of six months without use. A use moves the second ahead, never the first. Two more cannot: the person withdraws the grant,
//! or Google has given more than 100 refresh tokens for one account and OAuth client, and ends the oldest. Those are learnt when a
//! refresh is refused.

mod deadline;
mod pace;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

pub use deadline::{Deadline, Warned};
pub use pace::{KEEP_ALIVE_AFTER, is_keep_alive_due, needs_use, refresh_pause};

/// A refresh token that is not used for so long dies. Google says six months; the shortest six months have 181 days.
pub const IDLE: TimeDelta = TimeDelta::days(180);

/// Refreshes in a row without a usable answer after which a credential counts as exhausted.
pub const EXHAUSTED_AFTER: u32 = 5;

/// Google announces in whole seconds, counted from an answer that takes its time to arrive: deaths no further apart are one.
const SAME_DEATH: TimeDelta = TimeDelta::minutes(10);

/// Who refuses a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusedBy {
    /// Google does not take the refresh token any more: the person must sign in again.
    Token,
    /// Google does not know the OAuth client, or its secret is wrong or has expired.
    Client,
    /// A keeper of the vault revoked it.
    Keeper,
}

impl RefusedBy {
    /// The word that stands in databases.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Client => "client",
            Self::Keeper => "keeper",
        }
    }
}

/// How a death is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeathCause {
    /// Google said so.
    Announced,
    /// It was not used for long.
    Idle,
}

/// When a refresh token dies, as far as that can be foreseen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Death {
    /// When.
    pub at: DateTime<Utc>,
    /// How that is known.
    pub why: DeathCause,
}

/// What is known of a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Signs {
    /// When it dies by Google's word.
    pub announced: Option<DateTime<Utc>>,
    /// When it was used last; `None`: it was never used here.
    pub used_at: Option<DateTime<Utc>>,
    /// Who refuses it.
    pub refused: Option<RefusedBy>,
    /// Refreshes in a row that had no usable answer and were not refused either.
    pub failures: u32,
}

/// How well a credential is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenHealth {
    /// Nothing is wrong with it.
    Ok,
    /// It dies within three days.
    Expiring,
    /// Google refuses it, or the time of its death has passed.
    Dead,
    /// A keeper revoked it.
    Revoked,
    /// Google refuses the OAuth client.
    ClientRefused,
    /// Google's token endpoint gave no usable answer several times in a row; it is left alone for a while each time.
    Exhausted,
}

impl TokenHealth {
    /// All there are.
    pub const ALL: [Self; 6] = [
        Self::Ok,
        Self::Expiring,
        Self::Dead,
        Self::Revoked,
        Self::ClientRefused,
        Self::Exhausted,
    ];

    /// The word in answers and labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Expiring => "expiring",
            Self::Dead => "dead",
            Self::Revoked => "revoked",
            Self::ClientRefused => "client_refused",
            Self::Exhausted => "exhausted",
        }
    }

    /// What a person does about it; `None`: nothing. `death` is the one that is foreseen.
    #[must_use]
    pub const fn action(self, death: Option<Death>) -> Option<&'static str> {
        match (self, death) {
            (Self::Ok, _) => None,
            (
                Self::Expiring,
                Some(Death {
                    why: DeathCause::Announced,
                    ..
                }),
            ) => Some(
                "sign in again before then; if the OAuth app is in Testing, publish it in Google Cloud console, or this happens every 7 days",
            ),
            (Self::Expiring, _) => {
                Some("test the account: it has not been used for months, and a use keeps it alive")
            }
            (Self::Dead, _) => Some("sign in again"),
            (Self::Revoked, _) => Some("connect the account with a new credential"),
            (Self::ClientRefused, _) => Some(
                "look at the OAuth client in Google Cloud console, Credentials, then connect with its id and secret again",
            ),
            (Self::Exhausted, _) => Some(
                "nothing, at first: Google is asked again by itself; if it lasts for hours, look whether the vault reaches Google",
            ),
        }
    }
}

impl Signs {
    /// The death that comes first.
    #[must_use]
    pub fn death(&self) -> Option<Death> {
        let announced = self.announced.map(|at| Death {
            at,
            why: DeathCause::Announced,
        });
        let idle = self.used_at.map(|used_at| Death {
            at: used_at + IDLE,
            why: DeathCause::Idle,
        });
        [announced, idle]
            .into_iter()
            .flatten()
            .min_by_key(|it| it.at)
    }

    /// How well it is.
    #[must_use]
    pub fn health(&self, now: DateTime<Utc>) -> TokenHealth {
        match self.refused {
            Some(RefusedBy::Token) => return TokenHealth::Dead,
            Some(RefusedBy::Client) => return TokenHealth::ClientRefused,
            Some(RefusedBy::Keeper) => return TokenHealth::Revoked,
            None => {}
        }
        match self.death() {
            Some(death) if death.at <= now => TokenHealth::Dead,
            _ if self.failures >= EXHAUSTED_AFTER => TokenHealth::Exhausted,
            Some(death) if Deadline::reached(death.at, now).is_some() => TokenHealth::Expiring,
            _ => TokenHealth::Ok,
        }
    }

    /// What its person is told now, where they were told `warned` last. Of several deadlines that passed unseen, the latest.
    #[must_use]
    pub fn warning(&self, warned: Option<&Warned>, now: DateTime<Utc>) -> Option<(Death, Warned)> {
        let death = self.death().filter(|_| self.refused.is_none())?;
        let deadline = Deadline::reached(death.at, now)?;
        let is_told = warned.is_some_and(|it| {
            is_same_death(it.dies_at, death.at) && it.deadline.is_at_least_as_near(deadline)
        });
        let told_of = warned.filter(|it| is_same_death(it.dies_at, death.at));
        let warned = Warned {
            // One death has one date, however often Google says it in other words.
            dies_at: told_of.map_or(death.at, |it| it.dies_at),
            deadline,
        };
        (!is_told).then_some((death, warned))
    }
}

/// Whether both are the same death.
#[must_use]
pub fn is_same_death(one: DateTime<Utc>, other: DateTime<Utc>) -> bool {
    (one - other).abs() <= SAME_DEATH
}

/// The announced death after Google announced one: that which was known, where it is the same one.
#[must_use]
pub fn announced_death(known: Option<DateTime<Utc>>, said: DateTime<Utc>) -> DateTime<Utc> {
    known
        .filter(|known| is_same_death(*known, said))
        .unwrap_or(said)
}

#[cfg(test)]
mod tests;
