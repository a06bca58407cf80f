"""The pages, one package each: check the tier, read the view, lay out the content."""
