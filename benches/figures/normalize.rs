//! A page of 25 comments, from the bytes of the answer to messages, beside parsing the same bytes as mere JSON.

use std::hint::black_box;

use serde_json::Value;

use crate::{
    Figure, Target,
    answers::{COMMENTS, Office, page},
    rate,
};

const PAGES: usize = 2_000;

pub fn run() {
    let (office, bytes) = (Office::new(), page(1));
    let found = office.read(1, &bytes);
    assert_eq!((found.messages.len() as u64, found.odd.len()), (COMMENTS, 0));
    let ours = || rate(PAGES, || (0..PAGES).for_each(|_| drop(black_box(office.read(1, black_box(&bytes))))));
    let parsed = || rate(PAGES, || (0..PAGES).for_each(|_| drop(black_box(serde_json::from_slice::<Value>(black_box(&bytes)).unwrap()))));
    println!("normalize: a page of {COMMENTS} comments, {} bytes", bytes.len());
    Figure::new("normalize", "pages", "parsing them as JSON values", Target::None).measured(ours, parsed).print();
}
