//! A job as it travels: protobuf, with its trace in a header. And what is written on a dead letter.

use chrono::{DateTime, SecondsFormat, Utc};
use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable, ShortString},
};
use prost::Message as _;
use tintype_ports::queue::{DeadLetter, JobMessage};
use tintype_proto::jobs::v1::Job;

const CONTENT_TYPE: &str = "application/x-protobuf; type=tintype.jobs.v1.Job";
const TRACE: &str = "traceparent";
const REASON: &str = "x-tintype-reason";
const DIED_AT: &str = "x-tintype-died-at";
/// Written to disk before it is confirmed.
const PERSISTENT: u8 = 2;
/// Of a reason, which may quote anything.
const MAX_REASON: usize = 2_000;

/// A message on its way to the broker.
#[derive(Debug, Clone)]
pub(super) struct Outgoing {
    pub(super) exchange: ShortString,
    pub(super) routing_key: ShortString,
    pub(super) body: Vec<u8>,
    pub(super) properties: BasicProperties,
}

/// Why a message cannot be understood, for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    #[error("its content type is {0:?} instead of {CONTENT_TYPE}")]
    ContentType(String),
    #[error("its body is no protobuf of a job")]
    Body,
    #[error("its {0} is no id: {1}")]
    Id(&'static str, String),
}

pub(super) fn encode(message: &JobMessage) -> (Vec<u8>, BasicProperties) {
    let job = Job {
        tenant: message.tenant.to_string(),
        shard: message.shard.to_string(),
    };
    let mut headers = FieldTable::default();
    if let Some(trace) = &message.trace {
        headers.insert(TRACE.into(), text(trace.as_str()));
    }
    let properties = BasicProperties::default()
        .with_content_type(CONTENT_TYPE.into())
        .with_delivery_mode(PERSISTENT)
        .with_message_id(job.shard.as_str().into())
        .with_headers(headers);
    (job.encode_to_vec(), properties)
}

pub(super) fn decode(body: &[u8], properties: &BasicProperties) -> Result<JobMessage, Malformed> {
    let content_type = properties.content_type().as_ref();
    let content_type = content_type.map_or("", ShortString::as_str);
    if content_type != CONTENT_TYPE {
        return Err(Malformed::ContentType(content_type.to_owned()));
    }
    let job = Job::decode(body).map_err(|_| Malformed::Body)?;
    let wrong = |field, error: &dyn std::fmt::Display| Malformed::Id(field, error.to_string());
    Ok(JobMessage {
        tenant: job
            .tenant
            .parse()
            .map_err(|error| wrong("tenant", &error))?,
        shard: job.shard.parse().map_err(|error| wrong("shard", &error))?,
        // A trace that cannot be read is lost; the work is not.
        trace: header(properties, TRACE).and_then(|trace| trace.parse().ok()),
    })
}

/// The same message with what it died of.
pub(super) fn bury(
    properties: &BasicProperties,
    reason: &str,
    at: DateTime<Utc>,
) -> BasicProperties {
    let mut headers = properties.headers().clone().unwrap_or_default();
    let end = reason.floor_char_boundary(MAX_REASON);
    headers.insert(REASON.into(), text(&reason[..end]));
    headers.insert(
        DIED_AT.into(),
        text(&at.to_rfc3339_opts(SecondsFormat::Micros, true)),
    );
    properties
        .clone()
        .with_headers(headers)
        .with_delivery_mode(PERSISTENT)
}

/// What a message of the queue of dead letters says.
pub(super) fn exhume(body: &[u8], properties: &BasicProperties) -> DeadLetter {
    let message = decode(body, properties);
    let reason = match (header(properties, REASON), &message) {
        (Some(reason), _) => reason,
        (None, Err(malformed)) => malformed.to_string(),
        // Put here by the broker itself.
        (None, Ok(_)) => {
            header(properties, "x-first-death-reason").unwrap_or_else(|| "unknown".to_owned())
        }
    };
    let died_at = header(properties, DIED_AT)
        .and_then(|text| DateTime::parse_from_rfc3339(&text).ok())
        .map(|at| at.to_utc());
    DeadLetter {
        message: message.ok(),
        reason,
        died_at,
    }
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

fn header(properties: &BasicProperties, name: &str) -> Option<String> {
    let value = properties.headers().as_ref()?.inner().get(name)?;
    match value {
        AMQPValue::LongString(text) => Some(String::from_utf8_lossy(text.as_bytes()).into_owned()),
        AMQPValue::ShortString(text) => Some(text.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use tintype_model::{ShardId, TenantId};

    use super::*;

    fn message() -> JobMessage {
        JobMessage {
            tenant: TenantId::new(DateTime::UNIX_EPOCH, [1; 10]),
            shard: ShardId::new(DateTime::UNIX_EPOCH, [2; 10]),
            trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
                .parse()
                .ok(),
        }
    }

    #[test]
    fn a_message_arrives_as_it_was_sent_trace_included() {
        let (body, properties) = encode(&message());
        assert!(message().trace.is_some());
        assert_eq!(decode(&body, &properties), Ok(message()));
    }

    #[test]
    fn what_is_no_job_is_told_apart() {
        let (body, properties) = encode(&message());
        let other = properties.clone().with_content_type("text/plain".into());
        let wrong = Malformed::ContentType("text/plain".into());
        assert_eq!(decode(&body, &other), Err(wrong));
        assert_eq!(decode(b"\xff\xff", &properties), Err(Malformed::Body));
        let foreign = Job {
            tenant: "run_1".into(),
            shard: String::new(),
        };
        let decoded = decode(&foreign.encode_to_vec(), &properties);
        assert!(matches!(decoded, Err(Malformed::Id("tenant", _))));
    }

    #[test]
    fn a_dead_letter_keeps_its_message_and_says_why_and_when() {
        let (body, properties) = encode(&message());
        let at = DateTime::from_timestamp_micros(1_700_000_000_123_456).expect("a time");
        let letter = exhume(&body, &bury(&properties, "broken", at));
        assert_eq!(letter.message, Some(message()));
        assert_eq!(letter.reason, "broken");
        assert_eq!(letter.died_at, Some(at));
        let long = "ü".repeat(MAX_REASON);
        let letter = exhume(&body, &bury(&properties, &long, at));
        assert_eq!(letter.reason.len(), MAX_REASON);
    }
}
