-- Deliveries that nobody has begun are claimed many at once, everything else one by one.
CREATE INDEX job_deliveries ON job (run_at) WHERE state = 'queued' AND kind = 'deliver' AND attempts = 0;
CREATE INDEX job_others ON job (run_at) WHERE state = 'queued' AND NOT (kind = 'deliver' AND attempts = 0);
