//! Our own folder for an account: a login is kept in it, and taken away again.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use secrecy::SecretString;
use tracing::debug;

use super::document::{Credentials, Document, Holds};
use super::error::way_to_write;
use super::oauth::Revoked;
use super::place::Place;
use super::source::FILE;
use super::store::Store;
use super::{Error, Folder, LogIn, OAuth, Places, vault};
use crate::config::LoginStore;

/// The folder of an account, which no other program knows.
#[derive(Debug, Clone)]
pub struct Own {
    folder: PathBuf,
    log_in: LogIn,
}

/// What became of a login that was to be kept.
pub struct Kept {
    pub folder: Folder,
    /// Why it is in a file although the keyring was asked first.
    pub no_keyring: Option<String>,
    /// Whether what was there before was the login of another ChatGPT account.
    pub other_account: bool,
    replaced: Vec<(SecretString, Revoked)>,
}

/// What became of a login that was to end.
#[derive(Debug)]
pub enum Ended {
    /// There was none.
    Nothing,
    /// It is gone here, and at the server unless this error came between.
    Login(Result<(), Error>),
    /// It is gone here; only its issuer's web site can end it elsewhere.
    Key(Holds),
    /// Nobody can tell what it was, and it is gone.
    Unreadable,
}

impl Own {
    #[must_use]
    pub fn of(places: &Places) -> Self {
        Self { folder: places.own.clone(), log_in: LogIn::to(&places.account) }
    }

    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// What is kept there now, if codexway can use it.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn holds(&self) -> Result<Option<Holds>, Error> {
        Ok(self.document()?.and_then(|document| document.holds()))
    }

    /// The API key that is kept there.
    ///
    /// # Errors
    /// When what is kept cannot be read.
    pub fn api_key(&self) -> Result<Option<SecretString>, Error> {
        Ok(self.document()?.and_then(|document| document.api_key()))
    }

    /// Makes the folder, and sees whether a login could be kept before a person is asked for one.
    ///
    /// # Errors
    /// When it could not.
    pub fn prepare(&self, store: LoginStore) -> Result<(), Error> {
        let not_kept = |error: &io::Error, way_out| Error::NotKept {
            folder: self.folder.clone(),
            why: error.to_string(),
            way_out,
            log_in: self.log_in.clone(),
        };
        if store == LoginStore::Keyring {
            vault::available()
                .map_err(|error| not_kept(&error, "set `store` of the account to \"file\""))?;
        }
        self.prepare_folder().map_err(|error| not_kept(&error, way_to_write(&error)))
    }

    fn prepare_folder(&self) -> io::Result<()> {
        let mut folders = fs::DirBuilder::new();
        folders.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut folders, 0o700);
        folders.create(&self.folder)?;
        self.place().rehearse()
    }

    /// Keeps `credentials` in the place of what was there. The folder must have been prepared.
    ///
    /// # Errors
    /// When they cannot be written; then what was there is there still.
    pub async fn keep(
        &self,
        credentials: &Credentials,
        store: LoginStore,
        issuer: &str,
    ) -> io::Result<Kept> {
        let before = self.document().ok().flatten();
        let document = Document::of(credentials, issuer);
        let account = |document: &Document| document.token("account_id").map(str::to_owned);
        let old_account = before.as_ref().and_then(account);
        let other_account = old_account.is_some() && old_account != account(&document);
        let replaced = before.map(|document| document.revocable()).unwrap_or_default();
        let mut no_keyring = None;
        if store != LoginStore::File {
            match self.to_keyring(&document).await {
                Ok(folder) => return Ok(Kept { folder, no_keyring, other_account, replaced }),
                Err(error) if store == LoginStore::Keyring => return Err(error),
                Err(error) if error.kind() == ErrorKind::Unsupported => {}
                Err(error) => no_keyring = Some(error.to_string()),
            }
        }
        let folder = Folder::Own(self.folder.clone());
        Place(folder.clone()).put(&document).await?;
        let marker = self.folder.join(vault::MARKER);
        if marker.exists() {
            // What the keyring still holds is the replaced login, which is about to be revoked.
            if let Err(error) = vault::delete(&marker) {
                debug!(%error, "the replaced login stays in the keyring");
            }
            fs::remove_file(marker)?;
        }
        Ok(Kept { folder, no_keyring, other_account, replaced })
    }

    async fn to_keyring(&self, document: &Document) -> io::Result<Folder> {
        let folder = Folder::Keyring(self.folder.clone());
        Place(folder.clone()).put(document).await?;
        match fs::remove_file(self.folder.join(FILE)) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(folder),
        }
    }

    /// Ends the login at the server as far as that can be done, and takes it away here.
    ///
    /// # Errors
    /// When another process is refreshing it without end, or it cannot be deleted.
    pub async fn end(&self, oauth: &OAuth) -> Result<Ended, Error> {
        let place = self.place();
        let file = place.file();
        if !file.exists() {
            return Ok(Ended::Nothing);
        }
        // Who refreshes it now would leave a login alive that nobody knows.
        let _among_processes = Store { source: place.0.clone().into() }.lock_refresh().await?;
        let not_deleted =
            |why: io::Error| Error::NotDeleted { file: file.clone(), why: why.to_string() };
        loop {
            let document = match place.document() {
                Ok((document, _)) => Some(document),
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Ended::Nothing),
                Err(_) => None,
            };
            let tokens = document.as_ref().map(Document::revocable).unwrap_or_default();
            let revoked = revoke(tokens, oauth).await;
            if !place.remove(document.as_ref()).await.map_err(not_deleted)? {
                continue; // Somebody has put another login there meanwhile: it ends as well.
            }
            return Ok(match document {
                None => Ended::Unreadable,
                Some(document) => match document.holds() {
                    Some(Holds::Chatgpt) => Ended::Login(revoked),
                    Some(kind) => Ended::Key(kind),
                    None => Ended::Unreadable,
                },
            });
        }
    }

    fn place(&self) -> Place {
        Place(Folder::own(&self.folder))
    }

    fn document(&self) -> Result<Option<Document>, Error> {
        let place = self.place();
        match place.document() {
            Ok((document, _)) => Ok(Some(document)),
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                Ok(None)
            }
            Err(error) => Err(Error::Unreadable {
                file: place.file(),
                why: error.to_string(),
                log_in: self.log_in.clone(),
            }),
        }
    }
}

impl Kept {
    /// Ends the login that was there before at the server, where only we could still use it.
    pub async fn end_replaced(self, oauth: &OAuth) {
        if let Err(error) = revoke(self.replaced, oauth).await {
            debug!(%error, "the replaced login lives on at the server");
        }
    }
}

/// The first token that the server takes back will do.
async fn revoke(tokens: Vec<(SecretString, Revoked)>, oauth: &OAuth) -> Result<(), Error> {
    let mut failed = Ok(());
    for (token, kind) in tokens {
        match oauth.revoke(&token, kind).await {
            Ok(()) => return Ok(()),
            Err(error) => failed = Err(error),
        }
    }
    failed
}
