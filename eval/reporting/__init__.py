"""Reports of a run and of two runs beside each other, as Markdown and as one self-contained HTML file."""
