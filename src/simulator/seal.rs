//! Encrypted reasoning: tokens that only this simulator can make, for one account.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::now;

/// Where the parts of a Fernet token end: version, time, nonce; the tag is its last 32 bytes.
const NONCE: std::ops::Range<usize> = 9..25;
const TAG_LEN: usize = 32;

pub(super) struct Seal {
    key: [u8; 16],
}

#[derive(Debug, PartialEq)]
pub(super) enum Broken {
    /// Not ours, or changed since.
    Unreadable,
    /// Ours, but another account's.
    Foreign,
}

impl Seal {
    pub(super) fn new() -> Self {
        Self { key: Uuid::new_v4().into_bytes() }
    }

    /// A Fernet-like token (`gAAAAAB…`) that holds `text` for `account`.
    pub(super) fn close(&self, account: &str, text: &str) -> String {
        let mut token = vec![0x80];
        token.extend(now().to_be_bytes());
        token.extend(Uuid::new_v4().into_bytes());
        let mut content = format!("{account}\n{text}").into_bytes();
        // The real ones are never short.
        content.resize(content.len().max(256), b' ');
        self.scramble(&token[NONCE], &mut content);
        token.extend(content);
        token.extend(self.tag(&token));
        BASE64_URL_SAFE.encode(token)
    }

    pub(super) fn check(&self, account: &str, token: &str) -> Result<(), Broken> {
        let token = BASE64_URL_SAFE.decode(token).map_err(|_| Broken::Unreadable)?;
        let end = token.len().checked_sub(TAG_LEN).ok_or(Broken::Unreadable)?;
        let (sealed, tag) = token.split_at(end);
        if sealed.len() < NONCE.end || tag != self.tag(sealed) {
            return Err(Broken::Unreadable);
        }
        let mut content = sealed[NONCE.end..].to_vec();
        self.scramble(&sealed[NONCE], &mut content);
        match content.split(|&byte| byte == b'\n').next() {
            Some(owner) if owner == account.as_bytes() => Ok(()),
            _ => Err(Broken::Foreign),
        }
    }

    fn tag(&self, sealed: &[u8]) -> [u8; TAG_LEN] {
        Sha256::new().chain_update(self.key).chain_update(sealed).finalize().into()
    }

    /// Its own inverse.
    fn scramble(&self, nonce: &[u8], content: &mut [u8]) {
        for (block, bytes) in (0_u64..).zip(content.chunks_mut(TAG_LEN)) {
            let pad = Sha256::new()
                .chain_update(self.key)
                .chain_update(nonce)
                .chain_update(block.to_be_bytes())
                .finalize();
            bytes.iter_mut().zip(pad).for_each(|(byte, pad)| *byte ^= pad);
        }
    }
}
