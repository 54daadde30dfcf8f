-- What a dashboard asks again and again, so that it touches the rows it counts and no others: visits of a day, decisions of a
-- day within a place, pictures that are missed.
CREATE INDEX visit_by_start ON visit (org, started_at) WHERE started_at IS NOT NULL;
CREATE INDEX visit_by_decision ON visit (org, feed, state, decided_at);
CREATE INDEX evidence_missed ON evidence (org, feed, subject)
    WHERE state IN ('announced', 'quarantined') AND superseded_by IS NULL;
CREATE INDEX capture_missed ON capture (org, member) WHERE received_at IS NULL;
