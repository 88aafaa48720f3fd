//! Certificates that are not the server's, or not of today.

use std::{net::SocketAddr, path::Path, sync::Arc};

use pretty_assertions::assert_eq;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
};

use super::{Told, World};

/// Who signs certificates in this test, as a company's proxy or a virus scanner would.
pub(crate) struct Issuer(CertifiedIssuer<'static, KeyPair>);

impl Issuer {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn write(&self, file: &Path) {
        std::fs::write(file, self.0.pem()).unwrap();
    }

    /// Answers every connection with a certificate of these years, and then no more.
    async fn intercept(&self, years: std::ops::Range<i32>) -> SocketAddr {
        let acceptor = self.acceptor("localhost", years);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                drop(acceptor.accept(socket).await);
            }
        });
        address
    }

    /// Answers in the name of `host` and passes all that comes on to `server`.
    pub(crate) async fn stand_before(&self, host: &str, server: SocketAddr) -> SocketAddr {
        let acceptor = self.acceptor(host, 2000..4000);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let Ok(mut client) = acceptor.accept(socket).await else { return };
                    let mut server = TcpStream::connect(server).await.unwrap();
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        address
    }

    fn acceptor(&self, host: &str, years: std::ops::Range<i32>) -> TlsAcceptor {
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.not_before = date_time_ymd(years.start, 1, 1);
        params.not_after = date_time_ymd(years.end, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

fn log_in(world: &World, server: SocketAddr, trusted: &Path) -> Told {
    let mut command = world.command(&["login", "--device", "--yes"]);
    let url = format!("https://localhost:{}", server.port());
    command.env("CODEXWAY__UPSTREAMS__CODEX__AUTH_URL", url).env("SSL_CERT_FILE", trusted);
    Told::of(command.output().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_certificate_is_told_apart_from_a_wrong_clock() {
    let world = World::new().await;
    let (issuer, other) = (Issuer::new(), Issuer::new());
    let trusted = world.home.path().join("trusted.pem");
    let own = issuer.intercept(2000..4000).await;
    let way_out = "name the file with its root certificate in `$SSL_CERT_FILE`";
    other.write(&trusted);
    log_in(&world, own, &trusted).failed(1, &["cannot reach", way_out]);

    issuer.write(&trusted);
    let told = log_in(&world, own, &trusted);
    assert_eq!(told.code, 1);
    assert!(!told.stderr.contains("SSL_CERT_FILE"), "with the root it goes through: {told:?}");
    for years in [2000..2001, 3000..3001] {
        let server = issuer.intercept(years).await;
        log_in(&world, server, &trusted).failed(1, &["check this computer's clock"]);
    }
}
