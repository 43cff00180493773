//! The simulated Graph API by itself, for a daemon in a process of its own: `simulator FOLDER` writes into the new folder a configuration that
//! reads it and the secrets this names, and lets citizens and officials write until it is killed. `tests/package/run` uses it.

use std::{env, fs, path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context as _;
use jiff::SignedDuration;
use tanggap::{
    demo::{
        Now,
        api::Simulator,
        configure,
        script::{Pace, Script, opds},
        sink::{HttpSink, SmtpSink},
    },
    runtime::{Clock as _, SystemClock},
};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let folder = PathBuf::from(env::args_os().nth(1).context("the folder to be made is missing")?);
    fs::create_dir(&folder)?;
    let now: Now = Arc::new(|| SystemClock.now());
    let (simulator, servers) = Simulator::bind(now.clone()).await?;
    let (mails, mail_server) = SmtpSink::bind(now.clone()).await?;
    let (chats, chat_server) = HttpSink::bind(now.clone()).await?;
    let pace = Pace { gap: SignedDuration::from_millis(500), answer: SignedDuration::from_secs(12), late: SignedDuration::from_secs(20) };
    let mut script = Script::new(2021, opds(6), pace, &mut simulator.world(), now());
    configure(&folder, &simulator, (&mails, &chats), None, script.agencies())?;
    let never = CancellationToken::new();
    let story = async {
        loop {
            tokio::time::sleep(Duration::from_millis(250)).await;
            script.step(&mut simulator.world(), now());
        }
    };
    tokio::select! {
        ended = servers.serve(never.clone()) => ended?,
        ended = mail_server.serve(never.clone()) => ended?,
        ended = chat_server.serve(never.clone()) => ended?,
        () = story => {}
    }
    Ok(())
}
