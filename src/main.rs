//! The program: a tokio runtime around the command line.

use std::process::ExitCode;

use tokio::runtime::Builder;

fn main() -> ExitCode {
    match Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime.block_on(tanggap::cli::main()),
        Err(error) => tanggap::cli::fail(&format!("the program could not start its threads: {error}"), ExitCode::FAILURE),
    }
}
