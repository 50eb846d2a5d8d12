-- As before; and what is restricted is not shared meanwhile.
ALTER POLICY seen ON reviews USING (
    EXISTS (SELECT FROM recordings r WHERE r.recording = reviews.recording
        AND lives_for(r, 'training') AND (
            (r.opened_by && (SELECT my_keys('training')) AND led(r.line, r.agent) && (SELECT my_led()))
            OR (reviews.shared AND r.restricted IS NULL AND r.agent = ANY ((SELECT my_agents())::text[]))
        ))
);
CREATE INDEX sample_tallies_of_a_desk ON sample_tallies (desk);
CREATE INDEX proofs_past ON proofs (until);
