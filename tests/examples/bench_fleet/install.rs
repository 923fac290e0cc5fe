//! Certificates, grant keys, a key-encryption key, and the settings of vault, schedulers and workers.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tintype_runtime::mtls::TlsFiles;
use tintype_testkit::certificates::{DevAuthority, GrantKeyPair};

use crate::Failure;

const SERVERS: &str = "install.json";
const VAULT: &str = "vault.json";
/// A day's quota that no benchmark reaches; it is counted and kept all the same.
const PLENTY: u64 = 1_000_000_000;

/// Where the servers are, and how the workers work.
#[derive(Deserialize)]
pub(crate) struct Servers {
    pub(crate) postgres: String,
    pub(crate) rabbitmq: String,
    pub(crate) redis: String,
    /// The authority of the proxy that stands for Google.
    ca_cert: PathBuf,
    /// Downloads at once of each worker, at most.
    max_downloads: u32,
}

/// Where the vault is, for its clients.
#[derive(Serialize, Deserialize)]
pub(crate) struct VaultPlace {
    pub(crate) endpoint: String,
}

impl Servers {
    pub(crate) fn read(folder: &Path) -> Result<Self, Failure> {
        read(&folder.join(SERVERS))
    }
}

/// Reads a JSON file; the error names it.
pub(crate) fn read<T: for<'a> Deserialize<'a>>(file: &Path) -> Result<T, Failure> {
    let told = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let text = fs::read_to_string(file).map_err(|error| told(&error))?;
    Ok(serde_json::from_str(&text).map_err(|error| told(&error))?)
}

/// Reads where `prepare` put the vault.
pub(crate) fn vault_place(folder: &Path) -> Result<VaultPlace, Failure> {
    read(&folder.join(VAULT))
}

/// The files with which a service of this install shows itself.
pub(crate) fn tls_of(folder: &Path, service: &str) -> TlsFiles {
    TlsFiles {
        certificate: folder.join(format!("{service}.pem")),
        key: folder.join(format!("{service}.key")),
        authorities: folder.join(format!("{service}-ca.pem")),
    }
}

/// The private key that a service signs its grants with.
pub(crate) fn grant_key_of(folder: &Path, service: &str) -> PathBuf {
    folder.join(format!("{service}-grant.key"))
}

/// Writes all of it.
pub(crate) fn prepare(folder: &Path, servers: &Servers) -> Result<(), Failure> {
    let authority = DevAuthority::new();
    for service in ["gateway", "worker", "vault"] {
        let identity = format!("spiffe://tintype.example/{service}");
        let files = authority.write(folder, service, &identity);
        debug_assert_eq!(files.certificate, tls_of(folder, service).certificate);
    }
    tintype_vault_core::KeyRing::create_file(&folder.join("kek"))?;
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port();
    let place = VaultPlace {
        endpoint: format!("127.0.0.1:{port}"),
    };
    fs::write(folder.join(VAULT), serde_json::to_string(&place)?)?;
    let signers = signers(folder)?;
    fs::write(
        folder.join("vault.toml"),
        of_vault(folder, servers, &place, &signers)?,
    )?;
    fs::write(folder.join("fleet.toml"), of_fleet(folder, servers, &place))?;
    Ok(())
}

fn signers(folder: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    for service in ["gateway", "worker"] {
        let pair = GrantKeyPair::new();
        fs::write(grant_key_of(folder, service), &pair.private)?;
        let public = folder.join(format!("{service}-grant.pub"));
        fs::write(&public, &pair.public)?;
        text.push_str(&format!(
            "[[vault_server.grant_keys]]\nid = \"{service}-1\"\nidentity = \"spiffe://tintype.example/{service}\"\n\
             public_key_file = \"{}\"\nscopes = [\"list\", \"download\", \"test\", \"write\", \"sign\", \"keep_alive\"]\n",
            public.display()
        ));
    }
    Ok(text)
}

fn tls(section: &str, files: &TlsFiles) -> String {
    format!(
        "[{section}]\ncertificate = \"{}\"\nkey = \"{}\"\nauthorities = \"{}\"\n",
        files.certificate.display(),
        files.key.display(),
        files.authorities.display()
    )
}

fn of_vault(
    folder: &Path,
    servers: &Servers,
    place: &VaultPlace,
    signers: &str,
) -> Result<String, Failure> {
    // The vault has a database of its own; on a server that is thrown away, one that is there already does.
    let (server, _) = servers
        .postgres
        .rsplit_once('/')
        .ok_or("the URL of Postgres names no database")?;
    Ok(format!(
        "[google]\nca_cert = \"{}\"\n[vault_server]\nlisten = \"{}\"\n{}\
         [vault_server.keys]\nfile = \"{}\"\n[vault_server.database]\nurl = \"{server}/template1\"\n{signers}",
        servers.ca_cert.display(),
        place.endpoint,
        tls("vault_server.tls", &tls_of(folder, "vault")),
        folder.join("kek").display(),
    ))
}

fn of_fleet(folder: &Path, servers: &Servers, place: &VaultPlace) -> String {
    format!(
        "[google]\nca_cert = \"{}\"\n[postgres]\nurl = \"{}\"\n[rabbitmq]\nurl = \"{}\"\n[redis]\nurl = \"{}\"\n\
         [policy]\nlocal_folders = true\n[worker]\nmax_downloads = {}\nspool = \"{}\"\n\
         [quota.default]\nrequests_per_day = {PLENTY}\ndownloads_per_day = {PLENTY}\n\
         [vault]\nendpoints = \"{}\"\ngrant_key_id = \"worker-1\"\ngrant_key_file = \"{}\"\n{}",
        servers.ca_cert.display(),
        servers.postgres,
        servers.rabbitmq,
        servers.redis,
        servers.max_downloads,
        folder.join("spool").display(),
        place.endpoint,
        grant_key_of(folder, "worker").display(),
        tls("vault.tls", &tls_of(folder, "worker")),
    )
}
