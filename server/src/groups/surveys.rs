//! Surveys: how a group's business does, seen at the place. Each is kept as it was made and never changed.

use poem_openapi::{Enum, Object};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::machine::Event;
use super::{Group, Health, commands, store};
use crate::clock::Millis;
use crate::commands::{Applied, Context};
use crate::db::Tx;
use crate::enrolments::Position;
use crate::error::{Error, Result};
use crate::feed::{self, Locked};
use crate::media::{Capture, evidence};
use crate::milestones::{self, Happening};
use crate::{audit, check, scope};

/// What has to be there when somebody says that they were at the business: a picture of the place.
const SLOT: &str = "site";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum, Serialize, Deserialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum SurveyKind {
    Progress,
    /// Opens the second grant.
    Performance,
    /// Ends the ladder.
    Final,
}

impl SurveyKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Progress => "progress",
            Self::Performance => "performance",
            Self::Final => "final",
        }
    }
}

/// What was found. Texts are at most 4,000 characters.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct SurveyFindings {
    pub group: Uuid,
    pub kind: SurveyKind,
    pub operating: bool,
    pub income_minor: i64,
    pub expenses_minor: i64,
    #[serde(default)]
    pub savings_minor: Option<i64>,
    pub health: Health,
    /// 0 … 100; needed for `performance` and `final`.
    #[serde(default)]
    pub score: Option<i64>,
    #[serde(default)]
    pub challenges: String,
    #[serde(default)]
    pub next_steps: String,
    pub position: Position,
}

/// A survey as devices and the API show it.
#[derive(Clone, Debug, Object, Serialize, Deserialize)]
pub struct Survey {
    pub id: Uuid,
    #[oai(flatten)]
    #[serde(flatten)]
    pub findings: SurveyFindings,
    /// The group's village; also the feed.
    pub place: Uuid,
    pub surveyed_by: Uuid,
    /// The device's time.
    pub surveyed_at: Millis,
    pub created_at: Millis,
    pub revision: i64,
}

/// `group.survey`: with at least one picture of the place.
#[derive(Clone, Object, Deserialize)]
#[oai(rename = "SurveyGroup")]
pub struct Take {
    pub id: Uuid,
    #[oai(flatten)]
    #[serde(flatten)]
    pub findings: SurveyFindings,
    #[serde(default)]
    pub evidence: Vec<Capture>,
}

impl SurveyFindings {
    fn check(&self) -> Result<()> {
        check::money("income_minor", Some(self.income_minor))?;
        check::money("expenses_minor", Some(self.expenses_minor))?;
        check::money("savings_minor", self.savings_minor)?;
        check::text("challenges", &self.challenges, 4000)?;
        check::text("next_steps", &self.next_steps, 4000)?;
        let scored = self.score.map_or(self.kind == SurveyKind::Progress, |score| (0..=100).contains(&score));
        if !scored {
            return Err(Error::invalid("score", "A score from 0 to 100."));
        }
        self.position.check()
    }

    /// Takes away what was said and where; the figures stay for the programme's own count.
    pub fn forget(&mut self) {
        self.challenges.clear();
        self.next_steps.clear();
        self.position = Position::default();
    }
}

pub async fn take(tx: &mut Tx, context: &Context, body: Take) -> Result<Applied> {
    let by = context.reader.registrar()?;
    body.findings.check()?;
    let place = store::feed_of(tx, by.org, body.findings.group).await?;
    scope::demand_then(tx, context, place, "group").await?;
    let mut feeds = feed::lock(tx, by.org, [place]).await?;
    let group = store::current(tx, by.org, place, body.findings.group).await?;
    group.state.transition(Event::Survey)?;
    if !body.evidence.iter().any(|capture| capture.slot == SLOT) {
        let message = "Missing: a picture of the place.";
        return Err(Error::refused("evidence_missing", message).details(serde_json::json!({ "slots": [SLOT] })));
    }
    let survey = Survey {
        id: body.id,
        findings: body.findings,
        place,
        surveyed_by: by.id,
        // A phone's clock may be ahead; nobody was there in the future.
        surveyed_at: context.at.min(context.now),
        created_at: context.now,
        revision: feeds.revision(place),
    };
    store::add_survey(tx, &feeds, &survey).await?;
    for capture in body.evidence {
        evidence::announce(tx, context, &mut feeds, place, ("survey", survey.id), capture).await?;
    }
    let change = (None::<&Survey>, Some(&survey));
    audit::append(tx, &mut feeds, place, &context.actor(), "group.survey", ("survey", survey.id), change).await?;
    reach(tx, context, &mut feeds, &group, &survey).await?;
    // One that was made earlier, and arrives late, says nothing of how it is now.
    if survey.surveyed_at >= group.health_at {
        let after = Group {
            health: survey.findings.health,
            health_note: survey.findings.challenges.clone(),
            health_at: survey.surveyed_at,
            health_by: by.id,
            ..group.clone()
        };
        commands::save(tx, context, &mut feeds, Some(&group), after, "group.health").await?;
    }
    Applied::to(survey.id, survey.revision)
}

/// What a survey completes of the ladders of the group's households.
async fn reach(tx: &mut Tx, context: &Context, feeds: &mut Locked, group: &Group, survey: &Survey) -> Result<()> {
    let end = match survey.findings.kind {
        SurveyKind::Progress => None,
        SurveyKind::Performance => Some(9),
        SurveyKind::Final => Some(11),
    };
    for number in [survey.findings.operating.then_some(6), end].into_iter().flatten() {
        let reached = Happening { number, event: milestones::Event::Complete, cause: "survey", subject: survey.id };
        let (of, programme) = (group.households(), Some(group.programme));
        milestones::happened(tx, context, feeds, group.place, &of, programme, reached).await?;
    }
    Ok(())
}
