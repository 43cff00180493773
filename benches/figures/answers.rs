//! Answers as Meta gives them, and the office that reads them. Every name, text and number is made up.

use std::{collections::BTreeMap, fmt::Write as _};

use jiff::SignedDuration;
use regex::Regex;
use serde_json::{Value, json};
use tanggap::{
    domain::{Platform, Time, message::PostAuthor},
    graph::wire::{List, body, facebook::Comment},
    normalize::{Context, Government, Normalized, PostRef, Sister, comments, triage::Rules},
};

/// The Page that is read.
pub const PAGE: &str = "101000000000001";
/// Comments on a page of a list.
pub const COMMENTS: u64 = 25;
/// Monday, 23 November 2026, 08.00 WIB.
pub const START: &str = "2026-11-23T01:00:00Z";

const NAMES: [&str; 7] =
    ["Siti Rahmawati", "Budi Santoso", "Sri Wahyuningsih", "Ahmad Fauzi", "Dwi Lestari Handayani", "Mbah Karto", "Nur Hidayah"];

const TEXTS: [&str; 9] = [
    "Selamat pagi, mau tanya kalau perpanjang KTP yang hilang syaratnya apa saja nggih? Kemarin ke kantor katanya server sedang gangguan.",
    "Lampu jalan depan balai desa Sumberjo mati sudah dua minggu 🙏",
    "Terima kasih infonya min",
    "Pak, jalan dari pasar Pamotan sampai pertigaan Lasem rusak parah, lubangnya dalam dan kalau hujan tidak kelihatan. Minggu lalu tetangga \
     saya jatuh di sana waktu mengantar anak sekolah. Mohon segera diperbaiki sebelum ada korban lagi. Sudah kami laporkan lewat kelurahan \
     bulan lalu tetapi sampai sekarang belum ada yang datang melihat.",
    "jam buka hari sabtu sampai jam berapa ya?",
    "👍👍👍",
    "Antrian online tidak bisa dibuka, muncul tulisan \"kuota habis\" terus padahal baru jam 7 pagi. Gimana ini?",
    "Mantap, semoga Rembang makin maju",
    "Nomor pengaduan yang bisa di WA berapa? Yang di https://example.org/layanan tidak aktif",
];

const ANSWER: &str =
    "Selamat pagi, terima kasih atas laporannya. Sudah kami teruskan ke bidang terkait dan akan dicek ke lokasi hari ini juga.";

/// A comment as it stands in a list of the stream kind, `second` seconds after [`START`].
pub fn comment(post: u64, number: u64, (by, name): (&str, &str), text: &str, parent: Option<u64>, second: i64) -> Value {
    let id = |number: u64| format!("{post}_{number}");
    let at = Time::parse(START).unwrap().plus(SignedDuration::from_secs(second));
    let mut found = json!({
        "id": id(number),
        "from": {"name": name, "id": by},
        "message": text,
        "created_time": at.rfc3339().replace('Z', "+0000"),
        "is_hidden": false,
        "permalink_url": format!("https://www.facebook.com/{PAGE}/posts/{post}?comment_id={number}"),
    });
    if let Some(parent) = parent {
        found["parent"] = json!({"created_time": "2026-11-23T01:00:00+0000", "id": id(parent)});
    }
    found
}

/// The newest comments of a post: a third of them replies, half of those the Page's with a tag; pictures and stickers on some.
pub fn page(post: u64) -> Vec<u8> {
    let first = post * 1_000;
    let rows = (0..COMMENTS).rev().map(|row| {
        let (who, pick) = (first + row, (post + row) as usize);
        let (citizen, name) = (format!("2{who:015}"), NAMES[pick % NAMES.len()]);
        let parent = (row % 3 == 2).then(|| who - 1);
        if row % 6 == 5 {
            let asker = NAMES[(pick - 1) % NAMES.len()];
            let mut found =
                comment(post, who, (PAGE, "Dinas Kependudukan dan Pencatatan Sipil"), &format!("{asker} {ANSWER}"), parent, row as i64 * 40);
            found["message_tags"] =
                json!([{"id": format!("2{:015}", who - 1), "name": asker, "type": "user", "offset": 0, "length": asker.len()}]);
            return found;
        }
        let mut found = comment(post, who, (&citizen, name), TEXTS[pick % TEXTS.len()], parent, row as i64 * 40);
        let picture = format!("https://www.facebook.com/photo.php?fbid={who}&set=p.{who}&type=3");
        match row {
            4 => found["private_reply_conversation"] = json!({"id": format!("t_{who}")}),
            6 | 15 => {
                found["attachment"] = json!({"type": "photo", "url": picture, "target": {"id": who.to_string(), "url": picture},
                    "media": {"image": {"height": 720, "width": 540, "src": format!("https://scontent.example.org/v/t39/{who}_n.jpg?stp=cp0&_nc_cat=1")}}});
            }
            10 => found["attachment"] = json!({"type": "sticker", "url": picture}),
            _ => {}
        }
        found
    });
    let cursor = "QVFIUm".repeat(20);
    let answer = json!({
        "data": rows.collect::<Vec<_>>(),
        "paging": {"cursors": {"before": cursor, "after": cursor}},
        "summary": {"order": "reverse_chronological", "total_count": COMMENTS, "can_comment": true},
    });
    written(&answer)
}

/// JSON as Meta writes it: slashes and all that is not ASCII escaped.
pub fn written(answer: &Value) -> Vec<u8> {
    let mut out = String::new();
    for c in answer.to_string().chars() {
        match c {
            '/' => out.push_str("\\/"),
            c if c.is_ascii() => out.push(c),
            c => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| write!(out, "\\u{unit:04x}").unwrap()),
        }
    }
    out.into_bytes()
}

/// Who reads: a Page among forty accounts of the government.
pub struct Office {
    government: Government,
    rules: Rules,
}

impl Office {
    pub fn new() -> Self {
        let sister = |number: u64| Sister {
            external_id: (101_000_000_000_001 + number).to_string(),
            platform: if number.is_multiple_of(2) { Platform::Facebook } else { Platform::Instagram },
            username: Some(format!("dinas{number}.rembang")),
            page: None,
        };
        let government = Government { own: vec![PAGE.into()], sisters: (1..40).map(sister).collect(), ..Government::default() };
        let keywords = ["banjir*", "kebakaran", "longsor", "kecelakaan"].map(str::to_owned);
        Self { government, rules: Rules::new(&[Regex::new("(?i)pesan otomatis").unwrap()], &keywords) }
    }

    /// From the bytes of a list of comments under a post of the Page to messages.
    pub fn read(&self, post: u64, bytes: &[u8]) -> Normalized {
        let list: List<Comment> = body::read(200, Some("application/json; charset=UTF-8"), bytes, Box::default()).unwrap();
        let context = Context { platform: Platform::Facebook, account: PAGE, government: &self.government, rules: &self.rules };
        comments(&context, &own_post(post), &list, &BTreeMap::new())
    }
}

/// A post of the Page's own.
pub fn own_post(post: u64) -> PostRef {
    PostRef {
        external_id: format!("{PAGE}_{post}"),
        author: PostAuthor::Own,
        author_id: Some(PAGE.into()),
        permalink: Some(format!("https://www.facebook.com/{PAGE}/posts/{post}")),
    }
}
