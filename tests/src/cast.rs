//! People of every role, in the demo organisation and in a neighbour's.

use kilele::audit::Actor;
use kilele::auth::{self, Role};
use kilele::clock::new_id;
use kilele::members::NewMember;
use kilele::places::NewPlace;
use kilele::{members, orgs, places, scope};

use crate::{Person, TestApp, Uuid};

/// Somebody new in the organisation, with the demo password; nobody needs a link.
pub async fn join(app: &TestApp, org: Uuid, mut new: NewMember) -> Person {
    let (login, now) = (new.login.clone(), app.clock.now());
    new.name = login.clone();
    new.locale = "en".into();
    let hash = auth::hash_password(kilele::demo::PASSWORD.into()).await.unwrap();
    let work = app.app.db.write(move |tx| {
        Box::pin(async move {
            let actor = Actor { org, member: None, device: None, at: now };
            let person = members::store::add(tx, &actor, new).await?;
            auth::store::set_password(tx, org, person.id, hash, now).await
        })
    });
    work.await.unwrap();
    app.sign_in(&login).await
}

/// Somebody in a built-in role, with these places.
pub async fn in_role(app: &TestApp, org: Uuid, login: &str, role: Role, places: Vec<Uuid>) -> Person {
    join(app, org, NewMember { login: login.into(), role, places, ..NewMember::default() }).await
}

/// A second organisation with one village and an administrator, a supervisor and a mentor in it. Answers its id.
pub async fn neighbours(app: &TestApp) -> Uuid {
    let hash = auth::hash_password(kilele::demo::PASSWORD.into()).await.unwrap();
    let now = app.clock.now();
    let work = app.app.db.write(move |tx| {
        Box::pin(async move {
            let actor = Actor { org: new_id(), member: None, device: None, at: now };
            orgs::create(tx, &actor, "OTHER", "The neighbours", false).await?;
            let (mut parent, mut place) = (None, Uuid::nil());
            for code in ["KIL", "KIL-SUB", "KIL-VIL"] {
                place = new_id();
                let new = NewPlace { id: place, parent, code: code.into(), name: "Same code".into(), lat: None, lon: None };
                parent = Some(places::add(tx, &actor, new).await?.id);
            }
            for (login, role) in
                [("b.admin", Role::OrgAdmin), ("b.supervisor", Role::Supervisor), ("b.mentor", Role::Mentor)]
            {
                let new = NewMember {
                    name: login.into(),
                    login: login.into(),
                    role,
                    places: vec![place],
                    locale: "en".into(),
                    ..NewMember::default()
                };
                let person = members::store::add(tx, &actor, new).await?;
                auth::store::set_password(tx, actor.org, person.id, hash.clone(), now).await?;
            }
            scope::spell_out_all(tx, actor.org, now).await?;
            Ok(actor.org)
        })
    });
    work.await.unwrap()
}
