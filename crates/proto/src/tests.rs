use prost::Message as _;
use prost_types::FileDescriptorSet;

use crate::{FILE_DESCRIPTOR_SET, refusal, vault::v1};

const CANARY: &str = "canary-9b1d";

#[test]
fn every_field_marked_secret_stays_out_of_what_is_shown() {
    let secret = || CANARY.to_owned();
    let google = v1::GoogleCredential {
        client_id: "id".to_owned(),
        client_secret: secret(),
        refresh_token: secret(),
    };
    let put = v1::PutRequest {
        tenant: "ten_1".to_owned(),
        storage: "stg_1".to_owned(),
        credential: Some(v1::Credential {
            kind: Some(v1::credential::Kind::Google(google)),
        }),
    };
    let s3 = v1::S3Credential {
        access_key_id: "AKIA".to_owned(),
        secret_access_key: secret(),
    };
    let issue = v1::IssueAccessTokenRequest {
        grant: secret(),
        rejected_token: Some(secret()),
    };
    let issued = v1::IssueAccessTokenResponse {
        token: secret(),
        expires_at: 1,
        scopes: vec!["a".to_owned()],
    };
    let keys = v1::RevealBucketKeysResponse {
        access_key_id: "AKIA".to_owned(),
        secret_access_key: secret(),
    };
    let sign = v1::SignRequest {
        grant: secret(),
        message: b"m".to_vec(),
    };
    let begin = v1::BeginSignInRequest {
        client: Some(v1::OAuthClient {
            id: "id".to_owned(),
            secret: secret(),
        }),
        ..Default::default()
    };
    let page = v1::BeginSignInResponse {
        url: secret(),
        expires_at: 1,
    };
    let answer = v1::FinishSignInRequest {
        state: secret(),
        code: secret(),
        error: String::new(),
    };
    let shown = format!(
        "{put:?} {s3:?} {issue:?} {issued:?} {keys:?} {sign:?} {begin:?} {page:?} {answer:?} {:?} {:?} {:?}",
        v1::KeepAliveRequest { grant: secret() },
        v1::RevealBucketKeysRequest { grant: secret() },
        v1::GetSigningKeyRequest { grant: secret() },
    );
    assert!(!shown.contains(CANARY), "{shown}");
    assert!(shown.contains("AKIA") && shown.contains("ten_1"), "{shown}");
}

#[test]
fn no_field_that_the_contract_marks_secret_is_shown_by_generated_code() {
    let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
    let file = set
        .file
        .iter()
        .find(|file| file.package() == "tintype.vault.v1")
        .expect("the vault's contract");
    let mut marked = Vec::new();
    for location in &file.source_code_info.as_ref().expect("comments").location {
        let [4, message, 2, field] = location.path[..] else {
            continue;
        };
        if location
            .leading_comments()
            .trim_start()
            .starts_with("SECRET")
        {
            let message = &file.message_type[usize::try_from(message).unwrap()];
            let field = &message.field[usize::try_from(field).unwrap()];
            marked.push(format!("{}.{}", message.name(), field.name()));
        }
    }
    marked.sort();
    // Each of these stands in `secret.rs`.
    let hidden = [
        "BeginSignInResponse.url",
        "FinishSignInRequest.code",
        "FinishSignInRequest.state",
        "GetSigningKeyRequest.grant",
        "GoogleCredential.client_secret",
        "GoogleCredential.refresh_token",
        "IssueAccessTokenRequest.grant",
        "IssueAccessTokenRequest.rejected_token",
        "IssueAccessTokenResponse.token",
        "KeepAliveRequest.grant",
        "OAuthClient.secret",
        "RevealBucketKeysRequest.grant",
        "RevealBucketKeysResponse.secret_access_key",
        "S3Credential.secret_access_key",
        "SignRequest.grant",
    ];
    assert_eq!(marked, hidden);
}

#[test]
fn a_refusal_survives_its_status() {
    let status = refusal::status(v1::Reason::Refused, "refused", "expired or revoked");
    assert_eq!(status.code(), tonic::Code::FailedPrecondition);
    assert_eq!(
        refusal::of_status(&status),
        Some((v1::Reason::Refused, "expired or revoked".to_owned()))
    );
    assert_eq!(
        refusal::of_status(&tonic::Status::unavailable("no answer")),
        None
    );
}
