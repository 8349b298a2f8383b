"""Pages, marks and notes of documents, speeches in chunks, and copies of documents."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, empty for what is there, and the table."""
    op.add_column("versions", sa.Column("pages", sa.Integer))
    op.add_column("versions", sa.Column("content", sa.String, nullable=False, server_default=""))
    op.add_column("versions", sa.Column("marks", sa.JSON, nullable=False, server_default="[]"))
    op.add_column("versions", sa.Column("notes", sa.JSON, nullable=False, server_default="[]"))
    op.create_index("ix_versions_content", "versions", ["content"])
    op.create_index("ix_versions_digest", "versions", ["digest"])
    op.add_column("chunks", sa.Column("page", sa.Integer))
    op.add_column("chunks", sa.Column("speeches", sa.JSON, nullable=False, server_default="[]"))
    op.create_table(
        "copies",
        sa.Column("path", sa.String, primary_key=True),
        sa.Column("digest", sa.String, nullable=False, index=True),
        sa.Column("media_type", sa.String, nullable=False),
        sa.Column("document_id", sa.String, nullable=False, index=True),
        sa.Column("added_at", sa.Float, nullable=False),
    )


def downgrade() -> None:
    """Drop what was added."""
    op.drop_table("copies")
    op.drop_column("chunks", "speeches")
    op.drop_column("chunks", "page")
    op.drop_index("ix_versions_digest", "versions")
    op.drop_index("ix_versions_content", "versions")
    for column in ("notes", "marks", "content", "pages"):
        op.drop_column("versions", column)
