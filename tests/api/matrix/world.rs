//! Two organisations with everything an operation can name: in scope, out of scope, and the neighbours'.

use kilele::auth::Role;
use kilele::members::NewMember;
use kilele_tests::cast::{in_role, join, neighbours};
use kilele_tests::{Person, TestApp, Uuid, enrolling, granting, grouping, id, pictures, teaching};
use reqwest::Method;
use serde_json::{Value, json};

/// In the order of the table's columns.
pub const ROLES: [&str; 10] =
    ["mentor", "supervisor", "evaluator", "manager", "approver", "admin", "oversight", "beneficiary", "custom", "platform"];
/// Roles that see only some places; the others see the whole organisation, or none of it.
pub const LIMITED: [&str; 3] = ["mentor", "supervisor", "custom"];

/// What an operation may name.
pub struct Target {
    pub household: Value,
    pub visit: String,
    pub signature: String,
    pub evidence: String,
    pub upload: String,
    /// One that is there to be given up.
    pub doomed: String,
    pub conflict: String,
    pub programme: Value,
    pub assessment: String,
    pub enrolment: String,
    /// A business group of the household and its partner, in a programme of its own.
    pub group: String,
    pub formed: Value,
    /// A grant that the household asks for, in the programme of the group; and by which policy.
    pub grant: String,
    pub policy: Value,
    /// What is taught, and a session of it to which the household is invited.
    pub module: Value,
    pub training: String,
    pub member: String,
    pub device: String,
    pub role: String,
    pub org: String,
    /// Texts that nobody may read who does not see this target.
    pub marks: Vec<String>,
}

pub struct World {
    pub people: Vec<Person>,
    /// The same people on devices that were revoked.
    pub revoked: Vec<Person>,
    pub inside: Target,
    pub outside: Target,
    pub other: Target,
}

pub async fn make(app: &TestApp) -> World {
    let b = neighbours(app).await;
    kilele::cli::mode(&app.app, &["activate"]).await.unwrap();
    let (admin, mentor) = (app.admin().await, app.mentor().await);
    let org: Uuid = admin.org().parse().unwrap();
    let there = app.sign_in("b.mentor").await;
    let there_admin = app.sign_in("b.admin").await;
    let (supervisor, there_supervisor) = (app.supervisor().await, app.sign_in("b.supervisor").await);
    register(&there, "Zuhura Neighbour").await;
    let inside = target(app, [&mentor, &supervisor, &admin], "in.spare").await;
    let outside = target(app, [&app.other_mentor().await, &supervisor, &admin], "out.spare").await;
    let other = target(app, [&there, &there_supervisor, &there_admin], "b.spare").await;
    let village: Uuid = inside.household["place"].as_str().unwrap().parse().unwrap();
    let levels = json!({ "households": "contribute", "visits": "approve", "members": "read" });
    let role = json!({ "name": "Field clerk", "scope": "places", "levels": levels });
    let role = admin.post("/api/roles", &role).await.ok()["id"].as_str().unwrap().to_owned();
    let new = |login: &str, role| NewMember { login: login.into(), role, ..NewMember::default() };
    in_role(app, org, "m.supervisor", Role::Supervisor, vec![village]).await;
    for (login, role) in [
        ("m.evaluator", Role::Evaluator),
        ("m.manager", Role::ProgrammeManager),
        ("m.approver", Role::Approver),
        ("m.admin", Role::OrgAdmin),
        ("m.oversight", Role::Oversight),
        ("m.platform", Role::OrgAdmin),
    ] {
        in_role(app, org, login, role, vec![]).await;
    }
    let household = inside.household["id"].as_str().unwrap().parse().ok();
    join(app, org, NewMember { household, ..new("m.beneficiary", Role::Beneficiary) }).await;
    let custom = NewMember { custom_role: role.parse().ok(), places: vec![village], ..new("m.custom", Role::Custom) };
    join(app, org, custom).await;
    let platform = "UPDATE account SET platform = (login = 'm.platform')";
    app.app.db.write(move |tx| Box::pin(tx.query(platform).run())).await.unwrap();
    // By the address that roles are, once more each on a device that is then ended.
    let (mut people, mut revoked) = (Vec::new(), Vec::new());
    for role in ROLES {
        let login = if role == "mentor" { "amina.mentor".to_owned() } else { format!("m.{role}") };
        people.push(app.sign_in(&login).await);
        let gone = app.sign_in(&login).await;
        let path = format!("/api/devices/{}/revoke", gone.device);
        assert_eq!(gone.post(&path, &json!({})).await.status, 204);
        revoked.push(gone);
    }
    assert!(there.get("/api/members").await.ok().to_string().contains("b.admin") && b.to_string() == other.org);
    World { people, revoked, inside, outside, other }
}

async fn register(by: &Person, name: &str) {
    let place = by.session["member"]["places"][0].clone();
    let household = json!({ "id": id(), "place": place, "head_name": name });
    let applied = by.command("household.register", json!({ "household": household, "evidence": [] })).await.ok();
    assert_eq!(applied["status"], "applied");
}

/// A household with a submitted visit, a picture that is ready, an upload under way, an open conflict and a business group;
/// and a colleague.
async fn target(app: &TestApp, [mentor, supervisor, admin]: [&Person; 3], spare: &str) -> Target {
    let household = mentor.a_household().await;
    let visit = mentor.submit(&household).await;
    mentor.upload(&visit.captures[0], &visit.photos[0]).await;
    let evidence = visit.captures[0]["id"].as_str().unwrap().to_owned();
    mentor.settled(&evidence).await;
    let upload = begun(mentor, &visit.captures[1]).await;
    let doomed = begun(mentor, &announced_by(mentor, &household).await).await;
    let clash = json!({ "id": household["id"], "changes": { "notes": { "was": "never", "now": "mine" } } });
    assert_eq!(mentor.command("household.update", clash).await.ok()["status"], "conflict");
    let programme = enrolling::programme(admin, json!({})).await;
    let enrolment = enrolling::enrol(mentor, &household, &programme).await;
    let grouped = enrolling::programme(admin, json!({})).await;
    let mut partners = grouping::villagers(mentor, 2).await;
    partners.retain(|home| home["id"] != household["id"]);
    let homes = [household.clone(), partners.swap_remove(0)];
    for home in &homes {
        grouping::takes_part(mentor, supervisor, home, &grouped).await;
    }
    let formed = grouping::group(&grouped, &homes);
    mentor.command("group.form", formed.clone()).await.ok();
    let module = teaching::module(admin, json!({})).await;
    let planned = teaching::plan(mentor, &module, &homes[..1], app.clock.now());
    mentor.command("training.schedule", planned.clone()).await.ok();
    let policy = granting::policy(admin, &grouped, "SB", json!({})).await;
    let asked = granting::application(mentor, &household, &policy);
    mentor.command("grant.submit", asked.clone()).await.ok();
    let first = |records: Vec<Value>| records[0]["id"].as_str().unwrap().to_owned();
    let org: Uuid = mentor.org().parse().unwrap();
    let colleague = in_role(app, org, spare, Role::Mentor, vec![]).await;
    let role = json!({ "name": format!("Role for {spare}"), "scope": "own", "levels": {} });
    let role = admin.post("/api/roles", &role).await.ok()["id"].as_str().unwrap().to_owned();
    // Somebody has it, so that it is not removed.
    let holder = NewMember {
        login: format!("{spare}.holder"),
        role: Role::Custom,
        custom_role: role.parse().ok(),
        ..NewMember::default()
    };
    join(app, org, holder).await;
    let signature = first(mentor.records("signature").await);
    let marks = vec![household["head_name"].as_str().unwrap().to_owned(), household["id"].as_str().unwrap().to_owned()];
    Target {
        visit: visit.id,
        signature,
        evidence,
        upload,
        doomed,
        conflict: first(mentor.records("conflict").await),
        assessment: assessed(mentor, &programme).await,
        enrolment,
        group: formed["id"].as_str().unwrap().to_owned(),
        formed,
        grant: asked["id"].as_str().unwrap().to_owned(),
        policy,
        module,
        training: planned["id"].as_str().unwrap().to_owned(),
        programme,
        member: colleague.member(),
        device: colleague.device.to_string(),
        role,
        org: mentor.org(),
        marks,
        household,
    }
}

/// The assessment for this programme.
async fn assessed(by: &Person, programme: &Value) -> String {
    let all = by.records("assessment").await;
    all.iter().find(|one| one["programme"] == programme["id"]).unwrap()["id"].as_str().unwrap().to_owned()
}

/// A request as the operation takes it, with the ids of `target`.
pub struct Asked {
    pub method: Method,
    pub path: String,
    pub body: Option<Value>,
    pub headers: Vec<(&'static str, String)>,
}

async fn begun(by: &Person, capture: &Value) -> String {
    by.create_upload(capture).await.header("location").rsplit('/').next().unwrap().to_owned()
}

/// An announced picture of this person's own, to begin an upload of.
pub async fn announced_by(by: &Person, household: &Value) -> Value {
    let mut visit = by.visit(household);
    let capture = pictures::capture(&pictures::photo(7), "front");
    visit.body["evidence"][0] = capture.clone();
    by.command("visit.submit", visit.body).await;
    capture
}
