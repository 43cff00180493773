//! What strangers may try on the real program: sending its tokens elsewhere, drowning it in an answer, holding its doors, and looking for
//! its secrets where a system shows them.

mod abroad;
mod doors;
mod shown;
