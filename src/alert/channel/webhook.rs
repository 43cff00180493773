//! Signed webhooks after the Standard Webhooks specification 1.0.0 (github.com/standard-webhooks/standard-webhooks).

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use secrecy::ExposeSecret as _;

use super::{Accepted, Channel, ChannelError, Outgoing, SendError, retry_after, transport};
use crate::{domain::settings, runtime::http::client};

/// Every `[[channel.webhook]]`; a letter's address is its name.
pub(super) struct Webhooks {
    http: reqwest::Client,
    targets: BTreeMap<String, Target>,
}

struct Target {
    url: String,
    /// One, or while a key is changed two, the newer first.
    signers: Vec<standardwebhooks::Webhook>,
}

impl Webhooks {
    pub(super) fn new(webhooks: &BTreeMap<String, settings::Webhook>, limit: Duration) -> Result<Self, ChannelError> {
        let targets = webhooks.iter().map(|(name, webhook)| {
            let secrets = [("secret", Some(&webhook.secret)), ("old_secret", webhook.old_secret.as_ref())];
            let signers = secrets.into_iter().filter_map(|(key, secret)| Some((key, secret?))).map(|(key, secret)| {
                standardwebhooks::Webhook::new(secret.expose_secret()).map_err(|_| ChannelError::Setting {
                    key: format!("channel.webhook.{name}.{key}"),
                    cure: "the secret is whsec_ followed by base64",
                })
            });
            Ok((name.clone(), Target { url: webhook.url.clone(), signers: signers.collect::<Result<_, _>>()? }))
        });
        Ok(Self { http: client(limit)?, targets: targets.collect::<Result<_, ChannelError>>()? })
    }
}

#[async_trait]
impl Channel for Webhooks {
    async fn send(&self, letter: &Outgoing<'_>) -> Result<Accepted, SendError> {
        let target = self.targets.get(letter.address).ok_or_else(|| SendError::later("the webhook is not configured any more"))?;
        let at = letter.at.secs();
        let signed = target.signers.iter().map(|signer| signer.sign(letter.key, at, letter.payload.as_bytes()));
        let signatures = signed.collect::<Result<Vec<_>, _>>().map_err(|_| SendError::never("the body can't be signed"))?;
        let request = self
            .http
            .post(&target.url)
            .header(reqwest::header::CONTENT_TYPE, "application/json")
            .header(standardwebhooks::HEADER_WEBHOOK_ID, letter.key)
            .header(standardwebhooks::HEADER_WEBHOOK_TIMESTAMP, at)
            .header(standardwebhooks::HEADER_WEBHOOK_SIGNATURE, signatures.join(" "))
            .body(letter.payload.to_owned());
        let answer = request.send().await.map_err(|e| transport(&e))?;
        let status = answer.status().as_u16();
        match status {
            200..300 => Ok(Accepted::default()),
            300..400 => {
                Err(SendError::never(format!("the webhook points elsewhere ({status}): write its new address into the configuration")))
            }
            410 => Err(SendError::never("the webhook is gone for good (410): take it out of the configuration")),
            408 | 425 | 429 | 500.. => {
                let why = format!("the webhook can't take it now ({status})");
                Err(SendError::Later { after: retry_after(answer.headers()), why, unknown_outcome: false })
            }
            _ => Err(SendError::later(format!("the webhook refuses it ({status}): check its url and secret"))),
        }
    }
}
