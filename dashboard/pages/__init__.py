"""The pages, one package for each. A page checks the tier, reads the choices in the address and shows the content."""
