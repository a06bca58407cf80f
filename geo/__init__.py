"""Geography: areas, places, boundaries, travel times, map layers and exports."""
