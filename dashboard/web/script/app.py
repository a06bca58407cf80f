"""The Streamlit script: navigation, nothing else. It is started by dashboard/server.py."""

from dashboard.web import navigation

navigation.run_page()
