//! What a server answers when it does not do what was asked.

use serde::Deserialize;
use serde_json::Value;
use tintype_model::ErrorKind;

use crate::failure::Failure;

#[derive(Deserialize)]
pub(super) struct Problem {
    #[serde(default)]
    code: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    pub(super) detail: String,
    request_id: Option<String>,
}

/// A problem document as a failure of the command.
pub(crate) fn failure_of(document: Value) -> Failure {
    match serde_json::from_value(document) {
        Ok(problem) => told(problem),
        Err(_) => Failure::new(ErrorKind::Internal, "the server failed without saying why"),
    }
}

pub(super) fn told(problem: Problem) -> Failure {
    let kind = kind_of(&problem.code);
    let message = match problem.detail.is_empty() {
        true => problem.title,
        false => problem.detail,
    };
    if kind == ErrorKind::InvalidInput
        && let Some((wrong, action)) = message.split_once("; ")
    {
        return Failure::new(kind, wrong).with_action(action);
    }
    let failure = Failure::new(kind, message);
    match problem.request_id {
        Some(id) if matches!(kind, ErrorKind::Internal | ErrorKind::Unavailable) => {
            failure.with_action(format!("the server's log says more, under {id}"))
        }
        _ => failure,
    }
}

/// The class that a stable code stands for.
pub(crate) fn kind_of(code: &str) -> ErrorKind {
    serde_json::from_value(Value::from(code)).unwrap_or(ErrorKind::Internal)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_problem_keeps_its_class_and_its_way_out() {
        let failure = failure_of(json!({"code": "invalid_input", "title": "x",
            "detail": "name: is taken; choose another"}));
        let expected = Failure::usage("name: is taken").with_action("choose another");
        assert_eq!(failure, expected);
        assert_eq!(kind_of("auth_lost"), ErrorKind::AuthLost);
        assert_eq!(kind_of("what is that"), ErrorKind::Internal);
    }
}
