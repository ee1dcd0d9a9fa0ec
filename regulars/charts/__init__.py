"""Pictures of what a refresh found: rows in, SVG out; the same rows give the same bytes. Needs the extra `science`."""
