-- The living sample, of an agent and of a line: what was recorded for nothing but documentation is in neither.
CREATE INDEX recordings_sample_of_an_agent ON recordings (agent, opened_at, recording) WHERE training_until > '-infinity';
CREATE INDEX recordings_sample_of_a_line ON recordings (line, opened_at, recording) WHERE training_until > '-infinity';
