//! Who may call what. What does not stand here, nobody may.

use tintype_runtime::mtls::SpiffeId;

/// A service of ours, as the path of its identity names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Gateway,
    Worker,
    Scheduler,
    Admin,
}

use Service::{Admin, Gateway, Scheduler, Worker};

/// A method and its callers.
#[derive(Debug)]
pub(crate) struct Method {
    /// As in the request: `/package.Service/Method`.
    pub(crate) path: &'static str,
    callers: &'static [Service],
}

const EVERYBODY: &[Service] = &[Gateway, Worker, Scheduler, Admin];

const fn method(path: &'static str, callers: &'static [Service]) -> Method {
    Method { path, callers }
}

const TABLE: &[Method] = &[
    // People connect, replace and remove accounts through the gateway.
    method("/tintype.vault.v1.Vault/Put", &[Gateway, Admin]),
    method("/tintype.vault.v1.Vault/Rotate", &[Gateway, Admin]),
    method("/tintype.vault.v1.Vault/Revoke", &[Gateway, Admin]),
    method("/tintype.vault.v1.Vault/Delete", &[Gateway, Admin]),
    method("/tintype.vault.v1.Vault/BeginSignIn", &[Gateway]),
    method("/tintype.vault.v1.Vault/FinishSignIn", &[Gateway]),
    method("/tintype.vault.v1.Vault/Disconnect", &[Gateway, Admin]),
    method("/tintype.vault.v1.Vault/Describe", EVERYBODY),
    method("/tintype.vault.v1.Vault/ListAccessLog", &[Gateway, Admin]),
    // Secrets are used by workers, and by the gateway to test a connection. No administrator sees one.
    method(
        "/tintype.vault.v1.Vault/IssueAccessToken",
        &[Worker, Gateway],
    ),
    // Workers and schedulers may share settings, and so an identity.
    method("/tintype.vault.v1.Vault/KeepAlive", &[Scheduler, Worker]),
    method(
        "/tintype.vault.v1.Vault/RevealBucketKeys",
        &[Worker, Gateway],
    ),
    method("/tintype.vault.v1.Vault/Sign", &[Worker]),
    method("/tintype.vault.v1.Vault/GetSigningKey", &[Worker, Gateway]),
    // The vault itself is kept by administrators.
    method("/tintype.vault.v1.Keeper/GetKeyStanding", &[Admin]),
    method("/tintype.vault.v1.Keeper/Rewrap", &[Admin]),
    method("/tintype.vault.v1.Keeper/RotateTenantKey", &[Admin]),
    method("/tintype.vault.v1.Keeper/DestroyTenant", &[Admin]),
    method(
        "/tintype.vault.v1.Keeper/VerifyAccessLog",
        &[Gateway, Admin],
    ),
    method("/tintype.vault.v1.Keeper/GetSealStatus", EVERYBODY),
    method("/grpc.health.v1.Health/Check", EVERYBODY),
    method("/grpc.health.v1.Health/Watch", EVERYBODY),
    method(
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        &[Admin],
    ),
];

/// The method of this path, if there is one.
pub(crate) fn find(path: &str) -> Option<&'static Method> {
    TABLE.iter().find(|method| method.path == path)
}

impl Method {
    pub(crate) fn allows(&self, caller: &SpiffeId) -> bool {
        service(caller).is_some_and(|service| self.callers.contains(&service))
    }
}

fn service(identity: &SpiffeId) -> Option<Service> {
    match identity.path() {
        "gateway" => Some(Gateway),
        "worker" => Some(Worker),
        "scheduler" => Some(Scheduler),
        "admin" => Some(Admin),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use prost::Message as _;
    use prost_types::FileDescriptorSet;

    use super::*;

    fn paths_of(descriptors: &[u8]) -> Vec<String> {
        let set = FileDescriptorSet::decode(descriptors).unwrap();
        let mut paths = Vec::new();
        for file in &set.file {
            for service in &file.service {
                for method in &service.method {
                    let (package, service) = (file.package(), service.name());
                    paths.push(format!("/{package}.{service}/{}", method.name()));
                }
            }
        }
        paths
    }

    #[test]
    fn every_method_of_every_contract_stands_in_the_table_and_no_other() {
        let contracts = [
            tintype_proto::FILE_DESCRIPTOR_SET,
            tonic_health::pb::FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
        ];
        let contracts: BTreeSet<String> = contracts.into_iter().flat_map(paths_of).collect();
        let table: BTreeSet<String> = TABLE.iter().map(|method| method.path.to_owned()).collect();
        assert_eq!(contracts, table);
        assert_eq!(table.len(), TABLE.len(), "no method stands there twice");
    }

    #[test]
    fn who_is_not_named_may_do_nothing() {
        for stranger in ["vault", "worker/2", "Worker", "portal", "gateway-2"] {
            let stranger = format!("spiffe://tintype.test/{stranger}").parse().unwrap();
            assert!(
                !TABLE.iter().any(|method| method.allows(&stranger)),
                "{stranger}"
            );
        }
        assert!(find("/tintype.vault.v1.Vault/Unknown").is_none());
    }
}
