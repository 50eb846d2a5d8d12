"""Whose signature a policy must have stands in `meta`: a backup hears of it. An earlier version, which does not ask for it,
opens the archive no more.
"""

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    for name, event, row in (("signer", "INSERT", "NEW"), ("signer_gone", "DELETE", "OLD")):
        op.execute(
            f"CREATE TRIGGER touched_{name} AFTER {event} ON meta WHEN {row}.name = 'policy-signer' AND "  # noqa: S608 - all of it stands here
            "EXISTS (SELECT 1 FROM meta WHERE name >= 'backup-' AND name < 'backup.') BEGIN "
            "DELETE FROM touched WHERE kind = 'signer'; "
            "INSERT INTO touched (desk, kind, id) VALUES ('', 'signer', 'policy-signer'); END"
        )
