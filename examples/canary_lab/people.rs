//! Receives inputs of people: `POST /input` with an input of the library, such as `{"kind": "hold",
//! "by": "lena", "why": "…"}`. A refused input is answered with 409 and the reason.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use hotfix_core::rollout::Input;
use hyper::Method;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use crate::http::{self, Asked, Reply};
use crate::platform::Server;

/// Maximum time of an answer: the driver may be waiting for a scrape.
const PATIENCE: Duration = Duration::from_secs(5);

/// Receives the reason if an input is refused, otherwise `None`.
pub(crate) type Answer = oneshot::Sender<Option<String>>;

/// An input of a person.
pub(crate) struct PersonInput {
    /// The input.
    pub(crate) input: Input,
    /// The receiver of the answer.
    pub(crate) answer: Answer,
}

/// Receives inputs until the server is dropped.
pub(crate) async fn receive() -> anyhow::Result<(SocketAddr, mpsc::Receiver<PersonInput>, Server)> {
    let listener = http::bind(0).await?;
    let at = listener.local_addr()?;
    let (sender, receiver) = mpsc::channel(8);
    let server = Server::new(tokio::spawn(http::serve(listener, move |asked| {
        let sender = sender.clone();
        async move { pass_on(&asked, &sender).await }
    })));
    Ok((at, receiver, server))
}

async fn pass_on(asked: &Asked, to: &mpsc::Sender<PersonInput>) -> Reply {
    if (&asked.method, asked.path.as_str()) != (&Method::POST, "/input") {
        return Reply::text(404, "send inputs with POST /input");
    }
    let text = String::from_utf8_lossy(&asked.body);
    let input = match Input::from_json(&text) {
        Ok(input) => input,
        Err(e) => return Reply::text(400, format!("{} {e}", e.code())),
    };
    let (answer, answered) = oneshot::channel();
    if to.send(PersonInput { input, answer }).await.is_err() {
        return Reply::text(503, "the driver has ended");
    }
    match answered.await {
        Ok(None) => Reply::text(200, "taken"),
        Ok(Some(refusal)) => Reply::text(409, refusal),
        Err(_) => Reply::text(503, "the driver has ended"),
    }
}

/// Sends an input to the driver at this address.
pub(crate) async fn say(to: SocketAddr, input: &Value) -> anyhow::Result<()> {
    let reply = http::expect_ok(to, Method::POST, "/input", input.to_string(), PATIENCE).await;
    reply.map(drop).with_context(|| format!("`{}` was not accepted", input["kind"]))
}
