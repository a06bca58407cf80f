"""The Streamlit script of the map: it only runs the navigation. dashboard/server.py starts it."""

from dashboard.web import navigation

navigation.run_page()
