CREATE INDEX recordings_held ON recordings (opened_at, recording) WHERE held;
