//! Where alerts arrive in the demo and in tests: a mail server and a web server that keep what they get.
//!
//! Both answer as they are told to: refuse, ask for patience, take everything and then break off, or say nothing at all.

mod http;
mod smtp;

pub use http::{Captured, HttpServer, HttpSink, HttpTurn};
pub use smtp::{Mail, SmtpServer, SmtpSink, SmtpTurn};
