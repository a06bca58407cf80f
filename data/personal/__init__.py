"""What looks personal in headings, cells and free text; used on both sides of the wall."""
