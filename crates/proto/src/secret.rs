//! Messages with secrets: they show what is public, and wipe the rest when they are dropped.

use std::fmt;

use secrecy::zeroize::Zeroize as _;

use crate::vault::v1::{
    BeginSignInResponse, FinishSignInRequest, GetSigningKeyRequest, GoogleCredential,
    IssueAccessTokenRequest, IssueAccessTokenResponse, KeepAliveRequest, OAuthClient,
    RevealBucketKeysRequest, RevealBucketKeysResponse, S3Credential, SignRequest,
};

macro_rules! secret_message {
    ($message:ident hides $($hidden:ident),+; shows $($shown:ident),*) => {
        impl fmt::Debug for $message {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($message))
                    $(.field(stringify!($shown), &self.$shown))*
                    .finish_non_exhaustive()
            }
        }

        impl Drop for $message {
            fn drop(&mut self) {
                $(self.$hidden.zeroize();)+
            }
        }
    };
}

secret_message!(GoogleCredential hides client_secret, refresh_token; shows client_id);
secret_message!(S3Credential hides secret_access_key; shows access_key_id);
secret_message!(IssueAccessTokenRequest hides grant, rejected_token; shows);
secret_message!(IssueAccessTokenResponse hides token; shows expires_at, scopes);
secret_message!(KeepAliveRequest hides grant; shows);
secret_message!(RevealBucketKeysRequest hides grant; shows);
secret_message!(RevealBucketKeysResponse hides secret_access_key; shows access_key_id);
secret_message!(SignRequest hides grant; shows);
secret_message!(GetSigningKeyRequest hides grant; shows);
secret_message!(OAuthClient hides secret; shows id);
secret_message!(BeginSignInResponse hides url; shows expires_at);
secret_message!(FinishSignInRequest hides state, code; shows error);
