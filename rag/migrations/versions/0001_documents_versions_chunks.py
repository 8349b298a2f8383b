"""Documents, their versions and chunks, and the index's fingerprint."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "fingerprint",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("value", sa.String, nullable=False),
    )
    op.create_table(
        "versions",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("document_id", sa.String, nullable=False, index=True),
        sa.Column("state", sa.String, nullable=False, index=True),
        sa.Column("path", sa.String, nullable=False),
        sa.Column("title", sa.String, nullable=False),
        sa.Column("digest", sa.String, nullable=False),
        sa.Column("media_type", sa.String, nullable=False),
        sa.Column("encoding", sa.String, nullable=False),
        sa.Column("published", sa.String),
        sa.Column("issuer", sa.String),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("changes", sa.JSON, nullable=False),
        sa.Column("added_at", sa.Float, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "one_live_version",
        "versions",
        ["document_id"],
        unique=True,
        sqlite_where=sa.text("state = 'live'"),
        postgresql_where=sa.text("state = 'live'"),
    )
    op.create_table(
        "chunks",
        sa.Column(
            "version_id", sa.Integer, sa.ForeignKey("versions.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("ordinal", sa.Integer, primary_key=True),
        sa.Column("start", sa.Integer, nullable=False),
        sa.Column("end", sa.Integer, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("heading", sa.String, nullable=False),
    )


def downgrade() -> None:
    """Drop the tables."""
    op.drop_table("chunks")
    op.drop_table("versions")
    op.drop_table("fingerprint")
