//! A disk that is full: database, journal and all on a small file system of their own, which somebody fills up.
#![allow(clippy::print_stdout)] // figures, for a person

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    process::Command,
};

use jiff::SignedDuration;
use tanggap::{demo::script::Pace, store::Db};

use crate::soak::{WEBHOOK, site::Site};

/// MiB of the whole disk.
const SIZE: u64 = 32;

fn run(program: &str, args: &[&str]) {
    let output = Command::new(program).args(args).output().unwrap();
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A file system in a file, mounted: needs root and loop devices.
struct Disk {
    folder: tempfile::TempDir,
}

impl Disk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (image, place) = (folder.path().join("image"), folder.path().join("disk"));
        File::create(&image).unwrap().set_len(SIZE * 1024 * 1024).unwrap();
        fs::create_dir(&place).unwrap();
        let (image, place) = (image.to_str().unwrap(), place.to_str().unwrap());
        run("mkfs.ext4", &["-q", "-m", "0", image]);
        run("mount", &["-o", "loop", image, place]);
        Self { folder }
    }

    fn place(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    fn filler(&self) -> PathBuf {
        self.place().join("filler")
    }

    /// Takes the last byte.
    fn fill(&self) {
        let mut filler = File::options().create(true).append(true).open(self.filler()).unwrap();
        for size in [1 << 20, 4096, 512, 1] {
            let zeros = vec![0; size];
            while filler.write_all(&zeros).is_ok() {}
        }
    }

    fn make_room(&self) {
        fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.place()).status();
    }
}

fn lines(log: &Path, what: &str) -> usize {
    fs::read_to_string(log).unwrap().lines().filter(|line| line.contains(what)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_the_program_goes_on_says_so_and_stores_everything_when_there_is_room() {
    let disk = Disk::new();
    let pace = Pace { gap: SignedDuration::from_millis(150), answer: SignedDuration::from_secs(8), late: SignedDuration::from_secs(10) };
    let mut site = Site::new(13, 8, pace, WEBHOOK).await;
    let database = format!("sqlite://{}", disk.place().join("tanggap.db").display());
    let daemon = site.start(&database);
    site.live(SignedDuration::from_secs(5)).await;
    let mut longest = 0;
    for outage in 1..=2 {
        disk.fill();
        for second in 0.. {
            assert!(second < 40, "nothing is said:\n{}", fs::read_to_string(site.log()).unwrap());
            site.live(SignedDuration::from_secs(1)).await;
            if lines(&site.log(), "database.lost") == outage {
                longest = longest.max(second);
                break;
            }
        }
        site.live(SignedDuration::from_secs(9)).await;
        // What is stored is whole, also to a reader, while there is no room.
        let sql = "SELECT (SELECT COUNT(*) FROM message WHERE thread_id NOT IN (SELECT id FROM thread)) AS n";
        let reader = sqlx::SqlitePool::connect_with(
            sqlx::sqlite::SqliteConnectOptions::new().filename(disk.place().join("tanggap.db")).read_only(true),
        );
        let reader = reader.await.unwrap();
        assert_eq!(sqlx::query_scalar::<_, i64>(sql).fetch_one(&reader).await.unwrap(), 0);
        assert_eq!(sqlx::query_scalar::<_, String>("PRAGMA quick_check").fetch_one(&reader).await.unwrap(), "ok");
        reader.close().await;
        disk.make_room();
        for second in 0.. {
            assert!(second < 12, "it does not go on:\n{}", fs::read_to_string(site.log()).unwrap());
            site.live(SignedDuration::from_secs(1)).await;
            if lines(&site.log(), "database.back") == outage {
                println!("outage {outage}: noticed within {longest} s, working {second} s after there was room");
                break;
            }
        }
        site.live(SignedDuration::from_secs(4)).await;
    }
    let db = Db::open(&database).await.unwrap();
    let site = super::end(site, daemon, &db, 0).await;
    let log = fs::read_to_string(site.log()).unwrap();
    let loud = |line: &&str| line.contains("\"ERROR\"") || line.contains("poll.failed");
    let loud: Vec<&str> = log.lines().filter(loud).collect();
    println!("{} lines of two outages", loud.len());
    assert!(loud.len() <= 40, "{loud:#?}");
    assert!(loud.iter().any(|line| line.contains("make room")), "what helps is said: {loud:#?}");
    assert!(!log.contains("panicked"));
    db.close().await;
}
