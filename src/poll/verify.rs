//! Reads the threads of which a read is wanted before a step takes effect. One read of a post serves every thread under it.

use std::collections::BTreeMap;

use super::{
    comments::{self, Depth},
    inbox,
    pass::{Pass, PassError},
};
use crate::{
    domain::{
        Kind, Platform,
        message::{Post, key_of},
    },
    graph::{Next, facebook as ask},
    normalize::Normalized,
    store::{accounts::Wanted, intake::Proof},
};

/// One read that serves some of the wanted threads.
#[derive(Clone, Debug)]
pub enum Read {
    /// Every comment under a post.
    Post(Post),
    /// One conversation.
    Conversation(String),
    /// No read can prove it.
    Never(Kind, String),
}

/// The reads that serve these threads of one account, each once.
pub fn reads(wanted: &[Wanted]) -> Vec<Read> {
    let mut reads: BTreeMap<(u8, String), Read> = BTreeMap::new();
    for one in wanted {
        let readable_mention = one.platform == Platform::Facebook;
        let read = match (one.kind, &one.post) {
            (Kind::Message, _) => Read::Conversation(one.name.clone()),
            (Kind::Comment | Kind::Post, Some(post)) => Read::Post(post.clone()),
            (Kind::Mention, Some(post)) if readable_mention => Read::Post(post.clone()),
            (kind, _) => Read::Never(kind, one.name.clone()),
        };
        let key = match &read {
            Read::Post(post) => (0, key_of(&post.external_id).to_owned()),
            Read::Conversation(name) => (1, name.clone()),
            Read::Never(kind, name) => (2, format!("{kind} {name}")),
        };
        reads.insert(key, read);
    }
    reads.into_values().collect()
}

/// Does one of them.
pub async fn read(pass: &Pass<'_>, read: &Read) -> Result<usize, PassError> {
    let outcome = match read {
        Read::Post(post) => comments::read(pass, post, Depth::Whole).await,
        Read::Conversation(name) => inbox::conversation(pass, name).await,
        Read::Never(kind, name) => {
            let began_at = pass.now();
            return Ok(pass.take(began_at, Normalized::default(), Vec::new(), vec![Proof::Unreadable(*kind, name.clone())]).await?);
        }
    };
    match (outcome, read) {
        // The same error means "deleted" and "this token lost the Page", and now and then it is a slip: the post is gone only where the
        // account answers and the post, asked for itself, is not there either.
        (Err(error), Read::Post(post)) if error.next() == Next::Gone => {
            let began_at = pass.now();
            let _: serde_json::Value = pass.get(&ask::exists(&pass.spec.id)).await?;
            match pass.get::<serde_json::Value>(&ask::exists(&post.external_id)).await.map_err(PassError::from) {
                Ok(_) => return Err(error),
                Err(gone) if gone.next() == Next::Gone => {}
                Err(other) => return Err(other),
            }
            Ok(pass.take(began_at, Normalized::default(), Vec::new(), vec![Proof::PostGone(post.external_id.clone())]).await?)
        }
        (Err(error), Read::Post(post))
            if post.author == crate::domain::message::PostAuthor::Mention && error.next() == Next::Permission =>
        {
            let began_at = pass.now();
            let never = Proof::Unreadable(Kind::Mention, post.external_id.clone());
            Ok(pass.take(began_at, Normalized::default(), Vec::new(), vec![never]).await?)
        }
        (outcome, _) => outcome,
    }
}
