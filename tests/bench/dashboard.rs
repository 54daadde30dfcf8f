//! What supervisors and programme managers look at all day, over a hundred thousand visits.

use kilele::auth::Role;
use kilele::clock::{DAY, Millis};
use kilele::visits::{self, Findings, Kind, State, Visit};
use kilele_tests::{Person, Uuid, id};
use serde_json::Value;

use crate::load::{Load, Request};
use crate::server::Server;
use crate::{RUN, RUNS, row};

const VISITS: usize = 100_000;
/// A year of working days: four hundred visits on each, today too.
const DAYS: usize = 250;
const BATCH: usize = 500;
const MARK: &str = "p95 ≤ 50 ms";

pub async fn measure(engine: &str, server: &Server) {
    let supervisor = server.sign_in("grace.supervisor").await;
    fill(server, &supervisor).await;
    for table in ["visit", "evidence", "feed_entry"] {
        server.looked_over(table).await;
    }
    server.at_rest().await;
    for (what, path) in [("dashboard of a day", "/api/figures/day"), ("all figures", "/api/figures")] {
        for connections in [1, 8] {
            let mut runs = Vec::new();
            for _ in 0..RUNS {
                runs.push(Load::run(server, connections, RUN / 2, Request::get(path, &supervisor.token)).await.p95());
            }
            runs.sort_by(f64::total_cmp);
            let what =
                format!("{what} at 100,000 visits, {connections} connection{}", if connections > 1 { "s" } else { "" });
            row(&what, engine, format!("p95 {:.1} ms", runs[RUNS / 2]), if connections == 1 { MARK } else { "–" });
        }
    }
}

/// As phones would have left them, but for their signatures: the rows that figures are counted from, and the records.
pub async fn fill(server: &Server, by: &Person) {
    let (app, org) = (server.app().await, by.org().parse::<Uuid>().unwrap());
    let homes: Vec<(Uuid, Uuid)> =
        by.records("household").await.iter().map(|home| (field(home, "id"), field(home, "place"))).collect();
    let people = by.records("person").await;
    let mentors: Vec<Uuid> =
        people.iter().filter(|one| one["role"] == Role::Mentor.as_str()).map(|one| field(one, "id")).collect();
    let now = app.clock.now();
    for batch in 0..VISITS / BATCH {
        let visits: Vec<Visit> = (batch * BATCH..(batch + 1) * BATCH)
            .map(|n| visit(n, homes[n % homes.len()], mentors[n % mentors.len()], now))
            .collect();
        let work = app.db.write(move |tx| {
            Box::pin(async move {
                let feeds = kilele::feed::lock(tx, org, visits.iter().map(|one| one.place)).await?;
                for (n, one) in visits.iter().enumerate() {
                    visits::store::put(tx, &feeds, one).await?;
                    for slot in ["front", "back"] {
                        let evidence: Uuid = id().parse().unwrap();
                        tx.query(
                            "INSERT INTO evidence (org, id, feed, subject_kind, subject, slot, state, sha256, bytes, captured_by,
                                 device, captured_at)
                             VALUES ($1, $2, $3, 'visit', $4, $5, $6, $7, 300000, $8, $8, $9)",
                        )
                        .bind(org)
                        .bind(evidence)
                        .bind(one.place)
                        .bind(one.id)
                        .bind(slot)
                        .bind(if n % 100 == 0 { "announced" } else { "ready" })
                        .bind(evidence.to_string())
                        .bind(one.mentor)
                        .bind(one.created_at)
                        .later()
                        .await?;
                    }
                }
                Ok(())
            })
        });
        work.await.unwrap();
    }
}

fn field(record: &Value, name: &str) -> Uuid {
    record[name].as_str().unwrap().parse().unwrap()
}

fn visit(n: usize, (household, place): (Uuid, Uuid), mentor: Uuid, now: Millis) -> Visit {
    let days = i64::try_from(n % DAYS).unwrap();
    // Within the last hours, so that it is today at any time of the day but just after midnight.
    let at = now - days * DAY - i64::try_from(n / DAYS).unwrap() * 30_000;
    let state = match (days, n % 20) {
        (0..3, _) => State::Submitted,
        (_, 0) => State::Returned,
        _ => State::Approved,
    };
    Visit {
        id: id().parse().unwrap(),
        number: Some(format!("VIS-2026-{n:06}")),
        household,
        place,
        mentor,
        state,
        kind: Kind::Scheduled,
        planned_at: Some(at),
        findings: Findings {
            started_at: Some(at),
            ended_at: Some(at + 1_500_000),
            topics: vec!["business".into(), "savings".into()],
            observations: "Sells kale and tomatoes at the market on Tuesdays; the hen house has a new roof.".into(),
            business_status: Some("stable".into()),
            income_minor: Some(350_000),
            lat: Some(-0.3 + (n % 997) as f64 / 1e4),
            lon: Some(36.0 + (n % 991) as f64 / 1e4),
            accuracy_m: Some(9.0),
            ..Findings::default()
        },
        note: None,
        decided_by: (state != State::Submitted).then_some(mentor),
        decided_at: (state != State::Submitted).then_some(at + DAY),
        round: 1,
        submitted_at: Some(at + 2_000_000),
        created_at: at,
        updated_at: at,
        revision: 1,
    }
}
