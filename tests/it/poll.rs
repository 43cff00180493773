//! The poll stage on the simulated Graph API over real HTTP, on a clock that is moved by hand.

mod world;

use jiff::SignedDuration;
use tanggap::demo::world::{Author, Citizen, Fault, Scope};

use self::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_sisters_instagram_comment_is_the_governments_from_the_very_first_read() {
    let mut world = World::new(4).await;
    let citizen = Citizen::new(7, "Siti");
    for at in 0..4 {
        let (own, sister) = (world.instagram(at), world.instagram((at + 1) % 4));
        let mut graph = world.simulator.world();
        let medium = graph.post(&own, "Jadwal layanan").unwrap();
        let question = graph.comment(&medium, &citizen, "Kapan KTP saya jadi?").unwrap();
        graph.reply(&question, Author::Account(sister), "Silakan ambil besok, Bu.");
    }
    world.turn(SignedDuration::ZERO).await;
    world.turn(SignedDuration::from_secs(1)).await;
    let directions = world.texts("SELECT m.direction AS one FROM message m WHERE m.text LIKE 'Silakan%'").await;
    assert_eq!(directions, ["out"; 4]);
    assert_eq!(world.texts("SELECT state AS one FROM ticket").await, ["answered"; 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_nobody_can_read_alerts_the_operator_once_and_the_head_only_when_it_was_read_again() {
    let mut world = World::new(1).await;
    let page = world.page(0);
    {
        let mut graph = world.simulator.world();
        let post = graph.post(&page, "Jadwal layanan").unwrap();
        for number in 0..3 {
            graph.comment(&post, &Citizen::new(number, "Siti"), "Kapan KTP saya jadi?").unwrap();
        }
    }
    world.turn(SignedDuration::ZERO).await;
    world.turn(SignedDuration::from_secs(1)).await;
    world.simulator.world().outage(Scope::Account(page), Fault::Unknown, None);
    for _ in 0..20 {
        world.turn(SignedDuration::from_secs(10)).await;
    }
    let alerts = "SELECT kind || ' ' || detail AS one FROM alert WHERE kind NOT LIKE 'account.un%healthy' ORDER BY id";
    assert_eq!(world.texts(alerts).await, ["account.unverified 3"]);
    assert_eq!(world.texts("SELECT CAST(unverified AS TEXT) AS one FROM ticket").await, ["1"; 3]);

    world.simulator.world().end_outages();
    world.turn(SignedDuration::from_secs(30)).await;
    world.turn(SignedDuration::from_secs(1)).await;
    assert_eq!(world.texts(alerts).await, ["account.unverified 3", "ticket.escalated ", "ticket.escalated ", "ticket.escalated "]);
    assert_eq!(world.texts("SELECT CAST(unverified AS TEXT) AS one FROM ticket").await, ["0"; 3]);
}
