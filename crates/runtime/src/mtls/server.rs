//! The listening side: a caller must show a certificate of our trust domain.

use std::sync::Arc;

use rustls::{
    DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    server::{
        NoServerSessionStorage, WebPkiClientVerifier,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
    version::TLS13,
};
use rustls_pki_types::{CertificateDer, UnixTime};

use super::{
    IdentityError, PROTOCOL, TlsError,
    files::TlsMaterial,
    identity::{identity_of, refused},
    provider,
};

/// TLS 1.3 for a service that answers neighbours of its own trust domain only.
///
/// # Errors
/// When the certificate does not fit its key, or the authorities cannot be used.
pub fn server_config(material: &TlsMaterial) -> Result<ServerConfig, TlsError> {
    let roots = Arc::new(material.roots.clone());
    let inner = WebPkiClientVerifier::builder_with_provider(roots, provider())
        .build()
        .map_err(TlsError::Authorities)?;
    let verifier = Neighbours {
        inner,
        trust_domain: material.identity.trust_domain().to_owned(),
    };
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&TLS13])
        .map_err(TlsError::Unusable)?
        .with_client_cert_verifier(Arc::new(verifier))
        .with_single_cert(material.chain.clone(), material.key.clone_key())
        .map_err(TlsError::Unusable)?;
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    // A resumed session would not be asked for its certificate again, which may have ended meanwhile.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

#[derive(Debug)]
struct Neighbours {
    inner: Arc<dyn ClientCertVerifier>,
    trust_domain: String,
}

impl ClientCertVerifier for Neighbours {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.inner.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let verified = self
            .inner
            .verify_client_cert(end_entity, intermediates, now)?;
        let found = identity_of(end_entity).map_err(refused)?;
        if found.trust_domain() == self.trust_domain {
            return Ok(verified);
        }
        let expected = format!("somebody of {}", self.trust_domain);
        Err(refused(IdentityError::Other { found, expected }))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
