-- An address is given on, and so is the machine behind it: whose call it was is whoever had joined with that desk when it began.

-- Joined by a code, and by the directory from then on.
ALTER TABLE desks ADD COLUMN was_person uuid REFERENCES people, ADD COLUMN moved_at timestamptz;

-- Somebody had left under this name, and somebody is back under it: perhaps another, who has nothing of what was before.
ALTER TABLE people ADD COLUMN returned_at timestamptz;

-- Of a call that no desk's person is known of: nobody's own.
ALTER TABLE calls ADD COLUMN person uuid REFERENCES people;
ALTER TABLE recordings ADD COLUMN person uuid REFERENCES people;

-- Raised on all of a number, by somebody who may not learn what there is of it.
ALTER TABLE hold_words ADD COLUMN by_number boolean NOT NULL DEFAULT false;

-- What was there before: each desk's person has made its calls, but for those before the desk was moved. Who had joined until then, the
-- log says, as far as it reaches back. The owner sees no rows, but here. What arrives before the functions know of this, is nobody's own.
ALTER TABLE people NO FORCE ROW LEVEL SECURITY;
ALTER TABLE desks NO FORCE ROW LEVEL SECURITY;
ALTER TABLE audit NO FORCE ROW LEVEL SECURITY;
ALTER TABLE calls NO FORCE ROW LEVEL SECURITY;
ALTER TABLE recordings NO FORCE ROW LEVEL SECURITY;
UPDATE desks d SET moved_at = moved.at, was_person = (SELECT p.person FROM audit b, people p
        WHERE b.chain = 'service' AND b.event = 'signed_in' AND b.number < moved.number
            AND b.told::jsonb #>> '{params,desk}' = d.desk::text AND p.person::text = b.told::jsonb #>> '{params,of}'
        ORDER BY b.number DESC LIMIT 1)
    FROM (SELECT a.told::jsonb #>> '{params,desk}' AS desk, a.at, a.number FROM audit a
        WHERE a.chain = 'service' AND a.event = 'desk_moved') moved
    WHERE moved.desk = d.desk::text;
UPDATE calls c SET person = CASE WHEN c.started_at < d.moved_at THEN d.was_person ELSE d.person END FROM desks d WHERE d.desk = c.desk;
UPDATE recordings r SET person = c.person FROM calls c WHERE c.call = r.call;
ALTER TABLE people FORCE ROW LEVEL SECURITY;
ALTER TABLE desks FORCE ROW LEVEL SECURITY;
ALTER TABLE audit FORCE ROW LEVEL SECURITY;
ALTER TABLE calls FORCE ROW LEVEL SECURITY;
ALTER TABLE recordings FORCE ROW LEVEL SECURITY;
