//! Encryption of tokens that are kept in the database: XChaCha20-Poly1305 (a random nonce of 192 bits never repeats) under a key
//! that HKDF-SHA-256 (RFC 5869) makes of `secrets.key`, bound to Meta's id of the account.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use hkdf::Hkdf;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

/// Told to HKDF, so that `secrets.key` can make other keys for other things.
const PURPOSE: &[u8] = b"tanggap refreshed token 1";
/// Bytes of a nonce.
const NONCE: usize = 24;

/// The cipher under the site's key.
#[derive(Clone)]
pub(super) struct Seal(XChaCha20Poly1305);

impl Seal {
    /// `None` only if HKDF could not make 32 bytes, which it can.
    pub fn new(key: &SecretString) -> Option<Self> {
        let mut derived = [0; 32];
        Hkdf::<Sha256>::new(None, key.expose_secret().as_bytes()).expand(PURPOSE, &mut derived).ok()?;
        Some(Self(XChaCha20Poly1305::new(&derived.into())))
    }

    /// Nonce and ciphertext, base64.
    pub fn seal(&self, account: &str, token: &SecretString) -> Option<String> {
        let nonce: [u8; NONCE] = rand::random();
        let payload = Payload { msg: token.expose_secret().as_bytes(), aad: account.as_bytes() };
        let sealed = self.0.encrypt(&XNonce::from(nonce), payload).ok()?;
        Some(STANDARD.encode([&nonce[..], &sealed].concat()))
    }

    /// `None` if it was sealed under another key or for another account, or was changed since.
    pub fn open(&self, account: &str, sealed: &str) -> Option<SecretString> {
        let bytes = STANDARD.decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE>()?;
        let token = self.0.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: account.as_bytes() }).ok()?;
        String::from_utf8(token).ok().map(Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_under_the_same_key_for_the_same_account_only() {
        let seal = Seal::new(&"a key of the site".into()).unwrap();
        let (one, two) = (seal.seal("178", &"IGAAtoken".into()).unwrap(), seal.seal("178", &"IGAAtoken".into()).unwrap());
        assert_ne!(one, two, "a nonce is never used twice");
        assert_eq!(seal.open("178", &one).unwrap().expose_secret(), "IGAAtoken");
        assert!(seal.open("179", &one).is_none());
        assert!(Seal::new(&"another key".into()).unwrap().open("178", &one).is_none());
        let mut bytes = STANDARD.decode(&one).unwrap();
        bytes[NONCE] ^= 1;
        for broken in [STANDARD.encode(&bytes), STANDARD.encode(&bytes[..NONCE - 1]), String::new(), "no base64!".into()] {
            assert!(seal.open("178", &broken).is_none(), "{broken}");
        }
    }
}
