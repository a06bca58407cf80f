"""The web process around Streamlit: who may enter, navigation, the bar, meetings, and files and data for readers."""
