//! The real program met by what machines, networks and crowds do to it. Each test tells of one kind, on the soak's site and with its
//! checks; some have long forms by the variables that they name.

mod crowd;
mod endurance;
mod kills;
