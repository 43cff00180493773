//! A full disk: what SQLite cannot store is undone in whole and said, and comes in when there is room again. The limit is SQLite's own
//! (`PRAGMA max_page_count`): it fails the same statements with the same code as a disk without room (sqlite.org/rescode.html, SQLITE_FULL).

use std::{fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, sync::Arc};

use jiff::SignedDuration;
use tanggap::{
    demo::{
        api::Simulator,
        world::{Citizen, Draft},
    },
    domain::{SharedSettings, Time},
    poll::Skew,
    runtime::{Clock as _, ManualClock, Stage as _},
    store::{Db, StoreError, accounts},
};
use tokio_util::sync::DropGuard;

use crate::{
    stages::{self, Heard},
    store::world::stored,
};

/// A Page with thirty posts, of which the first list shows twenty-five, and the stages that watch it.
struct World {
    _folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
    simulator: Simulator,
    page: String,
    posts: Vec<String>,
    db: Db,
    settings: SharedSettings,
    _served: DropGuard,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = stages::clock();
        let (simulator, served) = stages::simulator(&clock).await;
        let (page, posts) = {
            let mut world = simulator.world();
            let page = world.add_page("Dinhub Rembang", "dinhub");
            let at = |hours| clock.now() - SignedDuration::from_hours(hours);
            let posts = (0..30).map(|n| world.post(&page.id, Draft::from("Kabar").at(at(40 - n))).unwrap()).collect();
            (page, posts)
        };
        let token = folder.path().join("token");
        fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&token).unwrap().write_all(page.token.as_bytes()).unwrap();
        let text = format!(
            "[site]\nname = \"Uji\"\ntimezone = \"Asia/Jakarta\"\n[database]\nurl = \"sqlite://{folder}/t.db\"\n[graph]\nurl = \"{url}\"\n
            [[policy]]\nname = \"biasa\"\nrespond_within = \"4h\"\ncalendar = \"always\"\nstep = [ {{ at = \"0m\", notify = [\"operator\"] }} ]\n
            [[opd]]\nslug = \"dinhub\"\nname = \"Dinas Perhubungan\"\n
            [[opd.account]]\nplatform = \"facebook\"\nid = \"{id}\"\ntoken = \"file:{token}\"\n",
            folder = folder.path().display(),
            url = simulator.facebook_url,
            id = page.id,
            token = token.display(),
        );
        let file = folder.path().join("tanggap.toml");
        fs::write(&file, text).unwrap();
        let settings = stages::settings(&file);
        let db = Db::open(&format!("sqlite://{}/t.db", folder.path().display())).await.unwrap();
        Self { _folder: folder, clock, simulator, page: page.id, posts, db, settings, _served: served }
    }

    /// Lets the database grow by so many pages and no further.
    async fn room(&self, pages: i64) {
        let mut tx = self.db.write().await.unwrap(); // of the one connection that writes
        let used = tx.rows("PRAGMA page_count", vec![]).await.unwrap()[0].i("page_count").unwrap();
        let sql: &'static str = Box::leak(format!("PRAGMA max_page_count = {}", used + pages).into_boxed_str());
        tx.rows(sql, vec![]).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// One step of a poll stage made anew, so much later.
    async fn poll_after(&self, seconds: i64) -> Result<tanggap::runtime::Tally, StoreError> {
        self.clock.advance(SignedDuration::from_secs(seconds));
        stages::poll(&self.db, &self.settings, &self.clock, &Skew::default()).await.once().await
    }

    async fn judge(&self) -> Result<tanggap::runtime::Tally, StoreError> {
        stages::sla(&self.db, &self.settings, &self.clock, &Skew::default()).await.once().await
    }

    async fn number(&self, sql: &'static str) -> Option<i64> {
        self.db.rows(sql, vec![]).await.unwrap()[0].oi("n").unwrap()
    }

    /// A crowd under the newest post, a visitor on the wall, somebody in the inbox, and one under a post that only a sweep finds.
    fn people_write(&self) -> usize {
        let mut world = self.simulator.world();
        let text = "Lampu jalan mati sejak kemarin, kapan diperbaiki? ".repeat(40);
        for n in 0..120 {
            world.comment(self.posts.last().unwrap(), &Citizen::new(n, "Siti"), text.as_str()).unwrap();
        }
        world.comment(&self.posts[0], &Citizen::new(900, "Budi"), "Apakah masih berlaku?").unwrap();
        world.visitor_post(&self.page, &Citizen::new(901, "Rina"), "Jalan rusak, kapan diperbaiki?").unwrap();
        world.direct_message(&self.page, &Citizen::new(902, "Joko"), "Kapan bus datang?").unwrap();
        123
    }
}

const MESSAGES: &str = "SELECT COUNT(*) AS n FROM message WHERE direction = 'in'";
const ORPHANS: &str = "SELECT COUNT(*) AS n FROM message WHERE thread_id NOT IN (SELECT id FROM thread)";
const READ_AT: &str = "SELECT last_read_at AS n FROM account";

#[tokio::test]
async fn a_poll_on_a_full_disk_is_undone_and_said_and_the_next_with_room_takes_everything() {
    let world = World::new().await;
    let heard = Heard::default();
    let log = tracing_subscriber::fmt().with_writer(heard.clone()).with_ansi(false).finish();
    let _log = tracing::subscriber::set_default(log);
    world.poll_after(0).await.unwrap();
    assert_eq!(accounts::health(&world.db, Time::from_timestamp(world.clock.now())).await.unwrap(), [(world.page.clone(), true, Some(0))]);
    let written = world.people_write();
    // A poll stores page by page: wherever the disk fills up, what is stored then is whole, and no mark runs ahead of it.
    let mut before = (stored(&world.db).await, world.number(READ_AT).await);
    for pages in [0, 3, 20] {
        world.room(pages).await;
        heard.take();
        world.poll_after(1900).await.unwrap();
        let said = heard.take();
        let line = said.lines().find(|line| line.contains("event=\"poll.failed\"")).unwrap_or_else(|| panic!("nothing said: {said}"));
        assert!(line.contains("WARN") && line.contains("the disk of the database is full") && line.contains("make room"), "{line}");
        assert_eq!(world.number(ORPHANS).await, Some(0));
        assert_eq!(world.number(READ_AT).await, before.1, "no whole read is noted");
        if pages == 0 {
            before.0.retain(|row| !row.starts_with("s "));
            let mut after = stored(&world.db).await;
            after.retain(|row| !row.starts_with("s "));
            assert_eq!(after, before.0, "undone in whole");
        }
    }
    assert!(world.number(MESSAGES).await < Some(written as i64));
    world.room(100_000).await;
    heard.take();
    world.poll_after(1900).await.unwrap();
    let said = heard.take();
    assert!(!said.contains("poll.failed"), "{said}");
    assert_eq!((world.number(MESSAGES).await, world.number(ORPHANS).await), (Some(written as i64), Some(0)));
    assert!(world.number(READ_AT).await > before.1);
}

#[tokio::test]
async fn after_a_full_disk_a_sweep_that_failed_is_not_put_off_to_the_next_one() {
    let world = World::new().await;
    world.poll_after(0).await.unwrap();
    let under_an_old_post = "Apakah masih berlaku? ".repeat(400);
    world.simulator.world().comment(&world.posts[0], &Citizen::new(900, "Budi"), under_an_old_post).unwrap();
    world.room(0).await;
    world.poll_after(1900).await.unwrap();
    assert_eq!(world.number(MESSAGES).await, Some(0));
    world.room(100_000).await;
    world.poll_after(60).await.unwrap();
    assert_eq!(world.number(MESSAGES).await, Some(1), "the sweep interval is half an hour");
}

#[tokio::test]
async fn a_judgement_on_a_full_disk_leaves_nothing_and_is_made_when_there_is_room() {
    let world = World::new().await;
    world.poll_after(0).await.unwrap();
    let written = world.people_write();
    world.poll_after(1900).await.unwrap();
    assert_eq!(world.number(MESSAGES).await, Some(written as i64));
    world.room(0).await;
    let tickets = "SELECT (SELECT COUNT(*) FROM ticket) + (SELECT COUNT(*) FROM ticket_message) + (SELECT COUNT(*) FROM event) AS n";
    let failed = world.judge().await.unwrap_err();
    assert!(matches!(failed, StoreError::DiskFull) && failed.is_outage(), "{failed}");
    assert_eq!(world.number(tickets).await, Some(0));
    world.room(100_000).await;
    world.judge().await.unwrap();
    assert_eq!(world.number("SELECT COUNT(*) AS n FROM ticket").await, Some(written as i64));
}
