//! `tanggap demo`: the whole thing on a simulated Graph API.

use std::time::Duration;

use super::Failure;
use crate::app;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How long it runs
    #[arg(long, default_value = "60s", value_parser = humantime::parse_duration, value_name = "TIME")]
    duration: Duration,
    /// How many OPDs write and are written to
    #[arg(long, value_name = "N")]
    opds: Option<usize>,
    /// The same number gives the same citizens
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

pub(super) async fn run(args: Args) -> Result<(), Failure> {
    Ok(app::demo(args.duration, args.opds, args.seed).await?)
}
