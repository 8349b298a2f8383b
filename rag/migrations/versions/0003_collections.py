"""The collection that a document belongs to, over all its versions."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; no document belongs to a collection yet."""
    op.create_table(
        "collections",
        sa.Column("document_id", sa.String, primary_key=True),
        sa.Column("name", sa.String, nullable=False, index=True),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("collections")
