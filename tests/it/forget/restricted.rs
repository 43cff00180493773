//! Restriction.
