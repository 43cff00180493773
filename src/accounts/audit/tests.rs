//! What is found of which account, and in what order.

use super::*;
use crate::domain::{
    Platform::{Facebook, Instagram},
    account::Login,
    settings::Language,
};
use crate::store::concerns::Concern;

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn now() -> Time {
    Time::parse("2026-11-24T02:00:00Z").unwrap()
}

#[allow(clippy::unnecessary_wraps)] // what is compared is optional
fn days_ago(days: i32) -> Option<Time> {
    Some(now().minus(DAY * days))
}

fn spec(platform: Platform, id: &str) -> AccountSpec {
    AccountSpec { platform, id: id.into(), page: None, login: Login::Facebook, token: None, app: None, sources: vec![] }
}

fn opd(slug: &str, kind: OpdKind, accounts: &[(Platform, &str)]) -> Opd {
    Opd {
        slug: slug.into(),
        name: format!("Kantor {slug}"),
        abbreviation: slug.to_uppercase(),
        kind: Some(kind),
        parent: None,
        expects: vec![Facebook, Instagram],
        staff: vec![],
        calendar: None,
        accounts: accounts.iter().map(|(platform, id)| spec(*platform, id)).collect(),
    }
}

/// An account that is read and lively.
fn well(platform: Platform, id: &str) -> Watched {
    Watched {
        platform,
        id: id.into(),
        name: Some(format!("Akun {id}")),
        username: None,
        healthy: true,
        reason: None,
        failing_since: None,
        first_read_at: days_ago(100),
        last_read_at: days_ago(0),
        last_post_at: days_ago(2),
        last_message_at: days_ago(1),
        doubts: vec![],
    }
}

fn site(language: Language) -> Site {
    Site { name: "Kabupaten Uji".into(), timezone: jiff::tz::TimeZone::UTC, language }
}

fn look(opds: &[Opd], watched: &[Watched]) -> Audit {
    audit((&site(Language::Indonesian), &["Operator"]), opds, watched, Limits { quiet: DAY * 30, horizon: DAY * 90 }, now()).unwrap()
}

/// `slug finding` of every row.
fn found(opds: &[Opd], watched: &[Watched]) -> Vec<String> {
    look(opds, watched).rows.iter().map(|row| format!("{} {}", row.opd, row.finding)).collect()
}

const BOTH: [(Platform, &str); 2] = [(Facebook, "1"), (Instagram, "2")];

fn both_well() -> [Watched; 2] {
    [well(Facebook, "1"), well(Instagram, "2")]
}

#[test]
fn the_catalogue_has_a_text_for_every_finding_and_kind_of_agency() {
    let words = Words::new(Part::Audit, Language::Indonesian, jiff::tz::TimeZone::UTC).unwrap();
    let wanted = Finding::ALL.iter().map(ToString::to_string).chain(OpdKind::ALL.iter().map(|it| format!("kind_{it}")));
    for key in wanted {
        let missing =
            |error: &WordsError| matches!(error, WordsError::Template(error) if error.kind() == minijinja::ErrorKind::TemplateNotFound);
        assert!(!words.say(&key, ()).is_err_and(|error| missing(&error)), "{key}");
    }
}

#[test]
fn an_account_in_doubt_says_what_and_what_to_do_instead_of_being_called_silent() {
    let [page, instagram] = both_well();
    let doubt = Concern { cause: Cause::UnprovedMessages, since: days_ago(8).unwrap(), detail: "no citizen's message was read".into() };
    let page = Watched { last_message_at: None, doubts: vec![doubt], ..page };
    let audit = look(&[opd("dinkes", OpdKind::Dinas, &BOTH)], &[page, instagram]);
    assert_eq!(audit.rows.iter().map(|row| row.finding).collect::<Vec<_>>(), [Finding::Doubtful]);
    let row = &audit.rows[0];
    assert_eq!(
        row.text,
        "Sejak 16 November 2026 belum dapat dipastikan bahwa Tanggap dapat membaca pesan langsung warga di akun Facebook “Akun 1”; \
         sampai dipastikan, pesan langsung di sana mungkin tidak terpantau. Ini belum tentu kekurangan perangkat daerah."
    );
    assert_eq!(
        row.advice,
        "Pengelola Tanggap mengujinya dengan pesan dari akun pribadi; bila tidak terbaca, pengelola mengurus izinnya ke Meta \
         (pemilik Facebook dan Instagram)."
    );
}

#[test]
fn an_account_in_two_doubts_is_counted_once() {
    let [page, instagram] = both_well();
    let doubt = |cause| Concern { cause, since: days_ago(8).unwrap(), detail: String::new() };
    let page = Watched { doubts: [Cause::BlindComments, Cause::CommentsOff].map(doubt).to_vec(), ..page };
    let audit = look(&[opd("dinkes", OpdKind::Dinas, &BOTH)], &[page, instagram]);
    let texts: Vec<_> = audit.rows.iter().map(|row| row.text.as_str()).collect();
    assert!(texts[0].contains("membaca komentar warga di akun Facebook") && texts[1].contains("kolom komentar dimatikan"), "{texts:?}");
    assert_eq!(
        audit.summary[1],
        "Akun yang terdaftar: 2 (satu akun dapat masuk lebih dari satu hitungan); terbaca tanpa temuan: 1; terbaca tetapi perlu diperiksa: 1."
    );
}

#[test]
fn an_agency_with_lively_accounts_on_every_platform_has_nothing_to_be_remarked() {
    let audit = look(&[opd("dinkes", OpdKind::Dinas, &BOTH)], &both_well());
    assert_eq!((audit.rows.len(), audit.rows[0].finding), (1, Finding::Ok));
    assert_eq!((audit.rows[0].text.as_str(), audit.rows[0].advice.as_str()), ("Tanpa temuan.", ""));
}

#[test]
fn each_lack_of_an_account_is_found_with_its_time_and_reason() {
    let dinkes = opd("dinkes", OpdKind::Dinas, &BOTH);
    let one = |change: &dyn Fn(&mut Watched)| {
        let [mut facebook, instagram] = both_well();
        change(&mut facebook);
        look(std::slice::from_ref(&dinkes), &[facebook, instagram]).rows.remove(0)
    };
    let row = one(&|it| {
        (it.healthy, it.failing_since) = (false, days_ago(4));
        it.reason = Some("the token expired (code 190, subcode 463, HTTP status 400)".into());
        it.last_post_at = days_ago(200);
    });
    assert_eq!((row.finding, row.account.as_deref(), row.since), (Finding::NotReadable, Some("1"), days_ago(4)));
    assert!(row.text.starts_with("Akun Facebook “Akun 1” tidak dapat dibaca sejak 20 November 2026: izin membaca"), "{}", row.text);
    assert!(row.advice.contains("izin baru") && row.reason.is_some(), "{row:?}");
    let meanwhile = "Sampai pulih, admin memeriksa sendiri pesan yang masuk sejak 20 November 2026.";
    assert!(row.advice.ends_with(meanwhile), "{}", row.advice);
    let row = one(&|it| it.last_post_at = days_ago(31));
    assert_eq!((row.finding, row.since), (Finding::Dormant, days_ago(31)));
    assert_eq!(row.text, "Akun Facebook “Akun 1” tidak mengunggah apa pun selama 31 hari (terakhir 24 Oktober 2026).");
    assert_eq!(one(&|it| it.last_post_at = days_ago(30)).finding, Finding::Ok, "exactly thirty days are none too many");
    assert_eq!(one(&|it| it.last_post_at = None).text, "Akun Facebook “Akun 1” tidak mengunggah apa pun selama 30 hari atau lebih.");
    assert_eq!(one(&|it| it.last_message_at = days_ago(31)).finding, Finding::Silent);
    assert_eq!(one(&|it| it.last_read_at = None).finding, Finding::NotReadYet);
    let young = one(&|it| (it.first_read_at, it.last_message_at) = (days_ago(8), None));
    assert_eq!(young.finding, Finding::Ok, "who has watched for eight days cannot speak of thirty");
}

#[test]
fn an_instagram_account_that_meta_does_not_find_is_called_unlinked() {
    let [facebook, mut instagram] = both_well();
    instagram.healthy = false;
    instagram.reason = Some("the object is gone or not visible (code 100, subcode 33, HTTP status 400)".into());
    let row = look(&[opd("dinkes", OpdKind::Dinas, &BOTH)], &[facebook, instagram]).rows.remove(0);
    assert_eq!((row.finding, row.platform), (Finding::NotLinked, Some(Instagram)));
    assert!(row.advice.contains("akun profesional"), "{}", row.advice);
}

#[test]
fn agencies_without_enough_accounts_or_with_too_many_are_found_and_the_worst_comes_first() {
    let opds = [
        opd("fine", OpdKind::Dinas, &BOTH),
        opd("many", OpdKind::Dinas, &[(Facebook, "1"), (Facebook, "3"), (Instagram, "2")]),
        opd("none", OpdKind::Desa, &[]),
        opd("half", OpdKind::Kecamatan, &[(Facebook, "1")]),
        opd("dark", OpdKind::Kelurahan, &[(Facebook, "4"), (Instagram, "2")]),
        opd("new", OpdKind::Badan, &[(Facebook, "5"), (Instagram, "2")]),
    ];
    let [facebook, instagram] = both_well();
    let dark = Watched { healthy: false, last_read_at: None, ..well(Facebook, "4") };
    let watched = [facebook, instagram, well(Facebook, "3"), dark];
    assert_eq!(
        found(&opds, &watched),
        ["dark not_readable", "new not_read_yet", "none no_account", "many several", "half platform_missing", "fine ok"]
    );
}

#[test]
fn the_same_is_said_once_with_the_names_by_kind() {
    let opds = [
        opd("a", OpdKind::Kecamatan, &[]),
        opd("b", OpdKind::Dinas, &[]),
        opd("c", OpdKind::Kecamatan, &[]),
        opd("d", OpdKind::Dinas, &[(Facebook, "6")]),
        opd("e", OpdKind::Lainnya, &[]),
        opd("f", OpdKind::Dinas, &[(Facebook, "7")]),
    ];
    let audit = look(&opds, &[]);
    let told: Vec<_> =
        audit.groups.iter().map(|it| (it.who.as_str(), it.members.join("; "), it.short.as_deref(), it.lines.len())).collect();
    let without = "1 Dinas: B; 2 Kecamatan: A, C; 1 Perangkat daerah lainnya: E".to_owned();
    assert_eq!(
        told,
        [
            ("Semua akun yang terdaftar (2)", "2 Dinas: D, F".to_owned(), None, 1),
            ("4 perangkat daerah", without, None, 1),
            ("2 Dinas: D, F", String::new(), None, 1),
        ]
    );
    assert!(audit.summary[0].contains("belum ada pesan warga yang terpantau"), "the news come first: {}", audit.summary[0]);
    assert!(audit.summary[0].contains("mendaftarkan akun: D, F; akun itu tinggal menunggu pengelola Tanggap."), "{}", audit.summary[0]);
    let total = audit.shares.last().unwrap();
    assert_eq!((total.kind, total.agencies, total.with_account, total.read_well, total.fine), (None, 6, 2, 0, 0));
    let share = &audit.shares[1];
    assert_eq!((share.name.as_str(), share.agencies, share.with_account), ("Kecamatan", 2, 0));
}

#[test]
fn an_account_is_never_called_dormant_for_want_of_posts_that_are_not_read() {
    let limits = Limits { quiet: DAY * 180, horizon: DAY * 90 };
    let [mut facebook, instagram] = both_well();
    facebook.last_post_at = None;
    let audit =
        audit((&site(Language::English), &["Operator"]), &[opd("dinkes", OpdKind::Dinas, &BOTH)], &[facebook, instagram], limits, now())
            .unwrap();
    assert_eq!(audit.rows[0].text, "Without a finding.");
}

#[test]
fn the_summary_begins_with_whose_messages_go_unseen_and_tells_the_willing_from_the_idle() {
    let mut opds: Vec<_> = (0..8).map(|n| opd(&format!("dark{n}"), OpdKind::Dinas, &[(Facebook, "9"), (Instagram, "2")])).collect();
    opds.push(opd("half", OpdKind::Kecamatan, &[(Facebook, "1")]));
    opds.push(opd("idle", OpdKind::Kecamatan, &[]));
    let [facebook, instagram] = both_well();
    let dark = Watched { healthy: false, ..well(Facebook, "9") };
    let audit = look(&opds, &[facebook, instagram, dark]);
    assert_eq!(
        audit.summary[..2],
        [
            "Paling mendesak: DARK0, DARK1, DARK2, DARK3, DARK4, DARK5, dan 2 perangkat daerah lain, karena pesan warga di akunnya, yang sudah \
             terdaftar, tidak dapat dipantau lagi.",
            "Dari 10 perangkat daerah, 9 sudah mendaftarkan akun ke Tanggap dan 1 belum (mungkin sudah punya akun). Dari yang sudah \
             mendaftarkan, 1 tidak memiliki temuan lain selain belum mendaftarkan salah satu akun (Facebook atau Instagram)."
        ]
    );
    assert!(audit.summary.last().unwrap().contains("bukan pesan warga mana yang belum dijawab"));
    let counts: Vec<_> = audit.shares.iter().map(|it| (it.agencies, it.with_account, it.read_well, it.fine)).collect();
    assert_eq!(counts, [(8, 8, 0, 0), (2, 1, 1, 0), (10, 9, 1, 0)]);
}
