"""The data: records behind the wall, protected releases, and the rules for both."""
