//! Secrets of those who use the page and the API: passwords hashed with Argon2id, random texts of which only the hash is kept.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

/// The shortest password, in characters (NIST SP 800-63B asks for eight at least).
pub const PASSWORD_MIN: usize = 10;
/// The longest, in bytes: what is hashed takes time.
pub const PASSWORD_MAX: usize = 256;

/// A password as it is kept: Argon2id in PHC form, with the library's parameters (19 MiB, two passes; OWASP's first choice).
/// Takes some 50 ms of a core.
pub fn hashed(password: &str) -> Result<String, String> {
    match password {
        short if short.chars().count() < PASSWORD_MIN => Err(format!("a password has at least {PASSWORD_MIN} characters")),
        long if long.len() > PASSWORD_MAX => Err(format!("a password has at most {PASSWORD_MAX} bytes")),
        _ => Argon2::default()
            .hash_password(password.as_bytes())
            .map(|hash: PasswordHash| hash.to_string())
            .map_err(|error| error.to_string()),
    }
}

/// Whether it is the password. Where there is none to compare with, it takes as long and says no.
pub fn is_password(password: &str, kept: Option<&str>) -> bool {
    /// The hash of a text nobody knows.
    const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$dGFuZ2dhcC1ub2JvZHktMQ$N5ZyHwX8jKVBkTuf0eMbSQd0P5jtVvY2fXgWQkQ3HmA";
    let Ok(hash) = PasswordHash::new(kept.unwrap_or(NOBODY)) else { return false };
    let same = password.len() <= PASSWORD_MAX && Argon2::default().verify_password(password.as_bytes(), &hash).is_ok();
    same && kept.is_some()
}

/// A new secret text of 256 bits.
pub fn fresh(prefix: &str) -> String {
    format!("{prefix}{}", URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()))
}

/// What is kept of a secret text. It is random, so that a fast hash is enough.
pub fn fingerprint(secret: &str) -> String {
    hex::encode(Sha256::digest(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_by_its_hash_alone_and_nobody_has_none() {
        let kept = hashed("rahasia sekali").unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert!(is_password("rahasia sekali", Some(&kept)));
        assert!(!is_password("rahasia", Some(&kept)));
        assert!(!is_password("rahasia sekali", None));
        assert!(!is_password("rahasia sekali", Some("no hash")));
        assert!(hashed("pendek").is_err() && hashed(&"x".repeat(257)).is_err());
    }

    #[test]
    fn two_secrets_differ_and_their_fingerprints_too() {
        let (one, two) = (fresh("tgp_"), fresh("tgp_"));
        assert!(one != two && one.len() == 47 && fingerprint(&one) != fingerprint(&two) && fingerprint(&one).len() == 64);
    }
}
