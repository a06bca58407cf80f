"""The Streamlit script: navigation, nothing else. It is started by dashboard/server.py."""

from dashboard import navigation

navigation.run()
