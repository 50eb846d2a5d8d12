CREATE INDEX purposes_to_review ON purposes (recording) WHERE purpose = 'training' AND stands = 'keeps' AND reviewed_at IS NULL;
