//! E-mail by SMTP: TLS from the first byte (`smtps`) or by STARTTLS that must succeed (`smtp+starttls`); in the clear
//! (`smtp`) to a loopback host only.

use std::time::Duration;

use async_trait::async_trait;
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor,
    address::Envelope,
    message::Mailbox,
    transport::smtp::{Error, response::Response},
};
use secrecy::ExposeSecret as _;
use url::{Host, Url};

use super::{Accepted, Channel, ChannelError, Outgoing, SendError};
use crate::{domain::settings, runtime::http::install_tls};

/// The channel `smtp`.
pub(super) struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Address,
}

impl Smtp {
    pub(super) fn new(smtp: &settings::Smtp, limit: Duration) -> Result<Self, ChannelError> {
        install_tls();
        let wrong = |key: &str, cure| ChannelError::Setting { key: format!("channel.smtp.{key}"), cure };
        let shape = "write smtps://user@host:465, smtp+starttls://user@host:587, or smtp:// to a loopback address";
        let mut url = Url::parse(&smtp.url).map_err(|_| wrong("url", shape))?;
        match url.scheme() {
            "smtps" => {}
            "smtp+starttls" => {
                url.set_scheme("smtp").map_err(|()| wrong("url", shape))?;
                url.set_query(Some("tls=required"));
            }
            "smtp" if is_loopback(&url) => url.set_query(None),
            "smtp" => return Err(wrong("url", "mail in the clear goes to a loopback address only; write smtps:// or smtp+starttls://")),
            _ => return Err(wrong("url", shape)),
        }
        if let Some(password) = &smtp.password {
            url.set_password(Some(password.expose_secret())).map_err(|()| wrong("url", shape))?;
        }
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.as_str()).map_err(|_| wrong("url", shape))?;
        let from: Mailbox = smtp.from.parse().map_err(|_| wrong("from", "write Name <address@host>"))?;
        Ok(Self { transport: transport.timeout(Some(limit)).build(), from: from.email })
    }
}

/// A host that is this machine by its literal address or by the name `localhost`.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        // the host of a scheme that `url` does not know is a name, even when it is an IPv4 address
        Some(Host::Domain(name)) => name == "localhost" || name.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback()),
        None => false,
    }
}

#[async_trait]
impl Channel for Smtp {
    async fn send(&self, letter: &Outgoing<'_>) -> Result<Accepted, SendError> {
        let to: Mailbox = letter.address.parse().map_err(|_| SendError::never("the official's email is no mail address; correct it"))?;
        let envelope = Envelope::new(Some(self.from.clone()), vec![to.email]).map_err(|_| SendError::never("the mail has no recipient"))?;
        let answer = self.transport.send_raw(&envelope, letter.payload.as_bytes()).await.map_err(|e| verdict(&e))?;
        Ok(Accepted { provider_id: queued_as(&answer) })
    }
}

/// RFC 5321: 4yz is for now, 5yz for good; but a refused sign-in (RFC 4954: 530, 534, 535, 538) is the site's to mend, not the letter's fault.
/// A break is an unknown outcome unless no connection came about.
fn verdict(error: &Error) -> SendError {
    if let Some(code) = error.status() {
        let code = u16::from(code);
        return match code {
            530 | 534 | 535 | 538 => {
                SendError::later(format!("the mail server refuses the sign-in ({code}): check user and password of channel.smtp"))
            }
            500.. => SendError::never(format!("the mail server refuses the mail for good ({code})")),
            _ => SendError::later(format!("the mail server can't take the mail now ({code})")),
        };
    }
    if error.is_tls() {
        SendError::later("no encrypted connection to the mail server: check its certificate and channel.smtp.url")
    } else if error.is_client() {
        SendError::later("the mail server lacks what is needed (STARTTLS, sign-in or UTF-8): check channel.smtp.url")
    } else if refused(error) {
        SendError::later("could not connect to the mail server")
    } else {
        SendError::unknown("the connection to the mail server broke before it said yes")
    }
}

fn refused(error: &Error) -> bool {
    use std::{error::Error as _, io};
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<io::Error>() {
            return matches!(
                io.kind(),
                io::ErrorKind::ConnectionRefused
                    | io::ErrorKind::HostUnreachable
                    | io::ErrorKind::NetworkUnreachable
                    | io::ErrorKind::AddrNotAvailable
            );
        }
        cause = inner.source();
    }
    false
}

/// What the server calls the mail in its queue, as far as it is one plain word (its text is foreign).
fn queued_as(answer: &Response) -> Option<String> {
    let line = answer.first_line()?;
    let (_, id) = line.split_once("queued as ")?;
    let id: String = id.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')).take(64).collect();
    (!id.is_empty()).then_some(id)
}
