-- `laid_at`, `offered_at`: what the service says, and when it was asked to. `written_at`: the sweep has laid it.
ALTER TABLE stones ADD COLUMN laid_at timestamptz, ADD COLUMN offered_at timestamptz;
