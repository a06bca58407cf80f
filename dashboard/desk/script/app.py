"""The Streamlit script of the desk: its frame, nothing else. It is started by dashboard/desk/server.py."""

from dashboard.desk import frame

frame.run_page()
