//! How the world reads households; they are written by commands.

use poem_openapi::param::{Path, Query};
use poem_openapi::{Object, OpenApi};
use uuid::Uuid;

use super::{Card, Household, store};
use crate::app::App;
use crate::audit::{self, Actor};
use crate::auth::{HouseholdReader, Member};
use crate::error::{Error, Result};
use crate::feed;
use crate::media::Evidence;
use crate::packed;
use crate::scope;
use crate::signatures::Signature;
use crate::visits::Visit;
use crate::wire::{Page, Stored};

pub struct Api(pub App);

/// All that happened with a household, newest first.
#[derive(Object)]
pub struct Timeline {
    pub household: Household,
    pub visits: Vec<Visit>,
    pub evidence: Vec<Evidence>,
    pub signatures: Vec<Signature>,
}

#[OpenApi(tag = "crate::api::Tag::Households")]
impl Api {
    /// List or find households
    ///
    /// `q`: part of a name or number, or a whole national id or phone number. Ordered by name. What a household
    /// holds beyond its card is in its own file.
    #[oai(path = "/api/households", method = "get", operation_id = "listHouseholds")]
    async fn list(
        &self,
        reader: HouseholdReader,
        q: Query<Option<String>>,
        place: Query<Option<Uuid>>,
        after: Query<Option<String>>,
        #[oai(validator(minimum(value = "1"), maximum(value = "100")))] limit: Query<Option<i64>>,
    ) -> Result<Stored<Page<Card>>> {
        let q = q.0.unwrap_or_default();
        if q.contains('\0') || after.0.as_ref().is_some_and(|a| a.contains('\0')) {
            return Err(Error::bad_request("invalid_text", "A text holds a character that cannot be searched."));
        }
        if q.chars().count() > 200 {
            return Err(Error::bad_request("query_too_long", "A search has at most 200 characters.").field("q"));
        }
        let wanted = store::Wanted { q, place: place.0, after: after.0, limit: limit.0.unwrap_or(50) };
        store::list(&self.0, &reader, wanted).await
    }

    /// One household
    #[oai(path = "/api/households/:id", method = "get", operation_id = "getHousehold")]
    async fn get(&self, reader: HouseholdReader, id: Path<Uuid>) -> Result<Stored<Household>> {
        let body = scope::record(&self.0.db, &reader, "household", id.0).await?;
        note_reading(&self.0, &reader, id.0).await?;
        Ok(Stored::new(self.0.crypto.open_text(&body).into_owned()))
    }

    /// A household's timeline
    #[oai(path = "/api/households/:id/timeline", method = "get", operation_id = "getTimeline")]
    async fn timeline(&self, reader: HouseholdReader, id: Path<Uuid>) -> Result<Stored<Timeline>> {
        let household = scope::record(&self.0.db, &reader, "household", id.0).await?;
        let household = self.0.crypto.open_text(&household);
        note_reading(&self.0, &reader, id.0).await?;
        let (visits, evidence, signatures) = belongings(&self.0, &reader, id.0).await?;
        // One who reads households and no visits has the file without them.
        let seen = |rows: String| if reader.capabilities.sees("visit") { rows } else { String::new() };
        let (visits, evidence, signatures) = (seen(visits), seen(evidence), seen(signatures));
        Ok(Stored::new(format!(
            "{{\"household\":{household},\"visits\":[{visits}],\"evidence\":[{evidence}],\"signatures\":[{signatures}]}}"
        )))
    }
}

/// Who opened whose file stands in the reader's own chain.
async fn note_reading(app: &App, reader: &Member, household: Uuid) -> Result<()> {
    let actor = Actor { org: reader.org, member: Some(reader.id), device: Some(reader.device), at: app.clock.now() };
    let own = reader.id;
    app.db
        .write(move |tx| {
            Box::pin(async move {
                let mut feeds = feed::lock(tx, actor.org, [own]).await?;
                let nothing = (None::<&()>, None::<&()>);
                audit::append(tx, &mut feeds, own, &actor, "household.read", ("household", household), nothing).await
            })
        })
        .await
}

/// Visits of a household, and evidence and signatures of all that is about it, and about those that were merged
/// into it, latest first, as joined records: as far as this member sees their villages.
pub async fn belongings(app: &App, by: &Member, household: Uuid) -> Result<(String, String, String)> {
    let (visits, evidence, signatures): (String, String, String) = app
        .db
        .query(
            "WITH home AS (SELECT h.id FROM household h JOIN member_feed m ON m.org = h.org AND m.feed = h.feed
                     WHERE h.org = $1 AND m.member = $3 AND (h.id = $2 OR h.merged_into = $2)),
                 subject AS (SELECT id FROM visit WHERE org = $1 AND household IN (SELECT id FROM home)
                     UNION ALL SELECT id FROM enrolment WHERE org = $1 AND household IN (SELECT id FROM home)
                     UNION ALL SELECT s.id FROM survey s JOIN business_group_member m
                         ON m.org = s.org AND m.business_group = s.business_group
                         WHERE s.org = $1 AND m.household IN (SELECT id FROM home)
                     UNION ALL SELECT id FROM home)
                 SELECT
                   COALESCE((SELECT string_agg(hex(e.body), ',' ORDER BY v.started_at DESC, v.id) FROM visit v
                      JOIN feed_entry e ON e.org = v.org AND e.feed = v.feed AND e.id = v.id
                      WHERE v.org = $1 AND v.household IN (SELECT id FROM home)), ''),
                   COALESCE((SELECT string_agg(hex(e.body), ',' ORDER BY x.captured_at DESC, x.id) FROM evidence x
                      JOIN feed_entry e ON e.org = x.org AND e.feed = x.feed AND e.id = x.id
                      WHERE x.org = $1 AND x.subject IN (SELECT id FROM subject)), ''),
                   COALESCE((SELECT string_agg(hex(e.body), ',' ORDER BY s.received_at DESC, s.id) FROM signature s
                      JOIN feed_entry e ON e.org = s.org AND e.id = s.id AND NOT e.deleted
                      WHERE s.org = $1 AND s.subject IN (SELECT id FROM subject)), '')",
        )
        .bind(by.org)
        .bind(household)
        .bind(by.id)
        .one()
        .await?;
    Ok((packed::open_list(&visits)?, packed::open_list(&evidence)?, packed::open_list(&signatures)?))
}

/// A household's assessments and enrolments, latest first, as joined records.
pub async fn programme_records(app: &App, org: Uuid, household: Uuid) -> Result<(String, String)> {
    let (assessments, enrolments): (String, String) = app
        .db
        .query(
            "SELECT
                 COALESCE((SELECT string_agg(hex(e.body), ',' ORDER BY a.created_at DESC, a.id) FROM assessment a
                    JOIN feed_entry e ON e.org = a.org AND e.feed = a.feed AND e.id = a.id
                    WHERE a.org = $1 AND a.household = $2), ''),
                 COALESCE((SELECT string_agg(hex(e.body), ',' ORDER BY n.created_at DESC, n.id) FROM enrolment n
                    JOIN feed_entry e ON e.org = n.org AND e.feed = n.feed AND e.id = n.id
                    WHERE n.org = $1 AND n.household = $2), '')",
        )
        .bind(org)
        .bind(household)
        .one()
        .await?;
    Ok((packed::open_list(&assessments)?, packed::open_list(&enrolments)?))
}

/// The groups that a household is or was in, and their surveys, latest first, as joined records.
pub async fn group_records(app: &App, org: Uuid, household: Uuid) -> Result<(String, String)> {
    let (groups, surveys): (String, String) = app
        .db
        .query(
            "SELECT
                 COALESCE((SELECT string_agg(hex(e.body), ',' ORDER BY g.created_at DESC, g.id) FROM business_group_member m
                    JOIN business_group g ON g.org = m.org AND g.id = m.business_group
                    JOIN feed_entry e ON e.org = g.org AND e.feed = g.feed AND e.id = g.id
                    WHERE m.org = $1 AND m.household = $2), ''),
                 COALESCE((SELECT string_agg(hex(e.body), ',' ORDER BY s.created_at DESC, s.id) FROM business_group_member m
                    JOIN survey s ON s.org = m.org AND s.business_group = m.business_group
                    JOIN feed_entry e ON e.org = s.org AND e.feed = s.feed AND e.id = s.id
                    WHERE m.org = $1 AND m.household = $2), '')",
        )
        .bind(org)
        .bind(household)
        .one()
        .await?;
    Ok((packed::open_list(&groups)?, packed::open_list(&surveys)?))
}
