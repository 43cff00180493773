//! What single words and whole texts are judged as.

use super::words::{STEMS, squeeze};
use super::{Rules, Signals, Verdict, is_bare};
use crate::domain::Text;
use proptest::prelude::*;
use regex::Regex;

fn rules() -> Rules {
    let keywords = ["banjir*", "kebakaran", "kabel putus", "longsor", " ", "*"].map(str::to_owned);
    Rules::new(&[Regex::new("(?i)^terima kasih.*akan segera kami balas").unwrap()], &keywords)
}

const COMMENT: Signals = Signals {
    attachments: false,
    sticker: false,
    tags_own: false,
    tags_others: false,
    replies_to_other: false,
    other_names: &[],
    public: true,
};
const DIRECT: Signals = Signals { public: false, ..COMMENT };
const TO_ANOTHER: Signals = Signals { tags_others: true, other_names: &["sri.rejeki"], ..COMMENT };
const TO_BOTH: Signals = Signals { tags_own: true, ..TO_ANOTHER };

fn judge(text: &str, signals: &Signals) -> Verdict {
    rules().incoming(&Text::new(text), signals)
}
fn all_kept(texts: &[&str], signals: &Signals) {
    let lost: Vec<_> = texts.iter().filter(|text| !judge(text, signals).needs_answer).collect();
    assert!(lost.is_empty(), "left out: {lost:?}");
}
fn all_left_out(texts: &[&str], why: &str, signals: &Signals) {
    let judged: Vec<_> = texts.iter().map(|text| (text, judge(text, signals))).collect();
    let other: Vec<_> = judged.iter().filter(|(_, verdict)| (verdict.needs_answer, verdict.why) != (false, why)).collect();
    assert!(other.is_empty(), "not left out as {why}: {other:#?}");
}

const ASKING: &[&str] = &[
    "Kapan jembatan gantung dibuka lagi",
    "knp antrean di loket 2 berhenti",
    "piye carane ngurus KK sing ilang",
    "pripun nggih menawi badhe ndamel akta",
    "biaya brp ya kak",
    "mau tanya syarat pindah domisili",
    "info lowongan dong",
    "bisa gak daftar lewat hp",
    "tlg diperhatikan lampu taman",
    "nyuwun tulung dalane didandani",
    "Mohon informasinya, terima kasih",
    "lampu depan pasar mati",
    "dalane bolong kabeh pak",
    "banyune ora mili",
    "air pdam gak ngalir",
    "berkas saya blm diproses",
    "surate durung dadi",
    "sampahnya sudah menumpuk",
    "cek dm ya min",
    "udah saya inbox dari kemarin",
    "𝐌𝐨𝐡𝐨𝐧 𝐝𝐢𝐩𝐞𝐫𝐛𝐚𝐢𝐤𝐢",
    "TOLOOOONG",
    "min?",
];

#[test]
fn what_asks_requests_or_complains_asks_wherever_it_stands() {
    for text in ASKING {
        for signals in [COMMENT, DIRECT, TO_ANOTHER, TO_BOTH, Signals { replies_to_other: true, ..COMMENT }] {
            let verdict = judge(text, &signals);
            assert!(verdict.asks && verdict.needs_answer, "{text} {signals:?} {}", verdict.why);
        }
    }
}

#[test]
fn what_is_in_doubt_is_kept_in_public_and_in_direct_messages() {
    let texts = [
        "",
        "min",
        "halo admin",
        "Selamat pagi min",
        "assalamualaikum pak",
        "sudah, min",
        "Jl. Kenanga 5, Desa Mawar",
        "Griya Melati Indah",
        "12345678",
        "...",
        "🙏 pak lurah",
        "3 hari gelap, mantap, terima kasih",
        "Terima kasih atas lambatnya",
        "mantap pak, jalannya seperti sungai",
        "hebat, tidak ada yang datang",
        "Terima kasih, info pak",
        "terima kasih, lampu sudah menyala tapi cuma satu",
        "sudah diperbaiki terus rusak lagi, suwun",
        "masih ada slot daftar vaksin",
        "warga resah, slot gacor merajalela",
        "saya bukan warga sini",
    ];
    all_kept(&texts, &COMMENT);
    all_kept(&texts, &DIRECT);
}

#[test]
fn thanks_praise_and_taking_note_want_nothing() {
    let texts = [
        "terima kasih",
        "Makasiiih min 🙏",
        "matur nuwun sanget pak",
        "trims atas infonya kak",
        "Oke siap, terima kasih banyak atas bantuannya",
        "mantap 👍",
        "keren bangeeet",
        "Alhamdulillah, sukses selalu pak bupati",
        "Terima kasih, lampunya sudah menyala",
        "suwun, banyune wis mili maneh pak",
        "Selamat siang, terima kasih informasinya",
        "noted kak",
    ];
    all_left_out(&texts[..9], "thanks or praise", &COMMENT);
    all_left_out(&texts[..9], "thanks or praise", &DIRECT);
    all_left_out(&texts[10..], "thanks or praise", &DIRECT);
    all_kept(&["terima kasih?", "mantap ya, kapan diresmikan"], &DIRECT);
}

#[test]
fn laughter_wants_nothing_in_public_and_yes_may_answer_the_office() {
    all_left_out(&["wkwkwkwk", "hahaha lucu", "awokwokwok"], "thanks or praise", &COMMENT);
    all_kept(&["wkwkwkwk", "ya", "iya min", "nggih"], &DIRECT);
    all_kept(&["iya min"], &COMMENT);
    all_left_out(&["@sri.rejeki iya kak"], "thanks or praise", &TO_ANOTHER);
}

#[test]
fn advertisements_are_left_out_and_talk_about_them_is_kept() {
    let texts = [
        "gacor maxwin tiap malam",
        "G4C0R banget, langsung wd 5 jt",
        "Mainkan sekarang di RAJA777 dan klaim hadiah",
        "seru banget videonya 𝗥𝗔𝗝𝗔𝗠𝗔𝗜𝗡",
        "Scatter terus di ＲＡＪＡ",
    ];
    all_left_out(&texts, "spam", &COMMENT);
    all_left_out(&texts[..2], "spam", &DIRECT);
    all_left_out(&["https://contoh.id/a", "cek www.contoh.com/x"][..1], "a bare link", &COMMENT);
    all_kept(&["https://contoh.id/a", "undang tim smpn12 di event kami"], &DIRECT);
    all_kept(
        &["Tolong blokir situs gacor maxwin", "kenapa iklan gacor maxwin dibiarkan?", "di desa kami gacor maxwin lagi ramai"],
        &COMMENT,
    );
    all_kept(&["punten https://contoh.id/a"], &COMMENT);
}

#[test]
fn a_comment_that_only_talks_to_another_is_left_out_unless_it_calls_the_account() {
    all_left_out(&["@sri.rejeki kemarin aku lewat sana lho", "sri.rejeki ayo dolan"], "talks to another", &TO_ANOTHER);
    all_left_out(&["sama-sama bu, hati-hati"], "talks to another", &Signals { replies_to_other: true, ..COMMENT });
    all_left_out(&["@sri.rejeki", "@sri.rejeki @teman.lain"], "only tags", &TO_ANOTHER);
    all_left_out(&["@sri.rejeki @dinas ayo dolan"], "talks to another", &TO_BOTH);
    all_left_out(&["@sri.rejeki @dinas 😂😂", "@sri.rejeki :("], "emoji or a sticker", &TO_BOTH);
    all_kept(&["@dinas", "@sri.rejeki @dinas", "@sri.rejeki halo @dinas", "@sri.rejeki @dinas 3 hari", "ayo dolan @sri.rejeki"], &TO_BOTH);
    all_kept(&["@sri.rejeki coba tag adminnya", "@sri.rejeki itu petugas dinas", "@sri.rejeki iya to?"], &TO_ANOTHER);
    all_kept(&["@sri.rejeki kemarin aku lewat sana lho"], &Signals { public: false, ..TO_ANOTHER });
}

#[test]
fn a_name_is_read_past_once_and_as_a_whole() {
    let named = Signals { tags_others: true, other_names: &["Mati Rasa", ""], ..COMMENT };
    assert!(!judge("Mati Rasa ayo dolan", &named).asks);
    assert!(judge("Mati Rasa lampune mati", &named).asks);
    assert!(judge("Mati Rasanya", &named).asks);
}

#[test]
fn a_headline_is_left_out_unless_it_complains_or_names_the_office() {
    all_left_out(&["Harga beras dunia diprediksi turun"], "a headline", &COMMENT);
    all_kept(&["Sejumlah tiang miring", "Sejumlah warga datang ke kantor"], &COMMENT);
    all_kept(&["Harga beras dunia diprediksi turun"], &DIRECT);
}

#[test]
fn an_attachment_needs_an_answer_and_a_sticker_does_not() {
    let photo = Signals { attachments: true, ..COMMENT };
    for text in ["", "👍", "terima kasih", "https://contoh.id/a"] {
        let verdict = judge(text, &photo);
        assert!(verdict.needs_answer && !verdict.bare, "{text}");
    }
    let sticker = judge("", &Signals { sticker: true, ..DIRECT });
    assert!(!sticker.needs_answer && sticker.bare);
}

#[test]
fn bare_is_emoji_of_every_family_and_nothing_beside() {
    let emoji = ["👍", "👍🏽🙏", " 😂 😂\n", "👨‍👩‍👧‍👦", "1️⃣2️⃣", "#️⃣", "🇮🇩", "❤️", "☺", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🫶🏿", "™️"];
    for text in emoji {
        assert!(is_bare(text, false), "{text}");
        assert!(!judge(text, &DIRECT).needs_answer, "{text}");
    }
    for text in ["", " ", "1", "12", "#", "*", "ok 👍", "👍!", ":)", "?", "\u{E000}"] {
        assert!(!is_bare(text, false), "{text}");
    }
    assert!(is_bare("", true) && is_bare(" ", true) && is_bare("👍", true) && !is_bare("halo", true));
}

#[test]
fn urgent_is_a_whole_word_in_any_case_and_lettering_and_takes_suffixes_only_with_a_star() {
    let rules = rules();
    for text in [
        "KEBAKARAN!",
        "ada kebakaran, pak",
        "#longsor_dukuh",
        "banjirnya",
        "banjir-banjir",
        "banjir2 terus",
        "banjiiirrr",
        "longsorrr!!!",
        "kabel  PUTUS",
        "𝗯𝗮𝗻𝗷𝗶𝗿",
        "ban\u{200B}jir",
    ] {
        assert!(rules.urgent(text), "{text}");
    }
    for text in ["kebakarannya", "longsoran", "kebanjiran", "kabel", "putus kabel", "bannjir", ""] {
        assert!(!rules.urgent(text), "{text}");
    }
    let verdict = judge("@sri.rejeki longsor wkwkwk", &TO_ANOTHER);
    assert!(verdict.urgent && verdict.asks && verdict.needs_answer);
}

#[test]
fn the_shipped_keywords_know_danger_in_both_languages_and_leave_daily_complaints_alone() {
    let rules = Rules::new(&[], &["builtin:id".to_owned(), "tawon vespa".to_owned()]);
    for text in [
        "Pak, omahe tonggoku KOBONGAN!",
        "ada kebkaran di pasar",
        "tanggul jebol, air masuk rumah",
        "lemah ambles cedhak omah",
        "laka di jalur pantura, korban masih di jalan",
        "Bocah klelep ning embung",
        "gardune mbledos",
        "ana wit ambruk ngalangi dalan",
        "sarang tawon vespa di sekolah",
        "longsor2 di mana2",
    ] {
        assert!(rules.urgent(text), "{text}");
    }
    for text in [
        "jalan rusak bolong-bolong, tolong diaspal",
        "lampu jalan mati, gelap banget",
        "antrean darurat kapan buka?",
        "macet total tiap pagi",
        "Pak Rob minta jadwal",
        "kabel wifi belum dipasang",
        "air PDAM mati",
        "pohon besar menutupi rambu",
        "tenggelamkan saja partainya",
        "builtin:id",
    ] {
        assert!(!rules.urgent(text), "{text}");
    }
    assert!(!Rules::new(&[], &[]).urgent("kebakaran"), "without the list nothing is");
}

#[test]
fn automatic_is_what_the_patterns_say() {
    assert!(rules().automatic("TERIMA KASIH, pesan Anda akan segera kami balas."));
    assert!(!rules().automatic("Terima kasih, sudah kami perbaiki."));
}

#[test]
fn every_part_of_a_word_is_written_as_words_are_read() {
    assert!(STEMS.iter().all(|stem| squeeze(stem) == *stem));
}

fn signals() -> impl Strategy<Value = Signals<'static>> {
    any::<[bool; 6]>().prop_map(|[attachments, sticker, tags_own, tags_others, replies_to_other, public]| Signals {
        attachments,
        sticker,
        tags_own,
        tags_others,
        replies_to_other,
        other_names: if tags_others { &["a", "sri", "👍", "@"] } else { &[] },
        public,
    })
}

proptest! {
    #[test]
    fn no_text_stops_the_judge(text in any::<String>(), signals in signals()) {
        let verdict = judge(&text, &signals);
        prop_assert!(verdict.needs_answer || !verdict.urgent);
        prop_assert_eq!(verdict.bare, !signals.attachments && is_bare(&text, signals.sticker));
    }

    #[test]
    fn a_text_with_a_question_mark_is_always_kept(text in r"[a-z0-9 ,!@👍]{0,40} \?[a-z ]{0,20}", signals in signals()) {
        prop_assert!(judge(&text, &signals).needs_answer);
    }
}
