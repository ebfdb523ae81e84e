//! HTTP/1.1 over loopback: a client with one call per connection, and a small server, both with
//! `hyper`.

use std::convert::Infallible;
use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Context as _;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

/// A request to a server of the lab.
pub(crate) struct Asked {
    /// `GET`, `PUT` or `POST`.
    pub(crate) method: Method,
    /// The path without the query.
    pub(crate) path: String,
    /// The query without the question mark; empty when absent.
    pub(crate) query: String,
    /// The whole body.
    pub(crate) body: Bytes,
}

/// An answer, given or received.
#[derive(Debug)]
pub(crate) struct Reply {
    /// HTTP status.
    pub(crate) status: u16,
    /// Content type, for answers given.
    pub(crate) kind: &'static str,
    /// The whole body.
    pub(crate) body: Bytes,
}

impl Reply {
    /// Plain text.
    pub(crate) fn text(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, kind: "text/plain; charset=utf-8", body: body.into() }
    }

    /// A JSON document.
    pub(crate) fn json(status: u16, value: &serde_json::Value) -> Self {
        Self { status, kind: "application/json", body: value.to_string().into() }
    }

    /// The body as text, lossy.
    pub(crate) fn as_text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The reason why a call got no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// Nothing listens at this address, or the listener is gone.
    #[error("cannot connect to {0}: {1}")]
    Connect(SocketAddr, std::io::Error),
    /// The connection ended before the answer did.
    #[error("{0} broke off: {1}")]
    Broken(SocketAddr, hyper::Error),
    /// No whole answer in the time allowed.
    #[error("no answer from {0} within {1:?}")]
    TimedOut(SocketAddr, Duration),
}

/// Sends one request over a connection of its own and reads the whole answer.
pub(crate) async fn call(
    to: SocketAddr,
    method: Method,
    path: &str,
    body: impl Into<Bytes>,
    limit: Duration,
) -> Result<Reply, CallError> {
    let body = body.into();
    let talk = async {
        let stream = TcpStream::connect(to).await.map_err(|e| CallError::Connect(to, e))?;
        let _ = stream.set_nodelay(true); // optional: without it the call is only slower
        let broken = |e| CallError::Broken(to, e);
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
        let driver = Guarded(tokio::spawn(async move {
            let _ = connection.await; // the sender gets its error too
        }));
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().unwrap_or_default();
        let headers = request.headers_mut();
        headers.insert(HOST, hyper::header::HeaderValue::from_static("lab"));
        headers.insert(CONNECTION, hyper::header::HeaderValue::from_static("close"));
        let answer = sender.send_request(request).await.map_err(broken)?;
        let status = answer.status().as_u16();
        let body = answer.into_body().collect().await.map_err(broken)?.to_bytes();
        drop(driver);
        Ok(Reply { status, kind: "", body })
    };
    match tokio::time::timeout(limit, talk).await {
        Ok(answer) => answer,
        Err(_) => Err(CallError::TimedOut(to, limit)),
    }
}

/// Ends the connection's task with the call, also when the call is dropped.
struct Guarded(tokio::task::JoinHandle<()>);

impl Drop for Guarded {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Like [`call`], and any status but 200 is an error that carries the answer's text.
pub(crate) async fn expect_ok(
    to: SocketAddr,
    method: Method,
    path: &str,
    body: impl Into<Bytes>,
    limit: Duration,
) -> anyhow::Result<Reply> {
    let reply = call(to, method, path, body, limit).await?;
    anyhow::ensure!(
        reply.status == 200,
        "{to}{path} answered {}: {}",
        reply.status,
        reply.as_text().trim()
    );
    Ok(reply)
}

/// Binds loopback; port 0 lets the system choose.
pub(crate) async fn bind(port: u16) -> anyhow::Result<TcpListener> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}

/// Answers requests until the process ends. Each connection has its own task.
pub(crate) async fn serve<H, F>(listener: TcpListener, handler: H)
where
    H: Fn(Asked) -> F + Clone + Send + 'static,
    F: Future<Output = Reply> + Send,
{
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file handles: wait until some are closed, without a busy loop.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let handler = handler.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let handler = handler.clone();
                async move { Ok::<_, Infallible>(answer(request, handler).await) }
            });
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await; // a client that disconnected does not concern the server
        });
    }
}

async fn answer<H, F>(request: Request<Incoming>, handler: H) -> Response<Full<Bytes>>
where
    H: Fn(Asked) -> F,
    F: Future<Output = Reply>,
{
    let (head, body) = request.into_parts();
    let reply = match body.collect().await {
        Ok(body) => {
            handler(Asked {
                method: head.method,
                path: head.uri.path().to_owned(),
                query: head.uri.query().unwrap_or_default().to_owned(),
                body: body.to_bytes(),
            })
            .await
        }
        Err(e) => Reply::text(400, format!("cannot read the body: {e}")),
    };
    let mut response = Response::new(Full::new(reply.body));
    *response.status_mut() =
        hyper::StatusCode::from_u16(reply.status).unwrap_or(hyper::StatusCode::BAD_GATEWAY);
    response
        .headers_mut()
        .insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(reply.kind));
    response
}
