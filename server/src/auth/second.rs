//! The second step of signing in: an authenticator app's code, or one of ten recovery codes, each good once.

use serde_json::json;
use uuid::Uuid;

use super::store::Account;
use super::{store, totp};
use crate::app::App;
use crate::clock::{Millis, random};
use crate::crypto::Crypto;
use crate::db::{Tx, wall};
use crate::error::{Error, Result};

/// How an account stands to its second step.
#[derive(sqlx::FromRow)]
pub struct State {
    pub login: String,
    totp_secret: Option<String>,
    pub totp_since: Option<Millis>,
    /// A role of theirs must have one.
    pub required: bool,
    pub codes_left: i64,
}

/// Whichever organisation asks for it: an account has one second step for all.
pub async fn state(app: &App, account: Uuid) -> Result<State> {
    let query = app
        .db
        .query(
            "SELECT a.login, a.totp_secret, a.totp_since,
                 EXISTS (SELECT 1 FROM member m JOIN sign_in_rule r ON r.org = m.org
                             AND (r.role = m.role OR r.custom_role = m.custom_role)
                         WHERE m.account = a.id AND m.active) AS required,
                 (SELECT count(*) FROM recovery_code c WHERE c.account = a.id AND c.used_at IS NULL) AS codes_left
             FROM account a WHERE a.id = $1",
        )
        .bind(account);
    wall::beyond(query.one()).await
}

/// What went with the right password: how the second step was taken.
#[derive(Default)]
pub struct Passed {
    /// Made just now, to be written down.
    pub recovery_codes: Option<Vec<String>>,
    pub by_recovery_code: bool,
}

/// The second step after a right password, when this account has one or must have one.
///
/// # Errors
/// 401 `second_step` when a code is wanted, `second_step_setup` (with `details.secret` and `details.uri`) when the app is
/// to be set up first, `second_step_wrong` for a wrong code, which counts as a wrong password.
pub async fn pass(app: &App, account: &Account, code: Option<&str>) -> Result<Passed> {
    let state = state(app, account.id).await?;
    if state.totp_since.is_none() && !state.required {
        return Ok(Passed::default());
    }
    let confirmed = state.totp_since.is_some();
    let Some(code) = code.map(str::trim).filter(|code| !code.is_empty()) else {
        if confirmed {
            return Err(Error::unauthorised("second_step", "Give the code of your authenticator app too."));
        }
        let message = "Your role signs in with a second step: set up an authenticator app and give its code.";
        let details = serde_json::to_value(offer(app, account.id, &state).await?)?;
        return Err(Error::unauthorised("second_step_setup", message).details(details));
    };
    if !confirmed {
        return match confirm(app, account.id, &state, code).await? {
            Some(codes) => Ok(Passed { recovery_codes: Some(codes), by_recovery_code: false }),
            None => Err(wrong(app, account).await?),
        };
    }
    if use_code(app, account.id, &state, code).await? {
        return Ok(Passed::default());
    }
    if use_recovery(app, account.id, code).await? {
        return Ok(Passed { recovery_codes: None, by_recovery_code: true });
    }
    Err(wrong(app, account).await?)
}

async fn wrong(app: &App, account: &Account) -> Result<Error> {
    store::failed(app, account).await?;
    Ok(Error::unauthorised("second_step_wrong", "This code is wrong or was used already."))
}

/// What an authenticator app is set up with.
#[derive(poem_openapi::Object, serde::Serialize)]
#[oai(rename = "SecondStepOffer")]
pub struct Offer {
    /// Base32, to be typed where there is no camera.
    pub secret: String,
    /// To be shown as a QR code.
    pub uri: String,
}

/// A shared secret that waits for its first code; the same one until then.
pub async fn offer(app: &App, account: Uuid, state: &State) -> Result<Offer> {
    let secret = match (&state.totp_secret, state.totp_since) {
        (Some(sealed), None) => app.crypto.open_text(sealed).into_owned(),
        _ => {
            let secret = totp::base32(&random::<{ totp::SECRET }>());
            let sealed = app.crypto.seal(&secret);
            let keep = "UPDATE account SET totp_secret = $2 WHERE id = $1 AND totp_since IS NULL";
            app.db.write(move |tx| Box::pin(tx.query(keep).bind(account).bind(sealed).run())).await?;
            secret
        }
    };
    let label: String = state.login.chars().filter(|c| c.is_ascii_alphanumeric() || "._-@".contains(*c)).collect();
    let uri = format!("otpauth://totp/Kilele:{label}?secret={secret}&issuer=Kilele&digits=6&period=30");
    Ok(Offer { secret, uri })
}

/// The first code of the app: from now on it is asked for. Answers the recovery codes, or nothing when it is wrong.
pub async fn confirm(app: &App, account: Uuid, state: &State, code: &str) -> Result<Option<Vec<String>>> {
    if state.totp_since.is_some() || !use_code(app, account, state, code).await? {
        return Ok(None);
    }
    let now = app.clock.now();
    let crypto = app.crypto.clone();
    app.db
        .write(move |tx| {
            Box::pin(async move {
                tx.query("UPDATE account SET totp_since = $2 WHERE id = $1").bind(account).bind(now).run().await?;
                new_codes(tx, &crypto, account).await.map(Some)
            })
        })
        .await
}

async fn use_code(app: &App, account: Uuid, state: &State, code: &str) -> Result<bool> {
    let secret = state.totp_secret.as_ref().and_then(|sealed| totp::unbase32(&app.crypto.open_text(sealed)));
    let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let Some(step) = secret.and_then(|secret| totp::step(&secret, &digits, app.clock.now())) else { return Ok(false) };
    // Of two who come with one code, one is first.
    let used = "UPDATE account SET totp_step = $2 WHERE id = $1 AND totp_step < $2";
    Ok(app.db.write(move |tx| Box::pin(tx.query(used).bind(account).bind(step).run())).await? == 1)
}

const CODES: usize = 10;

/// Ten new recovery codes; the ones before end.
pub async fn new_codes(tx: &mut Tx, crypto: &Crypto, account: Uuid) -> Result<Vec<String>> {
    tx.query("DELETE FROM recovery_code WHERE account = $1").bind(account).run().await?;
    let mut codes = Vec::with_capacity(CODES);
    for _ in 0..CODES {
        let text = totp::base32(&random::<10>()).to_lowercase();
        let code = format!("{}-{}-{}-{}", &text[..4], &text[4..8], &text[8..12], &text[12..16]);
        let hash = recovery_hash(crypto, account, &code);
        tx.query("INSERT INTO recovery_code (account, hash) VALUES ($1, $2)").bind(account).bind(hash).run().await?;
        codes.push(code);
    }
    Ok(codes)
}

fn recovery_hash(crypto: &Crypto, account: Uuid, code: &str) -> Vec<u8> {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    crypto.mac("recovery", json!([account, plain]).to_string().as_bytes())
}

async fn use_recovery(app: &App, account: Uuid, code: &str) -> Result<bool> {
    let (hash, now) = (recovery_hash(&app.crypto, account, code), app.clock.now());
    let used = "UPDATE recovery_code SET used_at = $3 WHERE account = $1 AND hash = $2 AND used_at IS NULL";
    Ok(app.db.write(move |tx| Box::pin(tx.query(used).bind(account).bind(hash).bind(now).run())).await? == 1)
}

/// Takes the second step away.
pub async fn remove(tx: &mut Tx, account: Uuid) -> Result<()> {
    tx.query("DELETE FROM recovery_code WHERE account = $1").bind(account).run().await?;
    tx.query("UPDATE account SET totp_secret = NULL, totp_since = NULL WHERE id = $1").bind(account).run().await.map(drop)
}
