ALTER TABLE withdrawals ADD COLUMN call uuid CHECK (call IS NULL OR call_group IS NOT NULL); -- an agent's own mark: of this call alone
