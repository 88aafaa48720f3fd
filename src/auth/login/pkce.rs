//! Proof that who redeems a code is who asked for it (RFC 7636, method S256).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// What only we know until the code is redeemed: 86 characters.
pub(super) fn verifier() -> String {
    random::<4>()
}

/// What the login page is shown of the verifier.
pub(super) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

/// What ties an answer to the question: 43 characters.
pub(super) fn state() -> String {
    random::<2>()
}

/// `N` random UUIDs, each with 122 bits from the operating system's generator.
fn random<const N: usize>() -> String {
    URL_SAFE_NO_PAD.encode([(); N].map(|()| Uuid::new_v4().into_bytes()).concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_that_of_the_standard_s_example() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(challenge(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn no_two_are_alike_and_their_length_is_within_the_standard_s() {
        assert_eq!((verifier().len(), state().len()), (86, 43));
        assert_ne!(verifier(), verifier());
    }
}
