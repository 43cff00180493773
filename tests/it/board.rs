//! The board and its API over real HTTP: who may see what, what staff do, how hostile texts stay inert.

mod api;
mod browser;
mod fuzz;
mod hostile;
mod load;
mod oidc;
mod pages;
mod provider;
mod scope;
mod world;
