//! A throw-away certificate authority, and keys for signed grants.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ED25519, SanType, date_time_ymd,
};

/// Signs certificates with SPIFFE identities; lives in memory only.
pub struct DevAuthority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate and its key, as PEM.
pub struct Certified {
    /// The certificate.
    pub certificate: String,
    /// Its private key.
    pub key: String,
}

/// Where a service's TLS lies: certificate, key and authority.
#[derive(Debug, Clone)]
pub struct CertificateFiles {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The authority's certificate.
    pub authorities: PathBuf,
}

/// A key that signs grants, as PEM.
pub struct GrantKeyPair {
    /// PKCS #8.
    pub private: String,
    /// SubjectPublicKeyInfo.
    pub public: String,
}

/// How a certificate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// Valid for a long time.
    Current,
    /// It ended years ago.
    Expired,
    /// It begins in many years.
    Future,
}

impl DevAuthority {
    /// A new authority, whom nobody trusts yet.
    ///
    /// # Panics
    /// When the cryptography library fails.
    #[must_use]
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(DnType::CommonName, "Tintype throw-away CA");
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a self-signed certificate");
        Self {
            pem: certificate.pem(),
            issuer: Issuer::new(params, key),
        }
    }

    /// The authority's certificate.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate with these URI names, for servers and clients.
    ///
    /// # Panics
    /// When a name is not ASCII.
    #[must_use]
    pub fn certify(&self, uris: &[&str], validity: Validity) -> Certified {
        let mut params =
            CertificateParams::new(vec!["localhost".to_owned()]).expect("a plain name");
        for uri in uris {
            let uri = Ia5String::try_from(*uri).expect("an ASCII name");
            params.subject_alt_names.push(SanType::URI(uri));
        }
        (params.not_before, params.not_after) = match validity {
            Validity::Current => (date_time_ymd(2020, 1, 1), date_time_ymd(2100, 1, 1)),
            Validity::Expired => (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1)),
            Validity::Future => (date_time_ymd(2090, 1, 1), date_time_ymd(2100, 1, 1)),
        };
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let key = KeyPair::generate().expect("a key");
        let certificate = params
            .signed_by(&key, &self.issuer)
            .expect("a signed certificate");
        Certified {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }

    /// Writes a current certificate for `identity` into `folder`, over what is there; `name` begins the files' names.
    ///
    /// # Panics
    /// When the files cannot be written.
    #[must_use]
    pub fn write(&self, folder: &Path, name: &str, identity: &str) -> CertificateFiles {
        let certified = self.certify(&[identity], Validity::Current);
        self.write_certified(folder, name, &certified)
    }

    /// The same for a certificate made before.
    ///
    /// # Panics
    /// When the files cannot be written.
    #[must_use]
    pub fn write_certified(
        &self,
        folder: &Path,
        name: &str,
        certified: &Certified,
    ) -> CertificateFiles {
        let files = CertificateFiles {
            certificate: folder.join(format!("{name}.pem")),
            key: folder.join(format!("{name}.key")),
            authorities: folder.join(format!("{name}-ca.pem")),
        };
        fs::write(&files.certificate, &certified.certificate).expect("the certificate is written");
        fs::write(&files.key, &certified.key).expect("the key is written");
        fs::write(&files.authorities, &self.pem).expect("the authority is written");
        files
    }
}

impl Default for DevAuthority {
    fn default() -> Self {
        Self::new()
    }
}

impl GrantKeyPair {
    /// A new Ed25519 key.
    ///
    /// # Panics
    /// When the cryptography library fails.
    #[must_use]
    pub fn new() -> Self {
        let key = KeyPair::generate_for(&PKCS_ED25519).expect("an Ed25519 key");
        Self {
            private: key.serialize_pem(),
            public: key.public_key_pem(),
        }
    }
}

impl Default for GrantKeyPair {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::{DevAuthority, GrantKeyPair, Validity};

    #[test]
    fn what_is_made_is_pem() {
        let authority = DevAuthority::new();
        let certified = authority.certify(&["spiffe://tintype.test/worker"], Validity::Expired);
        assert!(
            certified
                .certificate
                .starts_with("-----BEGIN CERTIFICATE-----")
        );
        assert!(certified.key.starts_with("-----BEGIN PRIVATE KEY-----"));
        let grants = GrantKeyPair::new();
        assert!(grants.private.starts_with("-----BEGIN PRIVATE KEY-----"));
        assert!(grants.public.starts_with("-----BEGIN PUBLIC KEY-----"));
    }
}
