//! The calling side: the server is known by its SPIFFE identity, whatever its address is called.

use std::sync::Arc;

use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor,
    },
    crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature},
    server::ParsedCertificate,
    version::TLS13,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::{
    IdentityError, PROTOCOL, TlsError,
    files::TlsMaterial,
    identity::{identity_of, refused},
    provider,
};

/// TLS 1.3 for a service that shows its own certificate and calls the neighbour `service` of its own trust domain,
/// such as `vault`. The name in the handshake is not looked at.
///
/// # Errors
/// When the certificate does not fit its key.
pub fn client_config(material: &TlsMaterial, service: &str) -> Result<ClientConfig, TlsError> {
    let provider = provider();
    let verifier = Known {
        roots: material.roots.clone(),
        trust_domain: material.identity.trust_domain().to_owned(),
        service: service.to_owned(),
        algorithms: provider.signature_verification_algorithms,
    };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13])
        .map_err(TlsError::Unusable)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_client_auth_cert(material.chain.clone(), material.key.clone_key())
        .map_err(TlsError::Unusable)?;
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    config.enable_sni = false;
    // Every connection checks the server's certificate anew.
    config.resumption = Resumption::disabled();
    Ok(config)
}

#[derive(Debug)]
struct Known {
    roots: RootCertStore,
    trust_domain: String,
    service: String,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Known {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let certificate = ParsedCertificate::try_from(end_entity)?;
        verify_server_cert_signed_by_trust_anchor(
            &certificate,
            &self.roots,
            intermediates,
            now,
            self.algorithms.all,
        )?;
        let found = identity_of(end_entity).map_err(refused)?;
        if found.trust_domain() == self.trust_domain && found.path() == self.service {
            return Ok(ServerCertVerified::assertion());
        }
        let expected = format!("{} of {}", self.service, self.trust_domain);
        Err(refused(IdentityError::Other { found, expected }))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
