"""The parts of the web process around Streamlit: headers and navigation."""
