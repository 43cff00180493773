//! Postfix takes the letters of a ladder, and a mail program (notmuch) shows one ticket as one thread.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use tanggap::domain::settings;

use super::{said, told};
use crate::alert::{
    header,
    world::{World, on_both, smtp, ticket},
};

/// A mail program's view of one official's mails.
struct Mailbox {
    folder: tempfile::TempDir,
}

impl Mailbox {
    /// Takes what Postfix delivered to an address, once so many mails are there.
    async fn open(address: &str, count: usize) -> Self {
        let maildir = PathBuf::from(told("TANGGAP_TEST_MAILDIR")).join("new");
        for _ in 0..200 {
            let mine: Vec<_> = delivered(&maildir).into_iter().filter(|(_, mail)| header(mail, "Delivered-To") == address).collect();
            if mine.len() >= count {
                let folder = tempfile::tempdir().unwrap();
                for part in ["cur", "new", "tmp"] {
                    std::fs::create_dir_all(folder.path().join("mail").join(part)).unwrap();
                }
                for (name, mail) in mine {
                    std::fs::write(folder.path().join("mail/cur").join(name), mail).unwrap();
                }
                let config = format!("[database]\npath={}\n[user]\nname=Kepala\n", folder.path().join("mail").display());
                std::fs::write(folder.path().join("config"), config).unwrap();
                let mailbox = Self { folder };
                mailbox.notmuch(&["new", "--quiet"]);
                return mailbox;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let log = std::fs::read_to_string(maildir.join("../../../log")).unwrap_or_default();
        panic!("{count} mails for {address} do not arrive; Postfix says:\n{log}");
    }

    fn notmuch(&self, arguments: &[&str]) -> String {
        said(Command::new("notmuch").env("NOTMUCH_CONFIG", self.folder.path().join("config")).args(arguments))
    }

    /// How many there are of what matches, in files, in mails and in threads.
    fn counts(&self, query: &str) -> [u32; 3] {
        ["files", "messages", "threads"].map(|what| self.notmuch(&["count", &format!("--output={what}"), query]).parse().unwrap())
    }

    fn mails(&self) -> Vec<String> {
        delivered(&self.folder.path().join("mail/cur")).into_iter().map(|(_, mail)| mail).collect()
    }
}

/// The mails of a folder by their names, with the line ends of SMTP.
fn delivered(folder: &Path) -> Vec<(String, String)> {
    let names = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let read = |name: String| std::fs::read_to_string(folder.join(&name)).ok().map(|mail| (name, mail.replace('\n', "\r\n")));
    names.filter_map(read).collect()
}

on_both! {
    async fn a_ladder_of_three_steps_and_its_end_are_one_thread_for_each_official_and_another_ticket_is_another(w: &mut World) {
        let unique = format!("{:08x}", rand::random::<u32>()); // all tests share one server
        let address = |name: &str| format!("{name}.{unique}@example.go.id");
        w.settings.channels = settings::Channels { smtp: Some(smtp(told("TANGGAP_TEST_SMTP"))), ..settings::Channels::default() };
        for official in &mut w.settings.officials {
            official.email = Some(address(&official.id));
        }
        // a step before the deadline, the deadline, a step after it to one more official, and the answer
        w.add(&ticket(1)).await;
        w.tell("ticket.warned", Some(1), (1, "75%", &["kepala"])).await;
        w.step().await;
        w.tell("ticket.breached", Some(1), (2, "0m", &["kepala", "sekda"])).await;
        w.after(3600).await;
        w.breach(&ticket(2), &["sekda"]).await;
        w.after(60).await;
        w.tell("ticket.escalated", Some(1), (3, "2h", &["kepala", "sekda"])).await;
        w.after(3600).await;
        // we die after the server's yes to the deadline's mail to the first official and send it once more
        w.exec(
            "UPDATE letter SET state = 'pending', next_try_at = 0 WHERE official = 'kepala' AND id IN (SELECT letter_id FROM delivery WHERE step = 2)",
            vec![],
        )
        .await;
        w.exec("UPDATE delivery SET state = 'pending' WHERE official = 'kepala' AND step = 2", vec![]).await;
        w.after(60).await;
        w.close(1, "answered").await;
        w.tell("ticket.answered", Some(1), (0, "", &[])).await;
        w.after(60).await;
        assert!(w.deliveries().await.iter().all(|delivery| delivery.ends_with("smtp delivered")), "{:?}", w.deliveries().await);

        let (kepala, sekda) = (Mailbox::open(&address("kepala"), 5).await, Mailbox::open(&address("sekda"), 4).await);
        assert_eq!(kepala.counts("*"), [5, 4, 1], "the second copy is the same mail");
        assert_eq!(sekda.counts("*"), [4, 4, 2]);
        assert_eq!(sekda.counts("subject:\"tiket #2\""), [1, 1, 1]);
        for mail in kepala.mails().iter().chain(&sekda.mails()) {
            let headers = ["Auto-Submitted", "List-Id", "Content-Language"].map(|name| header(mail, name));
            assert_eq!(headers, ["auto-generated", "<alerts.tanggap.example.go.id>", "id"], "{mail}");
            assert!(header(mail, "Message-ID").ends_with("@tanggap.example.go.id>") && !header(mail, "Date").is_empty(), "{mail}");
        }
        let firsts: BTreeSet<String> =
            kepala.mails().iter().filter(|mail| header(mail, "References").is_empty()).map(|mail| header(mail, "Message-ID")).collect();
        assert_eq!(firsts.len(), 1, "all but the first refer to the former ones");
    }

    async fn a_letter_that_a_real_server_greylists_waits_for_its_next_attempt(w: &mut World) {
        w.settings.channels = settings::Channels { smtp: Some(smtp(told("TANGGAP_TEST_SMTP"))), ..settings::Channels::default() };
        w.settings.officials[0].email = Some("greylisted@example.go.id".into());
        w.breach(&ticket(1), &["kepala"]).await;
        w.step().await;
        assert_eq!(w.deliveries().await, ["kepala smtp pending"]);
        assert_eq!(w.rows("SELECT error FROM letter").await[0].t("error").unwrap(), "the mail server can't take the mail now (450)");
    }
}
