"""What stands around Streamlit in the web process: headers and navigation."""
