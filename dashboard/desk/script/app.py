"""The Streamlit script of the desk: it only shows the frame. dashboard/desk/server.py starts it."""

from dashboard.desk import frame

frame.run_page()
