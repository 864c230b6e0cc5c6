//! HTTPS: the certificate and the key that senders check.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::FileProblem;

/// What connections are secured with.
#[derive(Clone)]
pub struct Tls(TlsAcceptor);

/// A certificate or key that cannot be used.
#[derive(Debug)]
pub struct TlsError(FileProblem);

impl Tls {
    /// Reads PEM files: the certificate, with those between it and its root behind it; and its key.
    ///
    /// # Errors
    /// For a file that cannot be read, and for a key that is not the certificate's.
    pub fn read(certificate: &Path, key: &Path) -> Result<Tls, TlsError> {
        let failed = |path: &Path, problem: String| TlsError(FileProblem { path: path.to_owned(), problem });
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| failed(certificate, format!("{error}")))?;
        if chain.is_empty() {
            return Err(failed(certificate, "no certificate is in it".to_owned()));
        }
        let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| failed(key, format!("{error}")))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, secret))
            .map_err(|error| failed(key, format!("{error}")))?;
        Ok(Tls(TlsAcceptor::from(Arc::new(config))))
    }

    /// Secures a connection.
    ///
    /// # Errors
    /// The peer does not speak TLS, or breaks off.
    pub async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.0.accept(stream).await
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Tls")
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "TLS cannot be offered with {}", self.0)
    }
}

impl std::error::Error for TlsError {}
