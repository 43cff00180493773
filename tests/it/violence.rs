//! The real program met by what machines, networks and crowds do to it. Each test tells of one kind, on the soak's site and with its
//! checks; some have long forms by the variables that they name.

mod crowd;
mod endurance;
mod kills;

/// The operator hears of everything by a signed webhook too, as the soak's checks expect.
const OPERATOR: &str = r#"
[[official]]
name = "Pusat Kendali"
group = "operator"
webhook = "kendali"
[[channel.webhook]]
name = "kendali"
url = "{hooks}/hook"
secret = "env:WEBHOOK_SECRET"
"#;
