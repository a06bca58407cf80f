"""What the map shows: one file a layer, each defined once for map, legend, table and export."""
