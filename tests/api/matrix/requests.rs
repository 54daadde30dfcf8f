//! How each operation is asked, with the ids of a target.

use kilele_tests::{Person, enrolling, granting, grouping, id, signing, teaching};
use reqwest::Method;
use serde_json::{Value, json};

use super::world::{Asked, Target, announced_by};

fn with_ids(path: &str, id: &str) -> String {
    path.replace("{id}", id)
        .replace("{acknowledgement}", id)
        .replace("{size}", "thumb")
        .replace("{one}", id)
        .replace("{other}", id)
}

fn without_code(programme: &Value) -> Value {
    let mut programme = programme.clone();
    programme["code"] = "".into();
    programme
}

/// Builds the request of an operation. Panics for one that nobody has written down: a new operation needs a line here too.
pub async fn ask(operation: &str, method: &Method, path: &str, by: &Person, target: &Target) -> Asked {
    let t = target;
    let household = t.household["id"].as_str().unwrap();
    let new_place = json!({ "id": id(), "parent": null, "code": format!("P{}", &id()[24..]), "name": "New place" });
    let as_it_is = json!({ "role": "mentor", "supervisor": null, "places": [], "active": true });
    let role = json!({ "name": format!("R {}", &id()[24..]), "scope": "own", "levels": {} });
    let (used, body): (&str, Option<Value>) = match operation {
        "getHousehold" | "getTimeline" => (household, None),
        "listDuplicates" | "lookForDuplicates" | "quality" | "listGaps" => ("", None),
        // A pair that nobody found.
        "decideDuplicate" => (household, Some(json!({ "distinct": true }))),
        "getAssessment" => (&t.assessment, None),
        "getEnrolment" => (&t.enrolment, None),
        "getGroup" => (&t.group, None),
        "getTraining" => (&t.training, None),
        "listHouseholdTrainings" => (household, None),
        "listTrainingModules" | "listTrainings" | "listCertificates" => ("", None),
        "saveTrainingModule" => (&t.visit, Some(json!({ "module": teaching::facts(0, json!({})) }))),
        "addCertificate" => ("", Some(json!({ "name": " ", "issued_by": "" }))),
        // One that nobody has.
        "renewCertificate" => (&t.visit, Some(json!({}))),
        "withdrawCertificate" => (&t.visit, Some(json!({ "reason": "because" }))),
        "listProgrammes" | "listEnrolments" | "listGroups" | "listPolicies" | "listGrants" => ("", None),
        "getGrant" | "getGrantLedger" | "getGrantFile" | "getGrantReceipt" => (&t.grant, None),
        "getProgrammeBudget" => (t.programme["id"].as_str().unwrap(), None),
        "savePolicy" => {
            let facts = granting::facts(&t.programme, "SB", json!({ "key": "" }));
            (t.policy["id"].as_str().unwrap(), Some(json!({ "policy": facts })))
        }
        "saveProgramme" => (t.programme["id"].as_str().unwrap(), Some(json!({ "programme": without_code(&t.programme) }))),
        "saveCycle" => {
            let cycle = json!({ "programme": t.programme["id"], "code": "", "office": "", "mentors": [] });
            (&t.visit, Some(json!({ "cycle": cycle })))
        }
        "getVisit" => (&t.visit, None),
        "getMedia" | "headMedia" => (&t.evidence, None),
        "getSignature" | "getSignaturePicture" | "getSignaturePdf" | "verifySignature" => (&t.signature, None),
        "headUpload" | "patchUpload" => (&t.upload, None),
        "deleteUpload" => (&t.doomed, None),
        "revokeDevice" => (&t.device, None),
        "changeMember" => (&t.member, Some(as_it_is)),
        "inviteMember" => (&t.member, Some(json!({}))),
        "handOver" => (&t.member, Some(json!({ "to": t.member, "leaves": false }))),
        "changeRole" => (&t.role, Some(role)),
        "removeRole" => (&t.role, None),
        "addRole" => ("", Some(role)),
        "addPlace" => ("", Some(new_place)),
        "addMember" => {
            let login = format!("new.{}", &id()[24..]);
            (
                "",
                Some(
                    json!({ "name": "New", "login": login, "role": "mentor", "places": [t.household["place"]], "locale": "en" }),
                ),
            )
        }
        "changeOrganisation" => ("", Some(json!({ "keep_originals": false }))),
        "sync" => {
            ("", Some(json!({ "device": by.device, "schema": 1, "cursors": { t.household["place"].as_str().unwrap(): 0 } })))
        }
        "command" => ("", Some(json!({}))),
        "subscribePush" => ("", Some(json!({ "endpoint": "nowhere", "p256dh": "", "auth": "", "language": "en" }))),
        "testPush" => ("", Some(json!({}))),
        "getTold" | "listUnreached" => ("", None),
        "sendToldCode" => ("", Some(json!({ "channel": "push" }))),
        "confirmTold" => ("", Some(json!({ "channel": "push", "code": "123456" }))),
        "memberTold" => (&t.member, None),
        "vouchTold" => (&t.member, Some(json!({ "channel": "sms", "address": "+254712345678" }))),
        "remindLater" => (&t.visit, None),
        "setTold" => {
            let told =
                json!({ "language": "xx", "email": "", "phone": "", "quiet_from": "", "quiet_until": "", "kinds": [] });
            ("", Some(told))
        }
        "signIn" | "refreshSession" | "setUp" | "previewInvitation" | "join" | "deliverOutbox" => {
            ("", Some(json!("nothing")))
        }
        // Passwords, second steps and keys are not used up here: the body is none.
        "changePassword"
        | "beginSecondStep"
        | "confirmSecondStep"
        | "newRecoveryCodes"
        | "removeSecondStep"
        | "beginProviderSignIn"
        | "finishProviderSignIn"
        | "createKey" => ("", Some(json!("nothing"))),
        "listAudit" | "exportAudit" | "mySecurity" | "listSessions" | "getSignInRules" | "listKeys" | "listErasures"
        | "getRetention" => ("", None),
        "endSession" | "revokeKey" => (&t.visit, None),
        "listImports" | "createImport" | "importTemplate" => ("", None),
        "getImport" | "discardImport" | "listImportFaults" | "listImportDuplicates" | "commitImport" | "undoImport" => {
            (&t.visit, None)
        }
        "checkImport" => (&t.visit, Some(json!({ "fields": [] }))),
        "decideImport" => (&t.visit, Some(json!({ "rows": [] }))),
        "resetMember" => (&t.member, Some(json!({}))),
        "setSignInRules" => ("", Some(json!({ "second_step_roles": [] }))),
        "exportHousehold" => (household, None),
        "eraseHousehold" => (household, Some(json!({ "reason": " " }))),
        "exportMember" => (&t.member, None),
        "eraseMember" => (&t.member, Some(json!({ "reason": " " }))),
        "settleKept" => (&t.visit, Some(json!({ "take": false }))),
        "setRetention" => ("", Some(json!({ "rules": [] }))),
        "switchOrganisation" | "chooseMain" => ("", Some(json!({ "member": t.member }))),
        "createOrganisation" => {
            ("", Some(json!({ "code": "!", "name": "No", "admin_name": "A", "admin_login": "a", "locale": "en" })))
        }
        "inviteAdmin" => (&t.org, Some(json!({ "name": "A", "login": "!", "locale": "en" }))),
        "limitOrganisation" => (&t.org, Some(json!({ "member_limit": 0 }))),
        "changeMode" => ("", Some(json!({ "mode": "multi" }))),
        // Nothing of theirs.
        "verifyOwnSignature" => (&t.visit, None),
        "withdrawOwnConsent" => ("", Some(json!({ "reason": " " }))),
        "disputeOwnGrant" => ("", Some(json!({ "tranche": id(), "reason": "it did not come" }))),
        "createUpload" | "listHouseholds" | "listVisits" | "listDevices" | "listPlaces" | "listMembers" | "listRoles"
        | "me" | "importPlaces" | "unsubscribePush" | "figures" | "dashboard" | "figuresAcross" | "home" | "signOut"
        | "health" | "healthOfParts" | "ready" | "start" | "uploadOptions" | "listOrganisations" | "getMode" | "backups" => {
            ("", None)
        }
        other => panic!("tests/api/matrix/requests.rs does not say how to ask {other}"),
    };
    let mut asked = Asked { method: method.clone(), path: with_ids(path, used), body, headers: Vec::new() };
    match operation {
        "unsubscribePush" => asked.path += "?endpoint=nowhere",
        "importPlaces" => asked.headers.push(("content-type", "text/csv".into())),
        "headUpload" | "deleteUpload" | "patchUpload" => {
            asked.headers.push(("tus-resumable", "1.0.0".into()));
            if operation == "patchUpload" {
                asked.headers.push(("upload-offset", "3".into()));
                asked.headers.push(("content-type", "application/offset+octet-stream".into()));
            }
        }
        "createUpload" => {
            let capture = announced_by(by, &t.household).await;
            let made = by.creation(&capture).build().unwrap();
            for name in ["tus-resumable", "upload-length", "upload-metadata"] {
                asked.headers.push((name, made.headers()[name].to_str().unwrap().to_owned()));
            }
        }
        _ => {}
    }
    asked
}

/// The body of a command that names the target. What is behind the walls answers `stale` and `wrong_state`, and nothing
/// is used up.
pub fn command(kind: &str, by: &Person, target: &Target) -> Value {
    let t = target;
    let (household, now) = (&t.household["id"], 1_790_000_000_000_i64);
    match kind {
        "household.register" => {
            json!({ "household": { "id": id(), "place": t.household["place"], "head_name": "Somebody New" }, "evidence": [] })
        }
        "household.update" => json!({ "id": household, "changes": {} }),
        "household.merge" => {
            json!({ "keep": household, "drop": household, "revision_keep": 0, "revision_drop": 0, "choose": {} })
        }
        "household.unmerge" => json!({ "id": household }),
        "household.move" => {
            json!({ "id": household, "revision": 0, "place": t.household["place"], "reason": "they live there" })
        }
        "consent.give" => {
            let signature = signing::consent(by, &t.household);
            json!({ "id": id(), "household": household, "purpose": "programme", "evidence": [], "signature": signature })
        }
        "consent.withdraw" => json!({ "household": household, "reason": " " }),
        "visit.plan" => {
            json!({ "id": id(), "household": household, "mentor": by.member(), "kind": "scheduled", "planned_at": now })
        }
        "visit.start" => json!({ "id": t.visit, "started_at": now }),
        "visit.submit" => by.visit(&t.household).body,
        "visit.cancel" | "visit.miss" => json!({ "id": t.visit, "reason": "because" }),
        "visit.approve" => json!({ "id": t.visit, "revision": 0 }),
        "visit.return" => json!({ "id": t.visit, "revision": 0, "note": "look again" }),
        "assessment.record" => enrolling::assessment(&t.household, &t.programme, enrolling::poor()),
        "enrolment.apply" => {
            let made = json!({ "id": t.assessment, "household": household, "programme": t.programme["id"] });
            enrolling::application(&made)
        }
        "enrolment.move" => enrolling::moving(&t.enrolment, 0, "reject"),
        "milestone.move" => grouping::step(&t.enrolment, 8, "complete"),
        "group.form" => {
            let mut again = t.formed.clone();
            again["id"] = id().into();
            again
        }
        "group.change" => {
            json!({ "id": t.group, "revision": 0, "name": "N", "type": "crop", "members": t.formed["members"] })
        }
        "group.dissolve" => json!({ "id": t.group, "revision": 0, "reason": "because" }),
        "group.survey" => grouping::survey(&t.group, "progress", json!({ "evidence": [] })),
        "training.schedule" => {
            let mut plan = teaching::plan(by, &t.module, std::slice::from_ref(&t.household), now);
            plan["place"] = t.household["place"].clone();
            plan
        }
        "training.change" => {
            let mut plan = teaching::plan(by, &t.module, std::slice::from_ref(&t.household), now);
            (plan["id"], plan["planned_revision"]) = (json!(t.training), 0.into());
            plan
        }
        "training.cancel" => json!({ "id": t.training, "reason": " " }),
        "training.attend" => json!({ "id": t.training, "marks": [{ "household": id() }] }),
        "training.hold" => json!({ "id": t.training }),
        "grant.submit" => granting::application(by, &t.household, &t.policy),
        "grant.move" => json!({ "id": t.grant, "revision": 0, "event": "review" }),
        "grant.release" => {
            json!({ "id": t.grant, "revision": 0, "tranche": t.grant, "method": "cash", "released_on": "2026-10-01" })
        }
        "grant.acknowledge" => granting::receiving(by, &t.household, &t.grant, &json!({ "id": t.grant, "amount_minor": 1 })),
        "grant.tranche" => {
            json!({ "id": t.grant, "revision": 0, "tranche": t.grant, "event": "reverse", "reason": "because" })
        }
        "grant.utilise" => granting::report(&t.grant),
        "grant.verify" => json!({ "id": t.grant, "revision": 0, "verdict": "verify" }),
        "conflict.settle" => json!({ "id": t.conflict, "choose": "mine", "theirs": "not what the server has" }),
        "inbox.read" => json!({ "ids": [t.visit] }),
        other => panic!("tests/api/matrix/requests.rs does not say how to send {other}"),
    }
}
