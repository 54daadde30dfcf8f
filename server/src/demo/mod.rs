//! The demo organisation: a county, people, households with drawn faces, four weeks of visits, a
//! programme with ladders and groups. No real person is in it.
//!
//! It is made through the same commands and uploads that phones use, only in-process.

mod ladders;
mod names;
mod pictures;
mod visits;

use serde_json::json;
use uuid::Uuid;

use crate::app::App;
use crate::audit::Actor;
use crate::auth::{self, Reader, Role, access};
use crate::clock::{DAY, Millis, new_id};
use crate::commands;
use crate::error::{Error, Result};
use crate::members::{self, NewMember};
use crate::ops::progress::Progress;
use crate::orgs;
use crate::places::{self, NewPlace};
use crate::scope;
use names::Dice;

/// The password of every demo account; they exist in demo organisations only, and the start screen shows it.
pub const PASSWORD: &str = "kilele-demo-2026";

pub struct Account {
    pub login: &'static str,
    pub name: &'static str,
    pub role: Role,
}

pub const ACCOUNTS: [Account; 5] = [
    Account { login: "amina.mentor", name: "Amina Hassan", role: Role::Mentor },
    Account { login: "juma.mentor", name: "Juma Otieno", role: Role::Mentor },
    Account { login: "wanjiku.mentor", name: "Wanjiku Kamau", role: Role::Mentor },
    Account { login: "grace.supervisor", name: "Grace Nekesa", role: Role::Supervisor },
    Account { login: "admin.demo", name: "Daudi Mwangi", role: Role::OrgAdmin },
];

/// How much there is of everything.
#[derive(Clone, Copy)]
pub struct Size {
    pub households: usize,
    /// Visits a mentor made on a working day of the last four weeks.
    pub visits_a_day: usize,
    pub pictures: bool,
    /// A graduation programme, who takes part in it, and their groups; needs 48 households.
    pub programme: bool,
}

impl Default for Size {
    fn default() -> Self {
        Self { households: 200, visits_a_day: 2, pictures: true, programme: true }
    }
}

/// Fills an empty installation.
///
/// # Errors
/// 409 when there is an organisation already.
pub async fn make(app: &App, progress: &Progress) -> Result<()> {
    fill(app, Size::default(), progress).await
}

/// As [`make`], in another size, without a word; tests take a small one.
pub async fn make_sized(app: &App, size: Size) -> Result<()> {
    fill(app, size, &Progress::silent()).await
}

async fn fill(app: &App, size: Size, progress: &Progress) -> Result<()> {
    let (there,): (i64,) = app.db.query("SELECT count(*) FROM organisation").one().await?;
    if there > 0 {
        return Err(Error::conflict("not_empty", "There is an organisation already; the demo needs an empty installation."));
    }
    let offset = app.clock.offset();
    let hash = auth::hash_password(PASSWORD.into()).await?;
    let now = app.clock.now();
    let actor = Actor { org: new_id(), member: None, device: None, at: now };
    let villages = app.db.write(move |tx| Box::pin(async move { organisation(tx, &actor, hash, now).await })).await?;
    let pictures = if size.pictures { Some(pictures::draw(size.households).await?) } else { None };
    let crew = crew(app, actor.org).await?;
    let mut dice = Dice::new(7);
    let mut homes = Vec::with_capacity(size.households);
    for index in 0..size.households {
        progress.say("households", index as u64, Some(size.households as u64));
        let village = index % villages.len();
        // Four villages to each mentor.
        let mentor = village / 4;
        set_clock(app, now - (90 - 30 * index as Millis / size.households as Millis) * DAY);
        homes.push(home(app, (mentor, &crew[mentor]), &villages[village], index, pictures.as_ref(), &mut dice).await?);
    }
    let field = Field { crew: &crew, homes: &homes, pictures: pictures.as_ref() };
    if size.programme {
        ladders::make(app, field, now).await?;
    }
    visits::make(app, field, size.visits_a_day, now, &mut dice, progress).await?;
    app.clock.shift(offset - app.clock.offset());
    Ok(())
}

/// Moves the clock: what the demo tells happened over months.
fn set_clock(app: &App, at: Millis) {
    app.clock.shift(at - app.clock.now());
}

/// A household, for what follows.
struct Home {
    id: Uuid,
    index: usize,
    /// Which of the three mentors.
    mentor: usize,
    head: String,
    lat: f64,
    lon: f64,
}

/// Who goes, where to, and what is photographed there.
#[derive(Clone, Copy)]
struct Field<'m> {
    crew: &'m [Reader],
    homes: &'m [Home],
    pictures: Option<&'m pictures::Pictures>,
}

/// A village and about where it lies.
#[derive(Clone)]
struct Village {
    id: Uuid,
    lat: f64,
    lon: f64,
}

async fn organisation(tx: &mut crate::db::Tx, actor: &Actor, hash: String, now: Millis) -> Result<Vec<Village>> {
    orgs::create(tx, actor, "MAENDELEO", "Maendeleo ya Vijiji", true).await?;
    let county = place(tx, actor, None, "KIL", "Kilima", -0.30, 36.10).await?;
    let mut villages = Vec::new();
    let mut subs = Vec::new();
    for (sub, (code, name)) in [("KIL-MA", "Mashariki"), ("KIL-MG", "Magharibi")].into_iter().enumerate() {
        let (lat, lon) = (-0.30 + 0.08 * sub as f64, 36.05 + 0.12 * sub as f64);
        let id = place(tx, actor, Some(county), code, name, lat, lon).await?;
        subs.push(id);
        for (n, village) in names::VILLAGES[sub * 6..sub * 6 + 6].iter().enumerate() {
            let (lat, lon) = (lat + 0.015 * (n as f64 - 2.5), lon + 0.01 * ((n * 5 % 6) as f64 - 2.5));
            let id = place(tx, actor, Some(id), &format!("{code}-{:02}", n + 1), village, lat, lon).await?;
            villages.push(Village { id, lat, lon });
        }
    }
    let mut supervisor = None;
    // The supervisor first: mentors point to her.
    for index in [3, 0, 1, 2, 4] {
        let account = &ACCOUNTS[index];
        let places = match account.role {
            Role::Mentor => villages[index * 4..index * 4 + 4].iter().map(|v| v.id).collect(),
            Role::Supervisor => vec![county],
            _ => vec![],
        };
        let new = NewMember {
            name: account.name.into(),
            login: account.login.into(),
            role: account.role,
            supervisor: supervisor.filter(|_| account.role == Role::Mentor),
            places,
            locale: "en".into(),
            ..NewMember::default()
        };
        let person = members::store::add(tx, actor, new).await?;
        auth::store::set_password(tx, actor.org, person.id, hash.clone(), now).await?;
        if account.role == Role::Supervisor {
            supervisor = Some(person.id);
        }
    }
    // As after a set-up: the administrator also looks after the installation.
    tx.query("UPDATE account SET platform = TRUE WHERE login = 'admin.demo'").run().await?;
    scope::spell_out_all(tx, actor.org, actor.at).await?;
    Ok(villages)
}

async fn place(
    tx: &mut crate::db::Tx,
    actor: &Actor,
    parent: Option<Uuid>,
    code: &str,
    name: &str,
    lat: f64,
    lon: f64,
) -> Result<Uuid> {
    let new = NewPlace { id: new_id(), parent, code: code.into(), name: name.into(), lat: Some(lat), lon: Some(lon) };
    Ok(places::add(tx, actor, new).await?.id)
}

/// The three mentors and the supervisor, as if each were signed in.
async fn crew(app: &App, org: Uuid) -> Result<Vec<Reader>> {
    let mut crew = Vec::new();
    for account in &ACCOUNTS[..4] {
        let found = auth::store::account_by_login(app, account.login).await?.ok_or_else(|| Error::not_found("account"))?;
        let row = auth::store::membership(app, found.id).await?.ok_or_else(|| Error::not_found("member"))?;
        debug_assert_eq!(row.org, org);
        let device = auth::store::Device { id: new_id(), name: "Demo phone".into(), public_key: None };
        let now = app.clock.now();
        let issued =
            app.db.write(move |tx| Box::pin(async move { auth::store::open_session(tx, row, device, now).await })).await?;
        crew.push(access::of_session(app, issued.session).await?);
    }
    Ok(crew)
}

/// Applies a command as a phone's owner would, and insists that it goes through. Answers the record's revision.
async fn apply(app: &App, by: &Reader, kind: &str, at: Millis, body: serde_json::Value) -> Result<i64> {
    let outcome =
        commands::run(app, by, &json!({ "id": new_id(), "kind": kind, "at": at, "body": body }), &commands::Door::Rest)
            .await?;
    if outcome.status != "applied" {
        return Err(Error::unexpected(anyhow::anyhow!("demo {kind}: {:?} {:?}", outcome.code, outcome.message)));
    }
    Ok(outcome.record.map_or(0, |record| record.revision))
}

async fn home(
    app: &App,
    (mentor, by): (usize, &Reader),
    village: &Village,
    index: usize,
    pictures: Option<&pictures::Pictures>,
    dice: &mut Dice,
) -> Result<Home> {
    let id = new_id();
    let (woman, born) = (pictures::is_woman(index), 1955 + dice.below(45));
    let people = names::household(woman, born, dice);
    let at = app.clock.now();
    let face = pictures.map(|p| p.face(index));
    let evidence: Vec<_> = face.iter().map(|f| f.capture("front", at)).collect();
    let (lat, lon) = (village.lat + dice.offset(), village.lon + dice.offset());
    let body = json!({
        "household": {
            "id": id, "place": village.id,
            "head_name": people.head, "head_sex": if woman { "female" } else { "male" },
            "head_birth_date": format!("{born}-07-01"),
            "national_id": format!("{:08}", 20_000_000 + dice.below(19_999_999)),
            "phone": (dice.below(10) > 1).then(|| format!("07{:08}", dice.below(99_999_999))),
            "members": people.members, "lat": lat, "lon": lon, "accuracy_m": 5 + dice.below(30),
            "monthly_income_minor": (1_500 + dice.below(70) * 100) * 100,
            "electricity": dice.below(3) == 0, "clean_water": dice.below(2) == 0, "disability": dice.below(9) == 0,
        },
        "evidence": evidence,
    });
    apply(app, by, "household.register", at, body).await?;
    if let (Some(face), Some(capture)) = (face, evidence.first()) {
        pictures::deliver(app, by, face, capture).await?;
    }
    Ok(Home { id, index, mentor, head: people.head, lat, lon })
}
