"""One thin file a page: guard, read the view, lay out."""
