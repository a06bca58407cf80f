"""The pages, one package each. A page checks the tier, reads the view and lays out the content."""
