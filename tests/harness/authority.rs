//! TLS for endpoints of the tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::process::must;

/// A Region's own endpoint, which the certificate is for besides 127.0.0.1.
pub const HOST: &str = "logs.eu-central-1.amazonaws.com";

/// An authority that nobody knows, and a certificate of it for the endpoint.
pub struct Authority {
    folder: TempDir,
}

impl Authority {
    pub fn make() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let openssl = |arguments: &str| {
            let mut command = Command::new("openssl");
            command.current_dir(folder.path()).args(arguments.split_whitespace());
            must("openssl", &mut command, Duration::from_secs(30));
        };
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        openssl(&format!("req -x509 {key} -keyout ca.key -out ca.pem -days 2 -subj /CN=Tests"));
        openssl(&format!("req {key} -keyout server.key -out server.csr -subj /CN=endpoint"));
        let names = format!("subjectAltName=IP:127.0.0.1,DNS:{HOST}\nextendedKeyUsage=serverAuth\n");
        fs::write(folder.path().join("names"), names).expect("a file");
        openssl(
            "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem",
        );
        let read = |name: &str| fs::read(folder.path().join(name)).expect("openssl wrote it");
        fs::write(folder.path().join("both.pem"), [read("server.pem"), read("server.key")].concat())
            .expect("a file");
        Self { folder }
    }

    /// The endpoint's certificate and key.
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("both.pem")
    }

    /// The certificate to trust.
    pub fn root(&self) -> String {
        self.path("ca.pem").display().to_string()
    }

    fn path(&self, name: &str) -> PathBuf {
        Path::new(self.folder.path()).join(name)
    }
}
