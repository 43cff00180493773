//! `tanggap completions`, `tanggap man` and `tanggap openapi`: documents made from the code itself.

use std::io::Write as _;

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

/// The page of the program, then that of every command, in one document.
pub(super) fn man(shell: &mut Shell) -> Result<(), Failure> {
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
