//! `tanggap completions`, `tanggap man` and `tanggap openapi`: documents made from the code itself.

use std::{fs, io::Write as _, path::PathBuf};

use clap::CommandFactory as _;
use clap_complete::Shell as Dialect;

use super::{Cli, Failure, Shell};
use crate::web;

#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// For which shell
    shell: Dialect,
}

pub(super) fn completions(args: &Completions, shell: &mut Shell) -> Result<(), Failure> {
    let mut script = Vec::new(); // the generator panics where a write fails
    clap_complete::generate(args.shell, &mut Cli::command(), "tanggap", &mut script);
    Ok(shell.out.write_all(&script)?)
}

#[derive(Debug, clap::Args)]
pub(super) struct Man {
    /// Writes a page for every command into this folder: tanggap.1, tanggap-queue.1, and so on
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// The page of the program, then that of every command, in one document; or each in a file of its own.
pub(super) fn man(args: &Man, shell: &mut Shell) -> Result<(), Failure> {
    if let Some(dir) = &args.dir {
        let written = fs::create_dir_all(dir).and_then(|()| clap_mangen::generate_to(Cli::command(), dir));
        return written.map_err(|error| Failure::Failed(format!("{} could not be written: {error}", dir.display())));
    }
    let mut program = Cli::command();
    program.build();
    clap_mangen::Man::new(program.clone()).render(&mut shell.out)?;
    for command in program.get_subcommands().filter(|command| command.get_name() != "help") {
        clap_mangen::Man::new(command.clone()).render(&mut shell.out)?;
    }
    Ok(())
}

/// Prints the description of the API.
pub(super) fn openapi(shell: &mut Shell) -> Result<(), Failure> {
    let text = web::openapi().to_pretty_json().map_err(anyhow::Error::new)?;
    Ok(writeln!(shell.out, "{text}")?)
}
